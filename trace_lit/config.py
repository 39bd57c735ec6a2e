"""The configuration: dataclasses are its schema and its defaults, YAML files and `key=value` words change it.

`load_config(["experiments/weather/align.yaml"], ["seed=1"])` merges left to right. A key that does not exist and a value
of the wrong type raise `ConfigError`, which names the key, where it was written and the nearest valid key.
The defaults are those of TRACE §4.1.
"""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

STAGES = ("pretrain", "align", "tune")
BASELINES = ("naive", "seasonal_naive", "nlinear", "dlinear", "patchtst")  # of forecasts
BACKBONES = ("moment", "chronos_bolt", "chronos2", "timesfm")  # frozen forecasters that a head is put on
RETRIEVED_MEAN = "retrieved_mean"  # what followed the neighbours, averaged; needs no training
CLASSIFIERS = ("logistic_regression", "gradient_boosting")  # baselines of classification


class ConfigError(ValueError):
    """The configuration cannot be used as it is written."""


@dataclass
class RunConfig:
    """Where a run lives: `<dir>/<domain>/<stage>/<name>/`."""

    dir: str = "runs"
    name: str = "default"


@dataclass
class DataConfig:
    """What is trained on."""

    domain: str = "weather"  # weather, healthcare, energy, or "package.module:Class" of a DomainDataModule
    source: str = "generated"  # generated, timecap, timemmd, or what the domain offers
    root: str | None = None  # folder of the upstream data, for sources that read one
    options: dict[str, Any] = field(default_factory=dict)  # the source's own, e.g. {cities: [ny]}
    corpus: Any = None  # a corpus folder, or a list of them for joint training; built from the source when not given
    cache_dir: str = "corpora"  # corpora that were built from a source are kept here, and what was retrieved
    batch_size: int = 128  # per process
    num_workers: int = 0
    random_offset: bool = False  # training windows start at any step of their series, not only where the rows do
    jitter: int = 0  # training windows move up to so many steps, with their texts
    zero_is_missing: bool = False  # a zero is a value that nobody reported; scores of a forecast still count it
    usual: str = "training"  # a level is relative to what training had, or to the "corpus" at hand, when a run is used
    mixing_exponent: float = 0.5  # joint training draws a corpus with weight size^exponent


@dataclass
class TextConfig:
    """The frozen text encoder."""

    name: str = "wordllama"  # or minilm (an extra), or any Hugging Face encoder, by hub name or folder
    unit: str = "sentence"  # a vector a sentence, a token, or one for the whole document (as in the paper)
    pooling: str = "mean"  # mean or cls (Hugging Face)
    query_prefix: str = ""
    document_prefix: str = ""
    max_length: int = 512  # tokens (Hugging Face)
    batch_size: int = 64
    device: str = "auto"
    precision: str = "32"  # 32, bf16 or 16 (Hugging Face)
    cache_dir: str = "~/.cache/trace_lit/text"


@dataclass
class EncoderConfig:
    """The series encoder, TRACE §3.2; every switch that leaves the paper is named here."""

    width: int = 384
    layers: int = 6
    heads: int = 6
    ffn_ratio: int = 4
    patch_length: int = 6
    dropout: float = 0.1
    channel_attention: str = "biased"  # biased (CbA), or full: [CIT] rows see every token
    channel_tokens: bool = True  # [CIT] before each channel's patches
    rotary: bool = True
    patch_identity: bool = True  # a patch carries its channel's identity too; not in the paper
    scale_tokens: bool = True  # level and spread of a channel enter its CIT; not in the paper
    named_tokens: bool = True  # the text vector of a channel's name enters its CIT; not in the paper
    transform: str = (
        "none"  # of the values before all else: none, sqrt (counts, shares) or log (prices); not in the paper
    )
    centre: str = "mean"  # taken away from a window: its mean, or its last value; not in the paper
    spread: str = "window"  # what a window is divided by: its own, or the channel's usual deviation; not in the paper
    calendar: bool = False  # patches know where in the year, the week and the day they stand; not in the paper


@dataclass
class PretrainConfig:
    """Stage 1, TRACE §3.2."""

    mask_ratio: float = 0.3


