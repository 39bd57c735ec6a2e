"""A Parquet file as a table; of a large one, only the rows that are wanted."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_modules.schema import CorpusError
from data_modules.shards import LONGEST, check_size, check_texts, leaves_of_bytes
from data_modules.tables.heads import distinct_names
from data_modules.tables.layouts import Layout
from data_modules.tables.table import Table, Wanted
from trace_lit.errors import first_line

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_CELLS = 2**22  # of a Parquet file of which some rows are wanted


def read_parquet(path: Path, layout: Layout, wanted: Wanted | None = None) -> Table:
    """The table in the file; columns of lists and of structures are left out.

    Raises
    ------
    CorpusError
        It is no Parquet file, or holds more than is allowed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_size(path)
        flat = [_plain_field(field) for field in pq.read_schema(path) if not pa.types.is_nested(field.type)]
        names = [field.name for field in flat]
        if wanted is not None:
            return _some_rows(path, layout, flat, wanted)
        table = pq.read_table(path, columns=names, partitioning=None, read_dictionary=leaves_of_bytes(path))
        return _of_arrow(path, layout, table, flat)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"{path} is no Parquet file, or damaged: {first_line(error)}") from None


def _some_rows(path: Path, layout: Layout, flat: Sequence[pa.Field], wanted: Wanted) -> Table:
    """The rows of a Parquet file that are `wanted`; the others are in memory some at a time, or not read at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [field.name for field in flat]
    with pq.ParquetFile(path, read_dictionary=leaves_of_bytes(path)) as file:
        size = max(1, _BATCH_CELLS // len(names))
        head = pa.Table.from_batches(itertools.islice(file.iter_batches(batch_size=size, columns=names), 1))
        given = dict(zip(distinct_names(names), flat, strict=True))
        own = [given[name] for name in wanted.columns(_of_arrow(path, layout, head.select(names), flat))]
        times = file.read(columns=[field.name for field in own]).select([field.name for field in own])
        kept = wanted.rows(_of_arrow(path, layout, times, own))
        first, found, places = 0, [], []
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            own_rows = kept[first : first + count]
            batches = file.iter_batches(batch_size=size, row_groups=[group], columns=names) if own_rows.any() else ()
            begin = 0
            for batch in batches:
                mask = own_rows[begin : begin + len(batch)]
                found.append(batch.filter(pa.array(mask)))
                places.append(first + begin + np.flatnonzero(mask))
                begin += len(batch)
            first += count
    table = pa.Table.from_batches(found) if found else head.slice(0, 0)
    read = _of_arrow(path, layout, table.select(names), flat)
    read.frame.index = np.concatenate([np.empty(0, np.int64), *places]) + 1
    return read


def _of_arrow(path: Path, layout: Layout, table: pa.Table, flat: Sequence[pa.Field]) -> Table:
    import pyarrow as pa

    for name in dict.fromkeys(
        table.column_names
    ):  # what few bytes of a file stand for is counted before it is written out
        check_texts(path, name, table[name], LONGEST["text"])
    # numbers are not copied
    frame = table.cast(pa.schema(flat)).to_pandas(ignore_metadata=True, split_blocks=True)
    names = ["index" if re.fullmatch(r"__index_level_\d+__", str(name)) else name for name in frame.columns]
    frame.columns = distinct_names(names)
    frame.index = range(1, len(frame) + 1)
    return Table(path, frame, layout, "row")


def _plain_field(field: pa.Field) -> pa.Field:
    """The field as it is without a dictionary, as categories of pandas have one."""
    import pyarrow as pa

    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
