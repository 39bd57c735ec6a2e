"""Corpora of random channels: the same for a seed, valid, and wide."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data_modules import Corpus, CorpusError
from data_modules.config import DataConfig
from data_modules.flows import component
from data_modules.registry import datamodule_class
from data_modules.sources.generated import varied
from data_modules.sources.generated.varied_kinds import FIELDS, STYLES
from data_modules.statements.lexicon import quantity
from trace_lit.channels import Channel

COUNTED = ("deaths", "patients", "cases", "vehicles", "doses", "people")


@pytest.fixture(scope="module")
def corpora() -> list[Corpus]:
    made = []
    for number in range(24):
        info, records = varied(number, instances=48)
        made.append(Corpus.from_records(records, info))
    return made


def test_a_seed_and_a_number_give_the_same_corpus() -> None:
    (one, first), (same, again), (_, other), (_, seed) = (
        varied(3, 32), varied(3, 32), varied(4, 32), varied(3, 32, seed=1)
    )  # fmt: skip
    assert one == same
    first, again = list(first), list(again)
    for record, twin in zip(first, again, strict=True):
        np.testing.assert_array_equal(record.values, twin.values)
    for others in (other, seed):
        assert next(others).values.tolist() != first[0].values.tolist()


def test_they_are_valid_wide_and_without_texts(corpora: list[Corpus]) -> None:
    for corpus in corpora:
        corpus.check()
        assert not any(corpus.texts)
        assert not any(text for texts in corpus.channel_texts for text in texts)
        assert all(len(corpus.select(split)) for split in ("train", "validation", "test"))
        assert 1 <= len(corpus.info.channels) <= 8
        assert 12 <= corpus.lengths.min() <= corpus.lengths.max() <= 168
        for place in range(len(corpus.info.channels)):
            values = np.concatenate([window[place] for window in corpus.values()])
            assert np.nanstd(values) > 0
    assert len({corpus.info.frequency for corpus in corpora}) >= 4
    assert len({int(corpus.lengths[0]) for corpus in corpora}) >= 6
    assert any(np.isnan(window).any() for corpus in corpora for window in corpus.values())
    assert len({channel.key for corpus in corpora for channel in corpus.info.channels}) > 50


def test_values_stay_within_what_is_possible(corpora: list[Corpus]) -> None:
    for corpus in corpora:
        for place, channel in enumerate(corpus.info.channels):
            values = np.concatenate([window[place] for window in corpus.values()])
            if channel.unit == "%" and "inflation" not in channel.name and "interest" not in channel.name:
                assert 0 <= np.nanmin(values) <= np.nanmax(values) <= 100, channel
            if channel.unit in ("deaths", "patients", "cases", "mm", "W/m²"):
                assert np.nanmin(values) >= 0, channel
            if channel.unit == "K":
                assert np.nanmin(values) > 150, channel


def test_windows_rise_fall_and_stay(corpora: list[Corpus]) -> None:
    """No direction of change is the rule, and many windows hardly change."""
    signs: Counter[int] = Counter()
    for corpus in corpora:
        for place in range(len(corpus.info.channels)):
            windows = [window[place] for window in corpus.values()]
            deviation = np.nanstd(np.concatenate(windows))
            for window in windows:
                quarter = len(window) // 4
                first, last = window[:quarter], window[-quarter:]
                if np.isfinite(first).any() and np.isfinite(last).any():
                    signs[int(np.round(np.clip((np.nanmean(last) - np.nanmean(first)) / deviation, -1, 1)))] += 1
    assert all(signs[sign] > 0.15 * signs.total() for sign in (-1, 0, 1)), signs


def test_the_kinds_are_of_known_styles_and_the_words_of_statements_know_most() -> None:
    found = [kind for field in FIELDS for kind in field]
    assert {kind.style for kind in found} == set(STYLES)
    assert all(kind.level[0] <= kind.level[1] and 0 < kind.spread[0] <= kind.spread[1] for kind in found)
    measured = [Channel(name, kind.units[0]) for field in FIELDS[:3] for kind in field for name in kind.names]
    known = sum(quantity(channel) is not None for channel in measured)
    assert known > 0.75 * len(measured), [channel.key for channel in measured if quantity(channel) is None]


def test_it_is_a_domain() -> None:
    assert datamodule_class(DataConfig(domain="varied")).domain == "varied"
    with pytest.raises(CorpusError, match="instances is 3; it must be at least 16"):
        varied(0, instances=3)


def test_groups_of_one_quantity_go_together_and_may_have_their_whole() -> None:
    """The whole is the sum of its members where they are counted, else their mean."""
    correlations, kinds = [], set()
    for number in range(120):
        info, records = varied(number, instances=32)
        channels = info.channels
        for place, whole in enumerate(channels):
            members = [
                other
                for other, channel in enumerate(channels)
                if other != place
                and whole.name in channel.name
                and channel.unit == whole.unit
                and not component(channel)
            ]
            if len(members) < 2:
                continue
            values = np.concatenate([record.values for record in records], axis=1).astype(float)
            values = values[:, ~np.isnan(values).any(0)]
            own, added = values[place], values[members].sum(0)
            spread = added.std() / len(members)
            summed = np.allclose(own, added, atol=0.05 * spread)
            assert summed or np.allclose(own, added / len(members), atol=0.05 * spread), (info.name, whole)
            assert summed == (whole.unit in COUNTED), whole
            kinds.add(summed)
            correlations.append(np.corrcoef(values[members[0]], values[members[1]])[0, 1])
            break
    assert kinds == {True, False}
    assert np.mean(np.array(correlations) > 0.5) > 0.3, correlations
