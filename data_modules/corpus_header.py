"""`corpus.yaml`: what it says of a corpus, and what it may leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_modules.schema import FORMAT, SCHEMA, STORED_FORMAT, CorpusError
from data_modules.splits import SPLITS
from trace_lit.nearest import nearest_place
from trace_lit.plain import PlainError, read_yaml

INFO_FILE = "corpus.yaml"


def read_header(path: Path) -> dict[str, Any]:
    """What corpus.yaml holds; a corpus that was built has both `rows` and `fingerprint`."""
    file = path / INFO_FILE
    try:
        if not path.is_dir():
            raise CorpusError(
                f"there is no corpus folder {path}{nearest_place(path)}; `trace-lit data build` makes one"
            )
        if not file.is_file():
            raise CorpusError(f"{path} is no corpus: it holds no {INFO_FILE}; `trace-lit data build` makes a corpus")
        header = read_yaml(file)
    except PlainError as error:
        raise CorpusError(f"{file} is not YAML: {error}") from None
    except OSError as error:  # the name is too long, or it may not be read
        raise CorpusError(f"{str(file)[:200]} cannot be read: {error.strerror}") from None
    if not isinstance(header, dict):
        raise CorpusError(f"{file} must hold a mapping of keys, not a {type(header).__name__}")
    version = header.setdefault("format", FORMAT)
    if version not in (FORMAT, STORED_FORMAT):
        raise CorpusError(
            f"{file}: the format is {version!r}; this program reads the formats {FORMAT} and {STORED_FORMAT}: build the "
            "corpus again"
        )
    if version == STORED_FORMAT and "fingerprint" not in header:
        raise CorpusError(f"{file}: key 'fingerprint' is missing")
    if not isinstance(header.get("fingerprint", ""), str):
        raise CorpusError(f"{file}: the fingerprint is {header['fingerprint']!r}; it must be text")
    if "fingerprint" in header and "rows" not in header:
        raise CorpusError(f"{file}: key 'rows' is missing")
    return header


def check_count(declared: Any, found: int) -> None:
    """CorpusError where the rows that were `found` are not as many as corpus.yaml declares for each split."""
    try:
        count = sum(int(declared[split]) for split in SPLITS)
    except (KeyError, OverflowError, TypeError, ValueError):
        raise CorpusError(f"'rows' must give the number of rows of {', '.join(SPLITS)}") from None
    if found != count:
        raise CorpusError(
            f"it says {count} rows, the Parquet files hold {found}; "
            "a shard is missing or one too many: build the corpus again"
        )


def filled(path: Path, header: dict[str, Any], table: pa.Table) -> tuple[dict[str, Any], pa.Table]:
    """Keys and cells that a corpus made by hand may leave out, but for splits and channel texts."""
    frequencies = Counter(table["frequency"].drop_null().to_pylist())
    frequency = header.get("frequency") or min(
        frequencies, key=lambda alias: (-frequencies[alias], alias), default=None
    )
    if frequency is None:
        raise CorpusError("key 'frequency' is missing, and the rows have none either; give it, like 'frequency: 1h'")
    header = {"name": path.resolve().name, "source": "made by hand", **header, "frequency": frequency}
    for name, value in (("frequency", str(frequency)), ("text", "")):
        place = SCHEMA.get_field_index(name)
        table = table.set_column(place, SCHEMA.field(place), pc.fill_null(table[name], value))
    return header, table


def known_as(fingerprint: str, history: Sequence[tuple[int, str]], fingerprints: Collection[str]) -> str:
    """The one of `fingerprints` that a corpus has, or had before rows were added; "" for none."""
    own = (fingerprint, *(known for _, known in history))
    return next((one for one in own if one in fingerprints), "")


def read_history(path: Path, header: dict[str, Any]) -> list[tuple[int, str]]:
    """What corpus.yaml says of a corpus before rows were added; the keys of it are taken out of `header`."""
    header.pop("training_fingerprint", None)
    try:
        return [(int(one["rows"]), str(one["fingerprint"])) for one in header.pop("history", None) or ()]
    except (KeyError, OverflowError, TypeError, ValueError):
        raise CorpusError(f"{path / INFO_FILE}: 'history' must list rows and fingerprint of each time before") from None
