"""Checkpoints of this project: what they hold, and clear words where a file is something else.

What is here needs no Lightning, so that a model can be used without it.
"""

from __future__ import annotations

import pickletools
import re
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from data_modules.corpus import Corpus, CorpusInfo
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import check_section, is_class_path, mark_foreign
from trace_lit.errors import InputError, first_line
from trace_lit.modules.adapters import merge_adapters
from trace_lit.modules.finding import ABOUT, CheckpointError, checkpoint_path, is_universal
from trace_lit.modules.packaged import read_packaged
from trace_lit.modules.places import find_again, relative, relative_places
from trace_lit.plain import PlainError, check_nesting
from trace_lit.settings import Config, from_dict, to_dict

CHECKPOINT_KEY = "trace_lit"
FORMAT = 2  # of what stands under it; 1: version 0.1
_KINDS: dict[str, tuple[type, ...]] = {  # of what stands under it, where it is there
    "format": (int,),
    "stage": (str,),
    "config": (dict,),
    "vocabulary": (dict,),
    "corpora": (list,),
    "data_fingerprint": (str,),
    "places": (dict,),
    "built": (list,),
    "world_size": (int,),
    "label_names": (list, tuple),
    "label_counts": (list, tuple),
    "retrieval": (dict,),
    "retrieval_width": (int,),
}
_FREE = 2**22  # numbers that a model may have beside twice those of its weights
_LONG = re.compile(
    rb"\x8a[\x09-\xff]", re.DOTALL
)  # how a number of more than 8 bytes begins in a pickle that torch reads
_NODES = 2**20  # of it, in lists and mappings
_UNBOUNDED = frozenset(("lowest", "highest", "threshold", "fill"))  # solved ones: bounds of levels, of trees, and means
_NEEDED = ("stage", "config", "vocabulary", "data_fingerprint")


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

    @property
    def timezone(self) -> str:
        """The zone of the clocks that its corpora come from; UTC where they differ."""
        zones = {info.timezone for info in self.corpora}
        return zones.pop() if len(zones) == 1 else "UTC"

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
        "format": FORMAT,
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
        return _packaged(path, stage, trust or is_universal(place))
    content = _read(path)
    own = content[CHECKPOINT_KEY]
    if stage is not None and own["stage"] != stage:
        raise CheckpointError(f"{path} is of stage {own['stage']!r}; one of stage {stage!r} is needed here")
    try:
        config = from_dict(own["config"])
        check_section("", config)
        corpora = tuple(map(CorpusInfo.from_dict, own.get("corpora", ())))
        vocabulary = ChannelVocabulary.from_state(own["vocabulary"])
        built = tuple((run_of(path).resolve() / place).resolve() for place in own.get("built", ()))
    except (OmegaConfBaseException, InputError) as error:
        raise CheckpointError(f"{path} was written by another version of trace_lit: {first_line(error)}") from error
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise _damaged(path, f"its description is none ({first_line(error)})") from error
    _check_encoder_size(path, config, content["state_dict"])
    _check_finite(path, config, content["state_dict"])
    find_again(config, run_of(path), own.get("places", {}))
    if not trust:
        mark_foreign(config, str(path))
    return Checkpoint(
        path=path,
        stage=own["stage"],
        config=config,
        vocabulary=vocabulary,
        data_fingerprint=own["data_fingerprint"],
        world_size=own.get("world_size", 1),
        epoch=content["epoch"],
        epochs=_epochs(path, content),
        step=content["global_step"],
        weights=content["state_dict"],
        label_names=tuple(own.get("label_names", ())),
        retrieval=own.get("retrieval", {}),
        corpora=corpora,
        label_counts=tuple(own.get("label_counts", ())),
        retrieval_width=own.get("retrieval_width", 0),
        built=built,
    )


