"""The section `evaluation` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from trace_lit.config import option


@dataclass
class EvaluationConfig:
    """Retrieval evaluation during and after training."""

    every_n_epochs: int = option(1, "epochs between two validations", at_least=1)
    batch_size: int = option(256, "windows embedded at once, per process", at_least=1)
    bootstrap: int = option(1000, "resamples for the 95 % intervals", at_least=0)
