"""Which error a failed session ends with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import lightning as L
import pytest
from lightning.pytorch.demos.boring_classes import BoringModel

from trace_lit.errors import InputError
from trace_lit.train.session import Session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session that fits a module on `session.data`."""
    monkeypatch.setattr("trace_lit.train.session.build_loggers", lambda *_: [])
    monkeypatch.setattr(Session, "_learn", lambda self, _: self.trainer.fit(self.module, self.data))
    config = SimpleNamespace(trainer=SimpleNamespace(compile=False), head=SimpleNamespace(solver="sgd"))
    config.alignment = SimpleNamespace(statement_steps=0)
    module = BoringModel()
    module.learns_by_steps = True
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
