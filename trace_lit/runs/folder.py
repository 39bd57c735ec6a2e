"""A run's folder and what lies in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from trace_lit.atomic import write_atomically
from trace_lit.settings import Config


class HasFolder(Protocol):
    """What lives in a run folder: the result of `trace_lit.fit`, or a loaded run."""

    @property
    def folder(self) -> Path: ...


Place = str | Path | HasFolder  # a run, wherever one is named


def folder_of(run: Place) -> Path:
    """The folder, or the checkpoint file, that `run` names."""
    return Path(run) if isinstance(run, (str, Path)) else run.folder


def run_folder(config: Config, domain: str) -> Path:
    """`<run.dir>/<domain>/<stage>/<run.name>`."""
    return Path(config.run.dir).expanduser() / domain / config.stage / config.run.name


def read_metrics(folder: Path) -> dict[str, Any]:
    """What the run's metrics.json holds; nothing while there is none."""
    path = folder / "metrics.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Add `metrics` to the run's metrics.json."""
    together = read_metrics(folder) | metrics
    text = json.dumps(together, indent=2, sort_keys=True, ensure_ascii=False)
    write_atomically(folder / "metrics.json", text + "\n")
