"""Finding and reading the folder of a forecaster in the form of the Hugging Face hub."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import huggingface_hub
import torch
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError
from transformers.utils import logging as transformers_logging

from trace_lit.config import ConfigError

_HUB_TIMEOUT = 5.0  # seconds until the hub counts as unreachable
_FILES = ("config.json", "*.safetensors", "*.safetensors.index.json")
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


def find_model(name: str) -> Path:
    """The folder that holds config.json and weights: `name` itself, or the copy of a model of the hub.

    Raises
    ------
    ConfigError
        There is no such folder or model, or the hub cannot be reached.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
            raise ConfigError(
                f"tune.backbone={name}: the folder holds no model (config.json and *.safetensors), as save_pretrained and "
                "`hf download NAME --local-dir FOLDER` write one"
            )
        return folder
    tried = f"tune.backbone={name!r} is no folder"
    with contextlib.suppress(HFValidationError, OSError):  # not in the hub's cache on this machine
        found = Path(huggingface_hub.snapshot_download(name, local_files_only=True, allow_patterns=[*_FILES]))
        if (found / "config.json").is_file() and any(found.glob("*.safetensors")):
            return found
    try:
        # One request with a time limit; a download tries for half a minute before it says that there is no network.
        commit = huggingface_hub.HfApi().model_info(name, timeout=_HUB_TIMEOUT).sha
        print(f"Downloading {name} from the Hugging Face hub", file=sys.stderr, flush=True)
        return Path(huggingface_hub.snapshot_download(name, revision=commit, allow_patterns=[*_FILES]))
    except HFValidationError as error:
        raise ConfigError(f"{tried}, nor can it be a name on the Hugging Face hub. {_ADVICE}") from error
    except GatedRepoError as error:
        raise ConfigError(f"{tried}; the hub gives the model to those who accept its terms: `hf auth login`") from error
    except RepositoryNotFoundError as error:
        raise ConfigError(f"{tried}, nor a public model on the Hugging Face hub. {_ADVICE}") from error
    except Exception as error:  # whatever the client's HTTP library raises, which changed from version to version
        raise ConfigError(
            f"{tried}, it is not in the hub's cache {huggingface_hub.constants.HF_HUB_CACHE}, and the Hugging Face hub "
            f"cannot be reached ({_first_line(error)}). {_ADVICE}"
        ) from error


def read_description(folder: Path) -> dict[str, Any]:
    """What config.json says."""
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder / 'config.json'} cannot be read: {_first_line(error)}") from error
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
    with reading(folder):
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
def reading(folder: Path) -> Iterator[None]:
    """Without what the packages print while they read a model, and with one kind of error."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except Exception as error:  # json, safetensors, torch and the packages raise what they like
        raise ConfigError(f"{folder} cannot be read as a forecaster ({_first_line(error)})") from error
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