@dataclass
class AlignmentConfig:
    """Stage 2, TRACE §3.3; what is not in the paper says so."""

    negatives: int | None = 32  # K hardest in-batch negatives an anchor; null: all of them
    all_negatives_share: float = 0.5  # all negatives for this share of the run, then ever fewer, K at its end
    temperature: float = 0.07
    temperature_min: float = 0.01
    learnable_temperature: bool = True
    channel_weight: float = 1.0  # λ_ch
    channel_score: bool = True  # a score sums over [CLS] and channels; false: [CLS] alone, as in the paper
    heads: str = "residual"  # between encoders and common space; linear: one linear layer on texts, as in the paper
    fusion: bool = False  # the channel loss sees channel embeddings that attended to the channel texts
    reconstruction_weight: float = 0.0
    classification_weight: float = 0.0
    tower: str = "pooled"  # of texts: pooled, or reading: word by word, see the next three; not in the paper
    text_layers: int = 1  # of a transformer over the tokens of each sentence (tower=reading)
    silence: bool = True  # a text may say nothing of a channel, which then does not count (tower=reading)
    numbers: bool = True  # numbers in texts are compared with the channels' scales (tower=reading, text.unit=token)
    statistics: bool = False  # level, change, extremes and their time enter the series side; not in the paper
    sentence_dropout: float = 0.0  # chance of each sentence but one to be left out in training; not in the paper
    sentence_dropout_min: float | None = None  # a text's own chance lies between this and sentence_dropout; null: equal
    statements: int = 0  # true statements on each window, made from its values, in each training step; not in the paper
    statement_weight: float = 1.0  # of their loss
    voice_weight: float = 0.0  # of the error in which channels a statement speaks of (tower=reading)
    noise: float = 0.0  # added to training values, in deviations of the channel; not in the paper


@dataclass
class MiningConfig:
    """Hard negatives mined among all training windows; they join their anchors' batches. Not in the paper."""

    every_n_epochs: int | None = None  # null: batches are left to chance
    first_epoch: int = 1  # batches before it are left to chance: an untrained model knows no hard negatives
    negatives: int = 16  # K hardest an anchor and direction
    companions: int = 3  # so many of them join their anchor's batch
    relative_margin: float | None = 0.95  # a negative scores below this share of its positive's score; null: no bound
    absolute_margin: float | None = None  # a negative scores below its positive's score less this
    range_min: int = 0  # the so many hardest are skipped
    range_max: int | None = None  # the so many hardest are looked at
    sampling_strategy: str = "top"  # top, or random: any of those looked at
    exclude_same_label: bool = False
    channels: bool = False  # hard negatives at the channel level are mined, too
    cached: bool = (
        False  # mined negatives that are not in the batch enter the denominator, without gradient; checkpoints grow
    )


@dataclass
class TuneConfig:
    """Forecasting and classification with the encoder, TRACE §4.3 and §4.4; what is not in the paper says so."""

    task: str = "forecast"  # forecast, or classify: the labels of the rows
    model: str = "trace"  # or a baseline: naive, seasonal_naive, nlinear, dlinear, patchtst; logistic_regression, …
    # or the mean of what is retrieved, without training: retrieved_mean
    # or a frozen forecaster under a head: moment, chronos_bolt, chronos2, timesfm
    backbone: str | None = None  # the forecaster: a folder or a name on the hub; null: as in trace_lit.rag.forecasters
    lookback: int | None = None  # steps before the origin; null: as long as the longest row
    horizon: int = 12  # steps behind it; of labels, for retrieval: how many steps behind it they speak of
    split: str = (
        "rows"  # of a step: its row's; steps: the first 70 % and the last 20 % of a series, as in the literature
    )
    stride: int = 1  # training windows are so many steps apart, and those of validation that choose the penalty
    targets: Any = None  # names of the channels that are forecast; null: all
    fill_gaps: bool = (
        False  # missing steps before an observed one lie on a line between their neighbours; not in the paper
    )
    max_texts: int = 4  # a window has the newest texts of the rows within its look-back
    season: int = 1  # steps, of the seasonal naive forecast and of MASE
    scope: str = "head"  # what is trained: head, head+tokens (of the channels), lora (on attention), or full
    solver: str = "ridge"  # of the head: ridge in closed form, ridge+sgd: and on from there, sgd; none: no head
    penalties: list[float] = field(
        default_factory=lambda: [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0]
    )  # ridge's, tried
    folds: int = 5  # blocks of time, of training and validation, that choose the penalty
    penalise: str = (
        "outputs"  # ridge's weights on the tokens' outputs, or on their changes from one to the next (prices)
    )
    gains: list[float] = field(
        default_factory=list
    )  # windows are learned from at these multiples, too; not in the paper
    refit: bool = False  # once the penalty is chosen, ridge learns from the validation windows too; not in the paper
    calendar: int = 0  # harmonics of year, week and day at the origin that the head sees; not in the paper
    loss: str = "mse"  # of gradient steps: mse, mae or huber, on the changes in deviations of the channel
    quantiles: list[float] = field(default_factory=list)  # to forecast, the median among them; none: a point forecast
    class_weights: float = 1.0  # rare labels count more, by their rarity to this power; 0: all count alike
    encoder_rate: float = 0.1  # learning rate of what is not the head, as a share of the head's
    lora_rank: int = 8
    alignment_weight: float = (
        0.0  # of the contrast between windows and their texts, kept while tuning; not in the paper
    )


