"""The error of a configuration that cannot be used."""

from trace_lit.errors import InputError


class ConfigError(InputError):
    """The configuration cannot be used as it is written."""
