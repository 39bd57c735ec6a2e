"""Files as they are or packed (gzip, bzip2, xz, or alone in a zip), opened within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath
from typing import IO, Any, cast

from data_modules.schema import CorpusError
from trace_lit.plain import check_file

PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zip")
EXPANSION = 100  # a packed file may be so many times as large as it is on the disk
_FREE = 2**24  # bytes that it may be in any case
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


class _Bounded(io.RawIOBase):
    """What a packed stream gives, up to a number of bytes."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self._left, self._limit = stream, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part = self._stream.read(len(buffer))
        self._left -= len(part)
        if self._left < 0:
            raise OSError(f"it expands to more than {self._limit:,} bytes")
        buffer[: len(part)] = part
        return len(part)


def plain_name(path: Path) -> str:
    """The name of what is in a file: `a.csv` of `a.csv.gz`, and that of the only file in a zip.

    Raises
    ------
    CorpusError
        A zip is damaged, or holds another number of files.
    """
    ending = path.suffix.lower()
    if ending != ".zip":
        return path.stem if ending in PACKED_ENDINGS else path.name
    try:
        with zipfile.ZipFile(path) as archive:
            return _only(path, archive).filename
    except BROKEN as error:
        raise CorpusError(f"{path} cannot be unpacked: {error}") from None


def stem_of(path: Path) -> str:
    """The name of a file without its endings."""
    return PurePath(path.stem).stem if path.suffix.lower() in PACKED_ENDINGS else path.stem


def _only(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = [part for part in archive.infolist() if not part.is_dir() and not part.filename.startswith("__MACOSX/")]
    if len(found) != 1:
        raise CorpusError(f"{path} holds {len(found)} files; unpack it, or leave one in it")
    if found[0].flag_bits & 1:
        raise CorpusError(f"{path} is encrypted; unpack it first")
    return found[0]


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked.

    Raises
    ------
    CorpusError
        It cannot be read, is damaged, or expands to more than `EXPANSION` times its size.
    """
    ending = path.suffix.lower()
    try:
        check_file(path)
        with ExitStack() as stack:
            file: Any = stack.enter_context(path.open("rb"))
            if ending == ".zip":
                archive = stack.enter_context(zipfile.ZipFile(file))
                file = stack.enter_context(archive.open(_only(path, archive)))
            elif ending in PACKED_ENDINGS:
                unpack: Any = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}[ending]
                file = stack.enter_context(unpack(file) if ending != ".gz" else unpack(fileobj=file))
            if ending in PACKED_ENDINGS:
                limit = _FREE + EXPANSION * path.stat().st_size
                file = stack.enter_context(io.BufferedReader(_Bounded(file, limit), 2**17))
            yield cast(IO[bytes], file)
    except BROKEN as error:
        raise CorpusError(f"{path} cannot be read: {error}") from None
