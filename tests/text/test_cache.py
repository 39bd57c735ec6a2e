"""The cache of text vectors: every distinct text is encoded once, whatever happens in between."""

import inspect
import logging
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from trace_lit.text import CachedTextEncoder, EncodingStats, TextEncoder, TextEncoderError, build_text_encoder
from trace_lit.text import cache as module
from trace_lit.text.config import TextConfig

REPORTS = Path(__file__).parents[3] / "shared/data/timecap/weather/gpt_summary"


class Journal(TextEncoder):
    """Vectors that depend on the text; writes down every text that it is asked for."""

    dim = 8

    def __init__(self, journal: Path, version: str = "1", delay: float = 0.0, fails_at: str | None = None, **prefixes):
        super().__init__(**prefixes)
        self.fingerprint = f"journal-{version}"
        self.journal, self.delay, self.fails_at = journal, delay, fails_at

    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for row in reversed(range(len(texts))):
            if texts[row] == self.fails_at:
                raise RuntimeError("the machine is on fire")
            with self.journal.open("a") as file:
                file.write(texts[row] + "\n")
            time.sleep(self.delay)
            seed = int.from_bytes(texts[row].encode(), "big")
            yield np.array([row]), np.random.default_rng(seed).normal(size=(1, self.dim)).astype(np.float32)

    def asked(self) -> list[str]:
        return self.journal.read_text().splitlines() if self.journal.exists() else []


TEXTS = [f"text {number}" for number in range(50)]


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


@pytest.fixture
def cached(journal, tmp_path):
    return lambda encoder=journal: CachedTextEncoder(encoder, tmp_path / "cache")


def vector_file(cached) -> Path:
    return cached()._file.path


def test_vectors_are_those_of_the_encoder_before_and_after_they_are_stored(journal, cached):
    expected = journal.encode([*TEXTS, "", *TEXTS[:5]])
    encoder = cached()
    for again in (encoder, encoder, cached()):
        vectors = again.encode([*TEXTS, "", *TEXTS[:5]])
        np.testing.assert_array_equal(vectors, expected)
        assert vectors.dtype == np.float32


def test_each_distinct_text_is_encoded_once_ever(journal, cached):
    encoder = cached()
    encoder.encode(TEXTS[:10] + TEXTS[:10])
    encoder.encode(TEXTS[5:20])
    cached().encode(TEXTS)
    assert sorted(journal.asked()) == sorted(TEXTS)


def test_the_statistics_tell_what_was_asked_and_what_was_new(cached):
    encoder = cached()
    encoder.encode([*TEXTS, *TEXTS, ""])
    encoder.encode(TEXTS)
    assert (encoder.stats.asked, encoder.stats.encoded) == (151, 50)
    assert encoder.stats.seconds > 0
    assert EncodingStats(3768, 0, 0.123).describe() == "3,768 texts, 0 new, 0.1 s"


def test_one_encoder_sees_what_another_stored_meanwhile(journal, cached):
    first, second = cached(), cached()
    first.encode(TEXTS[:10])
    second.encode(TEXTS[:20])
    first.encode(TEXTS[:30])
    second.encode(TEXTS[:30])
    assert sorted(journal.asked()) == sorted(TEXTS[:30])


def test_another_fingerprint_never_gets_the_old_vectors(journal, cached):
    cached().encode(TEXTS)
    changed = Journal(journal.journal, version="2")
    cached(changed).encode(TEXTS[:3])
    assert sorted(journal.asked()) == sorted(TEXTS + TEXTS[:3])


def test_equal_texts_with_another_prefix_are_other_texts(tmp_path, cached):
    encoder = cached(Journal(tmp_path / "journal", query_prefix="query: ", document_prefix=""))
    query, document = encoder.encode(["x"], "query"), encoder.encode(["x"], "document")
    assert (query != document).any()
    assert encoder.encoder.asked() == ["query: x", "x"]
    np.testing.assert_array_equal(encoder.encode(["query: x"]), query)