@dataclass
class RagConfig:
    """Neighbours of a window, found by a frozen retriever, as further inputs of the tuned head, TRACE §3.4.

    A candidate counts only if its window and what follows it, `tune.horizon` steps, have ended before the query's origin.
    """

    mode: str = "none"  # what the prompt is made of: none, series, or series+text
    use_futures: bool = False  # what followed the neighbours, or their labels, is an input too; not in the paper
    top: int = 5  # R, neighbours of a window
    retriever: str | None = None  # a run of stage align, or its checkpoint
    corpus: str | None = None  # the corpus that is searched; null: the window's own
    lookback: int | None = None  # steps before the origin that are compared; null: tune.lookback
    key: str = "all"  # what is compared: all parts of the retriever's vectors, or cls: [CLS] alone, as in the paper
    stride: int = 1  # candidates are so many steps apart
    apart: int | None = None  # steps between two neighbours of one series; null: those compared, so that none overlap
    splits: list[str] = field(default_factory=lambda: ["train"])  # a candidate's window and continuation lie in these


@dataclass
class OptimConfig:
    """AdamW, linear warm-up, cosine decay."""

    learning_rate: float = 1e-3  # at a global batch of base_batch, where it is scaled
    scale_learning_rate: str = "none"  # with the global batch: none, linear or sqrt
    base_batch: int = 128  # the global batch that learning_rate was chosen for
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    warmup_share: float = 0.1  # of all steps
    final_share: float = 0.01  # of the learning rate, at the end
    gradient_clip: float = 1.0
    ema_decay: float | None = None  # exponential moving average of the weights, used for evaluation; null: none


@dataclass
class TrainerConfig:
    """How and where it runs; words as in Lightning."""

    accelerator: str = "auto"
    devices: Any = 1
    nodes: int = 1
    strategy: str = "auto"
    precision: str = "auto"  # auto: bf16-mixed where the accelerator has it, else 32-true
    max_epochs: int = 50
    compile: bool = False
    log_every_n_steps: int = 10
    checkpoint_every_n_steps: int | None = None  # within an epoch, besides the one at its end; null: not by steps
    checkpoint_every_n_minutes: float | None = 10.0  # likewise


@dataclass
class EvaluationConfig:
    """Retrieval evaluation during and after training."""

    every_n_epochs: int = 1
    batch_size: int = 256
    bootstrap: int = 1000  # resamples for the 95 % intervals


@dataclass
class Config:
    """All of a run."""

    stage: str = "pretrain"
    seed: int = 0
    init_from: str | None = None  # a run folder or a checkpoint whose encoder is the start
    run: RunConfig = field(default_factory=RunConfig)
    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    alignment: AlignmentConfig = field(default_factory=AlignmentConfig)
    mining: MiningConfig = field(default_factory=MiningConfig)
    tune: TuneConfig = field(default_factory=TuneConfig)
    rag: RagConfig = field(default_factory=RagConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)


def retrieves(config: Config) -> bool:
    """Whether a run of the stage tune looks for neighbours."""
    return config.rag.mode != "none" or config.rag.use_futures or config.tune.model == RETRIEVED_MEAN


