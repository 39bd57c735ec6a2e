from __future__ import annotations

import copy
import dataclasses
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from data_modules import Channel, Corpus, CorpusError, CorpusInfo, Record, write_corpus
from data_modules.config import WindowConfig
from data_modules.forecasting import OriginDataset
from data_modules.stitched import Series
from tests.rag.conftest import BEGIN, CHANNELS, make_retriever, walk
from trace_lit.batch import NO_NEIGHBOUR, MultimodalBatch
from trace_lit.rag import FrozenRetriever, Memory, Neighbours, Retrieval, RetrievalLookup, RetrievedMean, memory
from trace_lit.rag.config import RagConfig

Retrieve = Callable[..., dict[str, OriginDataset]]


def lookup_of(dataset: OriginDataset) -> RetrievalLookup:
    assert isinstance(dataset.lookup, RetrievalLookup)
    return dataset.lookup


def whole(dataset: OriginDataset) -> MultimodalBatch:
    return dataset[list(range(len(dataset)))]


def error(dataset: OriginDataset) -> Tensor:
    """(N,) mean absolute error of the mean of what followed the neighbours, in units."""
    batch = whole(dataset)
    assert batch.future is not None
    vocabulary = lookup_of(dataset).retrieval.retriever.model.encoder.vocabulary
    forecast = RetrievedMean(vocabulary, [], "none")(batch).values.squeeze(-1)
    return (forecast - batch.future).abs().mean((1, 2))


def test_the_future_is_not_retrieved_and_would_be_without_the_rule(write, retrieve: Retrieve) -> None:
    """A window's own future stands among the overlapping windows, and once more in a copy of the series a year later."""
    values = walk(200)
    corpus = write({"now": (values, 0), "later": (values, 24 * 365)})
    for dataset in retrieve(corpus, top=1).values():
        now = whole(dataset).span[:, 1] < np.datetime64(BEGIN + timedelta(days=300), "s").astype(int)
        assert 0 < now.sum() < len(dataset)
        honest = error(dataset)
        assert honest[~now].max() < 1e-3  # the copy had its future a year ago: it is found, and it is right
        assert honest[now].min() > 0.01
        retrieval = copy.copy(lookup_of(dataset).retrieval)
        known = torch.zeros_like(retrieval.memory.known)  # without the rule
        retrieval.memory = dataclasses.replace(retrieval.memory, known=known, fingerprint="leaking")
        dataset.lookup = RetrievalLookup(retrieval, dataset)
        assert error(dataset).max() < 1e-3


@pytest.mark.parametrize("words", [{}, {"task": "classify", "split": "rows"}], ids=["forecast", "classify"])
def test_neighbours_and_what_follows_them_end_before_the_origin(write, retrieve: Retrieve, words: dict) -> None:
    corpus = write({"one": (walk(200, 1), 0), "other": (walk(200, 2), 77)})
    missing = 0
    for dataset in retrieve(corpus, top=5, **words).values():
        lookup = lookup_of(dataset)
        found = lookup.neighbours
        shown = lookup.retrieval.memory.describe(found.number, found.similarity)
        ends = (np.datetime64("1970-01-01") + whole(dataset).span[:, 1].numpy().astype("timedelta64[s]")).tolist()
        for end, neighbours in zip(ends, shown, strict=True):
            missing += 5 - len(neighbours)
            for near in neighbours:
                assert near.origin + timedelta(hours=6) <= end
                assert near.end <= end
    assert missing  # the first windows have nothing before them


def test_candidates_are_of_the_splits_that_are_named(write, retrieve: Retrieve) -> None:
    corpus = write({"one": (walk(200, 1), 0)})
    origins = lookup_of(retrieve(corpus, splits=["train"])["test"]).retrieval.memory.windows.origins
    assert (origins.min(), origins.max()) == (12, 140 - 6)
    later = lookup_of(retrieve(corpus, splits=["validation", "test"], stride=3)["test"]).retrieval.memory
    assert later.windows.origins.tolist() == list(range(153, 195, 3))
    with pytest.raises(CorpusError, match=r"no window to retrieve in rag.splits=\['validation'\].*look-back of 30"):
        retrieve(corpus, splits=["validation"], lookback=30)


