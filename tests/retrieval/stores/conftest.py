"""Stores of both engines: FAISS in a folder, Milvus in a file, and Milvus over gRPC."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from trace_lit.retrieval.stores import COLUMNS, FaissStore, MilvusStore, Rows, Store, key_of

WIDTH, EXACT = 8, 12
DAY = 86_400
Make = Callable[[], Store]


def windows(numbers: range | list[int], seed: int = 0) -> Rows:
    """Days of two series by turns; every third has a text and a label, and each one's vectors depend on its number."""
    vectors = [np.random.default_rng([seed, number]).normal(size=EXACT) for number in numbers]
    exact = np.array([own / np.linalg.norm(own) for own in vectors], np.float32).reshape(-1, EXACT)
    columns = {
        "key": [key_of("sea", f"day {n}") for n in numbers],
        "corpus": ["sea"] * len(numbers),
        "id": [f"day {n}" for n in numbers],
        "row": list(numbers),
        "series": [('the "North" buoy', "south\\")[n % 2] for n in numbers],
        "split": [("train", "test")[n % 2] for n in numbers],
        "label": ["storm's eye" if n % 3 == 0 else None for n in numbers],
        "start": [n * DAY for n in numbers],
        "end": [(n + 1) * DAY for n in numbers],
        "text": [("A calm day.", "A storm, day " + str(n))[n % 2] if n % 3 == 0 else "" for n in numbers],
        "digest": ["0"] * len(numbers),
    }
    return Rows(pa.table(columns, COLUMNS), exact[:, :WIDTH].copy(), exact)


def ids(store: Store, places: np.ndarray) -> list[str]:
    return store.rows(places)["id"].to_pylist()


@pytest.fixture(scope="session")
def milvus_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file that all tests share, each with a collection of its own."""
    pytest.importorskip("milvus_lite")
    return str(tmp_path_factory.mktemp("milvus") / "milvus.db")


@pytest.fixture(scope="session")
def kept_open(milvus_file: str) -> Iterator[Store]:
    """Opening the file takes a while; it is open as long as tests go on."""
    store = MilvusStore.create(milvus_file, "kept_open", WIDTH, EXACT)
    yield store
    store.close()


@pytest.fixture(params=["faiss", "milvus", "milvus over gRPC"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    name = f"c{uuid.uuid4().hex[:8]}"
    if request.param == "faiss":
        made: Store = FaissStore.create(tmp_path / "store", WIDTH, EXACT)
    elif request.param == "milvus":
        request.getfixturevalue("kept_open")
        made = MilvusStore.create(request.getfixturevalue("milvus_file"), name, WIDTH, EXACT, "exact")
    else:
        made = MilvusStore.create(
            request.getfixturevalue("milvus_server"), name, WIDTH, EXACT, "exact", token="root:Milvus"
        )
    yield made
    made.close()


@pytest.fixture
def filled(store: Store) -> Store:
    """Forty days."""
    store.upsert([windows(range(20)), windows(range(20, 40))])
    return store
