"""A run: its folder, its files, and the model that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from data_modules import DomainDataModule, load_datamodule
from trace_lit.alignment import AlignedModel
from trace_lit.atomic import replacing
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import Config
from trace_lit.encoder import SeriesEncoder
from trace_lit.modules import Checkpoint, load_checkpoint
from trace_lit.text import build_text_encoder


def run_folder(config: Config, domain: str) -> Path:
    """`<run.dir>/<domain>/<stage>/<run.name>`."""
    return Path(config.run.dir).expanduser() / domain / config.stage / config.run.name


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path`, in full or not at all."""
    with replacing(path) as file:
        file.write(text.encode())


def build_datamodule(config: Config, vocabulary: ChannelVocabulary | None = None) -> DomainDataModule:
    """The datamodule of a configuration, with the text encoder that it names."""
    return load_datamodule(config, build_text_encoder(config.text), vocabulary)


def open_data(
    config: Config, vocabulary: ChannelVocabulary | None = None, labels: tuple[str, ...] = ()
) -> DomainDataModule:
    """The data of a configuration, loaded as a model that knows `vocabulary` and tells `labels` is to see them.

    Raises
    ------
    CorpusError
        A corpus cannot be used, or has a label that the model does not tell.
    """
    data = build_datamodule(config, vocabulary)
    data.known_labels = labels
    data.prepare_data()
    data.setup("test")
    return data


def read_metrics(folder: Path) -> dict[str, Any]:
    """What the run's metrics.json holds; nothing while there is none."""
    path = folder / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Add `metrics` to the run's metrics.json."""
    path = folder / "metrics.json"
    write_atomically(
        path, json.dumps(read_metrics(folder) | metrics, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


def best_device(config: Config) -> torch.device:
    """Where a run's model is used."""
    on_gpu = config.trainer.accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")


def load_aligned(place: str | Path) -> tuple[AlignedModel, Checkpoint]:
    """The aligned model of a run or a checkpoint file, in evaluation mode, on the CPU.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or not of the stage align.
    """
    checkpoint = load_checkpoint(place, "align")
    model = AlignedModel(SeriesEncoder(checkpoint.config.encoder, checkpoint.vocabulary), checkpoint.config.alignment)
    prefix = "model."
    model.load_state_dict(
        {name.removeprefix(prefix): value for name, value in checkpoint.weights.items() if name.startswith(prefix)}
    )
    return model.eval(), checkpoint
