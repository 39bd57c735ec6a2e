"""How a configuration is declared, merged and checked; what it holds stands beside each component."""

from trace_lit.config.class_paths import import_class
from trace_lit.config.errors import ConfigError
from trace_lit.config.fields import Key, check_section, list_keys, option
from trace_lit.config.merging import flatten, from_plain, merge_layers, to_plain

__all__ = [
    "ConfigError",
    "Key",
    "check_section",
    "flatten",
    "from_plain",
    "import_class",
    "list_keys",
    "merge_layers",
    "option",
    "to_plain",
]
