"""Runs in a folder, one by one: what each is, how far it has come, and its main metric."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trace_lit.holding import holder_in_words
from trace_lit.modules import CheckpointError
from trace_lit.plain import read_yaml
from trace_lit.runs.folder import read_metrics
from trace_lit.runs.record import read_record

STATES = ("training", "stopped", "ended", "no checkpoint")
LEVELS = ("test/", "best/validation/", "validation/", "last/validation/")  # the first with a main metric is shown
MAIN = (  # the first that there is
    *("text_to_series/pair/MRR", "statements/AP", "text_to_series/label/P@1"),
    *("macro_F1", "MAE", "loss"),
)


@dataclass(frozen=True)
class ListedRun:
    """One run, read from its folder.

    Attributes
    ----------
    domain
        What it is filed under.
    asked_domain
        What `data.domain` says, which may be a class path.
    state
        One of `STATES`.
    metric
        Its main metric and the value; None before there is one.
    changed
        When its newest checkpoint was written, or else its configuration; seconds since 1970.
    """

    folder: Path
    domain: str
    asked_domain: str
    stage: str
    name: str
    state: str
    metric: tuple[str, float] | None
    changed: float


def list_runs(places: Iterable[str | Path]) -> list[ListedRun]:
    """The runs that are meant by `places`, run folders or folders with runs below, by domain, stage and age.

    Raises
    ------
    CheckpointError
        A place does not exist.
    """
    found: dict[Path, Path] = {}
    for place in map(Path, places):
        if not place.exists():
            raise CheckpointError(f"{place} does not exist; give run folders, or a folder with runs below it")
        for file in [place / "config.yaml"] if (place / "config.yaml").is_file() else place.rglob("config.yaml"):
            if not any(part.startswith(".") for part in file.relative_to(place).parts):
                found.setdefault(file.parent.resolve(), file.parent)
    return sorted(map(list_run, found.values()), key=lambda run: (run.domain, run.stage, run.changed))


def list_run(folder: Path) -> ListedRun:
    """The run in `folder`.

    Raises
    ------
    CheckpointError
        Its files are damaged.
    """
    try:
        config = read_yaml(folder / "config.yaml")
        metrics, record = read_metrics(folder), read_record(folder)
        stage, asked = str(config["stage"]), str(config["data"]["domain"])
    except KeyError as error:
        raise CheckpointError(f"{folder} cannot be read, its config.yaml is damaged: it has no key {error}") from error
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{folder} cannot be read, it is damaged: {str(error).splitlines()[0]}") from error
    parts = folder.resolve().parts
    checkpoints = [file for name in ("last", "best") if (file := folder / "checkpoints" / f"{name}.ckpt").is_file()]
    newest = checkpoints or [folder / "config.yaml"]
    return ListedRun(
        folder=folder,
        domain=record.get("domain", parts[-3] if len(parts) > 2 else ""),
        asked_domain=asked,
        stage=stage,
        name=folder.resolve().name,
        state=_state(folder, metrics, record, bool(checkpoints)),
        metric=main_metric(metrics),
        changed=max(file.stat().st_mtime for file in newest),
    )


def main_metric(metrics: dict[str, Any]) -> tuple[str, float] | None:
    """Name and value of the metric that a run is judged by; None where it has none."""
    for level in LEVELS:
        for name in MAIN:
            value = metrics.get(level + name)
            if isinstance(value, (int, float)) and math.isfinite(value):
                return level + name, float(value)
    return None


def _state(folder: Path, metrics: dict[str, Any], record: dict[str, Any], saved: bool) -> str:
    sessions = record.get("sessions") or [{}]
    ended = sessions[-1].get("outcome") == "ended" if "sessions" in record else "fit/seconds" in metrics
    if holder_in_words(folder) is not None:
        return "training"
    return "ended" if ended else "stopped" if saved else "no checkpoint"
