"""The evaluation of a run, on its own corpora or on others: retrieval of an aligned one, predictions of a tuned one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from data_modules.building import named_folders
from data_modules.dataset import CorpusDataset
from data_modules.vocabulary import usual_values
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.devices import best_device
from trace_lit.inference.checkpoints import check_data, open_checkpoint
from trace_lit.inference.tuned import ClassifierRun
from trace_lit.models import CLASSIFIERS
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError, run_of
from trace_lit.modules.loading import aligned_model
from trace_lit.modules.tuned_model import predictions_of, restore_model
from trace_lit.retrieval import Pool, embed_pool, evaluate_retrieval, with_split
from trace_lit.runs.data import build_datamodule, open_data
from trace_lit.runs.folder import Place, folder_of, keep_metrics
from trace_lit.settings import Config
from trace_lit.tuning.build import score_split
from trace_lit.tuning.neighbours import attach_retrieval, check_unchanged, fingerprints

if TYPE_CHECKING:  # it imports Lightning
    from data_modules.domain import DomainDataModule


@dataclass
class OpenedRun:
    """A model on a device, and the corpora that it is used on."""

    model: AlignedModel
    config: Config
    data: DomainDataModule
    device: torch.device
    folder: Path | None  # of the run, whose metrics.json has what is measured on its own corpora; None: nothing is kept
    foreign: bool = False  # the corpora are not those that it was trained on

    def keep(self, metrics: dict[str, Any]) -> None:
        """Add `metrics` to the run's metrics.json, if they are of its own corpora."""
        if self.folder is not None:
            keep_metrics(self.folder, metrics)

    def embed(self, split: str) -> dict[str, tuple[CorpusDataset, Pool]]:
        """The `split` of each corpus and what it looks like in the model's space, by corpus name.

        With `data.usual=corpus`, what is usual in a corpus that the model was not trained on is what is so in this split.
        """
        pools = {}
        if self.foreign and self.config.data.usual == "corpus":
            usual = usual_values(self.data.corpora, self.config.data.from_calm, split)
            self.model.encoder.extend(self.data.vocabulary.with_statistics(usual))
        for name, loader in zip(self.data.corpus_names, self.data.split_dataloader(split), strict=True):
            dataset = loader.dataset
            assert isinstance(dataset, CorpusDataset)
            space = SearchSpace(self.model, dataset.corpus.info.channels)
            pools[name] = dataset, embed_pool(space, loader, self.device)
        return pools


def open_run(run: str | Path, corpus: str | Path | None = None, trust: bool = False) -> OpenedRun:
    """A run's model with its own corpora, or with the one in the folder `corpus`.

    Classes that the run names are imported only with `trust`.

    Raises
    ------
    CheckpointError, CorpusError, TextEncoderError
    """
    return _opened(open_checkpoint(Path(run), "align", trust), corpus)


def _opened(checkpoint: Checkpoint, corpus: str | Path | None) -> OpenedRun:
    config, model = copy.deepcopy(checkpoint.config), aligned_model(checkpoint)
    _use_corpus(checkpoint, config, corpus)
    known = "" if corpus is not None else checkpoint.data_fingerprint
    data = build_datamodule(config, checkpoint.vocabulary, fingerprint=known)
    data.prepare_data()
    data.setup("test")
    if corpus is None:
        check_data(run_of(checkpoint.path), checkpoint.data_fingerprint, data.data_fingerprint)
    model.encoder.extend(data.vocabulary)
    device = best_device(config.trainer.accelerator)
    folder = run_of(checkpoint.path)
    own = corpus is None and (folder / "config.yaml").is_file()
    foreign = not all(one.known_as(checkpoint.data_fingerprint.split(",")) for one in data.corpora)
    return OpenedRun(model.to(device), config, data, device, folder if own else None, foreign)


def evaluate(
    run: Place,
    split: str = "test",
    corpus: str | Path | None = None,
    *,
    bootstrap: int | None = None,
    retriever: Place | None = None,
    trust: bool = False,
) -> dict[str, Any]:
    """The metrics of a run on a split of its own corpora, which must be there, or of another one.

    Those on the run's own corpora are added to its metrics.json.

    Parameters
    ----------
    run
        A run folder, a checkpoint file, or what `trace_lit.fit` has returned; of stage align or tune.
    split
        "train", "validation" or "test".
    corpus
        Another corpus folder. It is what the run has learned from its own that is measured there.
    bootstrap
        Resamples for the 95 % intervals of an aligned run; `evaluation.bootstrap` by default.
    retriever
        Where the retriever of a tuned run is now.
    trust
        Import the classes that the run names.

    Returns
    -------
    dict
        Metric by name: `test/text_to_series/pair/MRR`, with its interval in `…/ci95`, or `test/MSE`, `test/accuracy`. Of
        several corpora, each under its name: `test/<corpus>/…`.

    Raises
    ------
    CheckpointError
        The run cannot be used, its own data are not there or have changed since, or the split is one that it was
        refitted on.
    CorpusError
        The corpus cannot be used, or has a label that the run does not predict.

    Examples
    --------
    >>> trace_lit.evaluate("runs/weather/align/first")["test/text_to_series/pair/MRR"]  # doctest: +SKIP
    0.41
    """
    place = folder_of(run)
    checkpoint = open_checkpoint(place, trust=trust)
    if checkpoint.stage == "tune":
        metrics = _evaluate_tuned(checkpoint, split, corpus, retriever)
    elif checkpoint.stage == "align":
        metrics = evaluate_opened(_opened(checkpoint, corpus), split, bootstrap)
    else:
        raise CheckpointError(
            f"{checkpoint.path} is of stage {checkpoint.stage!r}; one of stage 'align' is needed here, or of stage 'tune'"
        )
    if corpus is None and (place / "config.yaml").is_file():
        keep_metrics(place, metrics)
    return metrics


