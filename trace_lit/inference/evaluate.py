"""Retrieval evaluation of a run, on its own corpora or on others."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data_modules import DomainDataModule
from data_modules.dataset import CorpusDataset
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.channels import ChannelVocabulary
from trace_lit.devices import best_device
from trace_lit.inference.tuned import evaluate_tuned, run_config
from trace_lit.modules import CheckpointError
from trace_lit.modules.loading import load_aligned
from trace_lit.retrieval import Pool, embed_pool, evaluate_retrieval, with_split
from trace_lit.runs.data import build_datamodule
from trace_lit.runs.folder import write_metrics
from trace_lit.settings import Config


@dataclass
class OpenedRun:
    """A model on a device, and the corpora that it is used on."""

    model: AlignedModel
    config: Config
    data: DomainDataModule
    device: torch.device
    folder: Path | None  # of the run, whose metrics.json has what is measured on its own corpora; None: nothing is kept

    def keep(self, metrics: dict[str, Any]) -> None:
        """Add `metrics` to the run's metrics.json, if they are of its own corpora."""
        if self.folder is not None:
            write_metrics(self.folder, metrics)

    def embed(self, split: str) -> dict[str, tuple[CorpusDataset, Pool]]:
        """The `split` of each corpus and what it looks like in the model's space, by corpus name."""
        pools = {}
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
    model, checkpoint = load_aligned(run, trust)
    config = copy.deepcopy(checkpoint.config)
    if corpus is not None:
        config.data.corpus = str(corpus)
    data = build_datamodule(config, checkpoint.vocabulary)
    data.prepare_data()
    data.setup("test")
    if corpus is None and data.data_fingerprint != checkpoint.data_fingerprint:
        raise CheckpointError(
            f"{run} was trained on the data {checkpoint.data_fingerprint[:12]}, which have changed since (now "
            f"{data.data_fingerprint[:12]}); give the old ones back, or name the corpus to use with --corpus"
        )
    model.encoder.extend(data.vocabulary)
    device = best_device(config.trainer.accelerator)
    own = corpus is None and (Path(run) / "config.yaml").is_file()
    return OpenedRun(model.to(device), config, data, device, Path(run) if own else None)


def evaluate_run(
    run: str | Path,
    split: str = "test",
    corpus: str | Path | None = None,
    bootstrap: int | None = None,
    trust: bool = False,
) -> dict[str, Any]:
    """The retrieval metrics of an aligned run, the scores of a tuned one, flat; of several corpora each under its name.

    Those on the run's own corpora are added to its metrics.json. Classes that the run names are imported only with
    `trust`.
    """
    config = run_config(run, trust)
    if config.stage == "tune":
        return evaluate_tuned(run, config, split, corpus, best_device(config.trainer.accelerator), trust)
    opened = open_run(run, corpus, trust)
    metrics = evaluate_opened(opened, split, bootstrap)
    opened.keep(metrics)
    return metrics


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
            values = np.concatenate([window[place] for window in dataset.values])
            values = values[~np.isnan(values)]
            known = float(values.std()) if len(values) else 1.0
        deviation.append(known or 1.0)
    return deviation
