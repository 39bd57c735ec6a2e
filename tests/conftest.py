"""Tiny corpora and runs that many tests share; each is made once a session, when a test first asks for it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

ALIGNED_EPOCHS = 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with tests that train come first: one at the end would leave other workers idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@dataclass(frozen=True)
class TinyRuns:
    """A pre-trained and an aligned run of seconds on a small simulated weather corpus."""

    corpus: Path
    words: tuple[str, ...]  # of the command line: small model, this corpus, a private cache; `run.dir` is left open
    pretrained: Path
    aligned: Path


Pages = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="session", autouse=True)
def with_pages(request: pytest.FixtureRequest) -> Iterator[Pages]:
    """A context in which training draws its pages for TensorBoard; elsewhere they are left out, as they take longer."""
    if not any(item.get_closest_marker("slow") for item in request.session.items):
        yield nullcontext
        return
    from callbacks import TensorBoardPages

    draw = TensorBoardPages.on_train_end

    @contextmanager
    def with_pages() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TensorBoardPages, "on_train_end", draw)
            yield

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TensorBoardPages, "on_train_end", lambda *_: None)
        yield with_pages


@pytest.fixture(scope="session")
def tiny_words(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """A model of a few thousand weights, and all that a fit writes beside its run kept out of the home folder."""
    place = tmp_path_factory.mktemp("caches")
    (place / "corpora" / "retrieved").mkdir(parents=True)  # a cache that was used; a run forgets one that was not
    return (
        "encoder={width: 16, layers: 1, heads: 2}",
        "data.batch_size=16",
        "trainer={accelerator: cpu, max_epochs: 2, log_every_n_steps: 1}",
        "evaluation.bootstrap=20",
        f"text.cache_dir={place / 'text'}",
        f"data.cache_dir={place / 'corpora'}",
    )


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated weather, 60 instances."""
    from trace_lit.cli import main

    folder = tmp_path_factory.mktemp("corpora") / "weather"
    assert main(["data", "build", "--domain", "weather", "--out", str(folder), "instances=60"]) == 0
    return folder


@pytest.fixture(scope="session")
def tiny_runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_corpus: Path, tiny_words: tuple[str, ...], with_pages: Pages
) -> TinyRuns:
    from trace_lit.cli import main

    folder = tmp_path_factory.mktemp("runs")
    words = (*tiny_words, f"data.corpus={tiny_corpus}")
    pretrained, aligned = (folder / "weather" / stage / "tiny" for stage in ("pretrain", "align"))
    fit = ["fit", *words, f"run.dir={folder}", "run.name=tiny"]
    assert main(fit) == 0
    align = ["stage=align", f"init_from={pretrained}", f"trainer.max_epochs={ALIGNED_EPOCHS}", "optim.ema_decay=0.9"]
    with with_pages():
        assert main([*fit, *align]) == 0
    return TinyRuns(tiny_corpus, words, pretrained, aligned)


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a Milvus in a process of its own."""
    pytest.importorskip("milvus_lite")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("milvus")
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder), "--port", str(port)]
    process = subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
