"""The section `rag` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from trace_lit.config import ConfigError, option

SHAPE = "shape"  # as `retriever`: windows are compared by their raw shape and the calendar


@dataclass
class RagConfig:
    """Neighbours of a window, found by a frozen retriever, as further inputs of the tuned head, TRACE §3.4.

    A candidate is admissible only if its window and its continuation of `window.horizon` steps ended before the query's
    forecast origin.
    """

    mode: str = option("none", "what the prompt is made of", allowed=("none", "series", "series+text"))
    use_futures: bool = option(
        False, "the neighbours' continuations, or their labels, are an input, too; not in the paper"
    )
    top: int = option(5, "R, neighbours of a window", at_least=1)
    retriever: str | None = option(
        None, "a run of stage align, or its checkpoint; shape: windows are compared by their raw shape and the calendar"
    )
    corpus: str | None = option(None, "the corpus that is searched; null: the window's own")
    lookback: int | None = option(None, "steps before the origin that are compared; null: window.lookback", at_least=1)
    key: str = option(
        "all",
        "what is compared: all parts of the retriever's vectors, or cls: [CLS] alone, as in the paper",
        allowed=("all", "cls"),
    )
    stride: int = option(1, "steps between two candidates", at_least=1)
    candidates: int | None = option(
        None, "at most so many candidates, drawn at random; as many as have room by default", at_least=1
    )
    min_distance: int | None = option(
        None,
        "steps between two neighbours of one series; null: as many as are compared, so that none overlap, and with the "
        "retriever shape a quarter of window.horizon",
        at_least=1,
    )
    splits: list[str] = option(
        ["train"],
        "the splits that a candidate's window and continuation lie in",
        allowed=("train", "validation", "test"),
    )

    @property
    def run(self) -> str | None:
        """The run that finds neighbours; None where there is none, or none is needed."""
        return None if self.retriever == SHAPE else self.retriever

    def check(self) -> None:
        """Raise ConfigError where no split is searched."""
        if not self.splits:
            raise ConfigError("rag.splits is empty; candidates must be of some split, like [train]")
