"""Files and folders that options name: whether they are there, before all that takes long."""

from __future__ import annotations

from pathlib import Path

TABLE = "a table (CSV, Excel, Parquet)"


def check_there(option: str, place: Path | None, kind: str) -> None:
    """ConfigError where the `place` that an option names is not there; `kind` says what it must be."""
    from trace_lit.config import ConfigError
    from trace_lit.nearest import nearest_place

    if place is not None and not place.exists():
        raise ConfigError(f"{option} is {place}, which is not there{nearest_place(place)}; it must be {kind}")
