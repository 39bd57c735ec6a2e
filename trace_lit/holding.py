"""One process at a time holds a place on the disk: a run that is trained, a corpus that is built.

Beside the place lie a lock of the operating system, which a process that dies leaves, and a file that names the holder. On
shared file systems whose locks do not reach other machines, a holder on another machine counts as gone when it has not
touched its file for `PATIENCE` seconds, as seen from here, so that clocks need not agree.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trace_lit.errors import InputError
from trace_lit.escapes import say
from trace_lit.plain import PlainError, read_json, to_json

HEARTBEAT = 10.0  # seconds between two touches of the holder's file
PATIENCE = 45.0
_POLL = 0.5
_HELD: set[tuple[str, int, int]] = set()  # places, with the process and thread of theirs that hold them


class HeldError(InputError):
    """Another process holds the place."""


@contextmanager
def held(place: Path, wait: bool = False) -> Iterator[None]:
    """Hold `place`; folders above it are made, and taken away again at the end where they are empty.

    Who holds it already may do so again within.

    Parameters
    ----------
    wait
        Wait for a holder on this machine, after a line that says who it is.

    Raises
    ------
    HeldError
        Another process holds it.
    OSError
        The folder above it cannot be written.
    """
    place = place.absolute()
    own = (str(place), os.getpid(), threading.get_ident())
    if own in _HELD:
        yield
        return
    absent = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    lock, note = FileLock(_lock(place)), _note(place)
    ended = threading.Event()
    try:
        _acquire(lock, place, wait)
        try:
            _wait_for_another_machine(place)
            _HELD.add(own)
            note.unlink(missing_ok=True)  # it may be a link that somebody has put there
            note.write_text(to_json(_self()), encoding="utf-8")
            threading.Thread(target=_beat, args=(note, ended), daemon=True, name="holding").start()
            yield
        finally:
            _HELD.discard(own)
            ended.set()
            if (_holder(place) or {}).get("pid") == os.getpid():
                note.unlink(missing_ok=True)
            with suppress(OSError):
                _lock(place).unlink(missing_ok=True)
            lock.release()
    finally:
        for folder in absent:
            with suppress(OSError):  # something lives there
                folder.rmdir()


def holder_in_words(place: Path) -> str | None:
    """Who holds `place`, and since when; None where nobody does."""
    place = place.absolute()
    if not _lock(place).is_file() and not _note(place).is_file():
        return None
    try:
        with FileLock(_lock(place), timeout=0):
            free = not _is_elsewhere(_holder(place))
            if free:
                _lock(place).unlink(missing_ok=True)
            return None if free else _in_words(_holder(place))
    except Timeout:
        return _in_words(_holder(place))
    except OSError:  # somebody else's folder
        return None


def _lock(place: Path) -> Path:
    return place.with_name(f".{place.name}.lock")


def _note(place: Path) -> Path:
    return place.with_name(f".{place.name}.holder")


def _self() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def _holder(place: Path) -> dict[str, Any] | None:
    try:
        found = read_json(_note(place))
    except (OSError, PlainError):
        return None
    return found if isinstance(found, dict) else None


def _is_elsewhere(holder: dict[str, Any] | None) -> bool:
    return holder is not None and holder.get("host", socket.gethostname()) != socket.gethostname()


def _in_words(holder: dict[str, Any] | None) -> str:
    if holder is None:
        return "another process"
    return f"process {holder.get('pid')} on {holder.get('host')}, since {holder.get('since')}"


def _acquire(lock: FileLock, place: Path, wait: bool) -> None:
    announced = False
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            words = _in_words(_holder(place))
            if not wait:
                raise HeldError(f"{place} is in use by {words}; wait until it has ended, or stop it") from None
            if not announced:
                say(f"waiting for {place}, which is in use by {words}", file=sys.stderr, flush=True)
                announced = True
            time.sleep(_POLL)
            continue
        with suppress(OSError):
            if os.path.samestat(os.fstat(lock._context.lock_file_fd or -1), os.stat(_lock(place))):
                return
        lock.release()  # its former holder has removed the file in the meantime


def _wait_for_another_machine(place: Path) -> None:
    """HeldError where a holder on another machine is alive."""
    holder = _holder(place)
    if not _is_elsewhere(holder):
        return
    before = _touched(place)
    say(f"{place} was in use by {_in_words(holder)}; seeing whether it still is", file=sys.stderr, flush=True)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(min(_POLL, PATIENCE))
        now = _touched(place)
        if now is None:
            return
        if now != before:
            raise HeldError(f"{place} is in use by {_in_words(holder)}; wait until it has ended, or stop it")


def _touched(place: Path) -> int | None:
    try:
        return _note(place).stat().st_mtime_ns
    except OSError:
        return None


def _beat(note: Path, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT):
        with suppress(OSError):
            os.utime(note)
