"""Commands and Python sessions that start at once: a process that has imported all that they need forks for each.

`python warm.py SOCKET` serves, and `server` starts it once for all tests of this process. `run_warm` runs a command, the
programs in `programs()` stand for `trace-lit` and `python`, and `PythonSession` runs blocks of Python one after the other in
one namespace. Importing takes seconds, most of these commands take one, and there are hundreds of them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
MESSAGE = 1 << 18
TIMEOUT = 600.0  # seconds, of a command on a busy machine
CLIENT = """\
#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect({path!r})
    request = {{"words": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    socket.send_fds(server, [json.dumps(request).encode()], [0, 1, 2])
    sys.exit(int(server.recv(16) or 1))
"""
PYTHON = """\
#!/bin/bash
if [[ "$*" =~ ^(-P )?-m\ trace_lit.cli ]]; then
    while [ "$1" != trace_lit.cli ]; do shift; done
    exec "$(dirname "$0")/trace-lit" "${{@:2}}"
fi
exec {python} "$@"
"""


_servers: list[subprocess.Popen[str]] = []  # whose input stays open


class Ended(NamedTuple):
    """How a command has ended: its exit code (-9 by SIGKILL) and what it has printed."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> str:
        """The standard error without the progress that a busy machine takes long enough to see."""
        return re.sub(r"^.*: [\d,]+ of [\d,]+, \d+ s left\n", "", self.err, flags=re.MULTILINE)


@functools.cache
def server() -> str:
    """The socket of the process that forks; it ends with this one, since its input ends then."""
    folder = tempfile.mkdtemp(prefix="warm")  # a short path: that of a socket may have 107 bytes
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "HOME": folder}
    command = [sys.executable, __file__, f"{folder}/socket"]
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    _servers.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return f"{folder}/socket"


@functools.cache
def programs() -> Path:
    """A folder with `trace-lit` and `python`."""
    folder = Path(server()).with_name("bin")
    folder.mkdir()
    write_programs(folder, server())
    return folder


def run_warm(words: Iterable[str], end: str | None = None) -> Ended:
    """Run a command, and those that it starts; it may come to an `end` at a chosen place, see `tests.train.sessions`."""
    path = f"{programs()}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PATH": path}
    request = {"words": list(words), "end": end, "folder": os.getcwd(), "environment": environment}
    with (
        tempfile.TemporaryFile("w+", newline="", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", newline="", encoding="utf-8") as err,
        Path(os.devnull).open("rb") as nothing,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
    ):
        connection.connect(server())
        connection.settimeout(TIMEOUT)
        files = [nothing.fileno(), out.fileno(), err.fileno()]
        socket.send_fds(connection, [json.dumps(request).encode()], files)
        code = int(connection.recv(16) or 1)
        connection.recv(16)  # nothing, once all that were forked for the command have ended
        for file in (out, err):
            file.seek(0)
        return Ended(code, out.read(), err.read())


def write_programs(folder: Path, path: str) -> None:
    """Write `trace-lit`, which asks the server at the socket `path` to run its words, and `python`, which starts it."""
    _write_program(folder / "trace-lit", CLIENT.format(python=sys.executable, path=path))
    _write_program(folder / "python", PYTHON.format(python=sys.executable))


def _write_program(file: Path, code: str) -> None:
    file.write_text(code, encoding="utf-8")
    file.chmod(0o755)


class PythonSession:
    """Blocks of Python, run one after the other in one process and one namespace."""

    def __init__(self, path: str, folder: Path, environment: dict[str, str]) -> None:
        self.output = folder / ".output"
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.connect(path)
        request = {"words": None, "folder": str(folder), "environment": environment}
        with self.output.open("wb") as output, Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), output.fileno(), output.fileno()]
            socket.send_fds(self.server, [json.dumps(request).encode()], files)

    def run(self, code: str, name: str, timeout: float) -> tuple[str, str]:
        """What the code has printed, and its traceback where it has failed."""
        before = self.output.stat().st_size
        self.server.settimeout(timeout)
        self.server.send(json.dumps([code, name]).encode())
        error = self.server.recv(MESSAGE).decode()
        return self.output.read_bytes()[before:].decode(), "" if error == "done" else error or "the process has died"

    def close(self) -> None:
        self.server.close()


def _run_blocks(connection: socket.socket) -> int:
    main: Any = type(sys)("__main__")
    sys.modules["__main__"] = main
    sys.path.insert(0, os.getcwd())
    while message := connection.recv(MESSAGE):
        code, name = json.loads(message)
        try:
            exec(compile(code, name, "exec"), main.__dict__)
            answer = "done"
        except BaseException:
            answer = traceback.format_exc()
        sys.stdout.flush()
        connection.send(answer.encode()[:MESSAGE])
    return 0


def _run(request: dict[str, Any], connection: socket.socket) -> int:
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if request["words"] is None:
        return _run_blocks(connection)
    from lightning.pytorch.utilities import rank_zero_only

    from tests.train.sessions import session
    from trace_lit.train.processes import FIRST

    rank_zero_only.rank = int(os.environ.get("LOCAL_RANK", "0"))  # Lightning has read it when it was imported
    if FIRST in os.environ:  # the server has forked this process, not the first one
        os.environ[FIRST] = str(os.getppid())
    sys.argv = [shutil.which("trace-lit") or "trace-lit", *request["words"]]  # a command may start others
    sys.executable = shutil.which("python") or sys.executable
    return session(request["words"], request.get("end"))


def _answer(connection: socket.socket) -> None:
    message, files, _, _ = socket.recv_fds(connection, MESSAGE, 3)
    worker = os.fork()
    if worker == 0:
        os.setpgid(0, 0)  # a signal to the group of one command is not meant for another
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        code: Any = 1
        try:
            code = _run(json.loads(message), connection)
        except SystemExit as leaving:
            code = leaving.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    with contextlib.suppress(OSError):  # a session ends when its reader has left
        connection.send(str(code).encode())


def _own_modules() -> Iterator[str]:
    for package in ("trace_lit", "data_modules", "callbacks"):
        folder = Path(importlib.import_module(package).__path__[0])
        for file in sorted(folder.rglob("*.py")):
            if file.name not in ("__init__.py", "__main__.py"):
                yield ".".join((package, *file.relative_to(folder).with_suffix("").parts))


def serve(path: str) -> None:
    """Import, say that it is ready, and answer until the input ends."""
    sys.path = [str(ROOT), *(place for place in sys.path if place not in (str(ROOT), str(ROOT / "tests")))]
    for name in ("torch.utils.tensorboard", "matplotlib.pyplot", "tests.train.sessions", *_own_modules()):
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)
    # Drawing takes most of the time of so small a run, and has tests of its own.
    importlib.import_module("callbacks").TensorBoardPages.on_train_end = lambda *_: None
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while server in select.select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _answer(connection)
                os._exit(0)
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    shutil.rmtree(Path(path).parent)


if __name__ == "__main__":
    serve(sys.argv[1])
