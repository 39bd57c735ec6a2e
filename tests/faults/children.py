"""Commands in processes of their own: traced, broken off, on a disk of so many bytes.

They are forked from a process that has imported everything and that itself calls none of it: threads that libraries keep
are gone in a fork, and who waits for one of them waits for ever. So whatever computes runs `apart`.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import psutil

Result = TypeVar("Result")
ROOT = Path(__file__).resolve().parents[2]
WRITING = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
_groups: list[int] = []  # of processes, each led by a command that has ended
PATIENCE = 240.0  # seconds that a command may take
_NEW_NAMESPACE, _LAZY = 0x00020000, 2  # of Linux: CLONE_NEWNS, MNT_DETACH
_PRIVATE, _REMOUNT = 0x4000 | 0x40000, 32  # MS_REC and MS_PRIVATE; MS_REMOUNT


def apart(work: Callable[[], Result]) -> Result:
    """What `work` gives, or raises, in a fork: whatever it starts or mounts ends with it."""
    report, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(report)
        _end_in(4 * PATIENCE)
        made: tuple[bool, Any]
        try:
            made = True, work()
        except BaseException as error:
            made = False, error
        with os.fdopen(write, "wb") as file:
            pickle.dump(made, file)
        os._exit(0)
    os.close(write)
    done, found = False, RuntimeError("it took too long")
    with os.fdopen(report, "rb") as file, suppress(EOFError):
        done, found = pickle.load(file)
    os.waitpid(child, 0)
    if not done:
        raise found
    return cast(Result, found)


def run(
    words: Sequence[str], folder: Path, last: int | None = None, seconds: float | None = None, told: Path | None = None
) -> tuple[int, list[str]]:
    """The exit code of a command in `folder`, and its events.

    It is killed before its event number `last`, or after some `seconds`. What it says goes to the file `told`, and where
    it waits, if it is not done in time.
    """
    with tempfile.TemporaryFile("w+") as events:
        child = os.fork()
        if child == 0:
            _in_child(words, folder, last, events.fileno(), told, seconds is None)
        code = _ended(child, 2 * PATIENCE if seconds is None else seconds)
        _groups.append(child)
        events.seek(0)
        return code, events.read().splitlines()


def end_orphans() -> None:
    """Kill what commands have started and left; those that are broken off leave their workers, as they do for a user."""
    while _groups:
        with suppress(ProcessLookupError):
            os.killpg(_groups.pop(), signal.SIGKILL)


def _end_in(seconds: float) -> None:
    """End this process by SIGALRM after some seconds, and print where it waits."""
    faulthandler.register(signal.SIGALRM, file=2, chain=True)
    signal.alarm(int(seconds))


def _ended(child: int, seconds: float) -> int:
    """The exit code of a child, which is killed after some seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _in_child(words: Sequence[str], folder: Path, last: int | None, write: int, told: Path | None, ends: bool) -> None:
    os.setsid()
    os.chdir(folder)
    out = os.open(os.devnull if told is None else told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    if ends:
        _end_in(PATIENCE)
    seen, process = 0, os.getpid()

    def note(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event == "open":
            path, _, flags = arguments
            if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
                return
        elif event in WRITING:
            path = arguments[0]
        else:
            return
        if os.getpid() != process:  # a worker that it has started
            return
        if not isinstance(path, (str, bytes, os.PathLike)) or not _inside(os.fsdecode(path), folder):
            return
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1
        os.write(write, f"{event} {Path(os.fsdecode(path)).name}\n".encode())

    sys.addaudithook(note)
    from trace_lit.cli import main

    code = 70
    try:
        code = main(list(words))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(code)


def _inside(path: str, folder: Path) -> bool:
    return os.path.abspath(path).startswith(f"{folder}{os.sep}")


def run_on_several(words: Sequence[str], folder: Path, seconds: float | None = None) -> int:
    """As `run`, of a command that starts further processes, none of which may outlive the first by long."""
    command = [sys.executable, "-m", "trace_lit.cli", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = first.wait(PATIENCE if seconds is None else seconds)
    except subprocess.TimeoutExpired:
        first.kill()
        code = first.wait()
    until = time.monotonic() + 90
    while _is_group(first.pid):
        if time.monotonic() > until:
            os.killpg(first.pid, signal.SIGKILL)
            return 71  # a process outlived the first
        time.sleep(0.1)
    return code


def _is_group(leader: int) -> bool:
    """Whether a process of the group still runs; one that has ended and that nobody has waited for does not."""
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                return True
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return False


@contextmanager
def small_disk(template: Path) -> Iterator[tuple[Path, Callable[[int | None], None]]]:
    """A copy of `template` in a file system in memory, and what limits it to so many further bytes.

    For a process of its own; OSError where this user may not mount one.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def called(name: str, *arguments: Any) -> None:
        if getattr(libc, name)(*arguments):
            raise OSError(ctypes.get_errno(), f"{name} failed")

    place = Path(tempfile.mkdtemp(dir=template.parent)).resolve()
    called("unshare", _NEW_NAMESPACE)
    called("mount", b"none", b"/", None, _PRIVATE, None)
    called("mount", b"tmpfs", str(place).encode(), b"tmpfs", 0, b"size=1g")
    folder = Path(shutil.copytree(template, place / "folder", symlinks=True))

    def limit(room: int | None) -> None:
        about = os.statvfs(place)
        used = (about.f_blocks - about.f_bfree) * about.f_frsize
        size = 2**30 if room is None else used + room
        called("mount", b"tmpfs", str(place).encode(), b"tmpfs", _REMOUNT, f"size={size}".encode())

    try:
        yield folder, limit
    finally:
        libc.umount2(str(place).encode(), _LAZY)
