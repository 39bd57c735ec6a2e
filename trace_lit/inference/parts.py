"""Corpora embedded in parts, by any number of processes: `trace-lit embed`.

A part holds the windows of a block of rows with their vectors. Which blocks there are, and what is in a part, does not
depend on the number of shards; shard i of n makes every n-th part. A part is a file that is there in full or not at all, so
that what was stopped goes on where it was. The memory that it takes is that of a shard of a corpus.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data_modules.blocks import CorpusBlocks
from data_modules.shards import check_size, leaves_of_bytes
from trace_lit.atomic import remove_parts, replacing, write_atomically
from trace_lit.config import ConfigError
from trace_lit.errors import first_line
from trace_lit.holding import held
from trace_lit.inference.aligned import AlignedRun
from trace_lit.inference.space import BLOCK_ROWS, Space, SpaceEmbedder, columns_of, open_corpora
from trace_lit.modules.places import relative
from trace_lit.plain import PlainError, read_json, to_json
from trace_lit.retrieval import RetrievalError
from trace_lit.retrieval.stores import COLUMNS, checked
from trace_lit.text.progress import JobProgress

FORMAT = 1
_KUBERNETES = "JOB_COMPLETION_INDEX"  # of an indexed job, whose completions it does not tell
_ENVIRONMENT = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT"),
    (_KUBERNETES, "JOB_COMPLETIONS"),
)
_MANIFEST = "parts.json"
_MOST_ROWS = 2**36  # of a corpus


@dataclass(frozen=True)
class CorpusEntry:
    """A corpus as parts and indexes name it."""

    name: str
    path: str  # as it is seen from the folder of the parts or the index
    domain: str
    fingerprint: str
    rows: int
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, corpus: CorpusBlocks, folder: Path) -> CorpusEntry:
        """That of an open corpus."""
        info = corpus.info
        return cls(
            name, relative(corpus.path, folder), info.domain, corpus.fingerprint, corpus.rows, tuple(info.label_names)
        )

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> CorpusEntry:
        """The inverse of `dataclasses.asdict`; KeyError, TypeError or ValueError where `plain` is none."""
        name, path, domain, fingerprint = (str(plain[key]) for key in ("name", "path", "domain", "fingerprint"))
        if not 0 < (rows := int(plain["rows"])) <= _MOST_ROWS:
            raise ValueError(f"the corpus {name!r} has {rows:,} rows")
        if "\0" in path:
            raise ValueError(f"{path!r} is no path")
        return cls(name, path, domain, fingerprint, rows, tuple(map(str, plain["labels"])))


class Parts:
    """A folder of parts.

    Raises
    ------
    RetrievalError
        It is not there, damaged, or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / _MANIFEST
        try:
            plain = read_json(path)
            if plain["format"] != FORMAT:
                raise RetrievalError(f"{path} has the format {plain['format']!r}; this program reads {FORMAT}")
            self.space = Space.from_dict(plain["space"])
            self.corpora = tuple(map(CorpusEntry.from_dict, plain["corpora"]))
        except FileNotFoundError:
            raise RetrievalError(
                f"{folder} holds no parts: it has no {_MANIFEST}; `trace-lit embed` makes one"
            ) from None
        except RetrievalError:
            raise
        except (OSError, PlainError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise RetrievalError(f"{path} is damaged ({first_line(error)}); embed again") from None
        self.blocks = [(own, number) for own in self.corpora for number in range(-(-own.rows // BLOCK_ROWS))]

    @property
    def rows(self) -> int:
        """Windows in all parts."""
        return sum(own.rows for own in self.corpora)

    def path(self, number: int) -> Path:
        """The file of a part."""
        return self.folder / f"part-{number:06d}-of-{len(self.blocks):06d}.parquet"

    def missing(self) -> list[int]:
        """The parts that are not there yet."""
        return [number for number in range(len(self.blocks)) if not self.path(number).is_file()]

    def check(self) -> None:
        """RetrievalError where parts are missing."""
        if missing := self.missing():
            raise RetrievalError(
                f"{len(missing)} of the {len(self.blocks)} parts in {self.folder} are missing, the first is "
                f"{self.path(missing[0]).name}; run the shards that were not finished again"
            )

    def read(self) -> Iterator[tuple[pa.Table, NDArray[np.float32]]]:
        """The columns and the exact vectors (n, E) of each part, in their order."""
        for number, (entry, block) in enumerate(self.blocks):
            path, rows = self.path(number), _size(entry, block)
            try:
                check_size(path)
                table = pq.read_table(path, partitioning=None, read_dictionary=leaves_of_bytes(path))
                columns = checked(path, table.select(COLUMNS.names))
                vectors = table["exact"].combine_chunks().flatten().to_numpy().reshape(len(table), -1)
                if vectors.shape != (rows, self.space.exact_width) or vectors.dtype != np.float32:
                    raise ValueError(
                        f"it has {vectors.dtype} vectors {vectors.shape}, not float32 {(rows, self.space.exact_width)}"
                    )
                if not np.isfinite(vectors).all():
                    raise ValueError("a vector is not finite")
            except (OSError, KeyError, ValueError, AttributeError, pa.ArrowException) as error:
                raise RetrievalError(f"{path} is damaged ({first_line(error)}); remove it and embed again") from None
            yield columns, vectors

    def write(self, number: int, columns: pa.Table, vectors: NDArray[np.float32]) -> None:
        """Write a part."""
        flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
        exact = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
        with replacing(self.path(number)) as file:
            pq.write_table(
                columns.append_column("exact", exact), file, compression="zstd", use_dictionary=COLUMNS.names
            )


def embed_parts(model: AlignedRun, corpora: Any, out: str | Path, shard: tuple[int, int] = (0, 1)) -> Parts:
    """Embed the windows of corpora, or this shard's share, into the folder `out`; parts that are there are kept.

    Parameters
    ----------
    corpora
        Folders or `Corpus`, the same for each shard.
    shard
        Which of how many, from 0; each may run on another machine that sees `out`.

    Raises
    ------
    ConfigError
        There is no such shard, or two corpora have one name.
    RetrievalError
        `out` holds parts of another model or of other corpora.

    Examples
    --------
    >>> model = trace_lit.load("runs/weather/align/first")  # doctest: +SKIP
    >>> embed_parts(model, ["corpora/weather"], "parts", shard=(0, 2)).missing()  # doctest: +SKIP
    [1, 3]
    """
    own, count = shard
    if not 0 <= own < count:
        raise ConfigError(f"the shard is {own}/{count}; it must be one of 0/{count} to {max(count - 1, 0)}/{count}")
    out = Path(out)
    opened = open_corpora(corpora)
    parts = begin_parts(model, opened, out)
    if own == 0:
        remove_parts(out)
    numbers = [number for number in parts.missing() if number % count == own]
    with JobProgress("Embedding", sum(_size(*parts.blocks[number]) for number in numbers)) as progress:
        for number in numbers:
            parts.write(number, *embed_block(model, parts, opened, number))
            progress.advance(_size(*parts.blocks[number]))
    return parts


def shard_of_environment() -> tuple[int, int]:
    """The shard of a process that torchrun, a SLURM or Kubernetes job array has started; the only one elsewhere."""
    for own, count in _ENVIRONMENT:
        if own in os.environ and (count in os.environ or own == _KUBERNETES):
            first = int(os.environ.get("SLURM_ARRAY_TASK_MIN", 0)) if own == "SLURM_ARRAY_TASK_ID" else 0
            try:
                return int(os.environ[own]) - first, int(os.environ[count])
            except (KeyError, ValueError):
                raise ConfigError(f"${own} and ${count} do not say which shard this is; give --shard") from None
    return 0, 1


def embed_block(
    model: AlignedRun, parts: Parts, opened: dict[str, CorpusBlocks], number: int
) -> tuple[pa.Table, NDArray[np.float32]]:
    """The columns and the exact vectors of part `number`, of corpora that are open."""
    entry, block = parts.blocks[number]
    corpus = opened[entry.name].block(block)
    return columns_of(corpus, entry.name, block * BLOCK_ROWS), SpaceEmbedder(model, parts.space).windows(corpus)


def _size(entry: CorpusEntry, block: int) -> int:
    """Rows of a block of a corpus."""
    return min(BLOCK_ROWS, entry.rows - block * BLOCK_ROWS)


def begin_parts(model: AlignedRun, opened: dict[str, CorpusBlocks], out: Path) -> Parts:
    """The folder with its manifest, which the first of all shards writes."""
    wanted = {
        "format": FORMAT,
        "space": Space.of(model, list(opened.values()), out).as_dict(),
        "corpora": [asdict(CorpusEntry.of(name, corpus, out)) for name, corpus in opened.items()],
    }
    with held(out / "parts", wait=True):
        if not (out / _MANIFEST).is_file():
            write_atomically(out / _MANIFEST, to_json(wanted))
        parts = Parts(out)
    found = {"space": parts.space.as_dict(), "corpora": [asdict(own) for own in parts.corpora]}
    for name, words in (("space", "by another model or of other channels"), ("corpora", "of other corpora")):
        if found[name] != wanted[name]:
            raise RetrievalError(f"{out} holds parts that were made {words}; name another folder, or remove it")
    return parts
