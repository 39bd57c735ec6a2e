"""Series and text in one space, TRACE §3.3.

The paper holds one vector of a text against [CLS]. Here a text is a set of sentence vectors of the frozen encoder: a learned
query for the whole, and one for each channel, made from the channel's identity, attend to them. So the sentence about the
wind is held against the wind's channel embedding, and the score of a pair is one inner product of concatenated parts. With
`text.unit=document`, `alignment.heads=linear` and `alignment.channel_score=false` it is the paper's model. With
`alignment.tower=reading` a text is read word by word, and its parts are as long as it says something of them; see
`trace_lit.alignment.reading`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.alignment.config import AlignmentConfig
from trace_lit.alignment.losses import Level
from trace_lit.alignment.reading import ChannelScales, KnownTexts, Reading, ReadingTower
from trace_lit.alignment.text_tower import TextTower
from trace_lit.batch import MultimodalBatch, sent
from trace_lit.channels import ChannelVocabulary
from trace_lit.encoder import Encoder, EncoderOutput
from trace_lit.encoder.patches import InstanceNorm, on_scale
from trace_lit.encoder.statistics import WindowFeatures, WindowStatistics

_SMALL = 1e-3  # weights of heads that are to say next to nothing


@dataclass
class AlignedOutput:
    """All that the alignment losses need of one batch."""

    encoded: EncoderOutput
    sample: Level  # the instances with a text
    channel: Level  # the (instance, channel) pairs with a channel text
    series: Tensor  # (B, E) all instances, unit vectors
    statements: Tensor | None  # (m, E) the texts of the batch's statements, unit vectors
    voice: Tensor | None  # (m, 1 + K) how much they say of the whole and of each channel, where it is learned


class AlignedModel(nn.Module):
    """The series encoder, the text tower and the space that they share."""

    def __init__(self, encoder: Encoder, config: AlignmentConfig) -> None:
        super().__init__()
        width = encoder.config.width
        text_width = encoder.vocabulary.name_vectors.shape[1]
        self.config = config
        self.encoder = encoder
        dropout = encoder.config.dropout
        self.text: TextTower | ReadingTower
        if config.tower == "reading":
            self.text = ReadingTower(
                width,
                text_width,
                encoder.config.heads,
                dropout,
                config.text_layers,
                silence=config.silence,
                numbers=config.numbers,
                match=config.match_names,
            )
        else:
            self.text = TextTower(width, text_width, config.heads, dropout)
        self.statistics = WindowStatistics(width, dropout, config.peers) if config.statistics else None
        self._scales: tuple[ChannelVocabulary, ChannelScales] | None = None
        self.series_output: nn.Module = nn.Identity()
        self.channel_output: nn.Module = nn.Identity()
        self.channel_text: nn.Module = nn.Linear(text_width, width)
        if config.heads == "residual":
            self.series_output = nn.Linear(width, width)
            self.channel_output = nn.Linear(width, width)
            standard = nn.LayerNorm(text_width, elementwise_affine=False)
            self.channel_text = nn.Sequential(standard, nn.Linear(text_width, width))
        self.fusion = nn.MultiheadAttention(width, encoder.config.heads, batch_first=True) if config.fusion else None
        self.log_temperature = nn.Parameter(
            torch.tensor(math.log(config.temperature)), requires_grad=config.learnable_temperature
        )
        self.log_statement_temperature: nn.Parameter | None = None
        if config.statements:
            self.log_statement_temperature = nn.Parameter(
                self.log_temperature.detach().clone(), requires_grad=config.learnable_temperature
            )

    @property
    def temperature(self) -> Tensor:
        """The temperature of the contrastive losses, bounded from below."""
        return self.log_temperature.exp().clamp(min=self.config.temperature_min)

    @property
    def has_voice(self) -> bool:
        """Whether a text may say more or less of a channel, or nothing."""
        return self.config.tower == "reading" and self.config.silence and self.config.channel_score

    @property
    def statement_temperature(self) -> Tensor:
        """That of the loss of statements, which fit many windows: bounded alike, learned apart."""
        assert self.log_statement_temperature is not None
        return self.log_statement_temperature.exp().clamp(min=self.config.temperature_min)

    def bound_temperature(self) -> None:
        """Bring a temperature that a step has taken below its bound back to it, where it can still learn."""
        with torch.no_grad():
            for temperature in (self.log_temperature, self.log_statement_temperature):
                if temperature is not None:
                    temperature.clamp_(min=math.log(self.config.temperature_min))

    def forward(self, batch: MultimodalBatch) -> AlignedOutput:
        """Encode both sides of a batch for the losses."""
        encoded = self.encoder(batch, with_patches=False)
        slots = _slots(batch)
        own = sent(slots, batch.values.device)
        series = self._series_vectors(encoded, batch, own)
        statements = voice = None
        if batch.statements is not None:
            host = batch.on_host.statements
            present = host.mask.any(-1).flatten().nonzero().squeeze(1)  # of the B · n texts
            text, mask = _at(present, batch.statements.text.flatten(0, 1), batch.statements.mask.flatten(0, 1))
            known = self._known(present, host.text.flatten(0, 1), host.mask.flatten(0, 1), slots)
            statements, voice = self.embed_statements(text, mask, own, known)
        sample = self._sample_level(series, batch, slots)
        return AlignedOutput(encoded, sample, self._channel_level(encoded, batch), series, statements, voice)

    def sample_level(self, batch: MultimodalBatch) -> Level:
        """Encode both sides of a batch for the loss of the sample level alone."""
        slots = _slots(batch)
        return self._sample_level(self.embed_series(batch, sent(slots, batch.values.device)), batch, slots)

    def channel_level_parameters(self) -> Iterable[nn.Parameter]:
        """Those that the loss of the sample level does not reach."""
        yield from self.channel_text.parameters()
        if self.fusion is not None:
            yield from self.fusion.parameters()
        if not self.config.channel_score:
            yield from self.channel_output.parameters()

    def unscored_parameters(self) -> Iterable[nn.Parameter]:
        """Those of the channels' statistics, where the score is of [CLS] alone."""
        if self.statistics is not None and not self.config.channel_score:
            yield from self.statistics.channel.parameters()

    def number_parameters(self) -> Iterable[nn.Parameter]:
        """Those that read numbers in texts."""
        if isinstance(self.text, ReadingTower) and self.text.numbers is not None:
            yield from self.text.numbers.parameters()

    def embed_series(self, batch: MultimodalBatch, slots: Tensor) -> Tensor:
        """Unit vectors (B, E) of the series alone; the score of any two embeddings is their inner product.

        `slots` (K,) are the sorted ids of the channels of the corpus that is searched. E is (1 + K) d, or d where the
        score is of [CLS] alone.
        """
        return self._series_vectors(self.encoder(batch, with_patches=False), batch, slots)

    def embed_text(self, text: Tensor, mask: Tensor, slots: Tensor, known: KnownTexts | None = None) -> Tensor:
        """Unit vectors (N, E) of the texts (N, S, D) with sentences where `mask` (N, S), for the channels `slots`.

        What the host must know of them and has not been given, in `known`, it reads from their device.
        """
        if not self.config.channel_score:
            slots, known = slots[:0], None if known is None else known.of_the_whole()
        return _unit(self.text_parts(text, mask, slots, known))

    def embed_statements(
        self, text: Tensor, mask: Tensor, slots: Tensor, known: KnownTexts | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """As `embed_text`, and how much the texts say of the whole and of each channel (N, 1 + K), where it is learned."""
        if not self.has_voice:
            return self.embed_text(text, mask, slots, known), None
        reading = self.read(text, mask, slots, known)
        return _unit(reading.parts), reading.voice

    def text_parts(self, text: Tensor, mask: Tensor, slots: Tensor, known: KnownTexts | None = None) -> Tensor:
        """What texts say of the whole and of the channels `slots` (N, 1 + K, d), before they are brought to unit length."""
        if isinstance(self.text, ReadingTower):
            return self.read(text, mask, slots, known).parts
        return self.text(text, mask, self.encoder.channel_tokens.identities()[slots])

    def read(self, text: Tensor, mask: Tensor, slots: Tensor, known: KnownTexts | None = None) -> Reading:
        """How texts are read, word by word, for the channels `slots`; see `embed_text`."""
        assert isinstance(self.text, ReadingTower)
        known = known or self.text.known(text, mask, slots)
        vocabulary = self.encoder.vocabulary
        if self._scales is None or self._scales[0] is not vocabulary:
            self._scales = vocabulary, ChannelScales.of(vocabulary)
        tokens = self.encoder.channel_tokens
        scales = self._scales[1].at(known.slots)
        return self.text(text, mask, tokens.identities()[slots], tokens.name_vectors[slots], scales, known)

    def _known(self, rows: Tensor, text: Tensor, mask: Tensor, slots: Tensor) -> KnownTexts | None:
        """What the host, which has `text` and `mask`, must know of the texts `rows` (n,); nothing without reading them."""
        if not isinstance(self.text, ReadingTower):
            return None
        return KnownTexts(text[..., self.text.text_width :][rows], mask[rows], slots)

    def measure(self, batch: MultimodalBatch, norm: InstanceNorm) -> WindowFeatures:
        """The windows' statistics, relative to what is usual, or, for a channel never seen, to the window's own."""
        tokens = self.encoder.channel_tokens
        mean, deviation = tokens.usual_mean(batch.channel_ids, norm), tokens.deviation[batch.channel_ids]
        mean = torch.where(mean.isnan(), norm.mean.squeeze(-1), mean)
        deviation = torch.where(deviation.isnan(), norm.deviation.squeeze(-1), deviation)
        values = on_scale(batch.values, norm.transform, norm.offset)
        base = None if norm.offset is None else norm.base.squeeze(-1).float()  # type: ignore[union-attr]
        unit = tokens.unit[batch.channel_ids] if self.config.peers else None
        return WindowFeatures.of(values, batch.observed, mean, deviation, base, batch.length, unit)

    def embed_statistics(self, features: WindowFeatures, channel_ids: Tensor, slots: Tensor) -> Tensor:
        """Unit vectors (B, E) of windows of the channels `channel_ids` (B, C) by their statistics alone."""
        assert self.statistics is not None
        identities = self.encoder.channel_tokens.identities()[channel_ids]
        cls, channels = self.statistics(features, identities)
        return self._placed(cls, channels if self.config.channel_score else None, features.there, channel_ids, slots)

    def leave_to_statistics(self) -> None:
        """Let what the encoder says of a window begin at next to nothing, so that the statistics decide.

        At nothing, the gradient of a channel's unit vector would have no bound.
        """
        for layer in (self.series_output, self.channel_output):
            for parameter in layer.parameters():
                nn.init.normal_(parameter, std=_SMALL if parameter.dim() > 1 else 0.0)

    def _series_vectors(self, encoded: EncoderOutput, batch: MultimodalBatch, slots: Tensor) -> Tensor:
        cls, channels = self.series_output(encoded.cls), None
        if self.config.channel_score:
            channels = self.channel_output(encoded.channels)  # (B, C, d)
        if self.statistics is not None:
            identities = self.encoder.channel_tokens.identities()[batch.channel_ids]
            of_whole, of_channels = self.statistics(self.measure(batch, encoded.norm), identities)
            cls = cls + of_whole
            channels = None if channels is None else channels + of_channels
        return self._placed(cls, channels, measured(batch), batch.channel_ids, slots)

    def _placed(
        self, cls: Tensor, channels: Tensor | None, there: Tensor, channel_ids: Tensor, slots: Tensor
    ) -> Tensor:
        """Parts at [CLS] (B, d) and at the channels (B, C, d) that are `there`, in the order of `slots`, of unit length."""
        parts = cls.unsqueeze(1)  # (B, 1, d)
        if channels is not None:
            place = torch.searchsorted(slots, channel_ids.contiguous()).clamp(max=len(slots) - 1)  # (B, C)
            present = there & (slots[place] == channel_ids)
            channels = channels * present.unsqueeze(-1)
            at_slots = channels.new_zeros(len(channels), len(slots), channels.shape[-1])
            at_slots = at_slots.scatter_add(1, place.unsqueeze(-1).expand_as(channels), channels)
            parts = torch.cat([parts, at_slots.to(parts.dtype)], dim=1)  # (B, 1 + K, d)
        if self.has_voice:
            # Parts of one length: else what a text is silent of would count by its share in the length of the whole.
            parts = F.normalize(parts.float(), dim=-1)
        return _unit(parts)

    def _sample_level(self, series: Tensor, batch: MultimodalBatch, slots: Tensor) -> Level:
        """The instances with a text; the host has the `slots`."""
        host = batch.on_host
        has_text = host.text_mask.any(1).nonzero().squeeze(1)
        row = sent(has_text, series.device)
        known = self._known(has_text, host.text, host.text_mask, slots)
        return Level(
            series=series[row],
            text=self.embed_text(batch.text[row], batch.text_mask[row], sent(slots, series.device), known),
            text_id=batch.text_id[row],
            window=batch.window[row],
            row=row,
        )

    def _channel_level(self, encoded: EncoderOutput, batch: MultimodalBatch) -> Level:
        """The (instance, channel) pairs with a channel text; windows of different channels are different series."""
        channels = encoded.channels
        if self.fusion is not None:
            texts = self.channel_text(batch.channel_text)
            silent = ~batch.has_channel_text
            silent = silent & ~silent.all(1, keepdim=True)  # attention over nothing is not defined
            channels = channels + self.fusion(channels, texts, texts, key_padding_mask=silent, need_weights=False)[0]
        host = batch.on_host
        there = host.has_channel_text & host.channel_mask & host.observed.any(-1)  # (B, C)
        paired = sent(there.flatten().nonzero().squeeze(1), channels.device)
        series, start, end = batch.window.unsqueeze(1).expand(-1, there.shape[1], -1).unbind(-1)
        series = series * len(self.encoder.vocabulary) + batch.channel_ids
        channels, text, text_id, window = (
            own.flatten(0, 1)[paired]
            for own in (
                channels,
                batch.channel_text,
                batch.channel_text_id,
                torch.stack([series, start, end], dim=-1),
            )
        )
        return Level(
            series=F.normalize(self.channel_output(channels).float(), dim=-1),
            text=F.normalize(self.channel_text(text).float(), dim=-1),
            text_id=text_id,
            window=window,
            row=paired // there.shape[1],
        )


def _unit(parts: Tensor) -> Tensor:
    """Unit vectors (N, P d) of P parts (N, P, d) behind one another."""
    return F.normalize(parts.flatten(1).float(), dim=1)


def _slots(batch: MultimodalBatch) -> Tensor:
    """The sorted ids of the batch's channels, on the host."""
    host = batch.on_host
    return host.channel_ids[host.channel_mask].unique()


def _at(places: Tensor, *tensors: Tensor) -> list[Tensor]:
    """The rows of `tensors` at `places` (n,) of the host."""
    return [own[sent(places, own.device)] for own in tensors]


def measured(batch: MultimodalBatch) -> Tensor:
    """Channels (B, C) that are there and have a value."""
    return batch.channel_mask & batch.observed.any(-1)
