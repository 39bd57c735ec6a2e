"""The sections `encoder`, `pretrain` and `head` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trace_lit.config import ConfigError, option


@dataclass
class EncoderConfig:
    """The series encoder, TRACE §3.2; every switch that leaves the paper says so."""

    name: str = option(
        "trace", "the backbone: trace, or another Encoder behind the same output", allowed=("trace",), class_path=True
    )
    options: dict[str, Any] = option({}, "arguments for a backbone of your own, by name")
    width: int = option(384, "length d of a token", at_least=1)
    layers: int = option(6, "transformer blocks", at_least=1)
    heads: int = option(6, "attention heads", at_least=1)
    ffn_ratio: int = option(4, "width of the feed-forward layer, in multiples of `width`", at_least=1)
    patch_length: int = option(6, "steps of a patch", at_least=1)
    dropout: float = option(
        0.1, "dropout in attention, feed-forward layers and channel identities", at_least=0, at_most=1
    )
    channel_attention: str = option(
        "biased",
        "what a channel's [CIT] attends to: its own channel (biased, CbA) or every token (full)",
        allowed=("biased", "full"),
    )
    channel_tokens: bool = option(True, "a [CIT] stands before each channel's patches")
    rotary: bool = option(True, "patches are rotated by their position in time")
    patch_identity: bool = option(True, "a patch carries its channel's identity, too; not in the paper")
    scale_tokens: bool = option(True, "level and spread of a channel enter its [CIT]; not in the paper")
    learned_tokens: bool = option(
        True, "a vector learned for each channel enters its [CIT]; false: its name alone, as of channels never seen"
    )
    named_tokens: bool = option(True, "the text vector of a channel's name and unit enters its [CIT]; not in the paper")
    transform: str = option(
        "none",
        "what is done to the values first: none, sqrt (counts, shares) or log (prices); not in the paper",
        allowed=("none", "sqrt", "log"),
    )
    centre: str = option(
        "mean",
        "what is subtracted from a window: its mean, or its last value (not in the paper)",
        allowed=("mean", "last"),
    )
    spread: str = option(
        "window",
        "what a window is divided by: its own deviation, or the channel's (not in the paper)",
        allowed=("window", "channel"),
    )
    calendar: bool = option(False, "patches know their place in the year, the week and the day; not in the paper")

    def check(self) -> None:
        """Raise ConfigError where width and heads do not fit, or nothing tells channels apart."""
        if not (self.learned_tokens or self.named_tokens):
            raise ConfigError(
                "encoder.learned_tokens and encoder.named_tokens are both false, so that channels cannot be distinguished; "
                "set one of them to true"
            )
        if self.width % (2 * self.heads):
            raise ConfigError(
                f"encoder.width is {self.width}, encoder.heads {self.heads}: the width must be a multiple of twice the heads"
            )


@dataclass
class PretrainConfig:
    """Stage 1, TRACE §3.2."""

    mask_ratio: float = option(0.3, "share of the observed patches that is hidden", above=0, below=1)


@dataclass
class HeadConfig:
    """The linear head of the stage tune, TRACE §4.4; what is not in the paper says so."""

    solver: str = option(
        "ridge",
        "how the head is found: ridge (in closed form), ridge+sgd (and gradient steps from there), sgd (gradient steps "
        "alone), combination (simple forecasts and ridge regressions, or several classifiers, weighted by their errors over "
        "blocks of time), none (no head: a frozen forecaster's own forecasts)",
        allowed=("ridge", "ridge+sgd", "sgd", "combination", "none"),
    )
    quantiles: list[float] = option(
        [], "quantiles to forecast, ascending, 0.5 among them; empty: a point forecast", above=0, below=1
    )
    calendar: int = option(
        0, "harmonics of year, week and day at the forecast origin that the head sees; not in the paper", at_least=0
    )
    penalties: list[float] = option(
        [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0],
        "ridge penalties; the search begins with them and goes on above, unless it is a single one",
        above=0,
    )
    penalise: str = option(
        "outputs",
        "the weights that ridge penalises: of the tokens' outputs, or of their changes from patch to patch (prices)",
        allowed=("outputs", "changes"),
    )
    texts: bool = option(
        False,
        "a combination of forecasts has members that look at the texts of a window and of its neighbours (one of "
        "classifiers always has them)",
    )
    folds: int = option(5, "blocks of training and validation time that choose the penalty", at_least=2)
    refit: bool = option(
        False, "after the penalty is chosen, ridge is solved on training and validation windows; not in the paper"
    )

    def check(self) -> None:
        """Raise ConfigError where quantiles or penalties cannot be used together."""
        quantiles = list(self.quantiles)
        if quantiles != sorted(set(quantiles)):
            raise ConfigError(
                f"head.quantiles is {quantiles}; it must hold ascending numbers between 0 and 1, both excluded"
            )
        if quantiles and 0.5 not in quantiles:
            raise ConfigError(
                f"head.quantiles is {quantiles}; it must hold 0.5, too: the median is the point forecast of MAE and MSE"
            )
        if not self.penalties:
            raise ConfigError("head.penalties is []; it must hold positive numbers")
        if self.texts and self.solver != "combination":
            raise ConfigError(
                f"head.texts is true, but only a combination looks at texts, and head.solver is {self.solver}; set "
                "head.solver=combination, or head.texts=false"
            )
        if self.refit and self.solver not in ("ridge", "combination"):
            raise ConfigError(
                f"head.refit is true, but it applies to the head in closed form only, and head.solver is {self.solver}: "
                "gradient steps choose their best epoch on the validation windows, so these must not be trained on; set "
                "head.refit to false, or head.solver to ridge or combination"
            )