def _leaves(node: Any, prefix: str = "") -> Iterable[str]:
    """The dotted keys of a nested mapping that hold no further keys."""
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _nearest(key: str, leaves: Sequence[str]) -> str:
    """The leaf that was most likely meant: a like name, its beginning or initials, rather in the same section."""
    section, _, name = key.rpartition(".")
    if section in leaves:
        return section

    def alike(one: str, other: str) -> float:
        return difflib.SequenceMatcher(None, one, other).ratio() if one else 0.0

    def likeness(leaf: str) -> float:
        own_section, _, own_name = leaf.rpartition(".")
        initials = "".join(word[:1] for word in own_name.split("_"))
        begun = 1.0 if name and own_name.startswith(name) else 0.0
        return 2 * max(alike(name, own_name), alike(name, initials), begun) + alike(section, own_section)

    return max(leaves, key=likeness)


def _merge(config: DictConfig, layer: DictConfig, origin: str) -> DictConfig:
    leaves = list(_leaves(OmegaConf.to_container(OmegaConf.structured(Config), resolve=False)))
    sections = {leaf.rpartition(".")[0] for leaf in leaves}
    keys = list(_leaves(OmegaConf.to_container(layer, resolve=False)))
    for key in keys:
        if key not in leaves and key not in sections and not key.startswith("data.options."):
            raise ConfigError(f"{origin}: no key {key!r}; the nearest is {_nearest(key, leaves)!r}")
    try:
        merged = OmegaConf.merge(config, layer)
    except OmegaConfBaseException as error:
        key = error.full_key or _refused(config, layer, keys)
        raise ConfigError(f"{origin}: {key}: {str(error).splitlines()[0]}") from error
    assert isinstance(merged, DictConfig)
    return merged


def _refused(config: DictConfig, layer: DictConfig, keys: Iterable[str]) -> str:
    """The one of the `keys` of `layer` whose value the configuration does not take."""
    for key in keys:
        try:
            OmegaConf.update(copy.deepcopy(config), key, OmegaConf.select(layer, key))
        except OmegaConfBaseException:
            return key
    return "top level"


def _read_yaml(path: Path) -> DictConfig:
    try:
        layer = OmegaConf.load(path)
    except FileNotFoundError:
        raise ConfigError(f"no configuration file {path}") from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f" (line {error.problem_mark.line + 1})"
        raise ConfigError(f"{path} is not YAML: {error.problem}{line}") from error
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(layer, DictConfig):
        raise ConfigError(f"{path} must hold a mapping of keys, like 'optim: {{learning_rate: 1e-3}}'")
    return layer


def _read_word(word: str) -> DictConfig:
    """A `key=value` of the command line."""
    if "=" not in word:
        raise ConfigError(f"{word!r} on the command line: expected key=value")
    try:
        return OmegaConf.from_dotlist([word])
    except yaml.YAMLError:
        key, _, value = word.partition("=")
        raise ConfigError(f"{word!r} on the command line: {key}: {value!r} is not YAML") from None


