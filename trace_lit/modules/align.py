"""Stage 2: multimodal alignment, TRACE §3.3."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.alignment import (
    AlignedModel,
    ContrastiveLoss,
    Level,
    NegativeCache,
    WindowMemory,
    build_loss,
    negatives_at,
    statement_loss,
    turned_loss,
    voice_loss,
)
from trace_lit.batch import NO_LABEL, MultimodalBatch, sent
from trace_lit.channels import ChannelVocabulary
from trace_lit.distributed import gather, mean_over_processes
from trace_lit.encoder import Encoder, ReconstructionHead, build_encoder
from trace_lit.modules.checkpoint import Checkpoint
from trace_lit.modules.pretrain import reconstruction_loss
from trace_lit.modules.stage import StageModule
from trace_lit.settings import Config
from trace_lit.text import MARKS

if TYPE_CHECKING:  # what makes statements is read when they are wanted
    from data_modules.statement_bank import StatementBank

_MEMORIES = "statement_memories"  # their place in a checkpoint


def mean_cosine(vectors: Tensor) -> Tensor:
    """The mean cosine between different rows of unit vectors (n, e): near 1, the space has collapsed."""
    count = len(vectors)
    return (vectors.sum(0).square().sum() - count) / max(count * (count - 1), 1)


def moved(values: Tensor, observed: Tensor, deviation: Tensor, level: float, scale: float) -> Tensor:
    """Each window's channels raised or lowered as a whole, and stretched about their means, at random.

    Parameters
    ----------
    values, observed
        (B, C, T), float32 and bool.
    deviation
        (B, C, 1), the unit of `level`.
    level
        Deviation of what is added, one number a window and channel.
    scale
        Deviation of the logarithm of the factor, likewise.
    """
    mean = torch.where(observed, values, 0.0).sum(-1, keepdim=True) / observed.sum(-1, keepdim=True).clamp(min=1)
    factor, shift = torch.randn_like(mean).mul(scale).exp(), level * deviation * torch.randn_like(mean)
    return mean + factor * (values - mean) + shift


class AlignModule(StageModule):
    """The aligned model under a bidirectional loss, InfoNCE by default, at the sample and the channel level.

    `labels` is the number of label names of the corpus, for the optional classification term.
    """

    stage = "align"

    def __init__(
        self, config: Config, vocabulary: ChannelVocabulary, labels: int = 0, data_fingerprint: str = ""
    ) -> None:
        super().__init__(config, data_fingerprint)
        self.model = AlignedModel(build_encoder(config.encoder, vocabulary), config.alignment)
        self.contrast = build_loss(config.alignment)
        self._negative_caches: list[NegativeCache] = []  # one a corpus
        self.statement_banks: list[StatementBank] = []  # one a corpus: what is true of its training windows
        self.starts_aligned = False  # from a run whose series steps on statements leave as they are
        self.memories: dict[int, WindowMemory] = {}  # by the first row of the corpus
        self._usual: list[ChannelVocabulary] = []  # one a corpus, where each has its own usual values
        self._common: ChannelVocabulary | None = None  # the one that is saved then
        self._first_rows: list[int] = []
        self.head: nn.Module | None = None
        self.classifier: nn.Module | None = None
        if config.alignment.reconstruction_weight:
            self.head = ReconstructionHead(config.encoder.width, config.encoder.patch_length)
        if config.alignment.classification_weight:
            self.classifier = nn.Linear(config.encoder.width, labels)

    @property
    def learns_by_steps(self) -> bool:
        return self.config.trainer.max_epochs > 0

    @classmethod
    def arguments_of(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        bias = checkpoint.weights.get("classifier.bias")
        return {**super().arguments_of(checkpoint), "labels": 0 if bias is None else len(bias)}

    @property
    def encoder(self) -> Encoder:  # type: ignore[override]
        return self.model.encoder

    def use_usual(self, vocabularies: Sequence[ChannelVocabulary], sizes: Sequence[int]) -> None:
        """Let each corpus have its own usual values; `sizes` are the numbers of their training windows."""
        self._usual = list(vocabularies)
        self._first_rows = [0, *accumulate(sizes)][:-1]
        self._common = self.encoder.vocabulary

    @property
    def vocabulary(self) -> ChannelVocabulary:
        return self.encoder.vocabulary if self._common is None else self._common

    def enter(self, corpus: int) -> None:
        """Take what is usual in the corpus of this number, where each has its own."""
        if self._usual:
            self.encoder.extend(self._usual[corpus])

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
        yield from model.unscored_parameters()
        if self.config.text.unit != "token":  # sentences are not marked with numbers
            yield from model.number_parameters()
        if not (encoder.channel_tokens or encoder.patch_identity or alignment.channel_score):
            yield from self.encoder.channel_tokens.parameters()

    def training_step(self, batch: MultimodalBatch, batch_idx: int) -> Tensor:
        alignment = self.config.alignment
        self.enter(bisect_right(self._first_rows, int(batch.on_host.index[0])) - 1)
        output = self.model(self._perturbed(batch))
        sample = self._contrast(output.sample, "sample", self._outside(output.sample, batch))
        loss = sample.total
        if alignment.channel_weight:
            loss = loss + alignment.channel_weight * self._contrast(output.channel, "channel").total
        if output.statements is not None:
            loss = loss + alignment.statement_weight * self._statements(output.series, output.statements, batch)
            if output.voice is not None and alignment.voice_weight:
                loss = loss + alignment.voice_weight * self._voice(output.voice, batch)
        if isinstance(self.head, ReconstructionHead):
            term = reconstruction_loss(self.encoder, self.head, batch, self.config.pretrain.mask_ratio)
            self.log("train/reconstruction", term, batch_size=len(batch))
            loss = loss + alignment.reconstruction_weight * term
        if self.classifier is not None:
            labelled = sent((batch.on_host.label != NO_LABEL).nonzero().squeeze(1), batch.label.device)
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

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        if self.memories:
            checkpoint[_MEMORIES] = {first: vars(memory) for first, memory in self.memories.items()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        for first, kept in checkpoint.get(_MEMORIES, {}).items():
            self.memories[first] = WindowMemory(**kept).to(self.device)

    def validation_step(self, batch: MultimodalBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.enter(dataloader_idx)
        output = self.model(batch)
        loss = self.contrast(output.sample, self.model.temperature, lambda _: None).total
        if weight := self.config.alignment.channel_weight:
            loss = loss + weight * self.contrast(output.channel, self.model.temperature, lambda _: None).total
        self.validation_loss.update(loss, weight=len(batch))

    def _outside(self, sample: Level, batch: MultimodalBatch) -> tuple[Tensor, Tensor] | None:
        """The similarities to mined negatives outside of the batch, which is of one corpus."""
        for cache in self._negative_caches:
            if int(batch.on_host.index[0]) in cache:
                return cache.similarities(sample, batch.index[sample.row])
        return None

    def _statements(self, series: Tensor, text: Tensor, batch: MultimodalBatch) -> Tensor:
        """The loss of `text` (m, e), the batch's statements, against the windows `series` (B, e), by what is true.

        Added is a loss of each window's first texts against the same texts with one statement reversed.
        """
        index, statements, device = batch.on_host.index, batch.on_host.statements, series.device
        bank = next(bank for bank in self.statement_banks if int(index[0]) in bank)
        present = statements.mask.any(-1)  # (B, n)
        stated = statements.stated[present]  # (m, J)
        own, everywhere = index - bank.first, gather(index) - bank.first
        temperature = self.model.statement_temperature
        rows, further = everywhere, None
        if self.config.alignment.statement_memory:
            memory = self.memories.get(bank.first)
            if memory is None:
                memory = WindowMemory.empty(bank.size, series.shape[1], series.device)
                self.memories[bank.first] = memory
            places, further = memory.outside(everywhere)
            rows = torch.cat([everywhere, places])
            memory.put(everywhere, gather(series))
        own_texts = sent(bank.truth(stated, rows), device)
        own_series = sent(bank.truth(gather(stated), own), device)
        result = statement_loss(series, text, temperature, own_texts, own_series, further)
        self._log_contrast(result, "statements", len(text))
        place = (present.flatten().cumsum(0) - 1).view_as(present)
        window, number = (present[:, : bank.turned] & present[:, bank.count :]).nonzero(as_tuple=True)
        first, turned = place[window, number], place[window, bank.count + number]
        false = ~bank.truth(stated[turned], own[window]).diagonal()
        window, first, turned, weight = (sent(each, device) for each in (window, first, turned, false.float()))
        margin = turned_loss(series[window], text[first], text[turned], temperature)
        term = mean_over_processes(margin, weight)
        self.log("train/statements/turned", term, batch_size=max(len(window), 1))
        return result.total + term

    def _voice(self, voice: Tensor, batch: MultimodalBatch) -> Tensor:
        """How far statements, with `voice` (m, 1 + K), are from speaking of the channels of their rules alone."""
        host = batch.on_host
        statements, ids = host.statements, host.channel_ids[0]
        spoken = statements.spoken[statements.mask.any(-1)]  # (m, C)
        place = torch.searchsorted(ids[host.channel_mask[0]].sort().values, ids)
        at_slots = spoken.new_zeros(len(voice), voice.shape[1] - 1).index_copy(1, place, spoken)
        term = mean_over_processes(voice_loss(voice, sent(at_slots, voice.device)))
        self.log("train/statements/voice", term, batch_size=max(len(voice), 1))
        return term

    def _contrast(self, level: Level, name: str, outside: tuple[Tensor, Tensor] | None = None) -> ContrastiveLoss:
        alignment = self.config.alignment

        def negatives(candidates: int) -> int | None:
            return negatives_at(self.progress, candidates, alignment.negatives, alignment.all_negatives_share)

        result: ContrastiveLoss = self.contrast(level, self.model.temperature, negatives, outside)
        self._log_contrast(result, name, len(level.series))
        return result

    def _log_contrast(self, result: ContrastiveLoss, name: str, size: int) -> None:
        self.log_dict(
            {
                f"train/{name}/text_to_series": result.text_to_series,
                f"train/{name}/series_to_text": result.series_to_text,
                f"train/{name}/negatives": result.negatives,
                f"train/{name}/chance": result.negatives.add(1).log(),
                f"train/{name}/outranked": result.outranked,
            },
            batch_size=max(size, 1),
        )

    def _perturbed(self, batch: MultimodalBatch) -> MultimodalBatch:
        """Noise on the values and sentences left out; a text keeps one at least."""
        alignment = self.config.alignment
        if alignment.noise or alignment.level_noise or alignment.scale_noise:
            deviation = self.encoder.channel_tokens.usual_deviation(batch.channel_ids).unsqueeze(-1)  # (B, C, 1)
            values = batch.values
            if alignment.level_noise or alignment.scale_noise:
                values = moved(values, batch.observed, deviation, alignment.level_noise, alignment.scale_noise)
            if alignment.noise:
                values = values + alignment.noise * deviation * torch.randn_like(values)
            batch = dataclasses.replace(batch, values=torch.where(batch.observed, values, batch.values))
        if alignment.sentence_dropout:
            batch = batch.with_known(text_mask=self._kept(batch))
        return batch

    def _kept(self, batch: MultimodalBatch) -> Tensor:
        """(B, S) the pieces that are left of each text, whole sentences; one sentence at least.

        The host draws them: it has to know how much there is to read.
        """
        alignment, host = self.config.alignment, batch.on_host
        mask = host.text_mask
        if self.config.text.unit == "token":
            sentence = host.text[..., -MARKS].long().masked_fill(~mask, -1)  # (B, S)
        else:
            sentence = torch.arange(mask.shape[1]).expand_as(mask).masked_fill(~mask, -1)
        count = int(sentence.max()) + 1 if sentence.numel() else 0
        if count < 1:
            return mask
        draw = torch.rand(len(mask), count)
        absent = torch.arange(count) > sentence.amax(1, keepdim=True)
        draw = draw.masked_fill(absent, 2.0)
        least, most = alignment.sentence_dropout_min, alignment.sentence_dropout
        chance: Tensor | float = most
        if least is not None:
            chance = least + (most - least) * torch.rand(len(mask), 1)
        kept = (draw >= chance) | (draw == draw.min(1, keepdim=True).values)
        return mask & kept.gather(1, sentence.clamp(min=0))
