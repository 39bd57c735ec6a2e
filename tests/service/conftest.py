"""One aligned and one tuned run of seconds, served in this process, or by a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from data_modules import Corpus
from tests.conftest import TinyRuns
from tests.processes import other_process
from trace_lit.cli import main
from trace_lit.service import Limits, Served, create_app

HERE = "http://localhost"
TOKEN = "a-token-of-more-than-16-characters"


@pytest.fixture(scope="session")
def tuned(tiny_runs: TinyRuns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forecaster with neighbours on the tiny corpus."""
    folder = tmp_path_factory.mktemp("tuned")
    words = ["stage=tune", f"init_from={tiny_runs.aligned}", "window={lookback: 24, horizon: 12}"]
    words += ["head.quantiles=[0.1,0.5,0.9]", f"rag={{retriever: {tiny_runs.aligned}, use_futures: true}}"]
    assert main(["fit", *tiny_runs.words, f"run.dir={folder}", "run.name=tiny", *words]) == 0
    return folder / "weather" / "tune" / "tiny"


@pytest.fixture(scope="session")
def classifier(tiny_runs: TinyRuns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of the labels of the tiny corpus."""
    folder = tmp_path_factory.mktemp("classes")
    words = ["stage=tune", f"init_from={tiny_runs.aligned}", "tune.task=classify"]
    assert main(["fit", *tiny_runs.words, f"run.dir={folder}", "run.name=classes", *words]) == 0
    return folder / "weather" / "tune" / "classes"


@pytest.fixture(scope="session")
def served(tiny_runs: TinyRuns, tuned: Path, classifier: Path) -> Served:
    return Served([tiny_runs.aligned, tuned, classifier], device="cpu")


@pytest.fixture(scope="session")
def corpus(tiny_runs: TinyRuns) -> Corpus:
    return Corpus.load(tiny_runs.corpus)


@contextmanager
def opened(served: Served, limits: Limits | None = None, **options: object) -> Iterator[TestClient]:
    """A client of the service in this process, once it is ready."""
    with TestClient(create_app(served, limits, **options), base_url=HERE, raise_server_exceptions=False) as client:  # type: ignore[arg-type]
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[TestClient]:
    with opened(served) as client:
        yield client


def wait_until(happened: Callable[[], bool], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


@dataclass
class Process:
    """`trace-lit serve` in a process of its own."""

    url: str
    pid: int
    process: ForkServerProcess
    log: Path

    def ready(self) -> bool:
        assert self.process.exitcode is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def end(self, sent: signal.Signals) -> int | None:
        """Its exit code after a signal."""
        os.kill(self.pid, sent)
        self.process.join(60)
        return self.process.exitcode


def serve(connection: Connection, words: list[str], log: Path) -> None:
    with log.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.exit(main(["serve", *words]))


@contextmanager
def running(folder: Path, *words: str | Path) -> Iterator[Process]:
    """Start `trace-lit serve` with these words on a free port, and wait until it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    with other_process(serve, [*map(str, words), "--port", str(port), "--device", "cpu"], log) as (process, _):
        assert process.pid is not None
        service = Process(f"http://127.0.0.1:{port}", process.pid, process, log)
        wait_until(service.ready)
        yield service


@pytest.fixture(scope="module")
def service(
    tiny_runs: TinyRuns, tuned: Path, classifier: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """One process for the tests of a module."""
    words = (tiny_runs.aligned, tuned, classifier, "--drain", "0.2")
    with running(tmp_path_factory.mktemp("service"), *words) as process:
        yield process