def evaluate_run(
    run: str | Path,
    split: str = "test",
    corpus: str | Path | None = None,
    bootstrap: int | None = None,
    trust: bool = False,
) -> dict[str, Any]:
    """See `evaluate`."""
    return evaluate(run, split, corpus, bootstrap=bootstrap, trust=trust)


def evaluate_opened(opened: OpenedRun, split: str, bootstrap: int | None = None) -> dict[str, Any]:
    """The retrieval metrics of an opened run, flat; of several corpora each under its name."""
    pools = opened.embed(split)
    metrics: dict[str, Any] = {}
    for name, (dataset, pool) in pools.items():
        own = evaluate_retrieval(
            pool,
            texts=dataset.texts,
            values=dataset.values,
            deviation=channel_deviation(dataset, opened.data.vocabulary),
            bootstrap=opened.config.evaluation.bootstrap if bootstrap is None else bootstrap,
        )
        metrics |= with_split(split if len(pools) == 1 else f"{split}/{name}", own)
    return metrics


def channel_deviation(dataset: CorpusDataset, vocabulary: ChannelVocabulary) -> list[float]:
    """What one standard deviation of each channel is; for a channel never seen, that of the split."""
    deviation = []
    for place, number in enumerate(vocabulary.ids(dataset.corpus.info.channels)):
        known = vocabulary.deviation[number]
        if known != known:  # NaN: never seen
            values = np.concatenate([window[place] for window in dataset.values], dtype=np.float64)
            values = values[~np.isnan(values)]
            known = float(values.std()) if len(values) else 1.0
        deviation.append(known or 1.0)
    return deviation


def check_unseen(run: Path, config: Config, split: str) -> None:
    """Raise CheckpointError where a run was refitted on this split of its own data."""
    if config.head.refit and split == "validation":
        raise CheckpointError(
            f"{run} was solved with head.refit from the validation windows, too, so scores on them say nothing; evaluate it "
            "on test, or on another corpus"
        )


def _use_corpus(checkpoint: Checkpoint, config: Config, corpus: str | Path | None) -> None:
    """Let `config` name the data that a run is evaluated on: the `corpus`, or its own, which must be there."""
    if corpus is not None:
        config.data.corpus = str(corpus)
        return
    if checkpoint.packaged:
        raise ConfigError("the universal model has no corpus of its own; name one with --corpus (in Python, corpus=…)")
    if config.data.corpus is None and checkpoint.built and all(folder.exists() for folder in checkpoint.built):
        config.data.domain = checkpoint.corpora[0].domain  # built already, so the class that builds it is not needed
        config.data.corpus = [str(folder) for folder in checkpoint.built]
    for folder in named_folders(config.data):
        if not folder.exists():
            raise CheckpointError(
                f"the corpus {folder}, which {run_of(checkpoint.path)} was trained on, is not there; name one with --corpus "
                "(corpus=…)"
            )


def _evaluate_tuned(
    checkpoint: Checkpoint, split: str, corpus: str | Path | None, retriever: Place | None
) -> dict[str, Any]:
    """The scores of a tuned run or of a baseline on a split."""
    run, config = run_of(checkpoint.path), copy.deepcopy(checkpoint.config)
    if corpus is None:
        check_unseen(run, config, split)
    if retriever is not None:
        config.rag.retriever = str(folder_of(retriever))
    _use_corpus(checkpoint, config, corpus)
    known = "" if corpus is not None else checkpoint.data_fingerprint
    data = open_data(config, checkpoint.vocabulary, checkpoint.label_names, known)
    if corpus is None:
        check_data(run, checkpoint.data_fingerprint, data.data_fingerprint)
    predict: Sequence[Callable[[MultimodalBatch], Tensor]]
    if config.tune.model in CLASSIFIERS:
        device = torch.device("cpu")
        classifiers = ClassifierRun(checkpoint)
        predict = [classifiers.classifier(own) for own in data.corpora]
    else:
        device = best_device(config.trainer.accelerator)
        check_unchanged(fingerprints(config, attach_retrieval(config, data)), checkpoint.retrieval, run)
        model = restore_model(checkpoint, data.vocabulary).to(device)
        predict = [lambda batch: predictions_of(model(batch), config.tune.task)] * len(data.corpora)
    return score_split(config, data, split, predict, device)
