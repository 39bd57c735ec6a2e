"""Two stages beside the exact search: what compact vectors cost in MRR of reports and P@10 of questions.

    python experiments/two_stage.py RUN --corpus CORPUS [--widths 256 128 64 32] [--candidates 300] [--split test|all|…]

The windows of a split are searched by each report for its own window (MRR), and by the questions of the domain for windows
that fit (P@10). Exactly: all windows are ranked by the exact vectors. In two stages: the compact vectors find
`--candidates` windows, and the exact vectors rank these.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import trace_lit
from data_modules import Corpus
from data_modules.rules import WindowTable
from trace_lit.inference import AlignedRun, Index
from trace_lit.inference.space import SpaceEmbedder
from trace_lit.retrieval import Filter
from trace_lit.retrieval.questions import judge, load_questions


class Searched:
    """The windows of a split in an index, and how they are ranked."""

    def __init__(self, index: Index, model: AlignedRun, split: str, candidates: int) -> None:
        self.index, self.embedder = index, SpaceEmbedder(model, index.file.space)
        self.filter, self.candidates = Filter(split=() if split == "all" else (split,)), candidates
        self.places = index.store.select(self.filter)
        self.rows = index.store.rows(self.places)["row"].to_numpy()
        self.exact = index.store.exact(self.places)

    def exactly(self, texts: list[str]) -> NDArray[np.float32]:
        """The scores (W, N) of all windows."""
        return self.embedder.texts(texts) @ self.exact.T

    def in_two_stages(self, texts: list[str]) -> NDArray[np.float32]:
        """Likewise, -2 for those that are not found."""
        queries = self.index.projection.of_queries(self.embedder.texts(texts))
        scores = self.exactly(texts)
        for own, found in zip(scores, self.index.store.search(queries, self.candidates, self.filter), strict=True):
            own[~np.isin(self.places, found.places)] = -2.0  # below every score
        return scores


def reciprocal_ranks(scores: NDArray[np.float32]) -> float:
    """The mean over texts, each of which is that of the window with its number."""
    own = np.diag(scores)
    ranks = 1 + (scores > own[:, None]).sum(1)
    return float(np.where(own == -2.0, 0.0, 1 / ranks).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--widths", type=int, nargs="+", default=[256, 128, 64, 32])
    parser.add_argument("--candidates", type=int, default=300)
    parser.add_argument("--split", default="test", choices=("train", "validation", "test", "all"))
    options = parser.parse_args()
    model = trace_lit.load(options.run)
    assert isinstance(model, AlignedRun)
    corpus = Corpus.load(options.corpus)
    questions = [own for own in load_questions(corpus.info.domain) if own.split == "development"]
    print(f"{options.candidates} candidates, windows of the split {options.split}")
    print("| vectors | MRR of reports | P@10 of questions |\n|---|--:|--:|")
    for number, width in enumerate(options.widths):
        with (
            tempfile.TemporaryDirectory() as folder,
            Index.build(model, corpus, Path(folder) / "index", width=width) as index,
        ):
            found = Searched(index, model, options.split, options.candidates)
            with_text = np.array([bool(corpus.texts[row]) for row in found.rows])
            reports = [corpus.texts[row] for row in found.rows[with_text]]
            table = WindowTable.of(corpus, found.rows)
            ways = {f"two stages, {width} of {index.info.exact_width}": found.in_two_stages}
            if not number:
                ways = {"exact": found.exactly} | ways
            for name, score in ways.items():
                rank = reciprocal_ranks(score(reports)[:, with_text])
                precision = judge(questions, table, score).metrics(bootstrap=0)["P@10"]
                print(f"| {name} | {rank:.4f} | {precision:.4f} |", flush=True)


if __name__ == "__main__":
    main()