def _check(config: Config) -> None:
    def allow(key: str, value: Any, allowed: Sequence[Any]) -> None:
        if value not in allowed:
            raise ConfigError(f"{key} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")

    def require(condition: bool, message: str) -> None:
        if not condition:
            raise ConfigError(message)

    allow("stage", config.stage, STAGES)
    allow("text.unit", config.text.unit, ("sentence", "token", "document"))
    allow("text.pooling", config.text.pooling, ("mean", "cls"))
    allow("data.usual", config.data.usual, ("training", "corpus"))
    allow("alignment.heads", config.alignment.heads, ("residual", "linear"))
    allow("alignment.tower", config.alignment.tower, ("pooled", "reading"))
    allow("optim.scale_learning_rate", config.optim.scale_learning_rate, ("none", "linear", "sqrt"))
    allow("mining.sampling_strategy", config.mining.sampling_strategy, ("top", "random"))
    allow("encoder.channel_attention", config.encoder.channel_attention, ("biased", "full"))
    allow("encoder.transform", config.encoder.transform, ("none", "sqrt", "log"))
    allow("encoder.centre", config.encoder.centre, ("mean", "last"))
    allow("encoder.spread", config.encoder.spread, ("window", "channel"))
    tune = config.tune
    allow("tune.task", tune.task, ("forecast", "classify"))
    others = (*BASELINES, *BACKBONES) if tune.task == "forecast" else CLASSIFIERS
    models = ("trace", RETRIEVED_MEAN, *others)
    require(
        tune.model in models,
        f"tune.model is {tune.model!r}; of tune.task={tune.task} it must be one of {', '.join(map(repr, models))}",
    )
    allow("tune.split", tune.split, ("rows", "steps"))
    allow("tune.scope", tune.scope, ("head", "head+tokens", "lora", "full"))
    allow("tune.solver", tune.solver, ("ridge", "ridge+sgd", "sgd", "none"))
    allow("tune.penalise", tune.penalise, ("outputs", "changes"))
    allow("tune.loss", tune.loss, ("mse", "mae", "huber"))
    for key, number, least in (
        ("seed", config.seed, 0),
        ("tune.lookback", tune.lookback, 1),
        ("tune.horizon", tune.horizon, 1),
        ("tune.stride", tune.stride, 1),
        ("tune.max_texts", tune.max_texts, 0),
        ("tune.season", tune.season, 1),
        ("tune.folds", tune.folds, 2),
        ("tune.calendar", tune.calendar, 0),
        ("tune.lora_rank", tune.lora_rank, 1),
        ("rag.top", config.rag.top, 1),
        ("rag.lookback", config.rag.lookback, 1),
        ("rag.stride", config.rag.stride, 1),
        ("rag.apart", config.rag.apart, 1),
        ("data.batch_size", config.data.batch_size, 1),
        ("data.num_workers", config.data.num_workers, 0),
        ("data.jitter", config.data.jitter, 0),
        ("encoder.patch_length", config.encoder.patch_length, 1),
        ("encoder.layers", config.encoder.layers, 1),
        ("encoder.heads", config.encoder.heads, 1),
        ("encoder.ffn_ratio", config.encoder.ffn_ratio, 1),
        ("alignment.negatives", config.alignment.negatives, 1),
        ("alignment.text_layers", config.alignment.text_layers, 0),
        ("alignment.statements", config.alignment.statements, 0),
        ("mining.every_n_epochs", config.mining.every_n_epochs, 1),
        ("mining.first_epoch", config.mining.first_epoch, 0),
        ("mining.negatives", config.mining.negatives, 1),
        ("mining.companions", config.mining.companions, 0),
        ("mining.range_min", config.mining.range_min, 0),
        ("mining.range_max", config.mining.range_max, config.mining.range_min + 1),
        ("optim.base_batch", config.optim.base_batch, 1),
        ("trainer.max_epochs", config.trainer.max_epochs, 1),
        ("trainer.log_every_n_steps", config.trainer.log_every_n_steps, 1),
        ("trainer.checkpoint_every_n_steps", config.trainer.checkpoint_every_n_steps, 1),
        ("evaluation.every_n_epochs", config.evaluation.every_n_epochs, 1),
        ("evaluation.batch_size", config.evaluation.batch_size, 1),
        ("evaluation.bootstrap", config.evaluation.bootstrap, 0),
    ):
        require(number is None or number >= least, f"{key} is {number}; it must be at least {least}")
    width, heads = config.encoder.width, config.encoder.heads
    require(
        width >= 1 and width % (2 * heads) == 0,
        f"encoder.width is {width}, encoder.heads {heads}: the width must be a multiple of twice the heads",
    )
    for key, share in (
        ("encoder.dropout", config.encoder.dropout),
        ("alignment.sentence_dropout", config.alignment.sentence_dropout),
        ("alignment.all_negatives_share", config.alignment.all_negatives_share),
        ("optim.warmup_share", config.optim.warmup_share),
        ("optim.final_share", config.optim.final_share),
    ):
        require(0.0 <= share <= 1.0, f"{key} is {share}; it must lie between 0 and 1")
    relative = config.mining.relative_margin
    require(relative is None or 0.0 < relative <= 1.0, f"mining.relative_margin is {relative}; it must lie in (0, 1]")
    absolute = config.mining.absolute_margin
    require(absolute is None or absolute >= 0.0, f"mining.absolute_margin is {absolute}; it must be 0 or positive")
    require(
        tune.scope == "head" or tune.solver != "ridge" or config.stage != "tune" or tune.model != "trace",
        f"tune.scope is {tune.scope!r}, but tune.solver ridge solves the head alone; set it to ridge+sgd or sgd",
    )
    require(
        tune.model not in BACKBONES or tune.scope == "head",
        f"tune.scope is {tune.scope!r}, but the forecaster of tune.model={tune.model} stays frozen; set it to head",
    )
    require(
        tune.backbone is None or tune.model in BACKBONES,
        f"tune.backbone is {tune.backbone!r}, but tune.model is {tune.model}; it is of {', '.join(BACKBONES)}",
    )
    plain = config.rag.mode == "none" and not config.rag.use_futures
    require(
        tune.solver != "none" or (tune.model in BACKBONES and plain),
        "tune.solver is none, which takes the forecasts that a model makes by itself: that can be one of "
        f"{', '.join(BACKBONES)}, without what rag.mode and rag.use_futures give to a head",
    )
    require(
        not tune.alignment_weight or (tune.model == "trace" and tune.scope != "head"),
        f"tune.alignment_weight is {tune.alignment_weight}, but nothing of an encoder is tuned: take tune.model=trace "
        "with another tune.scope than head, or set it to 0",
    )
    require(
        bool(tune.penalties) and all(0.0 < penalty < float("inf") for penalty in tune.penalties),
        f"tune.penalties is {list(tune.penalties)}; it must hold positive numbers",
    )
    require(
        all(0.0 < gain < float("inf") for gain in tune.gains),
        f"tune.gains is {list(tune.gains)}; it must hold positive numbers",
    )
    require(
        tune.solver == "ridge" or not tune.refit,
        f"tune.refit is true, but it is of the head in closed form alone, and tune.solver is {tune.solver}: what takes "
        "gradient steps chooses its best epoch on the validation windows, and must not have learned from them; set "
        "tune.refit to false, or tune.solver to ridge",
    )
    quantiles = list(tune.quantiles)
    require(
        all(0.0 < level < 1.0 for level in quantiles) and quantiles == sorted(set(quantiles)),
        f"tune.quantiles is {quantiles}; it must hold ascending numbers between 0 and 1, both excluded",
    )
    require(
        not quantiles or 0.5 in quantiles,
        f"tune.quantiles is {quantiles}; it must hold 0.5, too: the median is the point forecast that MAE and MSE are of",
    )
    targets = tune.targets
    require(
        targets is None or (isinstance(targets, list) and bool(targets) and all(isinstance(t, str) for t in targets)),
        f"tune.targets is {targets!r}; it must be a list of channel names, or null for all",
    )
    rag = config.rag
    allow("rag.mode", rag.mode, ("none", "series", "series+text"))
    allow("rag.key", rag.key, ("all", "cls"))
    require(bool(rag.splits), "rag.splits is empty; candidates must be of some split, like [train]")
    for name in rag.splits:
        allow("rag.splits", name, ("train", "validation", "test"))
    if config.stage == "tune":
        _check_ignored(config)
        by = (
            "tune.model=retrieved_mean" if tune.model == RETRIEVED_MEAN else "what rag.mode and rag.use_futures ask for"
        )
        require(
            rag.retriever is not None or not retrieves(config),
            f"rag.retriever is null, and {by} needs one: name a run of stage align",
        )
        require(
            tune.model not in (*BASELINES, *CLASSIFIERS, RETRIEVED_MEAN) or not (rag.mode != "none" or rag.use_futures),
            f"tune.model is {tune.model}, which has no head to give the neighbours to; "
            "leave rag.mode at none and rag.use_futures at false",
        )
    ratio, decay = config.pretrain.mask_ratio, config.optim.ema_decay
    require(0.0 < ratio < 1.0, f"pretrain.mask_ratio is {ratio}; it must lie between 0 and 1, both excluded")
    require(decay is None or 0.0 <= decay < 1.0, f"optim.ema_decay is {decay}; it must lie between 0 and 1, 1 excluded")
    for key, positive in (
        ("optim.learning_rate", config.optim.learning_rate),
        ("optim.gradient_clip", config.optim.gradient_clip),
        ("alignment.temperature", config.alignment.temperature),
        ("alignment.temperature_min", config.alignment.temperature_min),
        ("trainer.checkpoint_every_n_minutes", config.trainer.checkpoint_every_n_minutes),
    ):
        require(
            positive is None or 0.0 < positive < float("inf"), f"{key} is {positive}; it must be positive and finite"
        )
    alignment = config.alignment
    require(
        alignment.temperature >= alignment.temperature_min,
        f"alignment.temperature is {alignment.temperature}, below alignment.temperature_min {alignment.temperature_min}",
    )
    mildest = alignment.sentence_dropout_min
    require(
        mildest is None or 0.0 <= mildest <= alignment.sentence_dropout,
        f"alignment.sentence_dropout_min is {mildest}; it must lie between 0 and alignment.sentence_dropout "
        f"({alignment.sentence_dropout})",
    )
    require(
        all(0.0 <= beta < 1.0 for beta in config.optim.betas),
        f"optim.betas is {list(config.optim.betas)}; both must lie between 0 and 1, 1 excluded",
    )
    require(config.seed < 2**32, f"seed is {config.seed}; it must be below 2**32")
    exponent = config.data.mixing_exponent
    require(0.0 <= exponent <= 1.0, f"data.mixing_exponent is {exponent}; it must lie between 0 and 1")
    for key, weight in (
        ("optim.weight_decay", config.optim.weight_decay),
        ("tune.encoder_rate", config.tune.encoder_rate),
        ("tune.alignment_weight", config.tune.alignment_weight),
        ("tune.class_weights", config.tune.class_weights),
        ("alignment.channel_weight", config.alignment.channel_weight),
        ("alignment.reconstruction_weight", config.alignment.reconstruction_weight),
        ("alignment.classification_weight", config.alignment.classification_weight),
        ("alignment.statement_weight", config.alignment.statement_weight),
        ("alignment.voice_weight", config.alignment.voice_weight),
        ("alignment.noise", config.alignment.noise),
    ):
        require(0.0 <= weight < float("inf"), f"{key} is {weight}; it must be 0 or positive")


