"""A run's folder and what lies in it."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any, Protocol

from omegaconf.errors import OmegaConfBaseException

from trace_lit.atomic import write_atomically
from trace_lit.modules import CheckpointError
from trace_lit.plain import PlainError, at_home, read_json, read_yaml, to_json
from trace_lit.settings import STAGES, Config, from_dict

log = logging.getLogger(__name__)
_MOST = 20_000  # metrics of a run
_LARGEST = 1e300  # metric, whose sum over runs is finite
AUTO = "auto"  # of `init_from`: the run of the stage before


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
    return at_home(config.run.dir) / domain / config.stage / config.run.name


def run_before(config: Config, domain: str) -> Path | None:
    """What `init_from=auto` means: the run of the nearest stage before, of the same domain and name; None without one.

    A run whose name ends in its seed, like `first-seed3`, starts from `first` where no run before has its very name.
    """
    root = at_home(config.run.dir) / domain
    names = dict.fromkeys((config.run.name, config.run.name.removesuffix(f"-seed{config.seed}")))
    for stage in reversed(STAGES[: STAGES.index(config.stage)]):
        for name in names:
            if (root / stage / name / "config.yaml").is_file():
                return root / stage / name
    return None


def read_settings(folder: Path) -> Config:
    """The run's configuration, of earlier versions, too.

    Raises
    ------
    CheckpointError
        Its config.yaml is missing, damaged, or of a version that is not known here.
    """
    path = folder / "config.yaml"
    try:
        settings = read_yaml(path)
        if not isinstance(settings, dict):
            raise PlainError(f"it must hold a mapping of keys, not a {type(settings).__name__}")
        return from_dict(settings)
    except FileNotFoundError:
        raise CheckpointError(f"{folder} is not a run folder: it has no config.yaml") from None
    except (OSError, ValueError, TypeError, AttributeError, OmegaConfBaseException) as error:
        raise CheckpointError(f"{path} cannot be read, it is damaged: {str(error).splitlines()[0]}") from error


def read_metrics(folder: Path) -> dict[str, Any]:
    """What the run's metrics.json holds; nothing while there is none.

    Raises
    ------
    CheckpointError
        It is damaged.
    """
    path = folder / "metrics.json"
    try:
        return check_metrics(read_json(path)) if path.is_file() else {}
    except (OSError, PlainError) as error:
        raise CheckpointError(f"{path} cannot be read, it is damaged: {error}") from error


def check_metrics(metrics: Any) -> dict[str, Any]:
    """`metrics`, where they are such: numbers, texts and intervals by name; PlainError elsewhere."""
    if not isinstance(metrics, dict):
        raise PlainError(f"it must hold a mapping of metrics, not a {type(metrics).__name__}")
    if len(metrics) > _MOST:
        raise PlainError(f"it has {len(metrics):,} metrics; {_MOST:,} are allowed")
    for name, value in metrics.items():
        if name.endswith("/ci95"):
            fits = value is None or (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)))
        else:
            fits = value is None or isinstance(value, str) or _is_number(value)
        if not fits:
            raise PlainError(f"{name} is {str(value)[:60]!r}, which is no metric")
    return metrics


def _is_number(value: Any) -> bool:
    if value is None or isinstance(value, float):
        return value is None or not _LARGEST < abs(value) < math.inf  # a bound of an interval may be infinite
    return isinstance(value, int) and abs(value) < 2**63


def keep_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Add `metrics` to the run's metrics.json; where that cannot be written, they are only shown, and a warning says so."""
    try:
        write_metrics(folder, metrics)
    except OSError as error:
        log.warning("%s cannot be written (%s), so the metrics are not kept", folder / "metrics.json", error.strerror)


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    """Add `metrics` to the run's metrics.json."""
    together = read_metrics(folder) | metrics
    write_atomically(folder / "metrics.json", to_json(together, sort_keys=True) + "\n")
