"""Where the checkpoint of a run lies; needs no torch, so that a missing run is reported at once."""

from __future__ import annotations

from pathlib import Path

from trace_lit.errors import InputError
from trace_lit.nearest import nearest_place

UNIVERSAL = "universal"  # the name of the model that comes with the package
PACKAGED = Path(__file__).parents[1] / UNIVERSAL
WEIGHTS, ABOUT = "model.safetensors", "about.yaml"


class CheckpointError(InputError):
    """A checkpoint or a run folder cannot be used."""


def is_universal(place: str | Path) -> bool:
    """Whether `place` names the model that comes with the package; a run folder of that name comes first."""
    return str(place) == UNIVERSAL and not Path(place, "config.yaml").is_file()


def checkpoint_path(place: str | Path) -> Path:
    """The checkpoint meant by `place`: a checkpoint file, or a run folder, whose best one (or else last one) is taken.

    "universal" means the weights of the model that comes with the package.

    Raises
    ------
    CheckpointError
        There is no such file or folder, or the folder is no run; or this installation has no weights.
    """
    if is_universal(place):
        for name in (ABOUT, WEIGHTS):
            if not (PACKAGED / name).is_file():
                raise CheckpointError(
                    f"this installation has no universal model (there is no {PACKAGED / name}); install a release of "
                    "trace_lit, or train it in a clone with `make universal`"
                )
        return PACKAGED / WEIGHTS
    place = Path(place)
    if place.is_file():
        return place
    if not place.exists():
        near = nearest_place(place, UNIVERSAL)
        raise CheckpointError(
            f"{place} does not exist{near}; give a run folder (it holds config.yaml and checkpoints/)"
        )
    if not (place / "config.yaml").is_file():
        raise CheckpointError(f"{place} is not a run folder: it has no config.yaml; runs are written by trace-lit fit")
    for name in ("best.ckpt", "last.ckpt"):
        if (place / "checkpoints" / name).is_file():
            return place / "checkpoints" / name
    raise CheckpointError(f"the run {place} has no checkpoint yet (looked for checkpoints/best.ckpt and last.ckpt)")
