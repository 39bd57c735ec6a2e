"""What only an extra installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import inside what the extra `name` installs.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    from trace_lit.config import ConfigError

    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"this needs the package {error.name}; install it with: pip install 'trace_lit[{name}]'"
        ) from None
