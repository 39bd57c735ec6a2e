"""Writing checkpoints: the previous one stays intact until the next is written."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from trace_lit.atomic import replacing
from trace_lit.modules.checkpoint import CheckpointError


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the checkpoint, syncs, and renames; Lightning's own neither syncs nor stays on one disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write `checkpoint` to `path`.

        Raises
        ------
        CheckpointError
            The disk is full or cannot be written; what stood at `path` still does.
        """
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                torch.save(checkpoint, file)
        except (OSError, RuntimeError) as error:
            cause = _disk_error(error)
            if cause is None:
                raise
            raise CheckpointError(
                f"{path} could not be written: {cause.strerror}. {_advice(checkpoint, path)}"
            ) from error


def _disk_error(error: BaseException | None) -> OSError | None:
    """The OSError among what led to `error`; torch wraps it in errors of its own."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


class _Size(io.BytesIO):
    """Counts what is written."""

    bytes = 0

    def write(self, data: Any) -> int:
        self.bytes += len(data)
        return len(data)


def _advice(checkpoint: dict[str, Any], path: Path) -> str:
    size = _Size()
    torch.save(checkpoint, size)
    folder = next(place for place in path.parents if place.exists())
    advice = f"It takes {size.bytes / 1e6:.1f} MB, {shutil.disk_usage(folder).free / 1e6:.1f} MB are free. "
    if path.with_name("last.ckpt").is_file():
        return advice + "The one before it is intact; once this is mended, --resume auto goes on from it"
    return advice + "There is none before it; once this is mended, start again"