def _packaged(path: Path, stage: str | None, trust: bool) -> Checkpoint:
    """The universal model, or one of that form that somebody else has made."""
    header, weights = read_packaged(path)
    if stage not in (None, "align"):
        raise CheckpointError(f"{path} is of stage 'align'; one of stage {stage!r} is needed here")
    try:
        config = from_dict(header["config"])
        check_section("", config)
        nothing = ChannelVocabulary(name_vectors=torch.zeros(0, int(header["text_width"])))
        epochs, step = int(header["epochs"]), int(header["steps"])
    except (OmegaConfBaseException, InputError) as error:
        raise CheckpointError(f"{path} was written by another version of trace_lit: {first_line(error)}") from error
    except (AttributeError, KeyError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        raise _damaged(path, f"{ABOUT} does not describe it ({first_line(error)})") from error
    _check_encoder_size(path, config, weights)
    _check_finite(path, config, weights)
    find_again(config, path.parent, {})
    if not trust:
        mark_foreign(config, str(path.with_name(ABOUT)))
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


@contextmanager
def fitting(path: Path, weights: Mapping[str, Tensor] | None = None) -> Iterator[None]:
    """Building and filling a model from the checkpoint `path`: CheckpointError where the two do not fit.

    With its `weights`, a model that is much larger than these is refused while it is built.
    """
    try:
        with nullcontext() if weights is None else _no_larger(path, weights):
            yield
    except InputError:
        raise
    except (RuntimeError, KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise CheckpointError(
            f"{path} does not hold the weights of the model that it describes ({' '.join(lines[:2])[:300]}): it is damaged, "
            "or was written by another version of trace_lit"
        ) from error


@contextmanager
def _no_larger(path: Path, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Raise CheckpointError where modules made by this thread have more numbers than `weights`, before these are drawn."""
    allowed = _FREE + 2 * sum(weight.numel() for weight in weights.values())
    made, here = 0, threading.get_ident()

    def count(_: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal made
        if tensor is None or threading.get_ident() != here:
            return
        made += tensor.numel()
        if made > allowed:
            raise _damaged(path, f"it describes a model of more than {made:,} numbers, its weights are fewer")

    hooks = (register_module_parameter_registration_hook(count), register_module_buffer_registration_hook(count))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint of this project, whose checksums and types are right."""
    _check_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is no checkpoint fails in torch in as many ways as there are files
        raise _damaged(path, first_line(error)) from error
    try:
        check_nesting(content, _NODES)
    except PlainError as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(content, dict) or not isinstance(own := content.get(CHECKPOINT_KEY), dict):
        raise CheckpointError(f"{path} is not a checkpoint of trace_lit")
    if isinstance(own.get("format"), int) and own["format"] > FORMAT:
        raise CheckpointError(
            f"{path} has format {own['format']}, which a newer trace_lit has written; this one reads up to "
            f"{FORMAT}: update it"
        )
    for key in _NEEDED:
        if key not in own:
            raise _damaged(path, f"it has no {key}")
    for key, kinds in _KINDS.items():
        if key in own and not isinstance(own[key], kinds):
            raise _damaged(path, f"{key} is a {type(own[key]).__name__}")
    weights = content.get("state_dict")
    if not isinstance(weights, dict) or not all(
        isinstance(name, str)
        and isinstance(weight, Tensor)
        and weight.layout == torch.strided
        and not weight.is_complex()
        and weight.device.type == "cpu"
        for name, weight in weights.items()
    ):
        raise _damaged(path, "it has no weights")
    if not all(isinstance(content.get(key), int) for key in ("epoch", "global_step")):
        raise _damaged(path, "it does not say after which step it was written")
    texts = (*own.get("label_names", ()), *own.get("built", ()), *own.get("retrieval", {}).values())
    if not all(isinstance(text, str) for text in texts):
        raise _damaged(path, "a name in it is no text")
    return content


def _check_encoder_size(path: Path, config: Config, weights: dict[str, Tensor]) -> None:
    """Raise CheckpointError where the encoder that is described is larger than the weights can be of, before it is built."""
    own = [weight for name, weight in weights.items() if "encoder." in name]
    largest = max((length for weight in own for length in weight.shape), default=0)
    if own and (config.encoder.width > largest or config.encoder.layers > len(own)):
        raise _damaged(
            path, f"it describes an encoder of width {config.encoder.width}, its weights have up to {largest}"
        )


def _check_finite(path: Path, config: Config, weights: dict[str, Tensor]) -> None:
    """Raise CheckpointError where a weight is NaN or infinite: all answers of its model would be.

    A class of somebody's own may have infinite ones: masks.
    """
    foreign = any(map(is_class_path, (config.encoder.name, config.tune.model, config.alignment.loss)))
    for name, weight in weights.items():
        if not weight.is_floating_point() or name.rpartition(".")[2] in _UNBOUNDED:
            continue
        own = weight.float() if weight.element_size() == 1 else weight  # torch looks at no floats of 8 bits
        if wrong := int((own.isnan() if foreign else ~own.isfinite()).sum()):
            raise CheckpointError(
                f"{path}: {wrong:,} of the {own.numel():,} numbers of the weight {name[:100]!r} are NaN or infinite, so its "
                "model would answer NaN; use another checkpoint of the run, or train it again"
            )


def _check_archive(path: Path) -> None:
    """Raise CheckpointError where the file is no archive of torch's, or the checksum of a part is not that of its content.

    torch writes the checksums and does not look at them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise _damaged(path, "its parts are compressed, which torch's are not")
            if sum(part.file_size for part in archive.infolist()) > path.stat().st_size:
                raise _damaged(path, "its parts overlap")
            wrong = archive.testzip()
            if wrong is None:
                _check_numbers(path, archive)
    except CheckpointError:
        raise
    except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError) as error:  # of zipfile
        raise _damaged(path, first_line(error)) from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    if wrong is not None:
        raise _damaged(path, f"the checksum of {wrong.rpartition('/')[2]} is not that of its content")


def _check_numbers(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise CheckpointError for whole numbers beyond 64 bits: many have one hash, and such keys take hours to read."""
    for part in archive.namelist():
        content = archive.read(part) if part.endswith("data.pkl") else b""
        if _LONG.search(content) is None:
            continue
        for _, argument, _ in pickletools.genops(content):
            if isinstance(argument, int) and argument.bit_length() > 64:
                raise _damaged(path, f"it holds a whole number of {argument.bit_length()} bits; 64 are admitted")


def _damaged(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"{path} cannot be read, it is damaged or no checkpoint: {reason}")


def _epochs(path: Path, content: dict[str, Any]) -> int:
    """The epochs that had been trained to their end."""
    if not content.get("loops"):
        return 0
    try:
        return int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise _damaged(path, "its loops are none of Lightning's") from error
