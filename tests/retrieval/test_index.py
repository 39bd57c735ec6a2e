"""Properties of the vector index."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from trace_lit.retrieval import RetrievalError, VectorIndex


def unit_vectors(count: int, width: int = 16, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def index() -> VectorIndex:
    return VectorIndex(unit_vectors(50), [f"window {n}" for n in range(50)])


def test_the_search_is_exact(index):
    queries = unit_vectors(7, seed=1)
    scores, places = index.search(queries, 4)
    every = queries @ index.vectors.T
    assert np.array_equal(places, np.argsort(-every, axis=1)[:, :4])
    assert np.allclose(scores, np.take_along_axis(every, places, 1), atol=1e-6)


def test_no_more_hits_than_vectors(index):
    scores, places = index.search(unit_vectors(2), 80)
    assert scores.shape == places.shape == (2, 50)
    assert set(places[0]) == set(range(50))


def test_wrong_questions_are_refused(index):
    with pytest.raises(RetrievalError, match="width 16"):
        index.search(unit_vectors(1, width=8), 3)
    with pytest.raises(RetrievalError, match="at least 1"):
        index.search(unit_vectors(1), 0)
    with pytest.raises(RetrievalError, match="for 3 ids"):
        VectorIndex(unit_vectors(4), ["a", "b", "c"])


def test_it_works_beside_torch_on_several_threads(index):
    """faiss and torch each bring an OpenMP."""
    wrong = []

    def search() -> None:
        for _ in range(5):
            torch.randn(200, 200) @ torch.randn(200, 200)
            wrong.append((index.search(index.vectors, 1)[1][:, 0] != np.arange(50)).sum())

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(wrong) == 0
    assert len(wrong) == 20


@pytest.mark.parametrize("order", ["faiss, torch", "torch, faiss"])
def test_either_may_be_imported_first(order):
    program = f"""
import {order}
index = faiss.IndexFlatIP(8)
index.add(torch.eye(8).numpy())
torch.randn(300, 300) @ torch.randn(300, 300)
assert index.search(torch.eye(8).numpy(), 1)[1][:, 0].tolist() == list(range(8))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
