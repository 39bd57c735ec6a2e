"""The universal model as it comes with the package: weights as safetensors, and about.yaml, which says what they are.

Both are plain data: nothing in them is imported or run. about.yaml has the checksum of the weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trace_lit.atomic import write_atomically
from trace_lit.errors import first_line
from trace_lit.modules.finding import ABOUT, WEIGHTS, CheckpointError
from trace_lit.plain import PlainError, read_yaml

if TYPE_CHECKING:
    from trace_lit.modules.checkpoint import Checkpoint

LARGEST = 5_000_000  # bytes of weights


def write_packaged(checkpoint: Checkpoint, folder: Path, about: Mapping[str, Any]) -> Path:
    """Write an aligned model that has nothing of its training channels to `folder`; the path of the weights.

    Parameters
    ----------
    about
        How it was made, in plain types: command, date, commit, metrics.

    Raises
    ------
    CheckpointError
        It is no aligned model, has learned vectors of channels, or is larger than 5 MB.
    """
    from trace_lit.settings import to_dict

    config = checkpoint.config
    if checkpoint.stage != "align" or config.encoder.learned_tokens or config.data.usual != "corpus":
        raise CheckpointError(
            f"{checkpoint.path} cannot be used on any channels: it must be of stage align, with "
            "encoder.learned_tokens=false and data.usual=corpus"
        )
    prefix = "model."
    weights = {
        name: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for name, value in checkpoint.weights.items()
        if name.startswith(prefix)
    }
    content = save(weights)
    if len(content) > LARGEST:
        raise CheckpointError(
            f"the weights take {len(content):,} bytes; {LARGEST:,} are allowed: make the model smaller"
        )
    plain = to_dict(config)
    for key in ("init_from", "run", "callbacks", "logger"):
        plain.pop(key)
    kept = ("usual", "from_calm", "zero_is_missing")
    plain["data"] = {"domain": "varied", **{key: plain["data"][key] for key in kept}}
    plain["text"].pop("cache_dir")
    header = {
        "sha256": hashlib.sha256(content).hexdigest(),
        **about,
        "text_width": checkpoint.vocabulary.name_vectors.shape[1],
        "epochs": checkpoint.epoch + 1,
        "steps": checkpoint.step,
        "config": plain,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)  # it is not to speak of other weights
    (folder / WEIGHTS).write_bytes(content)
    write_atomically(folder / ABOUT, yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=120))
    return folder / WEIGHTS


def read_packaged(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What about.yaml says, and the weights in single precision.

    Raises
    ------
    CheckpointError
        A file is missing, damaged, or the weights are not those that about.yaml speaks of.
    """
    about = path.with_name(ABOUT)
    try:
        header = read_yaml(about)
        known = header["sha256"]
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, PlainError, TypeError, KeyError) as error:
        reason = f"it has no {error.args[0]!r}" if isinstance(error, KeyError) else first_line(error)
        raise CheckpointError(f"{path.parent} holds no universal model, or a damaged one: {ABOUT}: {reason}") from error
    if len(content) > LARGEST:
        raise CheckpointError(f"{path} has {path.stat().st_size:,} bytes; {LARGEST:,} are allowed")
    found = hashlib.sha256(content).hexdigest()
    if found != known:
        raise CheckpointError(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, {about.name} says {str(known)[:12]}…; install trace_lit anew"
        )
    try:
        weights = load(content)
    except SafetensorError as error:
        raise CheckpointError(f"{path} holds no weights: {error}") from error
    return header, {name: value.float() if value.dtype == torch.float16 else value for name, value in weights.items()}
