"""Stage 3: forecasting and classification, TRACE §4.3 and §4.4, and their baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.alignment import AlignedModel, build_loss
from trace_lit.batch import NO_LABEL, MultimodalBatch, sent
from trace_lit.channels import ChannelVocabulary
from trace_lit.config import ConfigError
from trace_lit.distributed import mean_over_processes
from trace_lit.encoder import ClassificationModel, Encoder, HeadedForecaster
from trace_lit.encoder.heads import Forecast
from trace_lit.metrics.scores import ClassificationScores, ForecastScores, forecast_errors
from trace_lit.modules.adapters import add_adapters
from trace_lit.modules.checkpoint import CHECKPOINT_KEY, Checkpoint
from trace_lit.modules.stage import StageModule
from trace_lit.modules.tuned_model import build_model, lookback_of, predictions_of, retrieval_width
from trace_lit.settings import Config
from trace_lit.tensorboard import tensorboard_writer

Scores = ForecastScores | ClassificationScores


class TuneModule(StageModule):
    """A forecaster or a classifier, trained as far as `tune.scope` allows.

    Parameters
    ----------
    vocabulary
        The channels that the model knows.
    channels
        How many it will know when the data's are added.
    lookback
        Steps of a window.
    label_counts
        How many training windows have each label, where labels are predicted.
    scores
        Of validation, one a corpus.
    vectors
        The width of the retriever's vectors, where there is a retriever.
    retrieval
        Fingerprints of what neighbours are found by.
    """

    stage = "tune"
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
        vectors: int = 0,
        retrieval: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(config, data_fingerprint)
        self.model = build_model(config, vocabulary, channels, lookback, len(label_counts), vectors)
        self.retrieval = dict(retrieval or {})
        self.retrieval_width = vectors
        self.label_counts = list(label_counts)
        # The encoder's part of it is the model's own.
        self.aligned = AlignedModel(self.encoder, config.alignment) if config.tune.alignment_weight else None
        self.contrast = build_loss(config.alignment) if config.tune.alignment_weight else None
        self.scores = nn.ModuleList(scores)
        self._known = vocabulary
        self.solution: dict[str, float] = {}  # how a head in closed form was chosen
        count = torch.tensor(label_counts, dtype=torch.float32)
        weight = (count.sum() / (len(count) * count.clamp(min=1))) ** config.tune.class_weights
        self.register_buffer("label_weight", weight, persistent=False)

    @classmethod
    def arguments_of(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        """Without scores of validation, which belong to corpora."""
        return {
            **super().arguments_of(checkpoint),
            "channels": len(checkpoint.vocabulary),
            "lookback": lookback_of(checkpoint),
            "label_counts": checkpoint.label_counts or [1] * len(checkpoint.label_names),
            "vectors": retrieval_width(checkpoint),
            "retrieval": checkpoint.retrieval,
        }

    @property
    def encoder(self) -> Encoder:  # type: ignore[override]
        return self.model.encoder  # type: ignore[return-value]

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.encoder.vocabulary if self.has_encoder else self._known

    @property
    def has_encoder(self) -> bool:
        """A baseline has none."""
        return self.config.tune.model == "trace"

    @property
    def has_head(self) -> bool:
        """There is a linear head, which can be solved in closed form."""
        return isinstance(self.model, HeadedForecaster | ClassificationModel)

    @property
    def learns_by_steps(self) -> bool:
        solver = self.config.head.solver
        return (
            solver not in ("ridge", "combination")
            if self.has_head
            else any(p.requires_grad for p in self.model.parameters())
        )

    def note_solution(self, metrics: dict[str, float]) -> None:
        """Keep how the head in closed form was chosen, for the checkpoint and the run's metrics."""
        self.solution = metrics

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
        encoder, aligned = self.config.encoder, self.aligned
        if aligned is not None:
            yield from aligned.channel_level_parameters()
        scored = aligned is not None and aligned.config.channel_score
        if not (encoder.channel_tokens or encoder.patch_identity or scored):
            yield from self.encoder.channel_tokens.parameters()

    def rate_of(self, name: str) -> float:
        return self.config.tune.encoder_rate if name.startswith(("model.encoder.", "aligned.")) else 1.0

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        if self.has_encoder and self.config.tune.scope == "head":
            self.encoder.eval()  # a frozen encoder has nothing to learn from dropout

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint[CHECKPOINT_KEY] |= {
            "solved": self.solution,
            "retrieval": self.retrieval,
            "retrieval_width": self.retrieval_width,
            "label_counts": self.label_counts,
        }
        if self.config.tune.task == "classify":
            checkpoint[CHECKPOINT_KEY]["label_names"] = list(self.trainer.datamodule.label_names)  # type: ignore[attr-defined]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.solution = checkpoint[CHECKPOINT_KEY].get("solved", {})

    def predict(self, batch: MultimodalBatch) -> Tensor:
        """Predictions: forecasts (B, C, H, Q) in units, quantiles ascending, or probabilities (B, K)."""
        return predictions_of(self.model(batch), self.config.tune.task)

    def training_step(self, batch: MultimodalBatch, batch_idx: int) -> Tensor:
        seen = self._at_scales(batch)
        loss = mean_over_processes(*self._errors(self.model(seen), seen))
        if self.aligned is not None and self.contrast is not None:
            level = self.aligned.sample_level(batch)
            term = self.contrast(level, self.aligned.temperature, lambda _: None).total
            self.log("train/task", loss, batch_size=len(batch))
            self.log("train/alignment", term, batch_size=len(batch))
            loss = loss + self.config.tune.alignment_weight * term
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch))
        return loss

    def _at_scales(self, batch: MultimodalBatch) -> MultimodalBatch:
        """Each window as it is, or at one of the multiples `window.augmentation_scales`, drawn anew each time."""
        scales = self.config.window.augmentation_scales
        if not scales:
            return batch
        drawn = torch.randint(1 + len(scales), (len(batch),), device=self.device)
        return batch.scaled(sent(torch.tensor([1.0, *scales]), self.device)[drawn])

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.aligned is not None:
            self.aligned.bound_temperature()

    def validation_step(self, batch: MultimodalBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        output = self.model(batch)
        self.validation_loss.update(*self._errors(output, batch))
        if self.scores:
            score(self.scores[dataloader_idx], batch, predictions_of(output, self.config.tune.task))  # type: ignore[arg-type]

    def _errors(self, output: Any, batch: MultimodalBatch) -> tuple[Tensor, Tensor]:
        """The task's loss of each value or label that is known, and how much it counts (n,)."""
        tune = self.config.tune
        if tune.task == "forecast":
            assert batch.future is not None
            assert batch.future_observed is not None
            if not isinstance(output, Forecast):
                raise ConfigError(
                    f"tune.model is {self.config.tune.model!r}, whose forward gives a {type(output).__name__}; it must "
                    "give a Forecast, see trace_lit.encoder.heads"
                )
            self._check_output(output.change, batch.future.shape)
            target = output.norm.normalise(batch.future)
            # A channel that no training row has a value of has no scale that its errors could be measured in.
            measured = torch.tensor(self.vocabulary.deviation).isfinite()
            host = batch.on_host
            counted = host.future_observed & measured[host.channel_ids].unsqueeze(-1)
            counted = counted if bool(measured.any()) else host.future_observed
            errors = forecast_errors(output.change, target, counted, tune.loss, self.config.head.quantiles)
            return errors, torch.ones_like(errors)
        self._check_output(output, (len(batch), len(self.label_weight)))
        labelled = sent((batch.on_host.label != NO_LABEL).nonzero().squeeze(1), output.device)
        label = batch.label[labelled]
        return F.cross_entropy(output[labelled].float(), label, reduction="none"), self.label_weight[label]

    def _check_output(self, output: Any, shape: Sequence[int]) -> None:
        """Raise ConfigError where a model of the user's own has another output than `shape`, apart from quantiles."""
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        if not isinstance(output, Tensor) or got[: len(shape)] != tuple(shape):
            kind = "scores" if self.config.tune.task == "classify" else "a Forecast whose change has the shape"
            end = "" if self.config.tune.task == "classify" else ", Q"
            raise ConfigError(
                f"tune.model is {self.config.tune.model!r}, whose forward gives {got}; it must give {kind} "
                f"({', '.join(map(str, shape))}{end})"
            )

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        names = self.trainer.datamodule.corpus_names  # type: ignore[attr-defined]
        for name, scores in zip(names, self.scores, strict=bool(self.scores)):
            prefix = "validation" if len(names) == 1 else f"validation/{name}"
            self.log_dict({f"{prefix}/{key}": value for key, value in scores.compute().items()})  # type: ignore[operator]
            writer = tensorboard_writer(self.loggers)
            if isinstance(scores, ClassificationScores) and writer is not None:
                figure = scores.figure(self.trainer.datamodule.label_names)  # type: ignore[attr-defined]
                writer.add_figure(f"pictures/confusion/{name}", figure, self.trainer.global_step)
            scores.reset()  # type: ignore[operator]


def score(scores: Scores, batch: MultimodalBatch, predicted: Tensor) -> None:
    """Update `scores` with what a model `predicted` for `batch`."""
    if isinstance(scores, ForecastScores):
        assert batch.future is not None
        assert batch.future_observed is not None
        scores.update(predicted, batch.future, batch.future_observed, batch.offset)
    else:
        labelled = batch.label != NO_LABEL
        scores.update(predicted[labelled], batch.label[labelled])
