"""Reading texts word by word: what a text says of each channel, and of which channels it says nothing.

The pieces of a text, tokens or sentences, go through a small transformer, sentence by sentence. The query of the whole and
those of the channels attend to them and to a silent piece, which has a key but says nothing. The less a channel's query
leaves to the silent piece, the more its part of the text counts: a question about the wind is compared in the wind alone.
A number with a unit is read by the channels whose unit it fits, in their deviations from what is usual.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.alignment.heads import ResidualProjection
from trace_lit.batch import sent
from trace_lit.channels import ChannelVocabulary
from trace_lit.text.numbers import KINDS, PLAIN, kind_scale
from trace_lit.text.tokens import MARKS

MANY = 2**20  # more than a text has sentences
POSITIONS = 128  # of pieces in a sentence, up to which each has a vector of its own
LENGTHS = (8, 12, 16, 24, 48)  # up to which sentences are read together
LONGEST = (
    512  # pieces of a sentence that are read together: what attends to one another costs the square of their number
)
MATCH_GAIN, NAMED_SILENCE = (
    12.0,
    6.0,
)  # at the start: of a word's cosine with the channel's name, and of the silent piece
NEVER = -1e4  # score of what is taken only where there is nothing else
CENTRES = tuple(-3 + 0.5 * n for n in range(13))  # of a number's coding, in deviations


@dataclass(frozen=True)
class ChannelScales:
    """On which scale each of K channels is measured."""

    kind: Tensor  # (K,) int64, places in `KINDS`
    factor: Tensor  # (K,) from the channel's unit to the first one of its kind
    offset: Tensor
    mean: Tensor  # (K,) in the channel's unit; NaN where it is not known
    deviation: Tensor

    @classmethod
    def of(cls, vocabulary: ChannelVocabulary) -> ChannelScales:
        """Those of all channels of the vocabulary."""
        units = [key.rpartition(" [")[2].removesuffix("]") if key.endswith("]") else "" for key in vocabulary.keys]
        scales = [kind_scale(unit) for unit in units]
        numbers = [[factor, offset] for _, factor, offset in scales]
        factor, offset = torch.tensor(numbers, dtype=torch.float32).view(-1, 2).unbind(1)
        mean, deviation = (torch.tensor(own, dtype=torch.float32) for own in (vocabulary.mean, vocabulary.deviation))
        kind = torch.tensor([KINDS.index(kind) for kind, _, _ in scales], dtype=torch.int64)
        return cls(kind, factor, offset, mean, deviation)

    def at(self, slots: Tensor) -> ChannelScales:
        """Those of the channels `slots`."""
        return ChannelScales(*(own[slots] for own in vars(self).values()))

    def fits(self, kind: Tensor) -> Tensor:
        """(m, K) whether a number of `kind` (m,) can be one of each channel's; a plain one can be any channel's."""
        plain = KINDS.index(PLAIN)
        return ((kind.unsqueeze(1) == self.kind) | (kind.unsqueeze(1) == plain)) & ~self.mean.isnan()

    def relative(self, kind: Tensor, level: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
        """(m, K) each: numbers (m,) as levels and as differences, in the channels' deviations."""
        plain = (kind == KINDS.index(PLAIN)).unsqueeze(1)
        level, difference = level.unsqueeze(1), difference.unsqueeze(1)
        own_level = torch.where(plain, level, (level - self.offset) / self.factor)
        own_difference = torch.where(plain, difference, difference / self.factor)
        return (own_level - self.mean) / self.deviation, own_difference / self.deviation


def coded(number: Tensor) -> Tensor:
    """Numbers (...) in deviations as features (..., 2 · 13 + 1): bumps, soft steps and the number itself, bounded."""
    number = number.unsqueeze(-1)
    away = number - sent(number.new_tensor(CENTRES, device="cpu"), number.device)
    return torch.cat([torch.exp(-0.5 * (away / 0.4).square()), torch.sigmoid(4 * away), torch.tanh(number / 2)], dim=-1)


class NumberReader(nn.Module):
    """A number in its words, as one channel reads it: added to what the channel takes from the number's token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.number = nn.Sequential(nn.Linear(2 * (2 * len(CENTRES) + 1), width), nn.GELU(), nn.Linear(width, width))
        self.together = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, words: Tensor, level: Tensor, difference: Tensor) -> Tensor:
        """(m, d) for the tokens' `words` (m, d) and their numbers (m,) in deviations."""
        return self.together(words + self.number(torch.cat([coded(level), coded(difference)], dim=-1)))


