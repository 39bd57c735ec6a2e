"""Where the checkpoint of a run lies; needs no torch, so that a missing run is reported at once."""

from __future__ import annotations

from pathlib import Path

from trace_lit.errors import InputError


class CheckpointError(InputError):
    """A checkpoint or a run folder cannot be used."""


def checkpoint_path(place: str | Path) -> Path:
    """The checkpoint meant by `place`: a checkpoint file, or a run folder, whose best one (or else last one) is taken.

    Raises
    ------
    CheckpointError
        There is no such file or folder, or the folder is no run.
    """
    place = Path(place)
    if place.is_file():
        return place
    if not place.exists():
        raise CheckpointError(f"{place} does not exist; give a run folder (it holds config.yaml and checkpoints/)")
    if not (place / "config.yaml").is_file():
        raise CheckpointError(f"{place} is not a run folder: it has no config.yaml; runs are written by trace-lit fit")
    for name in ("best.ckpt", "last.ckpt"):
        if (place / "checkpoints" / name).is_file():
            return place / "checkpoints" / name
    raise CheckpointError(f"the run {place} has no checkpoint yet (looked for checkpoints/best.ckpt and last.ckpt)")
