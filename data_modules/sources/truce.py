"""The data of TRUCE (EMNLP 2021): short series, each with captions that people wrote.

<part>train.json, <part>val.json, <part>test.json    {id: {series, annotations, meta}}

The synthetic part is `pilot13final`, whose `meta.label.labels` is the pattern's number; the stock part has no labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_modules.corpus import CorpusError, CorpusInfo, Record
from data_modules.validation import LARGEST
from trace_lit.channels import Channel
from trace_lit.plain import PlainError, read_json

PATTERNS = tuple(f"pattern {number}" for number in range(14))
CHANNEL = Channel("value", "", "a series without unit, as it would be drawn in a chart")
START = datetime(2000, 1, 1)
_SPLITS = {"train": "train", "val": "validation", "test": "test"}


def series(root: str | Path, part: str = "", captions: str = "each") -> tuple[CorpusInfo, Iterator[Record]]:
    """The series with their captions, in TRUCE's own splits.

    A corpus holds one text a window. By default each caption has a window of its own: windows of one series have equal
    values, which is one target for `pair_distinct` of the retrieval metrics, and no negatives of each other. The series
    have no times; their steps are called days here, from 1 January 2000 on.

    Parameters
    ----------
    part
        The files' name before train.json, like pilot13final; by default that of the only ones there.
    captions
        "each", or "joined": one window a series, whose text is all of its captions.

    Raises
    ------
    CorpusError
        The files are not in `root`, or an entry is of another form.
    """
    if captions not in ("each", "joined"):
        raise CorpusError(f"captions is {captions!r}; it must be each or joined")
    root = Path(root)
    part = _part(root, part)
    entries = [
        (split, path, key, entry)
        for name, split in _SPLITS.items()
        for path in [root / f"{part}{name}.json"]
        for key, entry in _entries(path).items()
    ]
    labelled = any(_pattern(entry, f"{path}: {key!r}") is not None for _, path, key, entry in entries)
    info = CorpusInfo(
        domain="truce",
        name=f"truce-{part}-{captions}",
        source="truce",
        channels=(CHANNEL,),
        frequency="D",
        label_names=PATTERNS if labelled else (),
        description=(
            f"The part {part} of TRUCE (EMNLP 2021): series with captions that people wrote, in its own splits. The "
            "series have no times; their steps are called days. The label is the pattern that a series was drawn from."
        ),
    )
    return info, (record for entry in entries for record in _records(*entry, joined=captions == "joined"))


def _part(root: Path, part: str) -> str:
    """The name of the files before train.json."""
    there = sorted(path.name.removesuffix("train.json") for path in root.glob("*train.json"))
    if (part and part not in there) or not there:
        raise CorpusError(
            f"no TRUCE data in {root}: looked for {part or '*'}train.json; there are: {', '.join(there) or 'none'}"
        )
    if not part and len(there) > 1:
        raise CorpusError(f"{root} holds several parts of TRUCE ({', '.join(there)}); name one by part={there[0]}")
    return part or there[0]


def _entries(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except FileNotFoundError:
        raise CorpusError(f"{path} is not there; TRUCE has a file for train, val and test") from None
    except (OSError, PlainError) as error:
        raise CorpusError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise CorpusError(f"{path} must hold a mapping from ids to series, not a {type(found).__name__}")
    return found


def _records(split: str, path: Path, key: str, entry: Any, joined: bool) -> Iterator[Record]:
    where = f"{path}: {key!r}"
    if not key.isprintable() or not key:
        raise CorpusError(f"{where} is no id; it must be text that can be shown")
    values, texts, number = _values(entry, where), _captions(entry, where), _pattern(entry, where)
    if joined:
        texts = [" ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts)]
    name = key.removesuffix(".png")
    for place, text in enumerate(texts):
        yield Record(
            id=name if joined else f"{name}#{place + 1}",
            series_id=name,
            start=START,
            values=values,
            text=text,
            label=None if number is None else PATTERNS[number],
            split=split,
        )


def _values(entry: Any, where: str) -> NDArray[np.float64]:
    """(1, T)."""
    listed = entry.get("series") if isinstance(entry, dict) else None
    if not isinstance(listed, list) or not listed:
        raise CorpusError(f"{where} has no list `series`")
    for step, value in enumerate(listed, start=1):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
            given = str(value)[:60] if isinstance(value, float) or value is None else type(value).__name__
            raise CorpusError(f"{where}: step {step} of the series is {given}; it must be a number up to {LARGEST:g}")
    return np.array([listed], dtype=np.float64)


def _captions(entry: Any, where: str) -> list[str]:
    """The captions, each once; [""] where there is none. One is a text, or a list that holds one."""
    listed = entry.get("annotations", [])
    if not isinstance(listed, list):
        raise CorpusError(f"{where}: `annotations` must be a list of texts, not a {type(listed).__name__}")
    texts = []
    for given in listed:
        (text,) = given if isinstance(given, list) and len(given) == 1 else (given,)
        if not isinstance(text, str):
            raise CorpusError(f"{where}: a caption is {str(given)[:60]!r}; it must be a text or a list that holds one")
        texts.append(" ".join(text.split()))
    return list(dict.fromkeys(text for text in texts if text)) or [""]


def _pattern(entry: Any, where: str) -> int | None:
    """The pattern's number, None where there is no label."""
    meta = entry.get("meta") if isinstance(entry, dict) else None
    label = meta.get("label") if isinstance(meta, dict) else None
    number = label.get("labels") if isinstance(label, dict) else None
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(PATTERNS):
        raise CorpusError(
            f"{where}: the label is {str(number)[:60]!r}; it must be a number from 0 to {len(PATTERNS) - 1}"
        )
    return number
