"""A tuned run in use: its module and its scores."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from data_modules import DomainDataModule
from trace_lit.config import ConfigError, mark_foreign
from trace_lit.models import CLASSIFIERS
from trace_lit.modules import Checkpoint, CheckpointError, TuneModule, load_checkpoint
from trace_lit.runs.data import open_data
from trace_lit.runs.folder import read_metrics, write_metrics
from trace_lit.settings import Config, load_config
from trace_lit.tuning.build import Predictor, bare_module, fit_classifiers, score_split
from trace_lit.tuning.neighbours import check_unchanged


def load_tuned(place: str | Path, trust: bool = False) -> tuple[Checkpoint, Callable[[DomainDataModule], TuneModule]]:
    """The checkpoint of a tuned run, and how its module is made once the data that it is used on are there.

    These begin with the checkpoint's vocabulary; its further channels are added to the encoder as never seen.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or not of the stage tune. When the module is made: the weights are not those of the
        present model, or retriever and corpora not those that it was tuned with.
    """
    checkpoint = load_checkpoint(place, "tune", trust)

    def build(data: DomainDataModule) -> TuneModule:
        channels = len(checkpoint.vocabulary)
        module = bare_module(checkpoint.config, data, checkpoint.vocabulary, channels, trust)
        check_unchanged(module.retrieval, checkpoint.retrieval, place)
        module.prepare()
        try:
            module.load_state_dict(checkpoint.weights)
        except RuntimeError as error:
            differing = " ".join(line.strip() for line in str(error).splitlines()[1:3])
            raise CheckpointError(
                f"{checkpoint.path} does not hold the weights of the present model ({differing}): it was written by "
                "another version of trace_lit; tune again (--overwrite replaces the run)"
            ) from None
        if module.has_encoder:
            module.encoder.extend(data.vocabulary)
        return module

    return checkpoint, build


def load_classifiers(run: str | Path, config: Config) -> tuple[DomainDataModule, list[Predictor]]:
    """A run's own data, and its classifiers, which are learned from them as they were by the run.

    Raises
    ------
    CheckpointError
        The run has not ended, or its data have changed since.
    """
    data = open_data(config)
    known = read_metrics(Path(run)).get("run/data_fingerprint")
    if known is None:
        raise CheckpointError(f"the run {run} has no metrics.json: it has not ended; fit it again")
    _check_data(run, data, known)
    return data, fit_classifiers(config, data)


def classifier_for(data: DomainDataModule, says: Sequence[Predictor], folder: str | Path | None) -> Predictor:
    """Of a run's classifiers, one for each corpus of its `data`, that of the corpus in `folder`; for another, the only one.

    Raises
    ------
    ConfigError
        There are several.
    """
    paths = [corpus.path.resolve() for corpus in data.corpora]
    if folder is not None and Path(folder).resolve() in paths:
        return says[paths.index(Path(folder).resolve())]
    if len(paths) > 1:
        raise ConfigError(
            f"the run has a classifier for each of its corpora ({', '.join(map(str, paths))}); name one of these with "
            "--corpus"
        )
    return says[0]


def check_unseen(run: str | Path, config: Config, split: str) -> None:
    """Raise CheckpointError where a run was refitted on this split of its own data."""
    if config.head.refit and split == "validation":
        raise CheckpointError(
            f"{run} was solved with head.refit from the validation windows, too, so scores on them say nothing; evaluate it "
            "on test, or on another corpus"
        )


def evaluate_tuned(
    run: str | Path,
    config: Config,
    split: str,
    corpus: str | Path | None,
    device: torch.device,
    trust: bool = False,
) -> dict[str, Any]:
    """The scores of a tuned run or of a baseline on a split; those on its own data are added to its metrics.json.

    On another corpus, it is what the run has learned from its own that is scored.

    Raises
    ------
    CheckpointError
        The run cannot be used, its own data have changed since, or the split is one that it was refitted on.
    CorpusError
        The corpus cannot be used, or has a label that the run does not tell.
    """
    if corpus is None:
        check_unseen(run, config, split)
    config = copy.deepcopy(config)
    says: list[Predictor]
    if config.tune.model in CLASSIFIERS:
        data, says = load_classifiers(run, config)
        device = torch.device("cpu")
        if corpus is not None:
            says = [classifier_for(data, says, corpus)]
            config.data.corpus = str(corpus)
            data = open_data(config, data.vocabulary, data.label_names)
    else:
        checkpoint, build = load_tuned(run, trust)
        if corpus is not None:
            config.data.corpus = str(corpus)
        data = open_data(config, checkpoint.vocabulary, checkpoint.label_names)
        if corpus is None:
            _check_data(run, data, checkpoint.data_fingerprint)
        module = build(data).to(device).eval()
        says = [module.predict] * len(data.corpora)
    metrics = score_split(config, data, split, says, device)
    folder = Path(run)
    if corpus is None and (folder / "config.yaml").is_file():
        write_metrics(folder, metrics)
    return metrics


def _check_data(run: str | Path, data: DomainDataModule, fingerprint: str) -> None:
    if data.data_fingerprint != fingerprint:
        raise CheckpointError(
            f"{run} was trained on the data {fingerprint[:12]}, which have changed since (now "
            f"{data.data_fingerprint[:12]}); give the old ones back, or name the corpus to use with --corpus"
        )


def run_config(run: str | Path, trust: bool = False) -> Config:
    """The configuration of a run folder or a checkpoint file; classes that it names are imported only with `trust`."""
    path = Path(run) / "config.yaml"
    if not path.is_file():
        return load_checkpoint(run, trust=trust).config
    config = load_config([path])
    if not trust:
        mark_foreign(config, str(path))
    return config
