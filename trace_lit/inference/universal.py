"""The universal model in use: an aligned run without channels of its own, asked about whatever series there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from data_modules.corpus import Corpus
from data_modules.frames import is_frame
from data_modules.series_corpus import series_corpus
from trace_lit.channels import Channel
from trace_lit.config import ConfigError
from trace_lit.inference.aligned import AlignedRun


class UniversalRun(AlignedRun):
    """The model that comes with the package, `trace_lit.load("universal")`.

    It was trained on generated series alone, with statements made from their values. It knows channels by their names and
    units, and takes what is usual for them from the data that it is used on: "high" is high among these. `search` needs
    nothing else. `embed_series` and `embed_text` are about the channels that `use` was last given.
    """

    _used: Corpus | None = None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that `use` was given; none before."""
        return () if self._used is None else self._used.info.channels

    def use(self, data: Any) -> Self:
        """Take the channels, and what is usual for them, from a corpus folder, a `Corpus`, a DataFrame or a CSV file.

        A list of DataFrames or CSV files counts as one. Columns are channels by name and unit, like `wind speed [m/s]`.

        Raises
        ------
        CorpusError
            It cannot be read.
        """
        several = isinstance(data, (list, tuple)) or is_frame(data)
        self._used = series_corpus(data) if several else self.corpus(data)
        return self

    def embed_series(self, data: Any) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N windows, see `AlignedRun`; of the channels that `data` has where none are in use.

        Raises
        ------
        ConfigError
            An array is given before `use` was given its channels.
        CorpusError
        """
        if self._used is None:
            first = data[0] if isinstance(data, (list, tuple)) and data else data
            if not (is_frame(first) or isinstance(first, (str, Path))):
                raise ConfigError(
                    "the universal model cannot tell what the channels of an array are: call use(…) first, with a corpus, a "
                    "CSV file or a DataFrame whose columns are named like them"
                )
            self.use(data)
        self._learn_used()
        return super().embed_series(data)

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, E) of N texts, see `AlignedRun`, for the channels in use.

        Raises
        ------
        ConfigError
            No channels are in use, or there is a text with nothing in it.
        """
        self._learn_used()
        return super().embed_text(texts)

    def _learn_used(self) -> None:
        if self._used is None:
            raise ConfigError(
                "the universal model has no channels yet: embed series first, or call use(…) with a corpus, a CSV file or a "
                "DataFrame; search(…) needs neither"
            )
        self._learn_channels(self._used)

    def __repr__(self) -> str:
        names = ", ".join(channel.key for channel in self.channels) or "none yet"
        return f"{type(self).__name__}(channels: {names}, on {torch.device(self.device)})"
