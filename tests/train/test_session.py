"""Which error a failed session ends with."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning as L
import pytest
from lightning.pytorch.demos.boring_classes import BoringModel

from trace_lit.errors import InputError
from trace_lit.train.process import _told_once
from trace_lit.train.session import Session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session that fits a module on `session.data`."""
    monkeypatch.setattr("trace_lit.train.session.build_loggers", lambda *_: [])
    monkeypatch.setattr(Session, "_learn", lambda self, _: self.trainer.fit(self.module, self.data))
    config = SimpleNamespace(trainer=SimpleNamespace(compile=False, recompute=None), head=SimpleNamespace(solver="sgd"))
    config.alignment = SimpleNamespace(statement_steps=0)
    module = BoringModel()
    module.learns_by_steps = True
    module.encoder = SimpleNamespace(recompute_layers=lambda _: None)  # type: ignore[assignment]
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    trainer = L.Trainer(accelerator="cpu", max_steps=1, logger=False, default_root_dir=tmp_path, **quiet)
    return Session(config, tmp_path, None, module, trainer)  # type: ignore[arg-type]


class _Unusable:
    """Data that cannot be used."""

    def __init__(self, mistake: bool) -> None:
        self.mistake = mistake

    def __iter__(self):
        try:
            raise InputError("line 3 holds no number")
        except InputError:
            if self.mistake:
                return iter(None)  # type: ignore[call-overload]
            raise


def test_what_could_not_be_used_is_told_where_the_teardown_fails_of_it(session: Session) -> None:
    def fail() -> None:
        raise RuntimeError("Please call `iter(combined_loader)` first.")

    session.trainer.fit_loop.teardown = fail  # type: ignore[method-assign]
    session.data = _Unusable(mistake=False)  # type: ignore[assignment]
    with pytest.raises(InputError, match="line 3 holds no number") as caught:
        session.train(None)
    assert "iter(combined_loader)" in str(caught.value.__cause__)  # else the test shows nothing


def test_a_mistake_in_the_handling_of_an_error_is_told(session: Session) -> None:
    session.data = [[0.0] * 32]  # type: ignore[assignment]
    session.module.on_fit_start = lambda: iter(_Unusable(mistake=True))  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="not iterable") as caught:
        session.train(None)
    assert isinstance(caught.value.__context__, InputError)


def test_what_a_run_that_has_ended_drew_of_its_last_step_stays(tmp_path: Path) -> None:
    """TensorBoard drops what was drawn from a step on; a run that has ended draws nothing of that step again."""
    session: Any = Session(*[None, tmp_path, None, None, None])  # type: ignore[misc, list-item]
    checkpoint = SimpleNamespace(step=7, epochs=2)
    assert session._logged(checkpoint) == 7
    (tmp_path / "metrics.json").write_text('{"fit/epochs": 2.0}')
    assert session._logged(checkpoint) == 8
    assert session._logged(SimpleNamespace(step=5, epochs=1)) == 5


def test_an_error_of_the_disk_in_a_thread_of_tensorboard_is_told_by_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    class _AsyncWriterThread(threading.Thread):
        pass

    def fail(error: Exception) -> None:
        raise error

    with _told_once():
        for kind, error in (
            (_AsyncWriterThread, OSError(28, "full")),
            (_AsyncWriterThread, ValueError()),
            (threading.Thread, OSError()),
        ):
            thread = kind(target=fail, args=(error,))
            thread.start()
            thread.join()
    assert [type(own.exc_value) for own in told] == [ValueError, OSError]
