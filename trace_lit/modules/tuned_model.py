"""The model of the stage tune, as it is configured, without the training around it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from trace_lit.channels import ChannelVocabulary
from trace_lit.config import build_object, import_class, is_class_path
from trace_lit.encoder import (
    ClassificationModel,
    Combination,
    ForecastModel,
    HeadedForecaster,
    LabelCombination,
    build_encoder,
)
from trace_lit.encoder.baselines import Baseline, Classifier, Forecaster
from trace_lit.models import model_entry
from trace_lit.modules.adapters import add_adapters
from trace_lit.modules.checkpoint import Checkpoint, CheckpointError, fitting, load_checkpoint
from trace_lit.rag import (
    NeighbourInput,
    RetrievalClassificationModel,
    RetrievalForecastModel,
    RetrievedLabels,
    RetrievedMean,
)
from trace_lit.rag.forecasters import BackboneForecast, ZeroShotForecast, load_forecaster
from trace_lit.settings import Config, retrieves


def build_model(
    config: Config, vocabulary: ChannelVocabulary, channels: int, lookback: int, labels: int, vectors: int = 0
) -> nn.Module:
    """The model that `tune.task` and `tune.model` ask for; `vectors` is the width of the retriever's, where there is one."""
    model = _build(config, vocabulary, channels, lookback, labels, vectors)
    if config.head.solver == "combination" and isinstance(model, ClassificationModel):
        model.combine(LabelCombination(channels, labels))
    if config.head.solver == "combination" and isinstance(model, HeadedForecaster):
        window = config.window
        model.combine(
            Combination(
                vocabulary,
                lookback,
                window.horizon,
                window.season,
                config.head.quantiles,
                model.encoded_width,
                channels,
                model.follows,
                config.head.texts,
            )
        )
    return model


def _build(
    config: Config, vocabulary: ChannelVocabulary, channels: int, lookback: int, labels: int, vectors: int
) -> nn.Module:
    """The model that `tune.task` and `tune.model` ask for; its `head` is what is always trained.

    `vectors` is the width of the retriever's vectors, where there is a retriever.
    """
    tune, window, head = config.tune, config.window, config.head
    entry, outputs, solved = model_entry(tune.model), len(head.quantiles) or 1, head.solver != "sgd"
    if entry.kind == "retrieved":
        if tune.task == "classify":
            return RetrievedLabels(labels)
        return RetrievedMean(vocabulary, head.quantiles, config.encoder.transform)
    if entry.kind == "own" and tune.task == "classify":
        return build_object(entry.path, Classifier, "tune.model", vocabulary, lookback, labels, options=tune.options)
    if entry.kind == "own":
        sizes = (lookback, window.horizon, outputs, window.season)
        return build_object(entry.path, Forecaster, "tune.model", vocabulary, *sizes, options=tune.options)
    if entry.kind == "baseline":
        baseline = import_class(entry.path, Baseline, "tune.model")
        return baseline(vocabulary, lookback, window.horizon, outputs, window.season)
    if entry.kind == "frozen":
        forecaster = load_forecaster(tune.model, tune.backbone)
        transform = config.encoder.transform
        if head.solver == "none":
            return ZeroShotForecast(forecaster, vocabulary, window.horizon, head.quantiles, transform)
        given = None
        if vectors:
            given = NeighbourInput(config.rag, vectors, forecaster.width, solved, horizon=window.horizon)
        return BackboneForecast(
            forecaster, vocabulary, lookback, window.horizon, outputs, head.calendar, transform, given, channels
        )
    encoder = build_encoder(config.encoder, vocabulary)
    if vectors:
        neighbours = NeighbourInput(
            config.rag, vectors, config.encoder.width, solved, horizon=window.horizon, labels=labels
        )
        if tune.task == "classify":
            return RetrievalClassificationModel(encoder, channels, labels, neighbours)
        return RetrievalForecastModel(encoder, lookback, window.horizon, outputs, head.calendar, neighbours, channels)
    if tune.task == "classify":
        return ClassificationModel(encoder, channels, labels)
    return ForecastModel(encoder, lookback, window.horizon, outputs, head.calendar, channels=channels)


def predictions_of(output: Any, task: str) -> Tensor:
    """Forecasts (B, C, H, Q) in units, quantiles ascending, or probabilities (B, K), from a model's `output`."""
    predicted = output.values if task == "forecast" else output.float().softmax(-1)
    return predicted.detach()


def lookback_of(checkpoint: Checkpoint) -> int:
    """The steps of a tuned run's windows, which training has settled."""
    lookback = checkpoint.config.window.lookback
    if lookback is None:
        raise CheckpointError(
            f"{checkpoint.path} does not say the look-back that it was tuned with (window.lookback is null): tune again"
        )
    return lookback


def retrieval_width(checkpoint: Checkpoint) -> int:
    """The width of the vectors of a tuned run's retriever, 0 without one."""
    config = checkpoint.config
    if checkpoint.retrieval_width or not retrieves(config) or config.rag.retriever is None:
        return checkpoint.retrieval_width
    return load_checkpoint(config.rag.retriever, "align").config.encoder.width  # of a checkpoint of version 0.1


def restore_model(checkpoint: Checkpoint, vocabulary: ChannelVocabulary) -> nn.Module:
    """The tuned model that `checkpoint` holds, for a `vocabulary` that begins with its own, in evaluation mode.

    Raises
    ------
    CheckpointError
        The weights are not those of the present model.
    """
    config, known = checkpoint.config, checkpoint.vocabulary
    with_encoder = config.tune.model == "trace"
    # A network that is read from elsewhere is no part of the weights.
    counted = model_entry(config.tune.model).kind not in ("frozen", "own") and not is_class_path(config.encoder.name)
    with fitting(checkpoint.path, checkpoint.weights if counted else None):
        model = build_model(
            config,
            known if with_encoder else vocabulary,  # what has no encoder cannot be extended
            len(known),
            lookback_of(checkpoint),
            len(checkpoint.label_names),
            retrieval_width(checkpoint),
        )
        if with_encoder and config.tune.scope == "lora":
            add_adapters(model.encoder, config.tune.lora_rank)  # type: ignore[arg-type]
    own = {name: weight for name, weight in checkpoint.weights.items() if name.startswith("model.")}
    try:
        nn.ModuleDict({"model": model}).load_state_dict(own)
    except RuntimeError as error:
        differing = " ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise CheckpointError(
            f"{checkpoint.path} does not hold the weights of the present model ({differing}): it was written by "
            "another version of trace_lit; tune again (--overwrite replaces the run)"
        ) from None
    if with_encoder:
        model.encoder.extend(vocabulary)  # type: ignore[union-attr,operator]
    return model.eval()
