"""Adding rows to a corpus that stores series.

What is there is copied as it stands, steps in blocks and texts a row group at a time; only new rows are described. Steps of
a series lie behind each other, so new ones are put in behind those of their series, and the places of rows move along.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.schema import STORED_SCHEMA, CorpusError, Record, column, objects
from data_modules.series_building import (
    GROUP_CELLS,
    GROUP_ROWS,
    ROWS,
    VALUES,
    Laid,
    Stored,
    parts_at,
    spooled,
    stored_fingerprint,
    texts_of,
    write_parts,
    write_shards,
)
from data_modules.series_values import SeriesValues
from data_modules.shards import find_shards, row_groups
from data_modules.validation import stored_problems, summary
from data_modules.windows import joined_runs


def grow_series(corpus: Corpus, records: Iterable[Record], folder: Path, seed: int = 0) -> Stored:
    """Write the rows of `corpus`, and behind them those of new `records`, to `folder`, under names of no corpus yet.

    Raises
    ------
    CorpusError
        A record cannot be used, or does not fit to the rows that are there.
    """
    assert corpus.series is not None
    info, known = corpus.info, len(corpus)
    spool = spooled(records, info, folder)
    old, new = corpus.columns(), spool.rows()
    laid, added = _laid(corpus, corpus.series), spool.parts(new)
    kind = np.promote_types(corpus.series.dtype, spool.kind)
    place = write_parts([*laid.parts, *added.parts], folder / VALUES, kind, len(info.channels))
    first = np.concatenate([laid.first(place[: len(laid.parts)]), added.first(place[len(laid.parts) :])])
    rows = pa.concat_tables([old, new.select(old.column_names)]).unify_dictionaries().combine_chunks()
    rows = rows.set_column(rows.schema.get_field_index("first"), "first", pa.array(first))
    values = SeriesValues(folder / VALUES, len(info.channels))
    if problems := stored_problems(info, rows, values):
        raise CorpusError(summary(problems))
    own = rows.slice(known).append_column("row", pa.array(np.arange(spool.count)))
    own = own.append_column("piece", new["piece"])
    shards = _kept(corpus, first[:known], folder)
    left = sum(pq.read_metadata(shard).num_rows for shard in shards)
    tables = [_with_texts(corpus, rows, left), spool.with_texts(own, values, seed)]
    shards += write_shards(_regrouped(tables), folder, len(shards))
    spool.remove()
    return Stored(
        stored_fingerprint(info, rows, values, texts_of(shards)), shards, folder / VALUES, objects(rows, "split")
    )


def _laid(corpus: Corpus, values: SeriesValues) -> Laid:
    """The stored steps: runs without a gap."""
    first, length = corpus.places, corpus.lengths
    order = np.lexsort((length, first))
    run = np.empty(len(corpus), dtype=np.int64)
    run[order], begins = joined_runs(corpus, order)
    head = order[begins]
    sizes = np.maximum.reduceat((first + length)[order], begins) - first[head]
    return Laid(parts_at(corpus.columns(), head, values.array, first[head], sizes), run, first - first[head][run])


def _kept(corpus: Corpus, first: NDArray[np.int64], folder: Path) -> list[Path]:
    """The shards, from the first one on, that stay as they are, linked or copied to `folder`.

    `first` (N,) are the places that the rows have now. The last shard has room for further rows, so it is written anew.
    """
    kept: list[Path] = []
    done = 0
    for shard in find_shards(corpus.path, corpus.fingerprint)[:-1]:
        count = pq.read_metadata(shard).num_rows
        if not np.array_equal(first[done : done + count], corpus.places[done : done + count]):
            break
        kept.append(folder / f"{ROWS}-{len(kept):05d}")
        try:
            os.link(shard, kept[-1])
        except OSError:  # a file system without links
            shutil.copyfile(shard, kept[-1])
        done += count
    return kept


def _with_texts(corpus: Corpus, rows: pa.Table, left: int) -> Iterator[pa.Table]:
    """The rows of the corpus from the row `left` on, with their texts, some at a time."""
    done = 0
    for texts in row_groups(corpus.path, corpus.fingerprint, ("text", "channel_texts")):
        if done >= left:
            table = rows.slice(done, len(texts))
            for name in texts.column_names:
                table = table.append_column(name, texts[name])
            yield table
        done += len(texts)


def _regrouped(parts: Iterable[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """The tables of rows of all `parts`, small ones together, as each time that rows are added leaves one."""
    waiting: list[pa.Table] = []
    cells = count = 0
    for table in (table.select(STORED_SCHEMA.names).cast(STORED_SCHEMA) for part in parts for table in part):
        size = int(column(table, "steps").to_numpy().sum()) * _width(table)
        if waiting and (count + len(table) > GROUP_ROWS or cells + size > GROUP_CELLS):
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, cells, count = [], 0, 0
        waiting.append(table)
        cells, count = cells + size, count + len(table)
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _width(table: pa.Table) -> int:
    """The number of channels of rows."""
    return len(table["channel_texts"][0]) if len(table) else 0
