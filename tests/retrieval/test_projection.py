"""Properties of compact vectors."""

import numpy as np
import pytest

from trace_lit.retrieval import RetrievalError
from trace_lit.retrieval.projection import Projection

GENERATOR = np.random.default_rng(0)


def vectors(count: int, directions: np.ndarray, noise: float = 0.0) -> np.ndarray:
    found = GENERATOR.normal(size=(count, len(directions))) @ directions
    found = found + noise * GENERATOR.normal(size=found.shape)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def error(projection: Projection, queries: np.ndarray, windows: np.ndarray) -> float:
    compact = projection.of_queries(queries) @ projection.of_windows(windows).T
    return float(np.square(queries @ windows.T - compact).mean())


def test_vectors_of_few_directions_keep_their_products():
    directions = GENERATOR.normal(size=(12, 300))
    windows, queries = vectors(400, directions), vectors(100, directions)
    projection = Projection.fitted(windows[:200], queries[:50], 16)
    assert projection.of_windows(windows).shape == (400, 16)
    assert error(projection, queries[50:], windows[200:]) < 1e-6


def test_what_queries_never_ask_for_is_left_out():
    """Most of the windows' variance is where no query looks; principal components would keep that."""
    asked, unasked = np.split(np.linalg.qr(GENERATOR.normal(size=(80, 80)))[0], [20])
    windows = vectors(2000, np.concatenate([asked, 4 * unasked[:40]]))
    queries = vectors(500, asked)
    components = np.linalg.svd(windows, full_matrices=False)[2][:20].T.astype(np.float32)
    own = error(Projection.fitted(windows[:1000], queries[:250], 20), queries[250:], windows[1000:])
    assert own < 0.1 * error(Projection(components, components), queries[250:], windows[1000:])


def test_long_vectors_have_compact_ones_of_the_width_that_is_asked_for():
    directions = GENERATOR.normal(size=(30, 5000))
    windows, queries = vectors(300, directions, 0.05), vectors(80, directions, 0.05)
    projection = Projection.fitted(windows, queries, 64)
    assert projection.of_queries(queries).shape == (80, 64)
    assert error(projection, queries, windows) < 0.01 * np.square(queries @ windows.T).mean()


def test_short_vectors_stay_what_they_are(tmp_path):
    windows = vectors(10, np.eye(8))
    projection = Projection.fitted(windows, windows, 8)
    assert projection.of_windows(windows) is windows
    projection.save(tmp_path / "projection.npy")
    assert Projection.load(tmp_path / "projection.npy").queries is None


def test_a_saved_projection_is_the_same(tmp_path):
    windows = vectors(50, np.eye(20))
    projection = Projection.fitted(windows, windows, 4)
    projection.save(tmp_path / "projection.npy")
    again = Projection.load(tmp_path / "projection.npy")
    assert np.array_equal(again.of_queries(windows), projection.of_queries(windows))
    (tmp_path / "projection.npy").write_bytes(b"half")
    with pytest.raises(RetrievalError, match=r"projection\.npy"):
        Projection.load(tmp_path / "projection.npy")


def test_a_width_that_is_none_is_refused():
    with pytest.raises(RetrievalError, match="width is 0"):
        Projection.fitted(np.zeros((3, 4), np.float32), np.zeros((3, 4), np.float32), 0)


def test_a_small_sample_gives_the_width_that_is_asked_for():
    windows = vectors(20, GENERATOR.normal(size=(20, 3000)))
    projection = Projection.fitted(windows[:10], windows[:4], 64)
    assert projection.of_windows(windows).shape == (20, 64)
    assert error(projection, windows[:4], windows[:10]) < 1e-4
