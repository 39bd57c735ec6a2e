"""Stage 2: multimodal alignment, TRACE §3.3."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.alignment import AlignedModel, ContrastiveLoss, Level, NegativeCache, contrastive_loss, negatives_at
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import ChannelVocabulary
from trace_lit.distributed import mean_over_processes
from trace_lit.encoder import ReconstructionHead, SeriesEncoder
from trace_lit.modules.checkpoint import Checkpoint
from trace_lit.modules.pretrain import reconstruction_loss
from trace_lit.modules.stage import StageModule
from trace_lit.settings import Config


def mean_cosine(vectors: Tensor) -> Tensor:
    """The mean cosine between different rows of unit vectors (n, e): near 1, the space has collapsed."""
    count = len(vectors)
    return (vectors.sum(0).square().sum() - count) / max(count * (count - 1), 1)


class AlignModule(StageModule):
    """The aligned model under bidirectional InfoNCE at the sample and the channel level.

    `labels` is the number of label names of the corpus, for the optional classification term.
    """

    stage = "align"

    def __init__(
        self, config: Config, vocabulary: ChannelVocabulary, labels: int = 0, data_fingerprint: str = ""
    ) -> None:
        super().__init__(config, data_fingerprint)
        self.model = AlignedModel(SeriesEncoder(config.encoder, vocabulary), config.alignment)
        self._negative_caches: list[NegativeCache] = []  # one a corpus
        self.head: nn.Module | None = None
        self.classifier: nn.Module | None = None
        if config.alignment.reconstruction_weight:
            self.head = ReconstructionHead(config.encoder.width, config.encoder.patch_length)
        if config.alignment.classification_weight:
            self.classifier = nn.Linear(config.encoder.width, labels)

    @classmethod
    def arguments_of(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        bias = checkpoint.weights.get("classifier.bias")
        return {**super().arguments_of(checkpoint), "labels": 0 if bias is None else len(bias)}

    @property
    def encoder(self) -> SeriesEncoder:  # type: ignore[override]
        return self.model.encoder

    def use_negatives(self, caches: Sequence[NegativeCache]) -> None:
        """Let mined negatives outside of the batch, one cache a corpus, enter the denominator."""
        self._negative_caches = list(caches)

    def idle(self) -> Iterable[Tensor]:
        yield from super().idle()
        alignment, encoder, model = self.config.alignment, self.config.encoder, self.model
        if self.head is None:
            yield self.encoder.mask_token
        if not alignment.channel_weight:
            yield from model.channel_level_parameters()
        if not (encoder.channel_tokens or encoder.patch_identity or alignment.channel_score):
            yield from self.encoder.channel_tokens.parameters()

    def training_step(self, batch: MultimodalBatch, batch_idx: int) -> Tensor:
        alignment = self.config.alignment
        output = self.model(self._perturbed(batch))
        sample = self._contrast(output.sample, "sample", self._outside(output.sample, batch))
        loss = sample.total
        if alignment.channel_weight:
            loss = loss + alignment.channel_weight * self._contrast(output.channel, "channel").total
        if isinstance(self.head, ReconstructionHead):
            term = reconstruction_loss(self.encoder, self.head, batch, self.config.pretrain.mask_ratio)
            self.log("train/reconstruction", term, batch_size=len(batch))
            loss = loss + alignment.reconstruction_weight * term
        if self.classifier is not None:
            labelled = batch.label != NO_LABEL
            scores = self.classifier(output.encoded.cls[labelled])
            term = mean_over_processes(F.cross_entropy(scores, batch.label[labelled], reduction="none"))
            self.log("train/classification", term, batch_size=len(batch))
            loss = loss + alignment.classification_weight * term
        self.log("train/loss", loss, prog_bar=True, batch_size=len(batch))
        self.log("train/temperature", self.model.temperature.detach(), batch_size=len(batch))
        self.log("train/mean_cosine", mean_cosine(output.sample.series.detach()), batch_size=len(batch))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.model.bound_temperature()

    def validation_step(self, batch: MultimodalBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        output = self.model(batch)
        loss = contrastive_loss(output.sample, self.model.temperature, lambda _: None).total
        if weight := self.config.alignment.channel_weight:
            loss = loss + weight * contrastive_loss(output.channel, self.model.temperature, lambda _: None).total
        self.validation_loss.update(loss, weight=len(batch))

    def _outside(self, sample: Level, batch: MultimodalBatch) -> tuple[Tensor, Tensor] | None:
        """The similarities to mined negatives outside of the batch, which is of one corpus."""
        for cache in self._negative_caches:
            if int(batch.index[0]) in cache:
                return cache.similarities(sample, batch.index[sample.row])
        return None

    def _contrast(self, level: Level, name: str, outside: tuple[Tensor, Tensor] | None = None) -> ContrastiveLoss:
        alignment = self.config.alignment

        def negatives(candidates: int) -> int | None:
            return negatives_at(self.progress, candidates, alignment.negatives, alignment.all_negatives_share)

        result = contrastive_loss(level, self.model.temperature, negatives, outside)
        self.log_dict(
            {
                f"train/{name}/text_to_series": result.text_to_series,
                f"train/{name}/series_to_text": result.series_to_text,
                f"train/{name}/negatives": result.negatives,
                f"train/{name}/chance": result.negatives.add(1).log(),
                f"train/{name}/outranked": result.outranked,
            },
            batch_size=max(len(level.series), 1),
        )
        return result

    def _perturbed(self, batch: MultimodalBatch) -> MultimodalBatch:
        """Noise on the values and sentences left out; a text keeps one at least."""
        alignment = self.config.alignment
        if alignment.noise:
            deviation = self.encoder.channel_tokens.usual_deviation(batch.channel_ids).unsqueeze(-1)
            noise = alignment.noise * deviation * torch.randn_like(batch.values)
            batch = dataclasses.replace(batch, values=torch.where(batch.observed, batch.values + noise, batch.values))
        if alignment.sentence_dropout:
            draw = torch.rand(batch.text_mask.shape, device=batch.values.device).masked_fill(~batch.text_mask, 2.0)
            kept = (draw >= alignment.sentence_dropout) | (draw == draw.min(1, keepdim=True).values)
            batch = dataclasses.replace(batch, text_mask=batch.text_mask & kept)
        return batch
