"""A corpus some rows at a time, so that what goes through it needs the memory of a shard, however large it is."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterator
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_modules.corpus import Corpus
from data_modules.corpus_header import INFO_FILE, check_count, known_as, read_header, read_history
from data_modules.schema import STORED_FORMAT, CorpusError, CorpusInfo, values_type
from data_modules.shards import find_shards, read_shard
from data_modules.validation import row_problems, summary
from trace_lit.errors import first_line


class CorpusBlocks:
    """A corpus in blocks of `size` rows, of which the last may have fewer.

    Parameters
    ----------
    place
        Its folder, or a `Corpus`. Of a folder that was built, a shard at a time is read; one made by hand is read at once,
        since splits and channel texts that it leaves out depend on all rows. One that stores series keeps its values on
        the disk.
    size
        Rows of a block.

    Raises
    ------
    CorpusError
        It cannot be used; of a damaged shard, when its block is asked for.

    Examples
    --------
    >>> blocks = CorpusBlocks("corpora/weather", 1024)  # doctest: +SKIP
    >>> sum(len(block) for block in blocks) == blocks.rows  # doctest: +SKIP
    True
    """

    def __init__(self, place: str | Path | Corpus, size: int) -> None:
        self.size = size
        self._loaded: Corpus | None = place if isinstance(place, Corpus) else None
        self._shard: tuple[int, pa.Table] | None = None  # the one that was read last
        if self._loaded is None:
            header = read_header(Path(str(place)))
            if "fingerprint" in header and header["format"] != STORED_FORMAT:
                self._open(Path(str(place)), header)
                return
            self._loaded = Corpus.load(Path(str(place)))
            self._loaded.check()
        corpus = self._loaded
        self.path, self.info, self.fingerprint, self.rows = corpus.path, corpus.info, corpus.fingerprint, len(corpus)
        self.history = corpus.history

    def _open(self, path: Path, header: dict[str, object]) -> None:
        declared, fingerprint = header.pop("rows"), str(header.pop("fingerprint"))
        self.history = tuple(read_history(path, header))
        header.pop("format", None)
        try:
            self.info = CorpusInfo.from_dict(header)
            self._shards = find_shards(path, fingerprint)
            counts = [pq.read_metadata(shard).num_rows for shard in self._shards]
            check_count(declared, sum(counts))
        except CorpusError as error:
            raise CorpusError(f"{path / INFO_FILE}: {error}") from None
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{path} is damaged ({first_line(error)}); build the corpus again") from None
        self.path, self.fingerprint = path, fingerprint
        self._borders = [0, *accumulate(counts)]
        self.rows = self._borders[-1]

    def known_as(self, fingerprints: Collection[str]) -> str:
        """See `Corpus.known_as`."""
        return known_as(self.fingerprint, self.history, fingerprints)

    def __len__(self) -> int:
        return -(-self.rows // self.size)

    def __iter__(self) -> Iterator[Corpus]:
        return (self.block(number) for number in range(len(self)))

    def block(self, number: int) -> Corpus:
        """The rows of a block, as a corpus of their own."""
        first, last = number * self.size, min((number + 1) * self.size, self.rows)
        loaded = self._loaded
        table = self._rows(first, last) if loaded is None else loaded.part(first, last)
        return Corpus(self.path, self.info, self.fingerprint, table.combine_chunks())

    def _rows(self, first: int, last: int) -> pa.Table:
        parts = []
        for shard in range(bisect.bisect_right(self._borders, first) - 1, bisect.bisect_left(self._borders, last)):
            begin = self._borders[shard]
            table = self._read(shard)
            parts.append(table.slice(max(first - begin, 0), last - max(first, begin)))
        place = parts[0].schema.get_field_index("values")
        if len({values_type(part["values"]) for part in parts}) > 1:
            wide = pa.list_(pa.list_(pa.float64()))
            parts = [part.set_column(place, "values", part["values"].cast(wide)) for part in parts]
        return pa.concat_tables(parts)

    def _read(self, shard: int) -> pa.Table:
        if self._shard is None or self._shard[0] != shard:
            table = read_shard(self._shards[shard], ())
            if problems := row_problems(self.info, table):
                raise CorpusError(f"{self._shards[shard]}: {summary(problems)}")
            self._shard = shard, table
        return self._shard[1]
