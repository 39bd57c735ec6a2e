"""The data of a run: its DataModule, as its configuration asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_modules.building import CorpusCache, named_folders
from data_modules.corpus import Corpus
from trace_lit.channels import ChannelVocabulary
from trace_lit.settings import Config, combines_texts
from trace_lit.text import TextEncoder, build_text_encoder

if TYPE_CHECKING:  # it imports Lightning
    from data_modules.domain import DomainDataModule


def load_datamodule(
    config: Config,
    text: TextEncoder | None = None,
    vocabulary: ChannelVocabulary | None = None,
    label_names: tuple[str, ...] = (),
    fingerprint: str = "",
) -> DomainDataModule:
    """The DataModule of `config`, before `prepare_data` and `setup`, for a model that knows `vocabulary` and the labels.

    Corpora that have grown since they had the `fingerprint` are taken as they were.

    Stage 1 looks at no text, nor does most of tuning, so only the channels' names are encoded for it.

    Raises
    ------
    ConfigError
        `data.domain` names no class, or one that is no `DomainDataModule`.
    """
    from data_modules.registry import datamodule_class

    with_texts = config.stage == "align" or (
        config.stage == "tune" and (config.tune.alignment_weight or combines_texts(config))
    )
    return datamodule_class(config.data)(
        config.data,
        text,
        text_unit=config.text.unit if with_texts else "none",
        patch_length=config.encoder.patch_length,
        vocabulary=vocabulary,
        evaluation_batch_size=config.evaluation.batch_size,
        seed=config.seed,
        window=config.window if config.stage == "tune" else None,
        task=config.tune.task,
        label_names=label_names,
        fingerprint=fingerprint,
        statements=config.alignment.statements if config.stage == "align" else 0,
        statement_pool=config.alignment.statement_pool,
        hold_statements=config.evaluation.choose_by == "statements",
    )


def build_datamodule(
    config: Config,
    vocabulary: ChannelVocabulary | None = None,
    label_names: tuple[str, ...] = (),
    fingerprint: str = "",
) -> DomainDataModule:
    """The DataModule of a configuration, with the text encoder that it names; see `load_datamodule`."""
    return load_datamodule(config, build_text_encoder(config.text), vocabulary, label_names, fingerprint)


def corpus_cache(config: Config) -> CorpusCache:
    """Where the corpora of a configuration are, or will be built."""
    from data_modules.registry import datamodule_class

    return CorpusCache(datamodule_class(config.data), config.data)


def corpus_folders(config: Config) -> list[Path]:
    """The corpora of a configuration: those that it names, or the one of its domain, built where it has to be."""
    return named_folders(config.data) or corpus_cache(config).prepare()


def run_domain(folders: Sequence[Path]) -> str:
    """The domain that a run on the corpora in `folders` is filed under: theirs, or `joint`."""
    domains = {Corpus.load(folder).info.domain for folder in folders}
    return domains.pop() if len(domains) == 1 else "joint"


def about_run(data: DomainDataModule) -> dict[str, Any]:
    """The record in run.json of a run on `data`, see `trace_lit.runs.record`."""
    channels = [channel.key for corpus in data.corpora for channel in corpus.info.channels]
    return {
        "domain": run_domain([corpus.path for corpus in data.corpora]),
        "data_fingerprint": data.data_fingerprint,
        "channels": list(dict.fromkeys(channels)),
        "labels": list(data.label_names),
    }


def open_data(
    config: Config,
    vocabulary: ChannelVocabulary | None = None,
    label_names: tuple[str, ...] = (),
    fingerprint: str = "",
) -> DomainDataModule:
    """The data of a configuration, loaded for a model that knows `vocabulary` and predicts `label_names`.

    Corpora that have grown since they had the `fingerprint` are taken as they were.

    Raises
    ------
    CorpusError
        A corpus cannot be used, or has a label that the model does not predict.
    """
    data = build_datamodule(config, vocabulary, label_names, fingerprint)
    data.prepare_data()
    data.setup("test")
    return data
