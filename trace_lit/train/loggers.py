"""The loggers of a run: TensorBoard, CSV, Weights & Biases, MLflow, or a class of one's own."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.utilities import rank_zero_only

from trace_lit.config import ConfigError, build_object, import_class
from trace_lit.settings import Config, logger_entries

_PATHS = {
    "tensorboard": "trace_lit.train.tensorboard:RunPages",
    "csv": "lightning.pytorch.loggers:CSVLogger",
    "wandb": "lightning.pytorch.loggers:WandbLogger",
    "mlflow": "lightning.pytorch.loggers:MLFlowLogger",
}
_PACKAGES = {"wandb": ("wandb",), "mlflow": ("mlflow", "mlflow_skinny")}


def build_loggers(config: Config, folder: Path, step: int | None) -> list[Logger]:
    """The loggers of the run that lives in `folder`, which exists; `step` is where a resumed run continues.

    Raises
    ------
    ConfigError
        One is no logger, lacks a package, or refuses its arguments.
    """
    return [_build(entry, config, folder, step) for entry in logger_entries(config)]


def _build(entry: Any, config: Config, folder: Path, step: int | None) -> Logger:
    name, options = split_entry(entry)
    packages = _PACKAGES.get(name, ())
    if packages and not any(map(importlib.util.find_spec, packages)):
        raise ConfigError(f"logger={name} needs the package {packages[0]}: pip install {packages[0]}")
    if name == "mlflow" and getattr(rank_zero_only, "rank", 0) != 0:
        return DummyLogger()  # only one process may open the database
    path = _PATHS.get(name, name)
    try:
        return build_object(path, Logger, "logger", options={**_usual(name, path, config, folder, step), **options})
    except ImportError as error:
        raise ConfigError(f"logger={name} cannot be used: {str(error).splitlines()[0]}") from error


def _usual(name: str, path: str, config: Config, folder: Path, step: int | None) -> Mapping[str, Any]:
    """The arguments of a logger that are not given."""
    if name == "tensorboard":
        # What the run had logged after the step that it resumes from is dropped from the curves.
        return {"save_dir": folder, "name": "", "version": "", "default_hp_metric": False, "purge_step": step}
    if name == "csv":  # a file a session, as Lightning's own begins anew
        return {"save_dir": folder, "name": "csv"}
    if name == "wandb":
        return {"save_dir": folder, "project": "trace_lit", "name": f"{config.stage}-{config.run.name}"}
    if name == "mlflow":
        place = f"sqlite:///{folder.absolute() / 'mlflow.db'}"
        return {"experiment_name": "trace_lit", "run_name": f"{config.stage}-{config.run.name}", "tracking_uri": place}
    kind = import_class(path, Logger, "logger")
    return {"save_dir": folder} if "save_dir" in inspect.signature(kind).parameters else {}


def split_entry(entry: Any) -> tuple[str, dict[str, Any]]:
    """The class, or its short name, and the arguments of an entry of `logger` or `callbacks`."""
    if not isinstance(entry, dict):
        return entry, {}
    return entry["class"], {str(key): value for key, value in entry.items() if key != "class"}
