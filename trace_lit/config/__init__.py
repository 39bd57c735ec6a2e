"""How a configuration is declared, merged and checked; what it holds stands beside each component."""

import importlib
import warnings
from typing import Any

from trace_lit.config.class_paths import ForeignPath, build_object, check_own, import_class, is_class_path
from trace_lit.config.errors import ConfigError
from trace_lit.config.fields import Key, check_section, list_keys, mark_foreign, option
from trace_lit.config.merging import flatten, from_plain, given_keys, merge_layers, to_plain

__all__ = [
    "ConfigError",
    "ForeignPath",
    "Key",
    "build_object",
    "check_own",
    "check_section",
    "flatten",
    "from_plain",
    "given_keys",
    "import_class",
    "is_class_path",
    "list_keys",
    "mark_foreign",
    "merge_layers",
    "option",
    "to_plain",
]


def __getattr__(name: str) -> Any:
    if name == "load_config":  # where version 0.1 had it
        warnings.warn("load_config is trace_lit.load_config since version 0.2", FutureWarning, stacklevel=2)
        return importlib.import_module("trace_lit").load_config
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
