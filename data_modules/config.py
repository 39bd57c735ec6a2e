"""The sections `data` and `window` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_modules.splits import check_split
from trace_lit.config import ConfigError, option


@dataclass
class DataConfig:
    """The data that a run is trained on."""

    domain: str = option(
        "weather",
        "weather, healthcare, energy, finance, timemmd, truce, varied, package.module:Class of a DomainDataModule; any name "
        "for the sources hf, csv and tables",
        class_path=True,
    )
    source: str = option(
        "generated",
        "generated, timecap, timemmd, noaa, trace, truce, csv, hf (Hugging Face data sets), tables (your files), or what "
        "the domain offers",
    )
    root: str | None = option(None, "folder of the upstream data, for sources that read one", hub=True)
    options: dict[str, Any] = option({}, "the source's own options, like {cities: [ny]}")
    corpus: Any = option(
        None, "a corpus folder, or a list of them for joint training; null: built from the source", text=True
    )
    cache_dir: str = option("corpora", "where corpora built from a source, and neighbours that were found, are kept")
    batch_size: int = option(128, "training windows of a step, per process", at_least=1)
    num_workers: int = option(0, "processes that load training batches", at_least=0)
    random_offset: bool = option(False, "training windows start at any step of their series; for stage pretrain")
    jitter: int = option(0, "steps by which a training window may move, with its texts", at_least=0)
    zero_is_missing: bool = option(False, "zeros count as missing; the scores of a forecast still count them")
    usual: str = option(
        "training",
        "what a level is relative to where a run is used: the statistics of its training corpora, or those of the corpus at "
        "hand, which are of all its rows, or of the evaluated split, where the run was not trained on it",
        allowed=("training", "corpus"),
    )
    from_calm: bool = option(
        False,
        "levels of the components u and v of a wind, or of another flow, are relative to zero, so that a direction is the "
        "same in every corpus",
    )
    mixing_exponent: float = option(
        0.5, "joint training draws a corpus with weight size^exponent", at_least=0, at_most=1
    )


@dataclass
class WindowConfig:
    """The windows of stage tune: the look-back before a forecast origin and the horizon after it."""

    lookback: int | None = option(None, "steps before the origin; null: as long as the longest row", at_least=1)
    horizon: int = option(
        12, "steps after the origin; with labels, for retrieval: the steps that a label describes", at_least=1
    )
    split: Any = option(
        "rows",
        "a step's split: its row's (rows); the first 70 % and last 20 % of a series' steps (steps); or shares, counts, "
        "durations or dates, like {train: 12 months, validation: 4 months, test: 4 months}",
    )
    stride: int = option(
        1, "steps between two training windows, and between the validation windows that choose the penalty", at_least=1
    )
    targets: Any = option(None, "names of the channels that are forecast, like [heat, draught]; null: all", text=True)
    season: int = option(1, "steps of a season, for MASE and the seasonal naive forecast", at_least=1)
    fill_gaps: bool = option(False, "missing steps before an observed one are interpolated; not in the paper")
    max_texts: int = option(4, "a window has the newest texts of the rows within its look-back", at_least=0)
    augmentation_scales: list[float] = option(
        [], "training also sees each window multiplied by these; not in the paper", above=0
    )

    def check(self) -> None:
        """Raise ConfigError where the targets are no list of names, or the split is none."""
        if self.split not in ("rows", "steps") and (problem := check_split(self.split)):
            raise ConfigError(f"window.split is {self.split!r}; {problem}")
        targets = self.targets
        named = isinstance(targets, list) and bool(targets) and all(isinstance(name, str) for name in targets)
        if targets is not None and not named:
            raise ConfigError(
                f"window.targets is {targets!r}; it must be a list of channel names, like [heat, draught], or null for all"
            )
