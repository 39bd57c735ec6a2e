"""Checkpoints of this project: what they hold, and clear words where a file is something else.

What is here needs no Lightning, so that a model can be used without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from data_modules.corpus import Corpus, CorpusError, CorpusInfo
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import mark_foreign
from trace_lit.modules.adapters import merge_adapters
from trace_lit.modules.finding import CheckpointError, checkpoint_path
from trace_lit.modules.packaged import read_packaged
from trace_lit.modules.places import find_again, relative, relative_places
from trace_lit.settings import Config, from_dict, to_dict

CHECKPOINT_KEY = "trace_lit"


@dataclass(frozen=True)
class Checkpoint:
    """A trained stage: its configuration, its channels and its weights.

    Paths in the configuration are those that are there today, see `trace_lit.modules.places`.
    """

    path: Path
    stage: str
    config: Config
    vocabulary: ChannelVocabulary
    data_fingerprint: str
    world_size: int  # how many processes trained it
    epoch: int  # the epoch it was written in, from 0
    epochs: int  # that had been trained to their end
    step: int  # steps of the optimiser that were made
    weights: dict[str, Tensor]
    label_names: tuple[str, ...] = ()  # that a tuned model predicts
    retrieval: dict[str, str] = field(default_factory=dict)  # fingerprints of what its neighbours are found by
    corpora: tuple[CorpusInfo, ...] = ()  # that it was trained on; none in a checkpoint of version 0.1
    label_counts: tuple[int, ...] = ()  # training windows with each label
    retrieval_width: int = 0  # of the vectors of its retriever, 0 without one
    built: tuple[Path, ...] = ()  # the corpora that it was trained on, where they were built from a source
    packaged: bool = False  # it comes with the package and has neither channels nor corpora of its own

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those of the corpora that it was trained on, in order of appearance."""
        found: dict[str, Channel] = {}
        for channel in (channel for info in self.corpora for channel in info.channels):
            found.setdefault(channel.key, channel)
        return tuple(found.values()) or tuple(map(Channel.of_key, self.vocabulary.keys))

    @property
    def frequencies(self) -> tuple[str, ...]:
        """Those of the corpora that it was trained on, each once; none in a checkpoint of version 0.1."""
        return tuple(dict.fromkeys(info.frequency for info in self.corpora))

    def encoder_weights(self) -> dict[str, Tensor]:
        """The series encoder's part of the weights, whatever the stage; adapters are merged into it."""
        return merge_adapters(self._below("encoder." if self.stage == "pretrain" else "model.encoder."))

    def alignment_weights(self) -> dict[str, Tensor]:
        """Those of an aligned model beside its encoder's: of stage align, or kept while tuning; none elsewhere."""
        if self.stage == "pretrain":
            return {}
        own = self._below("model." if self.stage == "align" else "aligned.")
        return {name: value for name, value in own.items() if not name.startswith("encoder.")}

    def _below(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in self.weights.items() if name.startswith(prefix)}


def contents(
    config: Config, vocabulary: ChannelVocabulary, corpora: Sequence[Corpus], fingerprint: str, folder: Path
) -> dict[str, Any]:
    """What a checkpoint of a run in `folder` holds beside its weights, as plain types and tensors: all that use needs.

    `fingerprint` is that of the `corpora` that the run was trained on.
    """
    return {
        "stage": config.stage,
        "config": to_dict(config),
        "vocabulary": vocabulary.state(),
        "corpora": [corpus.info.as_dict() for corpus in corpora],
        "data_fingerprint": fingerprint,
        "places": relative_places(config, folder),
        "built": [] if config.data.corpus is not None else [relative(corpus.path, folder) for corpus in corpora],
    }


def run_of(path: Path) -> Path:
    """The run folder that the checkpoint file `path` lies in; its own folder where that is none."""
    return path.parent.parent if (path.parent.parent / "config.yaml").is_file() else path.parent


def load_checkpoint(place: str | Path, stage: str | None = None, trust: bool = False) -> Checkpoint:
    """Read the checkpoint of a run folder or a checkpoint file, on the CPU.

    Classes that its configuration names are imported only with `trust`, and only where they are needed.

    Raises
    ------
    CheckpointError
        It is missing, damaged, not of this project, or not of `stage`.
    """
    path = checkpoint_path(place)
    if path.suffix == ".safetensors":
        return _packaged(path, stage)
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no checkpoint fails in torch in as many ways as there are files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} cannot be read, it is damaged or no checkpoint: {reason}") from error
    if not isinstance(content, dict) or CHECKPOINT_KEY not in content:
        raise CheckpointError(f"{path} is not a checkpoint of trace_lit")
    own = content[CHECKPOINT_KEY]
    if stage is not None and own["stage"] != stage:
        raise CheckpointError(f"{path} is of stage {own['stage']!r}; one of stage {stage!r} is needed here")
    try:
        config = from_dict(own["config"])
        corpora = tuple(map(CorpusInfo.from_dict, own.get("corpora", ())))
    except (OmegaConfBaseException, CorpusError) as error:
        raise CheckpointError(f"{path} was written by another version of trace_lit: {error}") from error
    find_again(config, run_of(path), own.get("places", {}))
    if not trust:
        mark_foreign(config, str(path))
    return Checkpoint(
        path=path,
        stage=own["stage"],
        config=config,
        vocabulary=ChannelVocabulary.from_state(own["vocabulary"]),
        data_fingerprint=own["data_fingerprint"],
        world_size=own.get("world_size", 1),
        epoch=content["epoch"],
        epochs=content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"] if content.get("loops") else 0,
        step=content["global_step"],
        weights=content["state_dict"],
        label_names=tuple(own.get("label_names", ())),
        retrieval=own.get("retrieval", {}),
        corpora=corpora,
        label_counts=tuple(own.get("label_counts", ())),
        retrieval_width=own.get("retrieval_width", 0),
        built=tuple((run_of(path).resolve() / place).resolve() for place in own.get("built", ())),
    )


def _packaged(path: Path, stage: str | None) -> Checkpoint:
    """The universal model."""
    header, weights = read_packaged(path)
    if stage not in (None, "align"):
        raise CheckpointError(f"{path} is of stage 'align'; one of stage {stage!r} is needed here")
    try:
        config = from_dict(header["config"])
        nothing = ChannelVocabulary(name_vectors=torch.zeros(0, int(header["text_width"])))
        epochs, step = int(header["epochs"]), int(header["steps"])
    except (OmegaConfBaseException, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} was written by another version of trace_lit: {error}") from error
    return Checkpoint(
        path=path,
        stage="align",
        config=config,
        vocabulary=nothing,
        data_fingerprint="",
        world_size=1,
        epoch=max(epochs - 1, 0),
        epochs=epochs,
        step=step,
        weights=weights,
        packaged=True,
    )
