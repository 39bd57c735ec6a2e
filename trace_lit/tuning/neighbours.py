"""Retrieval for the stage tune: from the section `rag` of a configuration to the neighbours of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data_modules.corpus import Corpus
from trace_lit.devices import best_device
from trace_lit.modules.checkpoint import CheckpointError
from trace_lit.modules.loading import load_aligned
from trace_lit.plain import at_home
from trace_lit.rag import FrozenRetriever, Retrieval, RetrievalLookup, ShapeRetriever, WindowRetriever
from trace_lit.rag.config import SHAPE
from trace_lit.settings import Config, retrieves
from trace_lit.text import build_text_encoder

if TYPE_CHECKING:  # it imports Lightning
    from data_modules.domain import DomainDataModule


def attach_retrieval(config: Config, data: DomainDataModule, trust: bool = False) -> list[Retrieval]:
    """Attach the neighbours of their windows to the batches of all splits; one retrieval a corpus, none without `rag`.

    Neighbours are searched when a split is first used. Classes that the retriever's run names are imported only with
    `trust`.

    Raises
    ------
    CheckpointError, CorpusError, ConfigError, TextEncoderError
        The retriever or the corpus that is searched cannot be used.
    """
    if not retrieves(config):
        return []
    retriever, given = open_retriever(config, trust), config.rag.corpus
    searched = data.corpora if given is None else [_other(at_home(given), data)] * len(data.corpora)
    made: dict[str, Retrieval] = {}
    for corpus in searched:
        if corpus.fingerprint not in made:
            made[corpus.fingerprint] = build_retrieval(
                config, retriever, [*data.corpora, *searched], corpus, data.label_names
            )
    for datasets in data.datasets.values():
        for dataset, corpus in zip(datasets, searched, strict=True):
            dataset.attach(RetrievalLookup(made[corpus.fingerprint], dataset))
    return list(made.values())


def open_retriever(config: Config, trust: bool = False) -> WindowRetriever:
    """The retriever that `rag.retriever` names; classes that its run names are imported only with `trust`.

    Raises
    ------
    CheckpointError, TextEncoderError
        It is not there, or cannot be used.
    """
    place = config.rag.retriever
    assert place is not None
    if place == SHAPE:
        return ShapeRetriever(config.data.zero_is_missing)
    if not Path(place).exists():
        raise CheckpointError(
            f"the retriever {place} (rag.retriever), by which neighbours are found, is not there; name the run of stage "
            "align with --retriever (retriever=…)"
        )
    model, checkpoint = load_aligned(place, trust)
    settings = checkpoint.config
    return FrozenRetriever(
        model,
        build_text_encoder(settings.text),
        best_device(config.trainer.accelerator),
        settings.text.unit,
        settings.data.zero_is_missing,
    )


def build_retrieval(
    config: Config,
    retriever: WindowRetriever,
    corpora: Sequence[Corpus],
    searched: Corpus,
    label_names: Sequence[str],
) -> Retrieval:
    """What finds the neighbours of windows of `corpora` in the one of them that is `searched`."""
    distinct = list({corpus.fingerprint: corpus for corpus in corpora}.values())
    retriever.learn_channels(distinct)
    return Retrieval(
        retriever,
        distinct,
        searched,
        config.window,
        config.rag,
        task=config.tune.task,
        label_names=label_names,
        transform=config.encoder.transform,
        zero_is_missing=config.data.zero_is_missing,
        folder=at_home(config.data.cache_dir) / "retrieved",
    )


def _other(path: Path, data: DomainDataModule) -> Corpus:
    """The corpus in the folder `path`; the data's own where it is one of them."""
    corpus = Corpus.load(path)
    known = {own.fingerprint: own for own in data.corpora}
    if own := corpus.known_as(known):  # it may have grown since
        return known[own]
    corpus.check()
    return corpus


def check_unchanged(now: dict[str, str], recorded: dict[str, str], place: str | Path) -> None:
    """Raise CheckpointError where the `fingerprints` of retriever and corpora are not those that `place` was tuned with."""
    for what, before in recorded.items():
        if now.get(what, before) != before:
            raise CheckpointError(
                f"{place} was tuned with another {what} ({before[:12]}, now {now[what][:12]}), so it would have "
                f"other neighbours than in training; name the old one (rag.{what}), or tune again"
            )


def fingerprints(config: Config, retrievals: Sequence[Retrieval]) -> dict[str, str]:
    """Of the retriever, and of the corpus that is searched where it is not each window's own."""
    if not retrievals:
        return {}
    found = {"retriever": retrievals[0].retriever.fingerprint}
    return found if config.rag.corpus is None else {**found, "corpus": retrievals[0].searched.fingerprint}


def find_neighbours(data: DomainDataModule) -> dict[str, float]:
    """Search the neighbours of the training and validation windows; return what the search cost, whenever it was done."""
    lookups = [own.lookup for split in ("train", "validation") for own in data.datasets[split]]
    for lookup in lookups:
        if isinstance(lookup, RetrievalLookup):
            _ = lookup.neighbours
    retrievals = _retrievals(data)
    if not retrievals:
        return {}
    return {
        "fit/retrieval_seconds": sum(retrieval.seconds for retrieval in retrievals),
        "fit/retrieval_candidates": float(sum(len(retrieval.memory) for retrieval in retrievals)),
    }


def retrieval_in_words(config: Config, data: DomainDataModule) -> str | None:
    """What is retrieved, from where and at which cost, in words; None without retrieval."""
    retrievals = _retrievals(data)
    if not retrievals:
        return None
    rag, lookback = config.rag, retrievals[0].lookback
    used = [] if rag.mode == "none" else [f"as {rag.mode} prompt"]
    if rag.use_futures or not used:
        used.append("their labels" if config.tune.task == "classify" else "their continuations")
    candidates = ", ".join(f"{len(own.memory):,} of {own.searched.path.name}" for own in retrievals)
    seconds = sum(retrieval.seconds for retrieval in retrievals)
    return (
        f"{rag.top} neighbours a window by {lookback} steps, at least {retrievals[0].min_distance} apart, "
        f"{' and '.join(used)}; candidates {candidates} "
        f"({', '.join(rag.splits)}), found in {seconds:.1f} s, by {rag.retriever}"
    )


def _retrievals(data: DomainDataModule) -> list[Retrieval]:
    lookups = [getattr(own, "lookup", None) for own in data.datasets["train"]]
    found = [lookup.retrieval for lookup in lookups if isinstance(lookup, RetrievalLookup)]
    return list({id(retrieval): retrieval for retrieval in found}.values())
