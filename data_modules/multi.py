"""Joint training over several corpora."""

from __future__ import annotations

from pathlib import Path

from data_modules.domain import DomainDataModule
from trace_lit.config import ConfigError


class MultiDomainDataModule(DomainDataModule):
    """The corpora of `config.corpus`, a list of folders of one or several domains, under one vocabulary.

    Channels with equal keys are one channel, with pooled statistics; labels with equal names are one label. A training
    batch is of one corpus, drawn with a weight of its size to the power of `config.mixing_exponent`.
    """

    domain = "joint"

    def corpus_paths(self) -> list[Path]:
        if not isinstance(self.config.corpus, list):
            raise ConfigError(
                f"data.corpus is {self.config.corpus!r}; joint training takes a list of corpus folders, "
                "like data.corpus=[corpora/a,corpora/b]; `trace-lit data build` makes them"
            )
        return super().corpus_paths()

    def prepare_data(self) -> None:
        """There is nothing to build."""