@pytest.mark.parametrize("lost", [1, 7, 16, 30, 57, 200, 10**9])
def test_a_file_cut_short_anywhere_loses_only_what_was_cut(lost, journal, cached):
    expected = cached().encode(TEXTS)
    path = vector_file(cached)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(max(0, size - lost))
    record = size // len(TEXTS)
    again = cached()
    np.testing.assert_array_equal(again.encode(TEXTS), expected)
    assert again.stats.encoded == min(len(TEXTS), -(-lost // record))
    assert path.stat().st_size == size
    np.testing.assert_array_equal(cached().encode(TEXTS), expected)


@pytest.mark.parametrize("place", [20, 30, 50])
def test_damaged_vectors_are_encoded_again_and_then_kept(place, cached):
    """`place` is a byte of the eleventh record: in its checksum or in its vector."""
    expected = cached().encode(TEXTS)
    path = vector_file(cached)
    content = bytearray(path.read_bytes())
    content[10 * (len(content) // len(TEXTS)) + place] ^= 0x10
    path.write_bytes(content)
    for new in (1, 0):
        encoder = cached()
        np.testing.assert_array_equal(encoder.encode(TEXTS), expected)
        assert encoder.stats.encoded == new


@pytest.mark.parametrize("meanwhile", [[], TEXTS[:3], [*TEXTS[::-1], "another"]])
def test_a_cache_deleted_under_a_living_encoder_is_built_again(meanwhile, cached):
    encoder = cached()
    encoder.encode(TEXTS)
    expected = encoder.encode(TEXTS)
    vector_file(cached).unlink()
    cached().encode(meanwhile)  # begins the file anew, with other rows
    np.testing.assert_array_equal(encoder.encode(TEXTS), expected)


def test_what_was_encoded_before_a_failure_is_kept(monkeypatch, journal, cached):
    monkeypatch.setattr(module, "_COMMIT", 10)
    failing = Journal(journal.journal, fails_at="text 0")  # the shortest texts come last
    with pytest.raises(RuntimeError, match="on fire"):
        cached(failing).encode(TEXTS)
    encoder = cached()
    encoder.encode(TEXTS)
    assert encoder.stats.encoded == 10


def start_process(folder: Path, program: str) -> subprocess.Popen:
    """A process that runs `program` with Journal and TEXTS at hand, on the journal and the cache in `folder`."""
    head = f"""
import os, sys, time
from pathlib import Path
import numpy as np
from trace_lit.text import CachedTextEncoder, TextEncoder
folder, TEXTS = Path({str(folder)!r}), {TEXTS!r}
"""
    source = "from __future__ import annotations" + head + inspect.getsource(Journal) + textwrap.dedent(program)
    return subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_ask_at_once_encode_each_text_once(tmp_path, journal, cached):
    program = """
    encoder = CachedTextEncoder(Journal(folder / "journal", delay=0.005), folder / "cache")
    print("ready", flush=True)
    sys.stdin.readline()
    vectors = encoder.encode(TEXTS)
    np.save(folder / f"{os.getpid()}.npy", vectors)
    print(encoder.stats.encoded, flush=True)
    """
    processes = [start_process(tmp_path, program) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    new = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(new) == len(TEXTS)
    assert sorted(journal.asked()) == sorted(TEXTS)
    for process in processes:
        np.testing.assert_array_equal(np.load(tmp_path / f"{process.pid}.npy"), journal.encode(TEXTS))


def test_a_process_that_dies_while_encoding_holds_nobody_up(tmp_path, cached):
    program = """
    class Dying(Journal):
        def encode_batches(self, texts):
            yield from super().encode_batches(texts[:3])
            os._exit(1)
    CachedTextEncoder(Dying(folder / "journal"), folder / "cache").encode(TEXTS)
    """
    process = start_process(tmp_path, program)
    process.communicate(timeout=60)
    assert process.returncode == 1
    encoder = cached()
    encoder.encode(TEXTS)
    assert encoder.stats.encoded == len(TEXTS)


def test_waiting_for_another_process_is_logged(monkeypatch, caplog, cached):
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    first, second = cached(), cached()

    def slow(texts):
        with pytest.raises(_StopWaitingError), caplog.at_level(logging.WARNING):
            second.encode(["x"])
        yield np.arange(len(texts)), np.ones((len(texts), 8), np.float32)

    class _StopWaitingError(Exception):
        pass

    acquire = module.FileLock.acquire

    def acquire_or_stop(lock, timeout=None, **options):
        if timeout is None:
            raise _StopWaitingError
        return acquire(lock, timeout=timeout, **options)

    monkeypatch.setattr(module.FileLock, "acquire", acquire_or_stop)
    monkeypatch.setattr(first.encoder, "encode_batches", slow)
    first.encode(["x"])
    assert "waiting for it" in caplog.text


def test_a_folder_that_cannot_be_used_says_what_to_change(journal, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TextEncoderError, match=r"text\.cache_dir="):
        CachedTextEncoder(journal, tmp_path / "file" / "cache").encode(["x"])


@pytest.mark.skipif(not REPORTS.is_dir(), reason=f"no {REPORTS}")
def test_all_reports_of_both_cities_are_encoded_once(tmp_path):
    texts = [path.read_text() for path in sorted(REPORTS.glob("*.txt"))]
    config = TextConfig(cache_dir=str(tmp_path))
    first, second = build_text_encoder(config), build_text_encoder(config)
    np.testing.assert_array_equal(first.encode(texts), second.encode(texts))
    assert (first.stats.encoded, second.stats.encoded) == (3768, 0)


def test_all_known_texts_are_read_at_once(tmp_path, monkeypatch):
    class Constant(TextEncoder):
        dim = 4
        fingerprint = "constant"

        def encode_batches(self, texts):
            yield np.arange(len(texts)), np.ones((len(texts), 4), np.float32)

    texts = [f"report number {number}" for number in range(3000)]
    CachedTextEncoder(Constant(), tmp_path).encode(texts)
    asked, mapped = [], []
    read, memmap = module.VectorFile.read, np.memmap
    monkeypatch.setattr(module.VectorFile, "read", lambda own, keys: asked.append(len(keys)) or read(own, keys))
    monkeypatch.setattr(np, "memmap", lambda *own, **options: mapped.append(own) or memmap(*own, **options))
    CachedTextEncoder(Constant(), tmp_path).encode(texts)
    assert (asked, len(mapped)) == ([3000], 1)
