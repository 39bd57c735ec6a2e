"""A run's own record from its first minute on: run.json in its folder."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trace_lit.atomic import write_atomically
from trace_lit.plain import read_json, to_json
from trace_lit.runs.folder import read_metrics

RECORD = "run.json"


def read_record(folder: Path) -> dict[str, Any]:
    """What run.json holds; nothing for a run of version 0.1, or where the file is damaged.

    `domain`, `data_fingerprint`, `channels` and `labels` (their names), and `sessions`: of each session of training when it
    `began` (UTC), its `command`, the `version` of trace_lit, and its `outcome`: ended, stopped or failed, absent while it
    trains or where it was killed.
    """
    try:
        record = read_json(folder / RECORD)
    except (OSError, ValueError):
        return {}
    return record if _is_record(record) else {}


def _is_record(record: Any) -> bool:
    """Whether it is of the form that `recorded` writes: somebody may have changed it."""
    if not isinstance(record, dict) or not isinstance(sessions := record.get("sessions", []), list):
        return False
    lists = [record.get(name, []) for name in ("channels", "labels")]
    if not all(isinstance(own, list) for own in lists) or not all(isinstance(own, dict) for own in sessions):
        return False
    texts = [record.get(name, "") for name in ("domain", "data_fingerprint")]
    texts += [own for named in lists for own in named] + [own for session in sessions for own in session.values()]
    return all(isinstance(text, str) for text in texts)


@contextmanager
def recorded(folder: Path, about: dict[str, Any]) -> Iterator[None]:
    """Write run.json for a session of training that goes on within.

    Parameters
    ----------
    about
        What the run is, of plain types; see `read_record`.
    """
    sessions = [*read_record(folder).get("sessions", ()), _session()]
    before = read_metrics(folder)

    def write() -> None:
        text = to_json({**about, "sessions": sessions})
        write_atomically(folder / RECORD, text + "\n")

    outcome = "failed"
    try:
        write()
        yield
        outcome = "ended"
    except (SystemExit, KeyboardInterrupt):  # a signal; after the last step, all is done nevertheless
        outcome = "stopped" if read_metrics(folder) == before else "ended"
        raise
    finally:
        sessions[-1]["outcome"] = outcome
        if folder.is_dir():
            write()


def _session() -> dict[str, str]:
    program = Path(sys.argv[0] or "python")
    of_ours = program.name in ("trace-lit", "__main__.py")
    words = ["trace-lit", *sys.argv[1:]] if of_ours else [program.name]
    try:
        own = version("trace_lit")
    except PackageNotFoundError:
        own = "unknown"
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return {"began": began, "command": shlex.join(words), "version": own}
