"""Retrieval evaluation of a run, on its own corpora or on others."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from data_modules.dataset import CorpusDataset
from trace_lit.alignment import AlignedModel, SearchSpace
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import Config
from trace_lit.retrieval import Pool, embed_pool, evaluate_retrieval, with_split
from trace_lit.train.runs import build_datamodule, load_aligned, write_metrics


@dataclass
class OpenedRun:
    """A model on a device and the embedded splits of the corpora that it is used on."""

    model: AlignedModel
    config: Config
    vocabulary: ChannelVocabulary
    device: torch.device
    datasets: dict[str, list[CorpusDataset]]  # by corpus name, one a split
    pools: dict[str, list[Pool]]
    fingerprint: str


def best_device(config: Config) -> torch.device:
    """Where a run's model is used."""
    on_gpu = config.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")


def open_run(run: str | Path, splits: Sequence[str], corpus: str | Path | None = None) -> OpenedRun:
    """Load a run's model and embed the `splits` of its own corpora, or of the folder `corpus`.

    Raises
    ------
    CheckpointError, CorpusError, TextEncoderError
    """
    model, checkpoint = load_aligned(run)
    config = copy.deepcopy(checkpoint.config)
    if corpus is not None:
        config.data.corpus = str(corpus)
    data = build_datamodule(config, checkpoint.vocabulary)
    data.prepare_data()
    data.setup("test")
    model.encoder.extend(data.vocabulary)
    device = best_device(config)
    model.to(device)
    datasets: dict[str, list[CorpusDataset]] = {name: [] for name in data.corpus_names}
    pools: dict[str, list[Pool]] = {name: [] for name in data.corpus_names}
    for split in splits:
        for name, loader in zip(data.corpus_names, data.split_dataloader(split), strict=True):
            dataset = loader.dataset
            assert isinstance(dataset, CorpusDataset)
            space = SearchSpace(model, dataset.corpus.info.channels)
            datasets[name].append(dataset)
            pools[name].append(embed_pool(space, loader, device))
    return OpenedRun(model, config, data.vocabulary, device, datasets, pools, data.data_fingerprint)


def evaluate_run(
    run: str | Path, split: str = "test", corpus: str | Path | None = None, bootstrap: int | None = None
) -> dict[str, Any]:
    """The retrieval metrics of a run, flat; of several corpora each under its name.

    Those on the run's own corpora are added to its metrics.json.
    """
    opened = open_run(run, [split], corpus)
    metrics: dict[str, Any] = {}
    for name, (dataset,) in opened.datasets.items():
        own = evaluate_retrieval(
            opened.pools[name][0],
            texts=dataset.texts,
            values=dataset.values,
            deviation=channel_deviation(dataset, opened.vocabulary),
            bootstrap=opened.config.evaluation.bootstrap if bootstrap is None else bootstrap,
        )
        prefix = split if len(opened.datasets) == 1 else f"{split}/{name}"
        metrics |= with_split(prefix, own)
    folder = Path(run)
    if corpus is None and (folder / "config.yaml").is_file():
        write_metrics(folder, metrics)
    return metrics


def channel_deviation(dataset: CorpusDataset, vocabulary: ChannelVocabulary) -> list[float]:
    """What one standard deviation of each channel is; for a channel never seen, that of the split."""
    deviation = []
    for place, number in enumerate(vocabulary.ids(dataset.corpus.info.channels)):
        known = vocabulary.deviation[number]
        if known != known:  # NaN: never seen
            values = torch.cat([torch.from_numpy(window[place]) for window in dataset.values])
            known = float(values[~values.isnan()].std(correction=0))
        deviation.append(known or 1.0)
    return deviation