def _check_ignored(config: Config) -> None:
    """Raise ConfigError where something is set that the stage tune, as it is configured, would not look at."""
    tune = config.tune
    baseline = tune.model in (*BASELINES, *CLASSIFIERS, RETRIEVED_MEAN)
    untrained = tune.model in ("naive", "seasonal_naive", RETRIEVED_MEAN)
    solved = not baseline and tune.solver in ("ridge", "none")
    here, usual = to_dict(config), to_dict(Config())
    of_forecasts = tuple(
        f"tune.{name}" for name in ("split", "calendar", "penalise", "gains", "targets", "quantiles", "loss")
    )
    for applies, by, keys in (
        (True, "stage tune, which takes all windows of training where they are", ("data.jitter", "data.random_offset")),
        (tune.task == "classify", "tune.task=classify", of_forecasts),
        (baseline, f"tune.model={tune.model}, which has no head of ours", ("tune.gains", "tune.refit")),
        (tune.solver == "none", "tune.solver=none, which learns nothing", ("tune.gains", "tune.refit")),
        (bool(tune.quantiles), "tune.quantiles, which are learned by their pinball loss", ("tune.loss",)),
        (untrained, f"tune.model={tune.model}, which learns nothing", ("tune.loss",)),
        (solved, f"tune.solver={tune.solver}, which takes no gradient steps", ("tune.loss",)),
    ):
        for key in keys:
            section, name = key.split(".")
            value, default = here[section][name], usual[section][name]
            if applies and value != default:
                least = json.dumps(default).strip('"')
                raise ConfigError(f"{key} is {value!r}, which would be ignored by {by}; set {key}={least}")


def load_config(paths: Sequence[str | Path] = (), overrides: Sequence[str] = ()) -> Config:
    """Merge the defaults, the YAML files and the `key=value` words, left to right.

    Raises
    ------
    ConfigError
        A file cannot be read, a key does not exist, a value has the wrong type or is not allowed.
    """
    merged = OmegaConf.structured(Config)
    for path in paths:
        merged = _merge(merged, _read_yaml(Path(path)), str(path))
    for word in overrides:
        merged = _merge(merged, _read_word(word), f"{word!r} on the command line")
    try:
        config = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:  # an interpolation leads nowhere
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from error
    assert isinstance(config, Config)
    _check(config)
    return config


def to_yaml(config: Config) -> str:
    """The configuration as YAML, every default included; `load_config` reads it back."""
    return OmegaConf.to_yaml(OmegaConf.structured(config))


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as nested plain types, for checkpoints."""
    container = OmegaConf.to_container(OmegaConf.structured(config), resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def from_dict(values: dict[str, Any]) -> Config:
    """The inverse of `to_dict`."""
    config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Config), OmegaConf.create(values)))
    assert isinstance(config, Config)
    return config
