"""What is particular to Milvus: kinds that Lite would take without having them, locked files, and no code in expressions."""

import os
import signal
import time

import numpy as np
import pytest

from tests.processes import other_process
from tests.retrieval.stores.conftest import EXACT, WIDTH, ids, windows
from trace_lit.retrieval import Filter
from trace_lit.retrieval.stores import MilvusStore, StoreError
from trace_lit.retrieval.stores.milvus import expression

pytest.importorskip("milvus_lite")


@pytest.mark.parametrize("kind", ["ivf-pq", "diskann", "scann"])
def test_a_kind_that_lite_does_not_have_is_refused(tmp_path, kind):
    with pytest.raises(StoreError, match=rf"no kind {kind!r}.*exact"):
        MilvusStore.create(str(tmp_path / "milvus.db"), "c", WIDTH, EXACT, kind)


def test_vectors_that_are_too_long_are_refused(tmp_path):
    with pytest.raises(StoreError, match="use faiss"):
        MilvusStore.create(str(tmp_path / "milvus.db"), "c", WIDTH, 10**6)


def hold_open(connection, path):
    store = MilvusStore.create(path, "c", WIDTH, EXACT)
    connection.send(store.count(Filter()))
    time.sleep(60)


def test_a_file_that_another_process_has_open_is_named_as_locked(tmp_path):
    path = str(tmp_path / "milvus.db")
    with other_process(hold_open, path) as (_, connection):
        assert connection.recv() == 0
        with pytest.raises(StoreError, match=r"milvus.db is locked: another process has it open"):
            MilvusStore(path, "c")
    MilvusStore(path, "c").close()  # it is free again


def test_a_file_of_another_version_is_named(tmp_path):
    path = tmp_path / "old.db"
    path.write_bytes(b"SQLite format 3\0")
    with pytest.raises(StoreError, match="no file of this Milvus"):
        MilvusStore(str(path), "c")


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1"):
        MilvusStore("http://127.0.0.1:1", "c")


def test_a_closed_file_keeps_what_it_had_and_can_be_moved(tmp_path):
    store = MilvusStore.create(str(tmp_path / "one.db"), "c", WIDTH, EXACT)
    store.upsert([windows(range(10))])
    store.close()
    (tmp_path / "one.db").rename(tmp_path / "two.db")
    again = MilvusStore(str(tmp_path / "two.db"), "c")
    assert again.count(Filter()) == 10
    assert again.describe()["kind"] == "auto"
    again.close()


def add_days(connection, path):
    store = MilvusStore(path, "c")
    for first in range(0, 100_000, 10):
        store.upsert([windows(range(first, first + 10))])
        connection.send("a batch")


def test_kill_9_while_adding_leaves_each_batch_whole_or_absent(tmp_path):
    path = str(tmp_path / "milvus.db")
    store = MilvusStore.create(path, "c", WIDTH, EXACT, "exact")
    store.upsert([windows(range(1000, 1010))])
    store.close()
    with other_process(add_days, path) as (_, connection):
        for _ in range(3):
            assert connection.recv() == "a batch"
        time.sleep(0.02)
    store = MilvusStore(path, "c")
    own = sorted(int(name.removeprefix("day ")) for name in ids(store, store.select(Filter())))
    assert own[-10:] == list(range(1000, 1010))
    assert len(own) % 10 == 0
    assert len(own) >= 40
    assert own[:-10] == list(range(len(own) - 10))
    store.upsert([windows(range(1000, 1010))])  # and goes on
    assert store.count(Filter()) == len(own)
    store.close()


def die_when_written(connection, path):
    from milvus_lite.storage.wal import WAL

    store = MilvusStore(path, "c")
    WAL.close_and_delete = lambda self: os.kill(os.getpid(), signal.SIGKILL)
    store.upsert([windows(range(5, 15))])


def test_what_was_kept_and_still_logged_when_killed_is_there_once(tmp_path):
    path = str(tmp_path / "milvus.db")
    store = MilvusStore.create(path, "c", WIDTH, EXACT, "exact")
    store.upsert([windows(range(10))])
    store.close()
    with other_process(die_when_written, path) as (process, _):
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    for _ in range(2):
        store = MilvusStore(path, "c")
        wanted = windows(range(15))
        assert sorted(ids(store, store.select(Filter()))) == sorted(wanted.columns["id"].to_pylist())
        assert store.count(Filter()) == 15
        (found,) = store.search(windows([12]).compact, 15, Filter())
        assert len(set(found.places)) == len(found.places) == 15
        places = store.find(wanted.columns["key"].to_pylist())
        assert store.rows(places).equals(wanted.columns)
        assert np.allclose(store.exact(places), wanted.exact, atol=1e-6)
        store.close()


def test_an_expression_holds_no_text_of_a_filter():
    words = expression(Filter(label=('x") or key != ("',), series=("a", "b"), with_text=True))
    assert '"' not in words
    assert "x" not in words.replace("has_text", "")
    assert words.count(" and ") == 2
