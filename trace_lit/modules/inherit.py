"""What a run takes over from the one that it starts from: the settings of the model whose weights it gets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace_lit.modules.checkpoint import load_checkpoint
from trace_lit.settings import Config, load_config, merge_config, to_dict

_TEXT = ("name", "pooling", "query_prefix", "document_prefix", "max_length")
_ALIGNED = (("text", "unit"), ("alignment", "heads"), ("alignment", "channel_score"), ("alignment", "fusion"))


def inherited_keys(config: Config) -> list[tuple[str, str]]:
    """Section and key of all that a run has in common with the one that `init_from` names."""
    keys = [("encoder", key) for key in to_dict(config)["encoder"] if key != "dropout"]
    keys += [("text", key) for key in _TEXT]
    return [*keys, *_ALIGNED] if config.stage == "tune" and config.tune.alignment_weight else keys


def load_training_config(paths: Sequence[str | Path] = (), overrides: Sequence[str] = ()) -> Config:
    """The configuration of a run, see `load_config`; beneath its files lie the settings of the model of `init_from`.

    So a file says only what it changes; `fit` refuses what contradicts the model.

    Raises
    ------
    ConfigError
        As `load_config`.
    CheckpointError
        `init_from` names what is there and is no checkpoint.
    """
    config = merge_config(paths, overrides)
    if config.init_from is None or not Path(config.init_from).expanduser().exists():  # which `fit` will tell of
        return load_config(paths, overrides)
    start = to_dict(load_checkpoint(Path(config.init_from).expanduser()).config)
    base: dict[str, Any] = {}
    for section, key in inherited_keys(config):
        base.setdefault(section, {})[key] = start[section][key]
    return load_config(paths, overrides, base)
