"""A run's folder, claimed before training and given up where nothing was saved.

What a run that is overwritten has left stays beside its successor, as `.<name>.former`, until that has a checkpoint. So a
process that is killed at any moment leaves one of the two, and `settle` brings the folder in order before the next one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trace_lit.atomic import remove_parts
from trace_lit.config import ConfigError

# What a run writes into its folder, and into checkpoints/; whatever else lies there is the user's.
_WRITTEN = re.compile(
    r"config\.yaml|run\.json|metrics\.json|checkpoints|events\.out\.tfevents\..*|projector_config\.pbtxt|\d{5,}"
    r"|csv|wandb|mlflow\.db|mlruns|hparams\.yaml|\.training\.lock|\..*\.part"
)
_SAVED = re.compile(r".*\.ckpt|\..*\.part")


def check_free(folder: Path, overwrite: bool) -> None:
    """Raise ConfigError where a new run cannot live in `folder`."""
    if not folder.exists() or is_begun(folder):
        return
    if not (folder / "config.yaml").is_file():
        raise ConfigError(f"{folder} holds something else than a run; choose another run.name or run.dir")
    if not overwrite:
        raise ConfigError(
            f"the run {folder} exists; choose another run.name, go on with it (--resume auto), "
            "or replace it (--overwrite)"
        )


def is_begun(folder: Path) -> bool:
    """Whether `folder` holds nothing but what a run leaves that was killed before it had saved or measured anything."""
    return (
        folder.is_dir()
        and not has_checkpoint(folder)
        and not (folder / "metrics.json").exists()
        and not any(_foreign(folder))
    )


def has_checkpoint(folder: Path) -> bool:
    """Whether the run in `folder` has saved a checkpoint."""
    return any((folder / "checkpoints").glob("*.ckpt"))


def settle(folder: Path, overwrite: bool = False) -> None:
    """Bring in order what a process that was killed has left of the run in `folder`; to be called while it is held.

    `overwrite` tells that what begins here takes the place of a former run.
    """
    former = _former(folder)
    shutil.rmtree(_removed(folder), ignore_errors=True)
    if former.exists():
        if has_checkpoint(folder):
            _give_way(former, folder)
        elif not folder.exists() or (not overwrite and is_begun(folder)):
            _discard(folder)
            former.rename(folder)
    for place in (folder, folder / "checkpoints"):
        remove_parts(place)


@contextmanager
def claimed(folder: Path, overwrite: bool, go_on: bool) -> Iterator[None]:
    """The run folder, made; taken away again if what is done inside fails before it has saved a checkpoint.

    Raises
    ------
    ConfigError
        The folder exists, and the run neither overwrites it nor goes on with it.
    """
    former = _former(folder)
    if not go_on:
        check_free(folder, overwrite)
        if is_begun(folder):
            _discard(folder)
        elif folder.exists():
            folder.rename(former)
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        if absent and not has_checkpoint(folder):
            _discard(folder)
            if former.exists():
                former.rename(folder)
            for parent in absent[1:]:
                with suppress(OSError):  # another run has come to live there
                    parent.rmdir()
        raise
    finally:
        if former.exists() and has_checkpoint(folder):
            _give_way(former, folder)


def _former(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.former")


def _removed(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.removed")


def _discard(folder: Path) -> None:
    """Remove `folder` at once: whoever is killed while its files are removed leaves it under another name."""
    if folder.exists():
        folder.rename(_removed(folder))
        shutil.rmtree(_removed(folder), ignore_errors=True)


def _give_way(former: Path, folder: Path) -> None:
    """Remove the run in `former`; what others have put there goes to the same place in `folder`, where that is free."""
    for place in _foreign(former):
        target = folder / place.relative_to(former)
        if not target.exists():
            place.rename(target)
    if not any(_foreign(former)):
        shutil.rmtree(former, ignore_errors=True)
        return
    kept = folder.with_name(f"{folder.name}.former")  # both have a file of that name
    if not kept.exists():
        former.rename(kept)


def _foreign(folder: Path) -> Iterator[Path]:
    """What lies in a run's folder and was not written by it."""
    for place in sorted(folder.iterdir()):
        if not _WRITTEN.fullmatch(place.name):
            yield place
    checkpoints = folder / "checkpoints"
    if checkpoints.is_dir():
        yield from (place for place in sorted(checkpoints.iterdir()) if not _SAVED.fullmatch(place.name))
