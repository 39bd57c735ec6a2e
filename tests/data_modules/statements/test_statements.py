"""Statements are true by their rules, their opposites false, and both are what people would write."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from data_modules.rules import Comparison, WindowTable
from data_modules.statements import KINDS, Statement, Statements
from trace_lit.channels import Channel


def assert_true_and_false(statements: Statements, rows: np.ndarray, drawn: list[list[Statement]]) -> None:
    """By `Rule.holds` on each row alone, which knows nothing of how statements are drawn."""
    table = statements.table
    for row, own in zip(rows.tolist(), drawn, strict=True):
        alone = WindowTable([table.values[row]], table.starts[[row]], table.frequency, table.channels)
        for statement in own:
            assert statement.rule.holds(alone)[0], statement
            assert (statement.opposite is None) == (statement.opposite_rule is None)
            if statement.opposite_rule is not None:
                assert not statement.opposite_rule.holds(alone)[0], statement
                assert statement.opposite != statement.text


def test_true_and_false_on_generated_corpora(statements: Statements) -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(len(statements), size=40)
    assert_true_and_false(statements, rows, statements.draw(rows, rng, 6))


@pytest.mark.parametrize("seed", range(8))
def test_true_and_false_on_random_channels(random_table, seed: int) -> None:
    table = random_table(seed)
    statements = Statements(table.channels, table.frequency, table, seed)
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(table), size=20)
    assert_true_and_false(statements, rows, statements.draw(rows, rng, 6))


@pytest.mark.parametrize(("channels", "steps"), [(1, None), (3, 2), (1, 1), (2, 3)])
def test_few_channels_and_short_windows(random_table, channels: int, steps: int | None) -> None:
    table = random_table(5, windows=24, channels=channels, steps=steps)
    statements = Statements(table.channels, None, table)
    rows = np.arange(len(table))
    assert_true_and_false(statements, rows, statements.draw(rows, np.random.default_rng(0), 4))


def test_nothing_is_stated_where_nothing_is_known() -> None:
    channels = (Channel("load", "MW"),)
    empty = np.full((1, 8), np.nan)
    starts = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[s]")
    unknown = WindowTable([empty, empty], starts, "1h", channels)
    assert Statements(channels, "1h", unknown).draw([0, 1], np.random.default_rng(0), 3) == [[], []]
    none = WindowTable([], starts[:0], "1h", channels)
    assert len(Statements(channels, "1h", none).bank(10, np.random.default_rng(0))) == 0


def test_constant_channel_is_never_high(random_table) -> None:
    channels = (Channel("load", "MW"), Channel("price", "$"))
    rng = np.random.default_rng(1)
    values = [np.stack([np.full(24, 7.0), rng.normal(size=24)]) for _ in range(40)]
    starts = np.datetime64("2020-01-01", "s") + np.arange(40) * np.timedelta64(1, "D")
    table = WindowTable(values, starts, "1h", channels)
    statements = Statements(channels, "1h", table)
    drawn = [s for own in statements.draw(range(40), rng, 10) for s in own if s.channels == ("load [MW]",)]
    assert {statement.kind for statement in drawn} <= {"shape", "negation", "change"}


def test_reproducible(random_table) -> None:
    table = random_table(3, channels=2, steps=24)

    def draw(seed: int, order: int) -> list[tuple]:
        drawn = Statements(table.channels, "1h", table, seed).draw([5, 9, 5], np.random.default_rng(order), 6)
        return [(s.text, s.opposite, s.rule) for own in drawn for s in own]

    first = draw(7, 4)
    assert draw(7, 4) == first
    assert draw(7, 5) != first
    assert draw(8, 4) != first


def test_kinds_and_channels_are_balanced(statements: Statements) -> None:
    rng = np.random.default_rng(0)
    drawn = [s for own in statements.draw(rng.integers(len(statements), size=400), rng, 5) for s in own]
    kinds = Counter(statement.kind for statement in drawn)
    assert set(kinds) == set(KINDS) - {"direction"}  # no simulated domain has a wind in components
    assert max(kinds.values()) < 3 * min(kinds.values())
    channels = Counter(key for statement in drawn for key in statement.channels)
    assert set(channels) == {channel.key for channel in statements.table.channels}
    assert max(channels.values()) < 3 * min(channels.values())


def test_mostly_neither_rare_nor_common(statements: Statements) -> None:
    bank = statements.bank(800, np.random.default_rng(0))
    shares = bank.shares()
    assert shares.min() > 0
    assert shares.max() < 0.75
    assert np.mean((shares >= 0.02) & (shares <= 0.45)) > 0.7


def test_wordings_are_many(statements: Statements) -> None:
    rng = np.random.default_rng(0)
    drawn = [s for own in statements.draw(rng.integers(len(statements), size=500), rng, 5) for s in own]
    for kind in set(KINDS) - {"direction"}:
        own = [re.sub(r"[\d.,]+", "#", s.text) for s in drawn if s.kind == kind]
        assert len(set(own)) > 0.9 * len(own), kind


def test_one_fact_has_thousands_of_wordings(statements: Statements) -> None:
    rng = np.random.default_rng(0)
    for form in ("level", "change", "turn", "peak", "reaches", "two changes"):
        fact = next(fact for fact in statements.facts if fact.form == form)
        texts = {
            statements._wording.one(fact, np.random.default_rng(seed).random) for seed in rng.integers(2**40, size=1200)
        }
        assert len(texts) > 700, form


def test_texts_are_tidy(statements: Statements) -> None:
    rng = np.random.default_rng(2)
    for own in statements.draw(rng.integers(len(statements), size=200), rng, 5):
        for statement in own:
            for text in (statement.text, statement.opposite or "x"):
                assert text == " ".join(text.split())
                assert not re.search(r"[<>]\w|[\[\]|{}]|\ba [aeio]|\s[,.?]|\b(\w+) \1\b", text), text


def test_truth_agrees_with_the_rules(statements: Statements) -> None:
    rng = np.random.default_rng(0)
    drawn = [s for own in statements.draw(rng.integers(len(statements), size=40), rng, 4) for s in own]
    rows = rng.permutation(len(statements))[:50]
    truth = statements.truth(drawn, rows)
    for number, statement in enumerate(drawn):
        assert (truth[number] == statement.rule.holds(statements.table)[rows]).all(), statement
    opposites = [s.opposite_rule for s in drawn if s.opposite_rule is not None]
    for holds, rule in zip(statements.decide(opposites), opposites, strict=True):
        assert (holds == rule.holds(statements.table)).all()


def test_bank_agrees_with_truth(statements: Statements) -> None:
    bank = statements.bank(200, np.random.default_rng(0))
    assert len(bank) == 200
    rows, numbers = np.array([3, 0, 60, 17]), np.array([5, 190, 44])
    truth = statements.truth(bank.statements)
    assert (bank.truth(numbers, rows) == truth[numbers][:, rows]).all()
    assert bank.about(17).tolist() == np.flatnonzero(truth[:, 17]).tolist()
    assert bank.shares() == pytest.approx(truth.mean(1))


UP = r"\b(upturn|upswing|rose|rises?|rising|increas\w+|climb\w*|grew|grows?|growing|gain|up|upward|uptrend|higher)\b"
DOWN = (
    r"\b(downturn|downswing|fell|falls?|falling|decreas\w+|drop\w*|declin\w+|sinking|down|"
    r"downward|downtrend|lower|shrank)\b"
)


@pytest.mark.parametrize(("sign", "right", "wrong"), [(1, UP, DOWN), (-1, DOWN, UP)])
def test_words_follow_the_values(sign: int, right: str, wrong: str) -> None:
    channels = (Channel("widget count", "units"),)
    rng = np.random.default_rng(0)
    slopes = rng.uniform(-1, 1, 100)
    slopes[0] = sign
    values = [(slope * np.arange(24) + rng.normal(0, 0.2, 24))[None] for slope in slopes]
    starts = np.datetime64("2020-01-01", "s") + np.arange(100) * np.timedelta64(1, "D")
    statements = Statements(channels, "1h", WindowTable(values, starts, "1h", channels))
    (own,) = statements.draw([0], rng, 300)
    told = [s for s in own if s.kind == "change" and "change" in str(s.rule) and " and " not in s.text.lower()]
    assert len(told) > 20
    for statement in told:
        text = re.sub(r"\b(dig|pull|bring) up\b", "find", statement.text, flags=re.IGNORECASE)
        assert re.search(right, text, re.IGNORECASE), statement
        assert not re.search(wrong, text, re.IGNORECASE), statement
    assert sum(bool(re.search(wrong, s.opposite or "", re.IGNORECASE)) for s in told) > 0.5 * len(told)


@pytest.mark.parametrize(("row", "right", "wrong"), [(0, "high", "low"), (1, "low", "high")])
def test_levels_follow_the_values(row: int, right: str, wrong: str) -> None:
    channels = (Channel("widget count", "units"),)
    rng = np.random.default_rng(0)
    levels = rng.normal(size=100)
    levels[:2] = 4, -4
    values = [(level + rng.normal(0, 0.2, 24))[None] for level in levels]
    starts = np.datetime64("2020-01-01", "s") + np.arange(100) * np.timedelta64(1, "D")
    statements = Statements(channels, "1h", WindowTable(values, starts, "1h", channels))
    (own,) = statements.draw([row], rng, 300)
    plain = [s.text.lower() for s in own if s.kind == "level" and isinstance(s.rule, Comparison)]
    told = [text for text in plain if re.search(rf"\b({right}|{wrong})\b", text)]
    assert len(told) > 20
    assert all(re.search(rf"\b{right}\b", text) and not re.search(rf"\b{wrong}\b", text) for text in told)


def test_direction_of_the_wind() -> None:
    channels = (Channel("sea wind u", "m/s"), Channel("sea wind v", "m/s"))
    rng = np.random.default_rng(0)
    angle = np.deg2rad(np.arange(0, 360, 3))
    values = [
        np.stack([-5 * np.full(24, np.sin(a)), -5 * np.full(24, np.cos(a))]) + rng.normal(0, 0.1, (2, 24))
        for a in angle
    ]
    starts = np.datetime64("2020-01-01", "s") + np.arange(len(angle)) * np.timedelta64(1, "D")
    statements = Statements(channels, "1h", WindowTable(values, starts, "1h", channels))
    (east,) = statements.draw([30], rng, 60)  # 90°: from the east
    said = [s for s in east if s.kind == "direction"]
    assert said
    for statement in said:
        assert re.search(r"east|\bE\b", statement.text, re.IGNORECASE), statement
        assert "west" not in statement.text.lower()


def test_clock_needs_hours(random_table) -> None:
    def parts(frequency: str | None) -> set[str]:
        table = random_table(1, channels=1, steps=24)
        table = WindowTable(table.values, table.starts, frequency or "1h", table.channels)
        return {fact.part for fact in Statements(table.channels, frequency, table).facts}

    assert {"morning", "night"} <= parts("1h")
    assert not {"morning", "night"} & (parts(None) | parts("D"))


def test_everyday_words_mean_one_channel() -> None:
    def texts(*channels: Channel) -> str:
        rng = np.random.default_rng(0)
        values = [rng.normal(300 + 20 * rng.normal(), 5, (len(channels), 24)) for _ in range(80)]
        starts = np.datetime64("2020-01-01", "s") + np.arange(80) * np.timedelta64(1, "D")
        statements = Statements(channels, "1h", WindowTable(values, starts, "1h", channels))
        return " ".join(s.text for own in statements.draw(range(80), rng, 12) for s in own).lower()

    alone = texts(Channel("air temperature", "K"), Channel("oil level", "mm"))
    assert re.search(r"\bwarm\b", alone)
    assert "°c" in alone
    two = texts(Channel("air temperature", "K"), Channel("outdoor temperature", "K"))
    assert not re.search(r"\b(warm|cold)\b", two)


def windows_of(shapes: np.ndarray, *channels: Channel) -> Statements:
    """Statements about days (N, C, 24) of these channels."""
    starts = np.datetime64("2020-01-01", "s") + np.arange(len(shapes)) * np.timedelta64(1, "D")
    return Statements(channels, "1h", WindowTable(list(shapes), starts, "1h", channels))


def weather_days() -> Statements:
    """200 days of a random level and slope."""
    rng = np.random.default_rng(0)
    level, slope = rng.normal(size=(200, 2, 1)), rng.normal(size=(200, 2, 1))
    shapes = level + slope * np.linspace(-1, 1, 24) + rng.normal(0, 0.1, (200, 2, 24))
    scale = np.array([[8.0], [3.0]])
    return windows_of(12 + scale * shapes, Channel("air temperature", "°C"), Channel("wind speed", "m/s"))


def test_a_bank_has_every_everyday_word() -> None:
    statements = weather_days()
    bank = statements.bank(9000, np.random.default_rng(1))
    text = " ".join(statement.text for statement in bank.statements).lower()
    rare = ("torrid", "sweltering", "unbearably hot", "perishing", "glacial", "howling", "becalmed", "brass monkeys")
    assert [word for word in rare if text.count(word) < 2] == []
    assert len(bank) == 9000


def test_everyday_words_are_true_and_their_opposites_are_others() -> None:
    statements = weather_days()
    warmest = max(range(len(statements)), key=lambda row: statements.table.values[row][0].mean())
    drawn = statements.everyday(2000, np.random.default_rng(1))
    assert len({statement.text for statement in drawn}) > 1500
    for statement in drawn:
        hot = re.search(r"\b(torrid|sweltering|scorching|hot)\b", statement.text, re.IGNORECASE)
        if hot and statement.kind == "level":
            assert statements.truth([statement], [warmest])[0, 0], statement
        assert statement.opposite != statement.text
    assert sum(statement.opposite is not None for statement in drawn) > 0.9 * len(drawn)
    truth = statements.truth(drawn)
    assert truth.any(axis=1).all()


def test_everyday_words_are_of_channels_that_have_them() -> None:
    rng = np.random.default_rng(0)
    assert windows_of(rng.normal(size=(50, 1, 24)), Channel("widget count")).everyday(100, rng) == []


@pytest.mark.parametrize(
    ("form", "sign", "holds", "fails"),
    [
        ("then", 1, "rising", "falling"),
        ("then", -1, "falling", "rising"),
        ("then at noon", 1, "rising", "falling"),
        ("least", 1, "high", "peaky"),
        ("least", -1, "low", "peaky"),
        ("up and down", 0, "wave", "rising"),
    ],
)
def test_courses_of_a_day(form: str, sign: int, holds: str, fails: str) -> None:
    rng = np.random.default_rng(0)
    hours = np.arange(24)
    kinds = {
        "rising": np.where(hours < 12, -2.0, 2.0),
        "falling": np.where(hours < 12, 2.0, -2.0),
        "high": np.full(24, 2.0),
        "low": np.full(24, -2.0),
        "peaky": 4.0 * (hours == 5) - 4.0 * (hours == 17),
        "wave": 3 * np.sin(2 * np.pi * (hours + 0.5) / 6),
        "usual": np.linspace(-1, 1, 24),
    }
    names = [name for name in kinds for _ in range(6 if name != "usual" else 60)]
    shapes = np.stack([kinds[name] for name in names])[:, None] + rng.normal(0, 0.3, (len(names), 1, 24))
    statements = windows_of(shapes, Channel("wind speed", "m/s"))
    rules = [fact.rule for fact in statements.facts if (fact.form, fact.sign) == (form, sign)]
    assert rules
    truth = statements.decide(rules).all(axis=0)
    assert all(truth[row] for row, name in enumerate(names) if name == holds)
    assert not any(truth[row] for row, name in enumerate(names) if name == fails)


def test_directions_that_never_were() -> None:
    rng = np.random.default_rng(0)
    angle = np.deg2rad(np.arange(0, 360, 3))
    flow = -5 * np.stack([np.sin(angle), np.cos(angle)], axis=1)[..., None] + rng.normal(0, 0.1, (len(angle), 2, 24))
    statements = windows_of(flow, Channel("wind u", "m/s"), Channel("wind v", "m/s"))
    for part, from_there, from_elsewhere in (
        ("north", 0, 180),
        ("east", 90, 270),
        ("south", 180, 0),
        ("west", 270, 90),
    ):
        (rule,) = [own.rule for own in statements.facts if own.form == "never direction" and own.part == part]
        truth = statements.decide([rule])[0]
        assert truth[from_elsewhere // 3]
        assert not truth[from_there // 3]


def test_statements_of_one_sense_say_the_same_of_other_channels() -> None:
    """Three channels go up and down alike: what has one sense is true of the same windows, whichever it speaks of."""
    rng = np.random.default_rng(4)
    channels = (Channel("load", "MW"), Channel("losses", "MW"), Channel("glee", ""))
    alike = [rng.normal(size=24).cumsum() for _ in range(120)]
    table = WindowTable(
        [np.stack([own, 0.25 * own, own]) for own in alike], np.zeros(120, "datetime64[s]"), "D", channels
    )
    statements = Statements(channels, None, table)
    bank = statements.bank(3000, rng)
    found: dict[tuple, list[tuple[tuple[str, ...], bytes]]] = {}
    for statement, bits in zip(bank.statements, bank.bits, strict=True):
        if statement.sense is not None:
            found.setdefault(statement.sense, []).append((statement.channels, bits.tobytes()))
    several = {
        sense: own
        for sense, own in found.items()
        if len({channels for channels, _ in own}) > 1
        and not {form for form, *_ in sense} & {"far more", "margin", "tops"}  # the channels' own distances decide them
    }
    assert len(several) > 100
    apart = [sense for sense, own in several.items() if len({bits for _, bits in own}) > 1]
    assert not apart
    assert all(statement.sense is None for statement in bank.statements if statement.kind == "number")
