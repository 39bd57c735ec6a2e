"""The sections `alignment` and `mining` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trace_lit.config import ConfigError, option


@dataclass
class AlignmentConfig:
    """Stage 2, TRACE §3.3; what is not in the paper says so."""

    loss: str = option(
        "info_nce",
        "the contrast of each level: info_nce, or another AlignmentLoss",
        allowed=("info_nce",),
        class_path=True,
    )
    loss_options: dict[str, Any] = option({}, "the loss's own options, by name")
    negatives: int | None = option(32, "K hardest in-batch negatives of an anchor; null: all of them", at_least=1)
    all_negatives_share: float = option(
        0.5, "all negatives count for this share of the run, then ever fewer, K at its end", at_least=0, at_most=1
    )
    temperature: float = option(0.07, "of InfoNCE, at the start", above=0)
    temperature_min: float = option(0.01, "the learned temperature does not fall below it", above=0)
    learnable_temperature: bool = option(True, "the temperature is learned")
    channel_weight: float = option(1.0, "λ_ch, the weight of the channel level's loss", at_least=0)
    channel_score: bool = option(True, "a score sums over [CLS] and channels; false: [CLS] alone, as in the paper")
    heads: str = option(
        "residual",
        "between encoders and common space; linear: one linear layer on texts, as in the paper",
        allowed=("residual", "linear"),
    )
    fusion: bool = option(False, "the channel loss sees channel embeddings that attended to the channel texts")
    reconstruction_weight: float = option(0.0, "weight of stage 1's loss, kept in stage 2", at_least=0)
    classification_weight: float = option(0.0, "weight of a loss that predicts the labels", at_least=0)
    tower: str = option(
        "pooled",
        "of texts: pooled, or reading: word by word, see the next three; not in the paper",
        allowed=("pooled", "reading"),
    )
    text_layers: int = option(1, "of a transformer over the tokens of each sentence (tower=reading)", at_least=0)
    silence: bool = option(True, "a text may say nothing of a channel, which then does not count (tower=reading)")
    numbers: bool = option(
        True, "numbers in texts are compared with the channels' scales (tower=reading, text.unit=token)"
    )
    match_names: bool = option(
        False, "channels look first for words like their names, so that new channels are found (tower=reading)"
    )
    statistics: bool = option(False, "level, change, extremes and their time enter the series side; not in the paper")
    peers: bool = option(
        False, "with statistics, a channel is also compared with the others of its unit; not in the paper"
    )
    sentence_dropout: float = option(
        0.0, "chance of each sentence but one to be left out in training; not in the paper", at_least=0, at_most=1
    )
    sentence_dropout_min: float | None = option(
        None, "a text's own chance lies between this and sentence_dropout; null: equal", at_least=0, at_most=1
    )
    statements: int = option(
        0, "true statements on each window, made from its values, in each training step; not in the paper", at_least=0
    )
    statement_pool: int = option(
        48, "statements that are drawn once and for all, for each training window of a corpus", at_least=1
    )
    statement_memory: bool = option(
        False, "texts of statements are compared with all training windows, those outside the batch as last embedded"
    )
    statement_steps: int = option(
        0,
        "steps in which texts of statements and windows' statistics are learned alone, before the epochs; from an aligned "
        "run texts alone, of its series as they are; 0: none",
        at_least=0,
    )
    statement_weight: float = option(1.0, "weight of the loss of the statements", at_least=0)
    voice_weight: float = option(
        0.0, "weight of the error in which channels a statement speaks of (tower=reading)", at_least=0
    )
    noise: float = option(0.0, "added to training values, in deviations of the channel; not in the paper", at_least=0)
    level_noise: float = option(
        0.0,
        "by which each training window's channels are raised or lowered as a whole, in deviations of the channel; for texts "
        "that do not speak of levels; not in the paper",
        at_least=0,
    )
    scale_noise: float = option(
        0.0,
        "by which each training window's channels are stretched about their means, the deviation of the factor's logarithm; "
        "not in the paper",
        at_least=0,
    )

    def check(self) -> None:
        """Raise ConfigError where settings contradict one another."""
        usable = self.statements and self.statistics and self.channel_score and self.heads == "residual"
        if self.statement_steps and not usable:
            raise ConfigError(
                f"alignment.statement_steps is {self.statement_steps}, which needs alignment.statements of at least 1, "
                "alignment.statistics=true, alignment.channel_score=true and alignment.heads=residual; set these, or "
                "statement_steps to 0"
            )
        if self.peers and not self.statistics:
            raise ConfigError(
                "alignment.peers is true, which needs alignment.statistics=true; set it, or peers to false"
            )
        least = self.sentence_dropout_min
        if least is not None and least > self.sentence_dropout:
            raise ConfigError(
                f"alignment.sentence_dropout_min is {least}; it must lie between 0 and alignment.sentence_dropout "
                f"({self.sentence_dropout})"
            )
        if self.temperature < self.temperature_min:
            raise ConfigError(
                f"alignment.temperature is {self.temperature}, below alignment.temperature_min {self.temperature_min}"
            )


@dataclass
class MiningConfig:
    """Hard negatives mined among all training windows; they join their anchors' batches. Not in the paper."""

    every_n_epochs: int | None = option(
        None, "mine before every n-th epoch; null: batches are left to chance", at_least=1
    )
    first_epoch: int = option(
        1, "batches before it are left to chance: an untrained model knows no hard negatives", at_least=0
    )
    miner: str = option(
        "hardest", "what chooses the hard negatives: hardest, or another Miner", allowed=("hardest",), class_path=True
    )
    options: dict[str, Any] = option({}, "the miner's own options, by name")
    negatives: int = option(16, "K hardest of an anchor and direction", at_least=1)
    in_batch: int = option(3, "how many of an anchor's hard negatives join its batch", at_least=0)
    relative_margin: float | None = option(
        0.05,
        "a negative scores at least this share below its positive, as in sentence-transformers; null: no bound",
        at_least=0,
        below=1,
    )
    absolute_margin: float | None = option(None, "a negative scores at least this much below its positive", at_least=0)
    range_min: int = option(0, "how many of the hardest are skipped", at_least=0)
    range_max: int | None = option(None, "how many of the hardest are looked at", at_least=1)
    sampling_strategy: str = option("top", "which of those looked at are taken", allowed=("top", "random"))
    exclude_same_label: bool = option(False, "instances of the anchor's label are no negatives")
    channels: bool = option(False, "hard negatives are mined at the channel level, too")
    cached: bool = option(
        False, "mined negatives outside of the batch enter the denominator, without gradient; checkpoints grow"
    )

    def check(self) -> None:
        """Raise ConfigError where the bounds of what is looked at are empty, or a margin is one of before."""
        if self.range_max is not None and self.range_max <= self.range_min:
            raise ConfigError(f"mining.range_max is {self.range_max}; it must be at least {self.range_min + 1}")
        if self.relative_margin is not None and self.relative_margin > 0.5:
            raise ConfigError(
                f"mining.relative_margin is {self.relative_margin}; it says how far below its positive a negative scores, "
                f"0.05 being usual. What was {self.relative_margin} up to version 0.1 is {1 - self.relative_margin:.2g} now"
            )
