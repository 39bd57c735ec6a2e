"""Files that are there in full or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PART = ".part"


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, which becomes `path` once all of it is on the disk.

    It lies beside `path` under a temporary name. Where writing fails, that is removed, and `path` stays as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        with written(part) as file:
            yield file
        part.replace(path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (
            None,
            str(part),
        ):  # a full disk, a folder that is read-only
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise
    sync_folder(path.parent)


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to, all of which is on the disk afterwards."""
    with open(path, "wb", opener=_itself) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _itself(path: str | Path, flags: int) -> int:
    """Open a file for writing that is no link, which somebody may have put there, to another one."""
    return os.open(os.fspath(path), flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def sync_folder(folder: Path) -> None:
    """Let the names of the files in `folder` last, where the file system can do so."""
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path`, in full or not at all; folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(text.encode())


def remove_parts(folder: Path) -> None:
    """Remove what a writer that was killed has left in `folder`."""
    for part in folder.glob(f".*{PART}"):
        part.unlink(missing_ok=True)
