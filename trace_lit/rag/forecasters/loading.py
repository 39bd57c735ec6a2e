"""Finding and reading the folder of a forecaster in the form of the Hugging Face hub."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from trace_lit.config import ConfigError
from trace_lit.hub import find_model, first_line, quiet_transformers
from trace_lit.plain import at_home

_WEIGHTS = "*.safetensors"
_ADVICE = (
    "Without network: `hf download NAME --local-dir FOLDER` on a machine that has one, bring the folder here and give "
    "tune.backbone=FOLDER"
)


def import_package(module: str, package: str, model: str) -> ModuleType:
    """The `module` of an optional package.

    Raises
    ------
    ConfigError
        The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"tune.model={model} needs the package {package} ({error}): {_INSTALL[package]}") from None


_INSTALL = {
    "chronos-forecasting": "pip install 'trace_lit[chronos]'",
    "momentfm": "pip install --no-deps momentfm (it asks for a transformers of 2023, but works with the one here)",
}


def find_folder(name: str) -> Path:
    """The folder that holds config.json and weights: `name` itself, or the copy of a model of the hub.

    Raises
    ------
    ConfigError
        There is no such folder or model, or the hub cannot be reached.
    """
    folder = at_home(name)
    if folder.is_dir():
        if not (folder / "config.json").is_file() or not any(folder.glob(_WEIGHTS)):
            raise ConfigError(
                f"tune.backbone={name}: the folder holds no model (config.json and {_WEIGHTS}), as save_pretrained and "
                "`hf download NAME --local-dir FOLDER` write one"
            )
        return folder
    tried = f"tune.backbone={name!r} is no folder"
    return find_model(name, [_WEIGHTS], tried=tried, advice=_ADVICE, error=ConfigError)[0]


def read_description(folder: Path) -> dict[str, Any]:
    """The content of config.json."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder / 'config.json'} cannot be read: {first_line(error)}") from error
    return found if isinstance(found, dict) else {}


def check_kind(folder: Path, found: Any, known: tuple[str, ...], model: str) -> str:
    """`found`, the architecture of a folder's model, where `model` knows it.

    Raises
    ------
    ConfigError
        It is another.
    """
    if found not in known:
        raise ConfigError(
            f"{folder} holds a model of architecture {found!r}, but tune.model={model} takes {' or '.join(known)}; "
            "give another tune.model or tune.backbone"
        )
    return found


def load_transformer(kind: Any, folder: Path) -> Any:
    """A `PreTrainedModel` of class `kind` in float32.

    Raises
    ------
    ConfigError
        Weights are missing or cannot be read.
    """
    with load_errors(folder):
        model, report = kind.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    check_weights(folder, report["missing_keys"])
    return model


def check_weights(folder: Path, missing: Any) -> None:
    """Raise ConfigError where weights are `missing` that the model would then have at random."""
    if missing:
        raise ConfigError(
            f"the weights in {folder} do not belong to its config.json: {len(missing)} tensors are missing, the first is "
            f"{sorted(missing)[0]!r}"
        )


@contextlib.contextmanager
def load_errors(folder: Path) -> Iterator[None]:
    """Without what the packages print while they read a model, and with one kind of error."""
    try:
        with quiet_transformers(), contextlib.redirect_stdout(io.StringIO()):
            yield
    except Exception as error:  # json, safetensors, torch and the packages raise what they like
        raise ConfigError(f"{folder} cannot be read as a forecaster ({first_line(error)})") from error
