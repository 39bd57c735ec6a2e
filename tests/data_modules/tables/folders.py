"""Folders with tables, and the corpora that are made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from data_modules.corpus import Corpus
from data_modules.sources import tables
from data_modules.tables.counts import Counts


def write(folder: Path, files: dict[str, Any]) -> Path:
    """Write texts, bytes and DataFrames as files of the kinds that their names say."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif path.suffix == ".xlsx":
            content.to_excel(path, index=False)
        elif path.suffix == ".parquet":
            content.to_parquet(path)
        else:
            content.to_csv(path, index=False)
    return folder


def corpus_of(folder: Path, files: dict[str, Any], **options: Any) -> tuple[Corpus, Counts]:
    """The corpus of the files, all of its windows for training, and what was met."""
    counts = Counts()
    options.setdefault("series", [{"files": list(files)}])
    options.setdefault("split", {"train": 1})
    info, records = tables.windows(write(folder, files), "mine", **options, counts=counts)
    return Corpus.from_records(records, info), counts


def rows(times: Any, values: Any = None, separator: str = ",", names: str = "time,level") -> str:
    """A CSV file with a column of times and one of values, 0, 1, 2 … by default."""
    cells = list(values) if values is not None else [str(number) for number in range(len(times))]
    lines = [
        separator.join(names.split(",")),
        *(f"{time}{separator}{cell}" for time, cell in zip(times, cells, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def clock(
    start: str, periods: int, freq: str = "h", zone: str = "Europe/Berlin", form: str = "%Y-%m-%d %H:%M"
) -> list[str]:
    """What a clock of `zone` shows at the steps from `start` on."""
    return pd.date_range(start, periods=periods, freq=freq, tz=zone).strftime(form).tolist()
