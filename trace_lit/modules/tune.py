"""Stage 3: forecasting and classification, TRACE §4.3 and §4.4, and their baselines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn

from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import Config
from trace_lit.encoder import ClassificationModel, ForecastModel, SeriesEncoder
from trace_lit.encoder.baselines import FORECASTERS
from trace_lit.modules.stage import StageModule, TrainingError
from trace_lit.scores import ClassificationScores, ForecastScores, forecast_loss

Scores = ForecastScores | ClassificationScores


def build_model(config: Config, vocabulary: ChannelVocabulary, channels: int, lookback: int, labels: int) -> nn.Module:
    """The model that `tune.task` and `tune.model` ask for; its `head` is what is always trained."""
    tune = config.tune
    if tune.model != "trace":
        outputs = len(tune.quantiles) or 1
        return FORECASTERS[tune.model](vocabulary, lookback, tune.horizon, outputs, tune.season)
    encoder = SeriesEncoder(config.encoder, vocabulary)
    if tune.task == "classify":
        return ClassificationModel(encoder, channels, labels)
    return ForecastModel(encoder, lookback, tune.horizon, len(tune.quantiles) or 1, tune.calendar)


def add_adapters(encoder: SeriesEncoder, rank: int) -> None:
    """Low-rank adapters (LoRA, arXiv 2106.09685) on all attention layers; nothing else of the encoder is then trained.

    Raises
    ------
    TrainingError
        The package peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise TrainingError("tune.scope=lora needs the package peft: pip install peft") from None
    layers = ["attention.input", "attention.output"]
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=layers), encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_("lora_" in name)


class TuneModule(StageModule):
    """A forecaster or a classifier, tuned as far as `tune.scope` says.

    Parameters
    ----------
    vocabulary
        The channels that the model knows.
    channels
        How many it will know when the data's are added.
    lookback
        Steps of a window.
    label_counts
        How many training windows have each label, where labels are told.
    scores
        Of validation, one a corpus.
    """

    label_weight: Tensor

    def __init__(
        self,
        config: Config,
        vocabulary: ChannelVocabulary,
        channels: int,
        lookback: int,
        label_counts: Sequence[int] = (),
        scores: Sequence[Scores] = (),
        data_fingerprint: str = "",
    ) -> None:
        super().__init__(config, data_fingerprint)
        self.model = build_model(config, vocabulary, channels, lookback, len(label_counts))
        self.scores = nn.ModuleList(scores)
        self._known = vocabulary
        count = torch.tensor(label_counts, dtype=torch.float32)
        weight = (
            count.sum() / (len(count) * count.clamp(min=1)) if config.tune.class_weights else torch.ones_like(count)
        )
        self.register_buffer("label_weight", weight, persistent=False)

    @property
    def encoder(self) -> SeriesEncoder:  # type: ignore[override]
        return self.model.encoder  # type: ignore[return-value]

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.encoder.vocabulary if self.has_encoder else self._known

    @property
    def has_encoder(self) -> bool:
        """A baseline has none."""
        return self.config.tune.model == "trace"

    @property
    def learns_by_steps(self) -> bool:
        """Whether there is anything for gradient steps to do."""
        tune = self.config.tune
        return tune.solver != "ridge" if self.has_encoder else any(p.requires_grad for p in self.model.parameters())

    def prepare(self) -> None:
        """Put adapters in, freeze what is not tuned; to be called once the encoder has the weights that it starts from."""
        if not self.has_encoder:
            return
        encoder, scope = self.encoder, self.config.tune.scope
        if scope == "lora":
            add_adapters(encoder, self.config.tune.lora_rank)
        elif scope != "full":
            encoder.requires_grad_(False)
            if scope == "head+tokens":
                encoder.channel_tokens.requires_grad_(True)

    def idle(self) -> Iterable[Tensor]:
        if not self.has_encoder:
            return
        yield self.encoder.mask_token
        yield from super().idle()

    def rate_of(self, name: str) -> float:
        return self.config.tune.encoder_rate if name.startswith("model.encoder.") else 1.0

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        if self.has_encoder and self.config.tune.scope == "head":
            self.encoder.eval()  # a frozen encoder has nothing to learn from dropout

    def loss(self, batch: MultimodalBatch) -> tuple[Tensor, Any]:
        """The loss of a batch, and what the model says: forecasts (B, C, H, Q) in units, or probabilities (B, K)."""
        tune = self.config.tune
        if tune.task == "forecast":
            assert batch.future is not None
            assert batch.future_observed is not None
            forecast = self.model(batch)
            target = forecast.norm.normalise(batch.future)
            loss = forecast_loss(forecast.change, target, batch.future_observed, tune.loss, tune.quantiles)
            return loss, forecast.values.detach()
        scores = self.model(batch)
        loss = F.cross_entropy(scores.float(), batch.label, self.label_weight, ignore_index=NO_LABEL)
        return loss, scores.detach().float().softmax(-1)

    def training_step(self, batch: MultimodalBatch, batch_idx: int) -> Tensor:
        loss, _ = self.loss(batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: MultimodalBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        loss, said = self.loss(batch)
        self.validation_loss.update(loss, weight=len(batch))
        score(self.scores[dataloader_idx], batch, said)  # type: ignore[arg-type]

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        names = self.trainer.datamodule.corpus_names  # type: ignore[attr-defined]
        for name, scores in zip(names, self.scores, strict=True):
            prefix = "validation" if len(names) == 1 else f"validation/{name}"
            self.log_dict({f"{prefix}/{key}": value for key, value in scores.compute().items()})  # type: ignore[operator]
            if isinstance(scores, ClassificationScores) and isinstance(self.logger, TensorBoardLogger):
                figure, _ = scores.confusion.plot(labels=list(self.trainer.datamodule.label_names))  # type: ignore[attr-defined]
                self.logger.experiment.add_figure(f"confusion/{name}", figure, self.trainer.global_step)
            scores.reset()  # type: ignore[operator]


def score(scores: Scores, batch: MultimodalBatch, said: Tensor) -> None:
    """Count what a model `said` of `batch`."""
    if isinstance(scores, ForecastScores):
        assert batch.future is not None
        assert batch.future_observed is not None
        scores.update(said, batch.future, batch.future_observed)
    else:
        labelled = batch.label != NO_LABEL
        scores.update(said[labelled], batch.label[labelled])
