"""The tables of everyday words are well formed, and what needs several quantities is true by each of them."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from data_modules.rules import WindowTable
from data_modules.statements import Statements
from data_modules.statements.grammar import expand
from data_modules.statements.idioms import IDIOMS
from data_modules.statements.lexicon import QUANTITIES
from data_modules.statements.quantities import Quantity, entries
from data_modules.statements.units import Number, decade_of, joined, measures
from data_modules.statements.verbs import clauses, is_plural, participle
from data_modules.statements.wording import _ALL_FORMS
from data_modules.statements.words import channel_words
from trace_lit.channels import Channel
from trace_lit.text.numbers import text_numbers

CHANNELS = {  # a name and unit by which each quantity is recognised
    "temperature": Channel("air temperature", "°C"),
    "humidity": Channel("relative humidity", "%"),
    "pressure": Channel("air pressure", "hPa"),
    "wind": Channel("wind speed", "m/s"),
}


def made(*levels: dict[str, float], changes: dict[str, float] | None = None, windows: int = 300) -> Statements:
    """Of random levels and changes between −1 and 1; the first windows have those given."""
    rng = np.random.default_rng(0)
    values = []
    for number in range(windows):
        given = levels[number] if number < len(levels) else {}
        move = changes or {} if number < len(levels) else {}
        window = []
        for kind in CHANNELS:
            level, change = given.get(kind, rng.uniform(-1, 1)), move.get(kind, rng.uniform(-1, 1))
            window.append(20 + 10 * level + change * np.linspace(-2, 2, 24) + rng.normal(0, 0.1, 24))
        values.append(np.stack(window))
    starts = np.datetime64("2020-01-01", "s") + np.arange(windows) * np.timedelta64(1, "D")
    channels = tuple(CHANNELS.values())
    return Statements(channels, "1h", WindowTable(values, starts, "1h", channels))


def idioms_of(statements: Statements, row: int) -> str:
    """All words of the idioms that hold for a row."""
    found = [fact for fact in statements.facts if fact.form == "idiom"]
    holds = statements.decide([fact.rule for fact in found], [row])[:, 0]
    marks = [fact.landmark for fact, true in zip(found, holds, strict=True) if true]
    return "; ".join(f"{mark.adjective}; {mark.noun}; {mark.clause}" for mark in marks)


@pytest.mark.parametrize(
    ("levels", "word", "others"),
    [
        ({"temperature": 0.95, "humidity": 0.95}, "muggy", ("raw", "crisp", "dry heat")),
        ({"temperature": -0.95, "humidity": 0.95}, "raw", ("muggy", "crisp", "dry heat")),
        ({"temperature": 0.95, "humidity": -0.95}, "dry heat", ("muggy", "raw", "crisp")),
        ({"temperature": -0.95, "humidity": -0.95}, "crisp", ("muggy", "raw", "dry heat")),
        ({"pressure": 0.95, "wind": -0.95}, "settled", ("stormy",)),
        ({"pressure": -0.95, "wind": 0.95}, "stormy", ("fair settled weather",)),
        ({"temperature": -0.95, "wind": 0.95}, "biting wind", ("warm wind", "stifling")),
    ],
)
def test_an_idiom_holds_where_each_of_its_quantities_is_so(levels, word, others):
    found = idioms_of(made(levels), 0)
    assert word in found
    assert not any(re.search(rf"\b{other}\b", found) for other in others)


def test_a_storm_approaches_where_the_pressure_falls_and_the_wind_rises():
    rising = made({}, changes={"pressure": -1.0, "wind": 1.0})
    assert "an approaching storm" in idioms_of(rising, 0)
    easing = made({}, changes={"pressure": 1.0, "wind": -1.0})
    assert "an approaching storm" not in idioms_of(easing, 0)
    assert "the calm after the storm" in idioms_of(easing, 0)


def test_a_word_for_two_quantities_needs_both():
    channels = (CHANNELS["humidity"], Channel("oil level", "mm"))
    rng = np.random.default_rng(0)
    values = [rng.normal(50 + 20 * rng.normal(), 5, (2, 24)) for _ in range(80)]
    starts = np.datetime64("2020-01-01", "s") + np.arange(80) * np.timedelta64(1, "D")
    statements = Statements(channels, "1h", WindowTable(values, starts, "1h", channels))
    assert not [fact for fact in statements.facts if fact.form == "idiom"]
    texts = " ".join(s.text for own in statements.draw(range(80), rng, 10) for s in own).lower()
    assert "humid" in texts
    assert not re.search(r"\b(muggy|raw|sultry)\b", texts)


def clause_texts(quantity: Quantity) -> list[str]:
    states = [text for side in (quantity.high, quantity.low) for text in (side.clause, side.strong_clause)]
    texts = [*states, quantity.rise.clause, quantity.fall.clause, *(mark.clause for mark in quantity.landmarks)]
    return [entry for text in texts for entry in entries(text)]


def test_every_clause_of_the_tables_has_verbs_that_are_put_into_every_tense():
    templates = [entry for quantity in QUANTITIES for entry in clause_texts(quantity)]
    templates += [entry for idiom in IDIOMS for entry in entries(idiom.clause)]
    assert len(templates) > 1000
    for template in templates:
        for clause in clauses(template):
            for text in (clause.past, clause.present, clause.asked, clause.denied, clause.being or ""):
                assert "{" not in text, template
                assert "}" not in text, template
            assert clause.past.count("(") == clause.past.count(")"), template


def test_verbs_are_inflected():
    (pick,) = clauses("the wind {pick up}")
    assert (pick.past, pick.present) == ("the wind picked up", "the wind picks up")
    assert pick.asked == "did the wind pick up"
    assert pick.being == "the wind picking up"
    assert "not" in pick.denied
    (soar,) = clauses("prices {soar}")
    assert soar.present == "prices soar"
    (be,) = clauses("the glass {be} low")
    assert " ".join(be.asked.split()) == "was the glass low"
    assert participle("run") == "running"
    assert not is_plural("gas")
    with pytest.raises(ValueError, match="no verb"):
        clauses("it rained")


def test_every_quantity_finds_its_own_channel():
    names = {
        "temperature": ("air temperature", "K"),
        "fuel price": ("Midwest gasoline price", "$/gallon"),
        "price": ("spot price", "€/MWh"),
        "epidemic": ("influenza-like illness", "%"),
        "mortality": ("all deaths", "deaths"),
        "saturation": ("oxygen saturation", "%"),
        "load": ("electricity demand", "MW"),
        "stocks": ("crude oil stocks", "barrels"),
        "traffic": ("travel volume", "miles"),
        "air quality": ("pm2.5", "µg/m³"),
    }
    for kind, (name, unit) in names.items():
        fitting = [
            q.kind
            for q in QUANTITIES
            if re.search(q.name, name.lower()) and (not q.unit or re.search(q.unit, unit, re.IGNORECASE))
        ]
        assert fitting[0] == kind, name


def test_every_form_of_fact_has_phrases_and_every_phrase_expands(statements):
    forms = {}
    for fact in statements.facts:
        forms.setdefault((fact.form, fact.sign, fact.degree, fact.part), fact)
    assert {fact.form for fact in forms.values()} - {
        "correlation",
        "spike",
        "swing",
        "local swing",
        "unrest",
        "waking",
        "gap",
    } <= set(_ALL_FORMS)
    for fact in forms.values():
        for seed in range(12):
            text = statements._wording.one(fact, random.Random(seed).random)
            assert len(text) > 2
            assert not re.search(r"[<>]\w|[\[\]{}|]|\( | \)", text), (fact.form, text)


def test_decades_are_the_numbers_that_they_name():
    (celsius, *_) = measures("°C")
    draw = random.Random(0).random
    for value in np.arange(0.5, 99.5, 0.7):
        decade = decade_of(float(value), celsius, draw)
        assert decade is not None
        assert decade.low <= value <= decade.high
        if "twenties" in decade.words:
            assert decade.low >= 20
            assert decade.high <= 30
        if "low" in decade.words:
            assert decade.high % 10 == 4
    assert decade_of(-3.0, celsius, draw) is None
    assert decade_of(1013.0, measures("hPa")[0], draw) is None


def names_of(channels: list[Channel]) -> list[dict[str, bool]]:
    """Of each channel its names, as they begin a clause, and whether they are plural."""
    rng = random.Random(0)
    return [
        {expand(name.subject, {}, rng.random): name.plural for name in own.names for _ in range(6)}
        for own in channel_words(channels)
    ]


def test_ages_have_names_where_they_fit_one_channel_only() -> None:
    ages = ("0 to 4", "5 to 24", "25 to 39", "40 to 64", "65 and over")
    small, young, younger, older, old = names_of([Channel(f"flu patients aged {own}", "patients") for own in ages])
    assert {"toddlers", "flu patients among toddlers", "small children"} <= small.keys()
    assert {"young people", "the young"} <= young.keys()
    assert "the middle-aged" in older
    assert {"seniors", "the elderly"} <= old.keys()
    assert "children" not in young  # the small ones are, too
    assert all(small[text] for text in ("toddlers", "small children"))
    assert old["the elderly"]
    assert not any("adults" in text for text in (*younger, *older, *old))
    for found in (small, young, older, old):
        assert not [text for text, plural in found.items() if re.match("(the )?flu patients", text) and not plural]
        assert not any("the the" in text for text in found)


@pytest.mark.parametrize(
    ("name", "unit", "there", "absent"),
    [
        ("unemployment rate aged 16 to 24", "%", "unemployment rate among young people", "^(the )?young people"),
        ("cases among people aged 65 and over", "cases", "cases among seniors", "people among"),
        ("people aged 65 and over", "people", "seniors", "people among"),
        ("deaths aged under 20", "deaths", "deaths among children", "toddlers"),
        ("receivables aged 61-90", "€", "receivables aged 61-90", "among"),
        ("whisky price aged 12 to 18", "€", "whisky price aged 12 to 18", "among"),
        ("patients aged 60 to 64", "patients", "patients aged 60 to 64", "seniors"),
    ],
)
def test_ages_are_of_people(name: str, unit: str, there: str, absent: str) -> None:
    found = names_of([Channel(name, unit)])[0]
    assert there in found
    assert not [text for text in found if re.search(absent, text)]


def test_a_channel_that_is_named_with_an_article_keeps_one() -> None:
    found = names_of([Channel("the glee", "")])[0]
    assert {"the glee", "glee"} <= found.keys()
    assert not any("the the" in text for text in found)


def test_places_have_names_beside_one_another() -> None:
    names = ("gasoline price", "Lower Atlantic gasoline price", "Midwest gasoline price", "NO2 concentration")
    words = channel_words([Channel(name, "$/gallon") for name in names])
    spoken = [{expand(name.bare, {}, lambda: 0.0) for name in own.names} for own in words]
    assert {"Midwest price", "gasoline price in the Midwest"} <= spoken[2]
    assert "national average price" in spoken[0]
    assert not any("national" in text for own in spoken[1:] for text in own)
    assert {"Lower Atlantic price", "gasoline price in the Lower Atlantic"} <= spoken[1]
    assert "NO2" not in " ".join(spoken[3]).replace("NO2 concentration", "")
    alone = channel_words([Channel("Midwest gasoline price", "$/gallon"), Channel("London rainfall", "mm")])
    assert not any(" in the " in expand(name.bare, {}, lambda: 0.0) for own in alone for name in own.names)


@pytest.mark.parametrize("seed", range(3))
def test_ranges_have_their_lower_end_first_and_one_unit(seed: int) -> None:
    draw = random.Random(seed)
    celsius = measures("K")[0]
    low, high = Number(18.0, celsius, 1.0), Number(24.0, celsius, 1.0)
    for _ in range(200):
        found = joined(low, high, draw.random)
        for symbol, joint in (("x_and_x", " and "), ("x_to_x", " to ")):
            numbers = text_numbers(found[symbol])
            assert joint in found[symbol]
            assert [number.level for number in numbers] == pytest.approx([291.15, 297.15])
        assert [number.level for number in text_numbers(found["x_dash_x"])] == pytest.approx([291.15, 297.15])
    cold = joined(Number(-8.0, celsius, 1.0), Number(-3.0, celsius, 1.0), draw.random)
    assert [number.level for number in text_numbers(cold["x_dash_x"])] == pytest.approx([265.15, 270.15])


def test_what_is_compared_with_its_like_is_true_by_the_values() -> None:
    rng = np.random.default_rng(0)
    channels = tuple(Channel(f"{place} price", "$") for place in ("North", "South", "East"))
    values = [
        rng.normal(size=(3, 1)) * [[1.0], [1.0], [1.0]] + rng.normal(size=24) + [[0], [9], [0]] for _ in range(200)
    ]
    starts = np.datetime64("2020-01-01", "s") + np.arange(200) * np.timedelta64(1, "D")
    statements = Statements(channels, "1h", WindowTable(values, starts, "1h", channels))
    means = np.stack([window.mean(1) for window in values])
    decided = {}
    for fact in statements.facts:
        if fact.form in ("more", "far more", "margin", "tops"):
            decided[fact.form, fact.channels, fact.sign] = statements.decide([fact.rule])[0]
    np.testing.assert_array_equal(decided["more", (0, 2), 0], means[:, 0] > means[:, 2])
    np.testing.assert_array_equal(decided["tops", (1,), 1], (means[:, 1:2] > means[:, [0, 2]]).all(1))
    away = means[:, 1] - means[:, 0]  # South is always dearer: its lead is wide or narrow
    np.testing.assert_array_equal(decided["margin", (1, 0), 1], away > np.quantile(away, 0.8))
    np.testing.assert_array_equal(decided["margin", (1, 0), -1], away < np.quantile(away, 0.2))
    assert not any(form == "margin" and places == (0, 2) for form, places, _ in decided)
    components = tuple(Channel(f"wind {axis}", "m/s") for axis in "uv")
    windy = Statements(components, "1h", WindowTable([own[:2] for own in values], starts, "1h", components))
    assert not {fact.form for fact in windy.facts} & {"more", "far more", "margin", "tops"}
