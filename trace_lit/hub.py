"""Models of the Hugging Face hub: where their folders are, and what to say where they cannot be had."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

from trace_lit.config import ForeignPath
from trace_lit.errors import InputError, first_line
from trace_lit.escapes import say

_TIMEOUT = 5.0  # seconds until the hub counts as unreachable
_DESCRIPTIONS = ("*.json", "*.txt", "*.model")  # of a model and its tokenizer


def find_model(
    name: str, weights: Sequence[str], *, tried: str, advice: str, error: type[InputError]
) -> tuple[Path, str]:
    """The folder of a model of the hub and its commit: the copy in the hub's cache on this machine, or downloaded now.

    Parameters
    ----------
    weights
        Patterns of the files with weights; of the kinds that there are, the first is taken.
    tried, advice
        How a message begins (what was asked for and is no folder), and how it ends.
    error
        The type of the errors.

    Raises
    ------
    InputError
        Of type `error`: there is no such model, it is gated or has no such weights, or the hub cannot be reached.
    """
    for kind in weights:
        if (cached := _cached(name, [*_DESCRIPTIONS, kind])) is not None and any(cached.glob(kind)):
            return cached, cached.name
    if isinstance(name, ForeignPath):
        raise error(
            f"{name.origin} names the model {str(name)!r} of the Hugging Face hub, which is not in the hub's cache on this "
            "machine and is not fetched just because a run's file says so: add --trust (in Python, trust=True) if you trust "
            f"its maker, or fetch it yourself (hf download {name})"
        )
    with hub_errors(tried, "model", advice, error):
        # One request with a time limit. The client's own calls try six times and take half a minute without network.
        info = huggingface_hub.HfApi().model_info(name, timeout=_TIMEOUT)
    files = [file.rfilename for file in info.siblings or ()]
    found = next((kind for kind in weights if any(Path(file).match(kind) for file in files)), None)
    if found is None:
        raise error(
            f"{tried}, and the model of that name on the Hugging Face hub has no weights ({' or '.join(weights)})"
        )
    say(f"Downloading {name} from the Hugging Face hub", file=sys.stderr, flush=True)
    try:
        with _bars_in_terminals_only():
            patterns = [*_DESCRIPTIONS, found]
            folder = Path(huggingface_hub.snapshot_download(name, revision=info.sha, allow_patterns=patterns))
    except Exception as problem:  # as in `hub_errors`
        raise error(
            f"downloading {name} from the Hugging Face hub failed ({first_line(problem)}); "
            "try again, the download continues where it stopped"
        ) from problem
    return folder, folder.name


def check_data_set(name: str, *, tried: str, advice: str, error: type[InputError]) -> None:
    """Ask the hub for a data set, in one request with a time limit, unless it is to be left alone (HF_HUB_OFFLINE).

    Raises
    ------
    InputError
        Of type `error`, as `find_model`.
    """
    if not huggingface_hub.constants.HF_HUB_OFFLINE:
        with hub_errors(tried, "data set", advice, error):
            huggingface_hub.HfApi().dataset_info(name, timeout=_TIMEOUT)


@contextmanager
def hub_errors(tried: str, kind: str, advice: str, error: type[InputError]) -> Iterator[None]:
    """Turn what the hub's client raises into an `error`: one sentence that begins with `tried` and ends with `advice`.

    `kind` is what was asked for, "model" or "data set".
    """
    try:
        yield
    except HFValidationError as problem:
        raise error(f"{tried}, nor can it be a name on the Hugging Face hub. {advice}") from problem
    except GatedRepoError as problem:
        raise error(
            f"{tried}; the Hugging Face hub gives the {kind} only to those who accept its terms: accept them there, then "
            "`hf auth login`"
        ) from problem
    except RepositoryNotFoundError as problem:
        raise error(f"{tried}, nor a public {kind} on the Hugging Face hub. {advice}") from problem
    except Exception as problem:  # whatever the client's HTTP library raises, which changed from version to version
        raise error(
            f"{tried}, it is not in the hub's cache {huggingface_hub.constants.HF_HUB_CACHE}, and the Hugging Face hub "
            f"cannot be reached ({first_line(problem)}). {advice}"
        ) from problem


def _cached(name: str, patterns: Sequence[str]) -> Path | None:
    try:
        return Path(huggingface_hub.snapshot_download(name, local_files_only=True, allow_patterns=[*patterns]))
    except (HFValidationError, OSError):  # no name of the hub, or not there
        return None


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Without transformers' progress bars and its reports on weights; errors are still raised."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _bars_in_terminals_only() -> Iterator[None]:
    bars = huggingface_hub.utils
    if sys.stderr.isatty() or bars.are_progress_bars_disabled():
        yield
        return
    bars.disable_progress_bars()
    try:
        yield
    finally:
        bars.enable_progress_bars()
