"""Reading the Parquet files of a corpus, within bounds: what they would become in memory is counted before it is built.

Parquet keeps equal values once, so that a file of some kilobytes may stand for gigabytes. Texts are read as dictionaries,
whose sizes are known before they are written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_modules.schema import SCHEMA, STORED_SCHEMA, CorpusError, numbers, values_type
from trace_lit.errors import first_line
from trace_lit.plain import check_file

MARK = 8  # characters of the fingerprint in a shard's name
_SHARD = re.compile(rf"rows-(?:([0-9a-f]{{{MARK}}})-)?\d{{5}}-of-\d{{5}}\.parquet")  # without them: of version 0.1
_VALUES = re.compile(rf"values-[0-9a-f]{{{MARK}}}\.npy")
FREE_BYTES = 2**28  # that a shard may become, and times its own size
FREE_TIMES = 200
LONGEST_NAME = 1000  # bytes of an id, a label and the like
LONGEST = {  # bytes of a text
    "id": LONGEST_NAME,
    "series_id": LONGEST_NAME,
    "frequency": 100,
    "label": LONGEST_NAME,
    "split": 100,
    "text": 2**20,
    "channel_texts": 2**20,
}
_OF_BYTES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
REPEATED = ("series_id", "frequency", "label", "split")  # that many rows share


def is_shard(name: str) -> bool:
    """Whether a build has given a file this name."""
    return _SHARD.fullmatch(name) is not None


def shard_name(fingerprint: str, number: int, count: int) -> str:
    """The name of one of `count` shards of a corpus with this fingerprint."""
    return f"rows-{fingerprint[:MARK]}-{number:05d}-of-{count:05d}.parquet"


def values_name(fingerprint: str) -> str:
    """The name of the file with the series of a corpus with this fingerprint."""
    return f"values-{fingerprint[:MARK]}.npy"


def is_values(name: str) -> bool:
    """Whether a build has given a file of series this name."""
    return _VALUES.fullmatch(name) is not None


def find_shards(path: Path, fingerprint: str | None) -> list[Path]:
    """The Parquet files of the corpus in `path` with this `fingerprint`, without those of another build in that folder."""
    found = sorted(path.glob("*.parquet"))
    marks = {file: match[1] for file in found if (match := _SHARD.fullmatch(file.name))}
    own = None if fingerprint is None else str(fingerprint)[:MARK]
    if own not in marks.values():  # of version 0.1, made by hand, or damaged
        return [file for file in found if marks.get(file) is None] or found
    return [file for file in found if marks.get(file, own) == own]


def read_shards(path: Path, fingerprint: str | None, optional: Sequence[str] = ()) -> pa.Table:
    """The rows of all shards of the corpus with this `fingerprint`, with the columns of `SCHEMA`.

    Columns that are `optional` are null where a shard does not have them. Values are float32 where that holds all of them
    exactly, else float64.

    Raises
    ------
    CorpusError
        There is no shard, or one is damaged, lacks a column, or would take memory out of proportion to its size.
    """
    tables = [read_shard(shard, optional) for shard in _some(path, fingerprint)]
    place = SCHEMA.get_field_index("values")
    kinds = [values_type(table["values"]) for table in tables]
    kind = kinds[0] if len(set(kinds)) == 1 else pa.list_(pa.list_(pa.float64()))
    tables = [table.set_column(place, "values", table["values"].cast(kind)) for table in tables]
    return pa.concat_tables(tables).combine_chunks()


def read_stored(path: Path, fingerprint: str) -> pa.Table:
    """The rows of all shards of a corpus that stores series, with the columns of `STORED_SCHEMA` but for the texts."""
    names = [name for name in STORED_SCHEMA.names if name not in ("text", "channel_texts")]
    tables = []
    for shard in _own(path, fingerprint):
        table = _columns(shard, names)
        for name in names:
            check_texts(shard, name, table[name])
        kinds = [
            pa.dictionary(pa.int32(), pa.string()) if name in REPEATED else STORED_SCHEMA.field(name).type
            for name in names
        ]
        try:
            table = table.cast(pa.schema(list(zip(names, kinds, strict=True))))
        except (pa.ArrowException, ValueError) as error:
            raise CorpusError(f"{shard}: a column has the wrong type: {first_line(error)}") from None
        tables.append(table)
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def stored_texts(path: Path, fingerprint: str, name: str) -> Iterator[list[Any]]:
    """The column `name` of the rows of a corpus that stores series, a part at a time."""
    for table in row_groups(path, fingerprint, (name,)):
        yield table[name].to_pylist()


def row_groups(path: Path, fingerprint: str, names: Sequence[str]) -> Iterator[pa.Table]:
    """The columns `names` of the rows of a corpus that stores series, a part at a time."""
    for shard in _own(path, fingerprint):
        try:
            check_size(shard)
            there = pq.read_schema(shard).names
            if missing := [name for name in names if name not in there]:
                raise CorpusError(f"{shard} has no column {missing[0]!r}; it has {', '.join(there)}")
            with pq.ParquetFile(shard, read_dictionary=leaves_of_bytes(shard)) as file:
                for group in range(file.num_row_groups):
                    cells = file.read_row_group(group, columns=list(names))
                    yield pa.table(
                        {name: _as_written_out(shard, cells[name], STORED_SCHEMA.field(name)) for name in names}
                    )
        except CorpusError:
            raise
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:  # a column of another kind has no such leaf
            raise _damaged(shard, error) from None


def _some(path: Path, fingerprint: str | None) -> list[Path]:
    shards = find_shards(path, fingerprint)
    if not shards:
        raise CorpusError(f"{path} holds no Parquet files; build the corpus again")
    return shards


def _own(path: Path, fingerprint: str) -> list[Path]:
    """The shards of a corpus that stores series, whose texts may be read long after it was opened."""
    shards = _some(path, fingerprint)
    if any((match := _SHARD.fullmatch(shard.name)) is None or match[1] != fingerprint[:MARK] for shard in shards):
        raise CorpusError(
            f"{path} holds the rows of another build, which has begun since or was not finished; open it again"
        )
    return shards


def _columns(shard: Path, names: Sequence[str]) -> pa.Table:
    try:
        check_size(shard)
        there = pq.read_schema(shard).names
        if missing := [name for name in names if name not in there]:
            raise CorpusError(f"{shard} has no column {missing[0]!r}; it has {', '.join(there)}")
        with pq.ParquetFile(shard, read_dictionary=leaves_of_bytes(shard)) as file:
            return file.read(columns=list(names)).select(names)
    except CorpusError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError) as error:
        raise _damaged(shard, error) from None


def _damaged(shard: Path, error: BaseException) -> CorpusError:
    return CorpusError(f"{shard} is damaged or truncated ({first_line(error)}); build the corpus again")


def read_shard(shard: Path, optional: Sequence[str] = ()) -> pa.Table:
    """The rows of one shard; see `read_shards`."""
    try:
        check_size(shard)
        names = [name for name in pq.read_schema(shard).names if name in SCHEMA.names]
        with pq.ParquetFile(shard, read_dictionary=leaves_of_bytes(shard)) as file:
            table = file.read(columns=names)
    except CorpusError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(shard, error) from None
    columns = []
    for field in SCHEMA:
        if field.name in table.column_names:
            columns.append(_as_written_out(shard, table[field.name], field))
        elif field.name in optional:
            columns.append(pa.chunked_array([pa.nulls(len(table), field.type)]))
        else:
            raise CorpusError(f"{shard} has no column {field.name!r}; it has {', '.join(table.column_names)}")
    return pa.table(columns, names=SCHEMA.names)


def check_size(shard: Path) -> None:
    """Raise CorpusError where the cells of a Parquet file are many for its size; of texts it counts none but the places."""
    check_file(shard)
    allowed = FREE_BYTES + FREE_TIMES * shard.stat().st_size
    with pq.ParquetFile(shard) as file:
        about = file.metadata
        widths = [max(8, about.schema.column(number).length) for number in range(about.num_columns)]  # of fixed ones
        size = sum(
            about.row_group(group).column(number).num_values * width
            for group in range(about.num_row_groups)
            for number, width in enumerate(widths)
        )
    if size > allowed:
        raise CorpusError(f"{shard} has cells that would take {size:,} bytes; a file of its size may take {allowed:,}")


def leaves_of_bytes(shard: Path) -> list[str]:
    """The columns of a Parquet file that hold texts or other bytes, to be read as dictionaries, which take few bytes."""
    with pq.ParquetFile(shard) as file:
        schema = file.metadata.schema
        columns = [schema.column(number) for number in range(len(schema))]
    return [own.path for own in columns if own.physical_type == "BYTE_ARRAY" and own.logical_type.type != "DECIMAL"]


def _as_written_out(shard: Path, column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    """A column in its type of `SCHEMA`; numbers keep theirs, or become float64."""
    try:
        check_texts(shard, field.name, column)
        if field.name != "values":
            return column.cast(field.type)
        return column if values_type(column) is not None else column.cast(pa.list_(pa.list_(pa.float64())))
    except UnicodeDecodeError:
        raise CorpusError(f"{shard}: column {field.name!r} holds bytes that are no UTF-8 text") from None
    except (pa.ArrowException, ValueError) as error:
        raise CorpusError(f"{shard}: a column has the wrong type: {first_line(error)}") from None


def check_texts(
    shard: Path, name: str, column: pa.ChunkedArray, longest: int | None = None, size: int | None = None
) -> None:
    """CorpusError where a text is too long, no UTF-8, or all of them are many for the shard's size.

    A text may have `longest` bytes, by default what `LONGEST` says of the column. `size` is that of the shard, which
    may be gone by now.
    """
    longest = LONGEST.get(name, LONGEST_NAME) if longest is None else longest
    allowed = FREE_BYTES + FREE_TIMES * (shard.stat().st_size if size is None else size)
    total = 0
    for chunk in column.chunks:
        texts = chunk
        while pa.types.is_list(texts.type) or pa.types.is_large_list(texts.type):
            texts = texts.flatten()
        known = texts.dictionary if pa.types.is_dictionary(texts.type) else texts
        if not any(is_such(known.type) for is_such in _OF_BYTES):
            continue  # the cast tells
        try:
            known.validate(full=True)
        except pa.ArrowInvalid:
            raise CorpusError(f"{shard}: column {name!r} holds bytes that are no UTF-8 text") from None
        sizes = numbers(pc.binary_length(known), missing=0).astype(np.int64)
        if len(sizes) and (found := int(sizes.max())) > longest:
            raise CorpusError(f"{shard}: column {name!r} has a text of {found:,} bytes; {longest:,} are allowed")
        if pa.types.is_dictionary(texts.type):
            used = numbers(texts.indices.drop_null())
            total += int(sizes @ np.bincount(used, minlength=len(sizes)))
        else:
            total += int(sizes.sum())
    if total > allowed:
        raise CorpusError(f"{shard}: the texts of column {name!r} would take {total:,} bytes; {allowed:,} are allowed")
