"""Writing a corpus folder: whole or not at all, and nothing else is touched."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.corpus_header import INFO_FILE, read_header
from data_modules.schema import FORMAT, STORED_FORMAT, CorpusError, CorpusInfo, Record
from data_modules.series_building import Stored, write_series
from data_modules.series_growing import grow_series
from data_modules.shards import find_shards, is_shard, is_values, shard_name, values_name
from data_modules.splits import SPLITS
from trace_lit.atomic import remove_parts, replacing, write_atomically
from trace_lit.holding import held

SHARD_ROWS = 8192
IN_MEMORY = 2**23  # values that a build holds; more of them are stored as series
SMALL = 2**18  # values that are stored with their rows, however much these overlap
OVERLAP = 2.0  # windows of a step, on average, above which series are stored


def write_corpus(records: Iterable[Record], info: CorpusInfo, out: str | Path, seed: int = 0) -> Corpus:
    """Check `records` and write them as the corpus folder `out`.

    Records without a split get one by time within their series (70 / 10 / 20 %), and windows that would reach into a
    later split are left out. Records without channel texts get them from `describe`, which `seed` varies. A build that
    fails leaves nothing behind. A corpus that was built there before is replaced once the new one is on the disk; other
    files stay, and a corpus made by hand is not replaced.

    A large corpus, and one whose windows overlap much, stores each step of a series once; it is built with a part of the
    records in memory at a time.

    Raises
    ------
    CorpusError
        A record cannot be used (the message names it), there is none, or `out` is something else than a corpus.
    """
    out = Path(out)
    info.check()
    _check_replaceable(out)
    given = iter(records)
    few, cells = [], 0
    for record in given:
        few.append(record)
        if (cells := cells + _size(record.values)) > IN_MEMORY:
            return write_stored(itertools.chain(few, given), info, out, seed)
    corpus = Corpus.from_records(few, info, seed)
    if cells > SMALL and overlap(corpus) > OVERLAP:
        return write_stored(few, info, out, seed)
    _write_folder(corpus, out)
    return Corpus(out, info, corpus.fingerprint, corpus.table())


def overlap(corpus: Corpus) -> float:
    """How often a step of a series is in a window, on average."""
    _, series = corpus.series_numbers
    order = np.lexsort((corpus.starts, series))
    own, starts, ends = series[order], corpus.starts[order].astype(np.float64), corpus.ends[order].astype(np.float64)
    lasts = ends - starts
    away = own * (2 * (ends.max() - starts.min() + 1))  # one series behind the other
    reached = np.maximum.accumulate(ends + away)
    covered = (ends + away - np.maximum(starts + away, np.concatenate([[-np.inf], reached[:-1]]))).clip(min=0)
    return float(lasts.sum() / max(covered.sum(), 1.0))


def _size(values: Any) -> int:
    try:
        return int(np.size(values))
    except ValueError:  # ragged; what is wrong with it is found later
        return 0


def write_stored(records: Iterable[Record], info: CorpusInfo, out: Path, seed: int = 0) -> Corpus:
    """Write a corpus that stores series beside `out` and move it there, corpus.yaml last."""
    return _write_stored(lambda building: write_series(records, info, building, seed), info, out, ())


def write_grown_series(corpus: Corpus, records: Iterable[Record], history: Sequence[tuple[int, str]]) -> Corpus:
    """Write a corpus that stores series with `records` behind its rows, in its place; see `Corpus.history`."""
    return _write_stored(lambda building: grow_series(corpus, records, building), corpus.info, corpus.path, history)


def _write_stored(
    write: Callable[[Path], Stored], info: CorpusInfo, out: Path, history: Sequence[tuple[int, str]]
) -> Corpus:
    with held(out, wait=True):
        _remove_leftovers(out)
        building = out.with_name(f".{out.name}.building")
        building.mkdir()
        try:
            stored = write(building)
            mark, count = stored.fingerprint, len(stored.shards)
            _sync(stored.values, building / values_name(mark))
            for number, shard in enumerate(stored.shards):
                _sync(shard, building / shard_name(mark, number, count))
            _write_header(_header(STORED_FORMAT, info, stored.splits, mark, history), building)
            if (out / INFO_FILE).is_file():
                _take_over(building, out, mark)
            else:
                if out.exists():
                    out.rmdir()  # it is empty
                building.rename(out)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return Corpus.load(out)


def _sync(file: Path, name: Path) -> None:
    """Have all of a file on the disk, and give it its last name."""
    with file.open("rb") as written:
        os.fsync(written.fileno())
    file.rename(name)


def _take_over(building: Path, out: Path, fingerprint: str) -> None:
    """Move a corpus into the folder of another one, which it replaces with its corpus.yaml."""
    try:
        for file in building.iterdir():
            if file.name != INFO_FILE:
                file.replace(out / file.name)
        (building / INFO_FILE).replace(out / INFO_FILE)
    except BaseException:
        _remove_leftovers(out)
        raise
    _remove_others(out, fingerprint)


def _remove_others(out: Path, fingerprint: str) -> None:
    """Remove the rows and values of the corpus that was in `out` before the one of this `fingerprint`."""
    for shard in set(out.glob("*.parquet")) - set(find_shards(out, fingerprint)):
        shard.unlink()
    _remove_values(out, fingerprint)


def _remove_values(out: Path, fingerprint: str | None) -> None:
    for values in out.glob("values-*.npy"):
        if is_values(values.name) and values.name != values_name(str(fingerprint)):
            values.unlink()


def _check_replaceable(out: Path) -> None:
    """Raise CorpusError where `out` is neither free nor a corpus that was built."""
    if not (out / INFO_FILE).is_file():
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise CorpusError(f"{out} exists and is no corpus folder; name another folder or remove it")
    elif "fingerprint" not in read_header(out):
        raise CorpusError(
            f"{out} holds a {INFO_FILE} that was not built (it has no fingerprint); name another folder or remove it"
        )


def write_grown(corpus: Corpus, out: Path) -> None:
    """Write a corpus in the place of the one in `out` that it has grown from."""
    _write_folder(corpus, out)


def _header(
    version: int,
    info: CorpusInfo,
    splits: NDArray[np.object_],
    fingerprint: str,
    history: Sequence[tuple[int, str]],
    **more: str,
) -> dict[str, Any]:
    rows = {split: int((splits == split).sum()) for split in SPLITS}
    header: dict[str, Any] = {"format": version, **info.as_dict(), "rows": rows, "fingerprint": fingerprint, **more}
    if history:
        header["history"] = [{"rows": rows, "fingerprint": known} for rows, known in history]
    return header


def _write_header(header: dict[str, Any], folder: Path) -> None:
    write_atomically(folder / INFO_FILE, yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=120))


def _write_folder(corpus: Corpus, out: Path) -> None:
    table, fingerprint = corpus.table(), corpus.fingerprint
    training = corpus.training_fingerprint
    header = _header(FORMAT, corpus.info, corpus.splits, fingerprint, corpus.history, training_fingerprint=training)
    with held(out, wait=True):
        _remove_leftovers(out)
        if (out / INFO_FILE).is_file():
            try:
                _write_files(table, header, out)
            except BaseException:
                _remove_leftovers(out)
                raise
            _remove_others(out, fingerprint)
            return
        building = out.with_name(f".{out.name}.building")
        building.mkdir()
        try:
            _write_files(table, header, building)
            if out.exists():
                out.rmdir()  # it is empty
            building.rename(out)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _write_files(table: pa.Table, header: dict[str, Any], folder: Path) -> None:
    """Write shards, and then corpus.yaml, whose fingerprint says which shards belong to it."""
    shards = range(0, table.num_rows, SHARD_ROWS)
    for number, first in enumerate(shards):
        with replacing(folder / shard_name(header["fingerprint"], number, len(shards))) as file:
            pq.write_table(table.slice(first, SHARD_ROWS), file, compression="zstd")
    _write_header(header, folder)


def _remove_leftovers(out: Path) -> None:
    """Remove what a build that was killed has left: its folder beside `out`, and shards that belong to no corpus.yaml."""
    for left in (*out.parent.glob(f".{out.name}.*.building"), out.with_name(f".{out.name}.building")):
        shutil.rmtree(left, ignore_errors=True)
    if (out / INFO_FILE).is_file():
        remove_parts(out)
        fingerprint = read_header(out).get("fingerprint")
        own = set(find_shards(out, fingerprint))
        _remove_values(out, fingerprint)
        for shard in out.glob("*.parquet"):
            if shard not in own and is_shard(shard.name):
                shard.unlink()
