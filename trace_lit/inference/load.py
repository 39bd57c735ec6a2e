"""From a run folder to a model that one can use."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch

from data_modules.corpus import Corpus
from trace_lit.config import ConfigError
from trace_lit.devices import best_device, named_device
from trace_lit.inference.checkpoints import open_checkpoint
from trace_lit.inference.loaded import LoadedRun, PretrainedRun
from trace_lit.models import CLASSIFIERS
from trace_lit.modules.checkpoint import CheckpointError
from trace_lit.runs.folder import Place, folder_of

Kind = TypeVar("Kind", bound=LoadedRun)


def load(
    run: Place,
    device: str | torch.device | None = None,
    *,
    retriever: Place | None = None,
    corpus: Corpus | str | Path | None = None,
    trust: bool = False,
) -> LoadedRun:
    """Load a trained run for use. It needs neither the corpus that it was trained on nor Lightning, and prints nothing.

    Parameters
    ----------
    run
        A run folder, of which the best checkpoint is taken, a checkpoint file, or what `trace_lit.fit` has returned; or
        "universal", the model that comes with the package and is asked about any series without training.
    device
        Where it is used, like "cpu" or "cuda:1"; by default a GPU where `trainer.accelerator` admits one.
    retriever, corpus
        Of a tuned run with neighbours: the run of stage align that finds them, and the corpus that they are looked for
        in, where they are not where the run names them.
    trust
        Import the classes that the run names, like an `encoder.name` of your own. Without it, a run that needs one is
        refused: whoever made it chose that code.

    Returns
    -------
    LoadedRun
        By stage: `PretrainedRun` (embed_series), `AlignedRun` (embed_series, embed_text, search) or `TunedRun`
        (predict, and embed_series where it has an encoder). "universal" is a `UniversalRun`, an aligned one.

    Raises
    ------
    CheckpointError
        It is missing, damaged, or no run.
    ConfigError
        There is no such device.

    Examples
    --------
    >>> model = trace_lit.load("runs/weather/align/first")  # doctest: +SKIP
    >>> model.channels  # doctest: +SKIP
    (Channel(name='temperature', unit='K', description=''), ...)
    """
    place = folder_of(run)
    checkpoint = open_checkpoint(place, trust=trust)
    config = checkpoint.config
    where = best_device(config.trainer.accelerator) if device is None else device
    if isinstance(where, str):
        where = torch.device(where) if where == "mps" else named_device(where, "device")
    if checkpoint.stage == "tune":  # each stage imports what it needs
        from trace_lit.inference.tuned import ClassifierRun, TunedRun

        if config.tune.model in CLASSIFIERS:
            return ClassifierRun(checkpoint)
        return TunedRun(checkpoint, where, retriever, corpus, trust)
    if retriever is not None or corpus is not None:
        raise ConfigError(
            f"{place} is of stage {checkpoint.stage}, which looks for no neighbours; leave retriever and corpus out"
        )
    if checkpoint.stage == "pretrain":
        return PretrainedRun(checkpoint, where)
    if checkpoint.packaged:
        from trace_lit.inference.universal import UniversalRun

        return UniversalRun(checkpoint, where)
    from trace_lit.inference.aligned import AlignedRun

    return AlignedRun(checkpoint, where)


def load_as(run: Place, kind: type[Kind], stage: str, trust: bool = False) -> Kind:
    """The run as `load` opens it, which must be of `stage` and so of `kind`.

    Raises
    ------
    CheckpointError
        It is of another stage.
    """
    opened = load(run, trust=trust)
    if not isinstance(opened, kind):
        raise CheckpointError(f"{folder_of(run)} is of stage {opened.stage!r}; one of stage {stage!r} is needed here")
    return opened
