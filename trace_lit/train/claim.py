"""A run's folder, claimed before training and given up where nothing was saved."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trace_lit.atomic import remove_parts
from trace_lit.config import ConfigError
from trace_lit.train.trainer import LAST


def check_free(folder: Path, overwrite: bool) -> None:
    """Raise ConfigError where a new run cannot live in `folder`."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / "config.yaml").is_file():
        raise ConfigError(f"{folder} holds something else than a run; choose another run.name or run.dir")
    if not overwrite:
        raise ConfigError(
            f"the run {folder} exists; choose another run.name, go on with it (--resume auto), "
            "or replace it (--overwrite)"
        )


@contextmanager
def claimed(folder: Path, overwrite: bool, go_on: bool) -> Iterator[None]:
    """The run folder, made; taken away again if what is done inside fails before it has saved a checkpoint.

    Raises
    ------
    ConfigError
        The folder exists, and the run neither overwrites it nor goes on with it.
    """
    if not go_on:
        check_free(folder, overwrite)
    former = folder.with_name(f".{folder.name}.former")  # what is overwritten comes back if its successor fails
    if not go_on and folder.exists():
        shutil.rmtree(former, ignore_errors=True)
        folder.rename(former)
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, folder / "checkpoints"):
        remove_parts(place)
    try:
        yield
    except BaseException:
        if absent and not (folder / LAST).is_file():
            shutil.rmtree(folder)
            if former.exists():
                former.rename(folder)
            for parent in absent[1:]:
                with suppress(OSError):  # another run has come to live there
                    parent.rmdir()
        raise
    finally:
        shutil.rmtree(former, ignore_errors=True)