class SentenceBlock(nn.Module):
    """A pre-norm transformer block over the pieces of each sentence."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.input = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.ffn_norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        """`x` (n, P, d), n sentences of P pieces where `visible` (n, P)."""
        mixed = self.input(self.attention_norm(x))
        query, key, value = mixed.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (n, H, P, d / H)
        # Of short sentences many small products are faster than the fused attention.
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(~visible[:, None, None, :], torch.finfo(scores.dtype).min)
        x = x + self.dropout(self.output((scores.softmax(-1) @ value).transpose(1, 2).flatten(2)))
        return x + self.dropout(self.ffn(self.ffn_norm(x)))


@dataclass(frozen=True)
class KnownTexts:
    """What the host knows of N texts and of the K channels they are read for; it decides how much there is to compute."""

    marks: Tensor  # (N, S, 4), or (N, S, 0) where the pieces have none
    mask: Tensor  # (N, S) bool
    slots: Tensor  # (K,) int64

    def of_the_whole(self) -> KnownTexts:
        """The same texts, read for no channel."""
        return KnownTexts(self.marks, self.mask, self.slots[:0])


@dataclass
class Reading:
    """What N texts of S pieces say of the whole and of K channels."""

    parts: Tensor  # (N, 1 + K, d); a part's length is its voice
    voice: Tensor  # (N, 1 + K), 0 to 1: how much the text states about it
    attention: Tensor  # (N, 1 + K, S): how much of that is read in each piece, the mean over heads


class ReadingTower(nn.Module):
    """Vectors of a text's pieces to one part for [CLS] and one for each channel.

    Parameters
    ----------
    layers
        Of the transformer over each sentence's pieces.
    silence
        Whether a text may say nothing of a channel.
    numbers
        Whether numbers that the pieces are marked with are read.
    match
        Whether half of the heads begin by attending to the words that are like the channel's name, as the frozen encoder
        has both. What a channel is called then need not be learned, and a channel never seen is found by its name.
    """

    def __init__(
        self,
        width: int,
        text_width: int,
        heads: int,
        dropout: float,
        layers: int,
        silence: bool = True,
        numbers: bool = True,
        match: bool = False,
    ) -> None:
        super().__init__()
        self.text_width, self.heads = text_width, heads
        self.standard = nn.LayerNorm(text_width, elementwise_affine=False)
        self.input = nn.Linear(text_width, width)
        self.dropout = nn.Dropout(dropout)
        self.position = nn.Parameter(0.02 * torch.randn(POSITIONS, width))
        self.blocks = nn.ModuleList(SentenceBlock(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.whole = nn.Parameter(torch.randn(width) / math.sqrt(width))
        self.query = nn.Linear(width, width)
        self.silent = nn.Parameter(torch.randn(width) / math.sqrt(width)) if silence else None
        self.numbers = NumberReader(width) if numbers else None
        self.match_gain: nn.Parameter | None = None
        self.named_silence: nn.Parameter | None = None
        if match:
            named = torch.arange(heads) < heads - heads // 2
            self.match_gain = nn.Parameter(MATCH_GAIN * named)
            self.named_silence = nn.Parameter(NAMED_SILENCE * torch.ones(heads)) if silence else None
        self.reading = nn.Linear(width, 2 * width)
        self.output = ResidualProjection(width, dropout)
        self.channel_output = ResidualProjection(width, dropout)

    def known(self, text: Tensor, mask: Tensor, slots: Tensor) -> KnownTexts:
        """What the host has to know of texts; what is on a device is read there, for which the host waits."""
        return KnownTexts(text[..., self.text_width :].cpu(), mask.cpu(), slots.cpu())

    def forward(
        self,
        text: Tensor,
        mask: Tensor,
        identities: Tensor,
        names: Tensor,
        scales: ChannelScales,
        known: KnownTexts,
    ) -> Reading:
        """Read `text` (N, S, D), or (N, S, D + 4) with marks, under `mask` (N, S), for K channels.

        The channels have `identities` (K, d), and `names` (K, D) as the frozen encoder has them. Of the texts and the
        channels' `scales`, the host knows what decides shapes.
        """
        vectors = text[..., : self.text_width]
        pieces = self._pieces(vectors, known)  # (N, S, d)
        match = None if self.match_gain is None else _cosines(vectors, names)  # (N, S, K)
        weights, voice = self._attend(pieces, mask, identities, match)  # (N, H, 1 + K, S), (N, 1 + K)
        count, width = len(text), pieces.shape[-1]
        read = (weights.flatten(1, 2) @ pieces).view(count, self.heads, 1 + len(identities), width)
        value = self.value.weight.view(self.heads, width // self.heads, width)
        pooled = torch.einsum("nhkw,hew->nkhe", read, value).flatten(2)  # (N, 1 + K, d)
        if self.numbers is not None and known.marks.shape[-1] == MARKS:
            pooled = self._with_numbers(pooled, pieces, weights, known, scales)
        pooled = self.dropout(pooled)
        scale, shift = self.reading(identities).chunk(2, dim=-1)  # (K, d)
        channels = self.channel_output(pooled[:, 1:] * (1 + scale) + shift)
        parts = F.normalize(torch.cat([self.output(pooled[:, :1]), channels], dim=1).float(), dim=-1)
        return Reading(parts * voice.unsqueeze(-1), voice, weights.mean(1))

    def _pieces(self, vectors: Tensor, known: KnownTexts) -> Tensor:
        """The pieces (N, S, d) in their sentence; where they are no tokens, each is a sentence of its own."""
        marks, device = known.marks, vectors.device
        text, step = known.mask.nonzero(as_tuple=True)
        count, steps = known.mask.shape
        at = text * steps + step  # (M,)
        sentence = marks[text, step, 0].long() if marks.shape[-1] else step
        whole = torch.unique_consecutive(text * MANY + sentence, return_counts=True)[1]
        runs = (whole - 1) // LONGEST + 1
        length = torch.full((int(runs.sum()),), LONGEST)
        length[runs.cumsum(0) - 1] = whole - LONGEST * (runs - 1)
        first = length.cumsum(0) - length
        given = vectors.flatten(0, 1)
        found, places = [self.position[:0]], [at[:0]]
        bounds = (0, *LENGTHS, steps)
        for shortest, longest in itertools.pairwise(bounds):  # of like length, so that little is padding
            own = ((length > shortest) & (length <= longest)).nonzero().squeeze(1)
            if not len(own):
                continue
            position = torch.arange(int(length[own].max()))
            visible = position < length[own].unsqueeze(1)  # (n, P)
            place = at[(first[own].unsqueeze(1) + position).clamp(max=len(at) - 1)]
            kept = visible.flatten().nonzero().squeeze(1)
            places.append(place.flatten()[kept])
            x = self.dropout(self.input(self.standard(given[sent(place, device)])))
            x = x + self.position[torch.arange(len(position), device=device).clamp(max=POSITIONS - 1)]
            visible = sent(visible, device)
            for block in self.blocks:
                x = block(x, visible)
            found.append(x.flatten(0, 1)[sent(kept, device)])
        x, place = self.norm(torch.cat(found)), sent(torch.cat(places), device)
        return x.new_zeros(count * steps, x.shape[1]).index_copy(0, place, x).view(count, steps, x.shape[1])

    def _attend(self, pieces: Tensor, mask: Tensor, identities: Tensor, match: Tensor | None) -> tuple[Tensor, Tensor]:
        """How much of each piece the queries take (N, H, 1 + K, S), and how much they take at all (N, 1 + K)."""
        count, steps, width = pieces.shape
        each = width // self.heads
        queries = torch.cat([self.whole[None], self.query(identities)]).view(-1, self.heads, each)
        # Of a few queries and many pieces, the queries are brought into the pieces' space.
        sought = torch.einsum("khe,hew->khw", queries, self.key.weight.view(self.heads, each, width))
        scores = pieces @ sought.reshape(-1, width).T
        scores = scores.view(count, steps, len(queries), self.heads).permute(0, 3, 2, 1)
        scores = scores / math.sqrt(each)
        if match is not None:
            assert self.match_gain is not None
            named = match.transpose(1, 2).unsqueeze(1) * self.match_gain.view(-1, 1, 1)  # (N, H, K, S)
            scores = scores + F.pad(named, (0, 0, 1, 0)).to(scores.dtype)
        scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
        if self.silent is None:
            voice = mask.any(1, keepdim=True).expand(-1, len(queries)).to(pieces.dtype)
            return scores.softmax(-1), voice
        nothing = torch.einsum("he,khe->hk", self.silent.view(self.heads, each), queries) / math.sqrt(each)
        if self.named_silence is not None:
            nothing = nothing + self.named_silence.unsqueeze(1)
        if len(identities) == 1:  # whatever a text states is about an only channel, whether it is named or not
            nothing = torch.cat([nothing[:, :1], torch.full_like(nothing[:, 1:], NEVER)], dim=1)
        weights = torch.cat([scores, nothing[None, :, :, None].expand(count, -1, -1, 1)], dim=-1).softmax(-1)
        return weights[..., :-1], 1 - weights[..., -1].prod(1)  # one head that hears something is enough

    def _with_numbers(
        self, pooled: Tensor, pieces: Tensor, weights: Tensor, known: KnownTexts, scales: ChannelScales
    ) -> Tensor:
        assert self.numbers is not None
        text, step = (known.mask & (known.marks[..., 1] >= 0)).nonzero(as_tuple=True)
        _, kind, level, difference = known.marks[text, step].unbind(-1)
        number, channel = scales.fits(kind.long()).nonzero(as_tuple=True)
        own_level, own_difference = scales.relative(kind.long(), level, difference)
        text, step, channel, own_level, own_difference = (
            sent(own, pieces.device)
            for own in (
                text[number],
                step[number],
                channel,
                own_level[number, channel],
                own_difference[number, channel],
            )
        )
        added = self.numbers(pieces[text, step], own_level, own_difference)
        heard = weights[text, :, 1 + channel, step].unsqueeze(-1)  # (m, H, 1)
        added = (added.view(len(added), self.heads, added.shape[1] // self.heads) * heard).flatten(1)
        return pooled.index_put((text, 1 + channel), added.to(pooled.dtype), accumulate=True)


def _cosines(vectors: Tensor, names: Tensor) -> Tensor:
    """(N, S, K) the cosines of `vectors` (N, S, D) and `names` (K, D)."""
    return F.normalize(vectors.float(), dim=-1) @ F.normalize(names.float(), dim=-1).T
