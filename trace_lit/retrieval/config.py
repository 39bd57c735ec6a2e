"""The section `evaluation` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from trace_lit.config import option


@dataclass
class EvaluationConfig:
    """Retrieval evaluation during and after training."""

    every_n_epochs: int = option(1, "epochs between two validations", at_least=1)
    choose_by: str = option(
        "texts",
        "what of the validation windows chooses the best checkpoint of stage align: how their texts find them, or how "
        "statements made from their values do, where texts say little of the series; without texts, statements do",
        allowed=("texts", "statements"),
    )
    batch_size: int = option(256, "windows embedded at once, per process", at_least=1)
    bootstrap: int = option(1000, "resamples for the 95 % intervals", at_least=0)
