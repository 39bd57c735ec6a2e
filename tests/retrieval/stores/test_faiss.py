"""Properties of the store in a folder: its segments, and what a killed process leaves."""

import threading
import time

import numpy as np
import pytest

from tests.processes import other_process
from tests.retrieval.stores.conftest import EXACT, WIDTH, ids, windows
from trace_lit.retrieval import Filter
from trace_lit.retrieval.stores import FaissStore, StoreError, approximate, faiss, key_of

QUERIES = windows(range(100, 110)).compact


@pytest.fixture
def store(tmp_path):
    return FaissStore.create(tmp_path / "store", WIDTH, EXACT)


def contents(store):
    """All windows, by id, with their vectors."""
    places = store.select(Filter())
    return dict(zip(ids(store, places), store.exact(places).tolist(), strict=True))


def test_many_small_segments_become_few(store):
    for number in range(30):
        store.upsert([windows([number])])
    segments = store.describe()["segments"]
    assert len(segments) < 2 * faiss.MERGED
    assert sum(part["rows"] for part in segments) == 30
    assert contents(store) == dict(zip((f"day {n}" for n in range(30)), windows(range(30)).exact.tolist(), strict=True))


def test_a_segment_that_has_lost_most_rows_is_written_anew(store):
    store.upsert([windows(range(30))])
    store.delete([key_of("sea", f"day {n}") for n in range(20)])
    store.upsert([windows([50])])
    assert sum(part["rows"] for part in store.describe()["segments"]) == 11
    assert store.match("storm", 30, Filter()).places.size == 2  # days 21 and 27


def test_a_large_upsert_is_cut_into_segments(store, monkeypatch):
    monkeypatch.setattr(faiss, "SEGMENT_ROWS", 16)
    store.upsert(windows(range(first, first + 8)) for first in range(0, 40, 8))
    assert [part["rows"] for part in store.describe()["segments"]] == [16, 16, 8]
    assert len(contents(store)) == 40


def test_another_process_and_an_open_store_see_what_is_written(store):
    other = FaissStore(store.folder)
    store.upsert([windows(range(5))])
    assert other.count(Filter()) == 5
    (found,) = other.search(QUERIES[:1], 3, Filter())
    store.upsert([windows(range(5, 30))])
    store.delete([key_of("sea", f"day {n}") for n in range(5)])
    store.upsert([windows([40])])
    assert len(other.rows(found.places)) == 3  # what was found can still be read
    assert contents(other) == contents(store)


def test_a_key_that_is_given_twice_is_refused_and_nothing_is_written(store):
    store.upsert([windows([1])])
    with pytest.raises(StoreError, match="twice"):
        store.upsert([windows([2, 3]), windows([3])])
    assert list(contents(FaissStore(store.folder))) == ["day 1"]


def test_a_batch_that_fails_leaves_nothing(store):
    def failing():
        yield windows(range(3))
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        store.upsert(failing())
    assert contents(FaissStore(store.folder)) == {}
    assert not [path for path in store.folder.iterdir() if "segment" in path.name]


def add_days(connection, folder):
    store = FaissStore(folder)
    connection.send("ready")
    for first in range(0, 100_000, 10):
        store.upsert([windows(range(first, first + 10))])


def test_kill_9_while_adding_leaves_each_batch_whole_or_absent(store):
    store.upsert([windows(range(1000, 1010))])
    generator = np.random.default_rng(0)
    for _ in range(2):
        with other_process(add_days, store.folder) as (_, connection):
            connection.recv()
            time.sleep(float(generator.uniform(0.1, 0.6)))
        opened = FaissStore(store.folder)
        own = sorted(int(name.removeprefix("day ")) for name in contents(opened))
        assert own[-10:] == list(range(1000, 1010))
        assert len(own) % 10 == 0
        assert own[:-10] == list(range(len(own) - 10))
        opened.upsert([windows(range(1000, 1010))])  # and goes on
        assert len(contents(opened)) == len(own)


@pytest.mark.parametrize("kind", ["hnsw", "ivf-sq8", "ivf-pq"])
def test_an_approximate_kind_finds_nearly_all(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("trace_lit.retrieval.stores.segment._EXACT_BELOW", 200)
    store = FaissStore.create(tmp_path / "store", WIDTH, EXACT, kind)
    rows = windows(range(3000))
    store.upsert([rows])
    (segment,) = FaissStore(store.folder).describe()["segments"]
    assert segment["kind"] == kind
    for filter, admitted in ((Filter(), np.arange(3000)), (Filter(split=("test",)), np.arange(1, 3000, 2))):
        shares = []
        for query, found in zip(QUERIES, store.search(QUERIES, 10, filter), strict=True):
            right = admitted[np.argsort(-(rows.compact[admitted] @ query))[:10]]
            shares.append(np.isin(store.rows(found.places)["row"].to_numpy(), right).mean())
        assert np.mean(shares) > 0.9, filter


def test_the_kind_is_chosen_by_size():
    assert approximate.chosen("auto", approximate.EXACT_ROWS, approximate.EXACT_ROWS) == "exact"
    assert approximate.chosen("auto", approximate.EXACT_ROWS + 1, 10**6) == "ivf-sq8"
    assert approximate.chosen("auto", 10**6, approximate.LARGE_ROWS + 1) == "ivf-pq"
    assert approximate.chosen("hnsw", 20, 20) == "exact"


def test_the_same_rows_give_the_same_bytes(tmp_path):
    folders = []
    for name in ("one", "two"):
        store = FaissStore.create(tmp_path / name, WIDTH, EXACT, "ivf-sq8")
        store.upsert([windows(range(1500))])
        folders.append({path.name: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()})
    assert folders[0] == folders[1]


def test_searching_goes_on_while_another_thread_writes(store):
    store.upsert([windows(range(50))])
    wrong, ended = [], threading.Event()

    def ask():
        while not ended.is_set():
            try:
                (found,) = store.search(QUERIES[:1], 5, Filter(split=("test",)))
                assert len(store.rows(found.places)) == 5
            except BaseException as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        store.upsert([windows([60 + number])])
        store.delete([key_of("sea", f"day {60 + number}")])
    ended.set()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("name", ["manifest.json", "exact.f32", "rows.parquet", "words.u32", "index.faiss"])
def test_a_damaged_store_is_named(tmp_path, name):
    store = FaissStore.create(tmp_path / "store", WIDTH, EXACT, "ivf-sq8")
    store.upsert([windows(range(1100))])
    (path,) = store.folder.rglob(name)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(StoreError, match=r"build the index again|has \d+ bytes"):
        FaissStore(store.folder)


def test_a_kind_that_is_none_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"no kind 'flat'.*exact"):
        FaissStore.create(tmp_path / "store", WIDTH, EXACT, "flat")