@pytest.mark.parametrize("apart", [1, 6])
@pytest.mark.parametrize("at_once", [1, 7, 2**20])
def test_search_is_that_of_brute_force(at_once: int, apart: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SCORES_AT_ONCE", at_once * 50)
    random = np.random.default_rng(0)
    vectors, queries = (torch.from_numpy(random.normal(size=(count, 8))).float() for count in (50, 20))
    known = torch.from_numpy(np.sort(random.integers(0, 40, 50)))
    seconds = torch.from_numpy(random.integers(-5, 50, 20))
    step_length, series, origin = (torch.from_numpy(random.integers(0, most, 50)) for most in (2, 3, 30))
    asked = torch.from_numpy(random.integers(0, 2, 20))
    own = dataclasses.replace(searched(vectors, known), step_length=step_length, series_number=series, origin=origin)
    found = own.search(queries, seconds, asked, 4, apart)
    for place in range(20):
        allowed = [
            number for number in range(50) if known[number] <= seconds[place] and step_length[number] == asked[place]
        ]
        query, best = queries[place], list[int]()
        alike = 2 * (vectors @ query) / (vectors.square().sum(1) + query.square().sum())
        for number in sorted(allowed, key=lambda number: -float(alike[number])):
            rivals = [other for other in best if series[other] == series[number]]
            if len(best) < 4 and all(abs(int(origin[other] - origin[number])) >= apart for other in rivals):
                best.append(number)
        assert found.number[place].tolist() == best + [NO_NEIGHBOUR] * (4 - len(best))
        assert found.similarity[place, : len(best)].tolist() == pytest.approx(alike[best].tolist(), abs=1e-6)
        assert not found.similarity[place, len(best) :].any()


def searched(vectors: Tensor, known: Tensor) -> Memory:
    none = cast(Any, None)
    zero, place = torch.zeros_like(known), torch.arange(len(known))
    return Memory(none, known, zero, zero, place, vectors, vectors, vectors, zero, (), "none", "")


@pytest.mark.parametrize("words", [{}, {"task": "classify", "split": "rows"}], ids=["forecast", "classify"])
def test_of_a_missing_neighbour_nothing_is_seen(write, retrieve: Retrieve, words: dict) -> None:
    lookup = lookup_of(retrieve(write({"one": (walk(200, 1), 0)}), **words)["test"])
    none = Neighbours(torch.tensor([[3, NO_NEIGHBOUR]]), torch.tensor([[0.5, 0.0]]))
    found = lookup.retrieval.memory.look_up(none, lookup.dataset.corpus.info.channels)
    assert found.found.tolist() == [[True, False]]
    measured = ("last", "future", "future_observed")
    for name in ("series", "text", *(() if words else measured)):
        own = getattr(found, name)
        own = own.transpose(1, 2) if name in measured else own  # (B, R, …)
        assert own[:, 0].any(), name
        assert not own[:, 1].any(), name
    assert [int(label) >= 0 for label in found.label[0]] == [bool(words), False]


def test_values_are_kept_by_channel_and_those_of_another_corpus_by_its_channels(write, retrieve: Retrieve) -> None:
    values = walk(200, 1)
    corpus = write({"one": (values, 0)})
    turned = write({"old": (values, -24 * 365)}, "turned")
    object.__setattr__(turned, "info", dataclasses.replace(turned.info, channels=corpus.info.channels))
    dataset = retrieve(corpus, turned, top=1)["train"]
    batch = whole(dataset)
    assert batch.retrieved is not None
    assert batch.retrieved.future is not None
    assert torch.allclose(batch.retrieved.future[:, :, 0], batch.future, atol=1e-4)
    two = lookup_of(dataset).retrieval.memory.look_up(
        lookup_of(dataset).neighbours,
        [corpus.info.channels[1], dataclasses.replace(corpus.info.channels[0], unit="ft")],
    )
    assert torch.equal(two.future[:, 0], batch.retrieved.future[:, 1])  # type: ignore[index]
    assert not two.future_observed[:, 1].any()  # type: ignore[index]


def test_what_is_shown_of_neighbours_is_what_was_measured_and_written(write, retrieve: Retrieve) -> None:
    values = walk(200, 1).astype(np.float32)
    dataset = retrieve(write({"one": (values, 0)}), top=3, stride=10, lookback=10)["test"]
    lookup = lookup_of(dataset)
    for near in lookup.retrieval.memory.describe(*dataclasses.astuple(lookup.neighbours))[0]:
        first = int((near.start - BEGIN).total_seconds() // 3600)
        assert np.array_equal(near.window, values[:, first : first + 10])
        assert np.array_equal(near.continuation, values[:, first + 10 : first + 16])
        assert (near.id, near.series_id, near.text) == (f"one-{first}", "one", f"Report one {first}.")
        assert (near.origin, near.end) == (near.start + timedelta(hours=10), near.start + timedelta(hours=16))
        assert -1 <= near.similarity <= 1 + 1e-6


def test_what_was_found_is_kept_until_something_changes(
    write, retrieve: Retrieve, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write({"one": (walk(200, 1), 0)})
    first = lookup_of(retrieve(corpus)["test"])
    expected, seconds = first.neighbours, first.retrieval.seconds

    def forbidden(*_: Any) -> Any:
        raise AssertionError("embedded again")

    monkeypatch.setattr(FrozenRetriever, "embed", forbidden)
    again = lookup_of(retrieve(corpus)["test"])
    assert torch.equal(again.neighbours.number, expected.number)
    assert again.retrieval.seconds == seconds > 0
    for changed in (
        *({"lookback": 16}, {"horizon": 7}, {"top": 3}, {"stride": 2}, {"min_distance": 3}, {"key": "cls"}),
        {"splits": ["train"]},
    ):
        with pytest.raises(AssertionError, match="embedded again"):
            _ = lookup_of(retrieve(corpus, **changed)["test"]).neighbours
    with pytest.raises(AssertionError, match="embedded again"):
        retrieve(write({"one": (walk(200, 2), 0)}, "changed"))


def test_what_is_kept_serves_no_other_order_of_unknown_channels(tmp_path: Path) -> None:
    """Channels that the retriever has never seen are compared in the order in which it meets them."""
    known, level, flow = Channel("other", "K"), *CHANNELS

    def written(name: str, channels: tuple[Channel, ...], values: np.ndarray, day: int = 0) -> Corpus:
        records = [
            Record(f"{name}{first}", name, BEGIN + timedelta(days=day, hours=first), values[:, first : first + 10])
            for first in range(0, 200, 10)
        ]
        return write_corpus(records, CorpusInfo("rivers", name, "made up", channels, "1h"), tmp_path / name)

    values = walk(200, 1)
    home = written("home", (known,), walk(200, 3)[:1])
    both, late = written("both", (level, flow), values), written("late", (flow,), values[1:], 300)

    def found(corpora: list[Corpus], folder: str) -> Tensor:
        retriever = make_retriever(home)
        retriever.learn_channels(corpora)
        tune, rag = WindowConfig(lookback=12, horizon=6, split="steps"), RagConfig(top=1)
        retrieval = Retrieval(retriever, corpora, both, tune, rag, folder=tmp_path / folder)
        vocabulary = retriever.model.encoder.vocabulary
        return retrieval.neighbours(OriginDataset(late, Series.of(late, "steps"), "test", tune, vocabulary)).number

    expected = found([late, both], "empty")
    learned = make_retriever(home)
    learned.learn_channels([both])
    tune = WindowConfig(lookback=12, horizon=6, split="steps")
    Retrieval(learned, [both], both, tune, RagConfig(top=1), folder=tmp_path / "filled")
    assert torch.equal(found([late, both], "filled"), expected)


def test_gaps_are_compared_as_the_retriever_knows_them(write, retrieve: Retrieve, tmp_path: Path) -> None:
    values = walk(200, 1)
    values[:, 30:35] = np.nan
    corpus = write({"one": (values, 0)})
    vectors, observed = [], []
    for fill_gaps in (False, True):
        shutil.rmtree(tmp_path / "retrieved", ignore_errors=True)
        dataset = retrieve(corpus, fill_gaps=fill_gaps)["train"]
        vectors.append(lookup_of(dataset).retrieval.memory.vectors)
        observed.append(whole(dataset).observed)
    assert torch.equal(*vectors)
    assert not torch.equal(*observed)  # the head knows them otherwise


def test_what_followed_in_other_steps_is_no_continuation(tmp_path: Path, retrieve: Retrieve) -> None:
    """A series of every third hour goes through the very values of one of every hour, a year before it."""
    values = walk(200, 1)

    def written(name: str, series: dict[str, tuple[str, int]]) -> Corpus:
        records = [
            Record(
                f"{key}{first}",
                key,
                BEGIN + timedelta(days=day, hours=int(alias[:-1]) * first),
                values[:, first : first + 10],
                frequency=alias,
            )
            for key, (alias, day) in series.items()
            for first in range(0, 200, 10)
        ]
        return write_corpus(records, CorpusInfo("rivers", name, "made up", CHANNELS, "1h"), tmp_path / name)

    mixed = written("mixed", {"now": ("1h", 365), "slow": ("3h", 0)})
    for dataset in retrieve(mixed, top=5).values():
        lookup = lookup_of(dataset)
        number = lookup.neighbours.number
        memory = lookup.retrieval.memory
        assert (memory.step_length[number] == dataset.series.step_length[dataset.origins - 1].unsqueeze(1))[
            number >= 0
        ].all()
        assert (number >= 0).any()
    slow = written("slow", {"slow": ("3h", 0)})
    with pytest.raises(CorpusError, match=r"slow has no window.*its steps are 3h, not 1h; search another rag\.corpus"):
        _ = lookup_of(retrieve(written("now", {"now": ("1h", 365)}), slow)["test"]).neighbours


def test_neighbours_do_not_overlap_unless_that_is_asked_for(write, retrieve: Retrieve) -> None:
    corpus = write({"one": (walk(200, 1), 0), "other": (walk(200, 2), 77)})
    nearest = {}
    for apart in (None, 1, 30):
        lookup = lookup_of(retrieve(corpus, top=5, min_distance=apart)["test"])
        memory, number = lookup.retrieval.memory, lookup.neighbours.number
        assert (number >= 0).all()
        origin, series = memory.origin[number], memory.series_number[number]
        distance = (origin.unsqueeze(1) - origin.unsqueeze(2)).abs()
        pairs = (series.unsqueeze(1) == series.unsqueeze(2)) & ~torch.eye(5, dtype=torch.bool)
        nearest[apart] = int(distance[pairs].min())
        likeness = lookup.neighbours.similarity
        assert (likeness.diff(dim=1) <= 0).all()  # best first
    assert nearest[None] >= 12  # the look-back
    assert nearest[1] < 12
    assert nearest[30] >= 30


def test_windows_elsewhere_have_neighbours_of_their_own(write, retrieve: Retrieve) -> None:
    dataset = retrieve(write({"one": (walk(200, 1), 0)}))["test"]
    moved = dataset.at(dataset.origins[5:8])
    assert torch.equal(lookup_of(moved).neighbours.number, lookup_of(dataset).neighbours.number[5:8])
