"""Bidirectional InfoNCE at the sample and the channel level, TRACE §3.3.

Anchors are this process's rows, candidates those of all processes, gathered with gradient. A process's loss is its share of
the sum over all anchors, times the number of processes: after the averaging of data-parallel training, loss and gradients
are those of one process with the whole batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trace_lit.alignment.config import AlignmentConfig
from trace_lit.alignment.mining import admissible, hardest
from trace_lit.config import ConfigError, build_object
from trace_lit.distributed import gather, mean_over_processes, row_offset


def info_nce(logits: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """−log of the positive's share among the positive and the negatives, for each anchor.

    Parameters
    ----------
    logits
        (N, M) similarities over temperature.
    positive
        (N,) int64, the place of each anchor's positive.
    negative
        (N, M) bool, the candidates in the denominator beside the positive.

    Returns
    -------
    Tensor
        (N,); 0 for an anchor without negatives.
    """
    logits = logits.float()
    kept = negative.scatter(1, positive[:, None], True)
    denominator = logits.masked_fill(~kept, -torch.inf).logsumexp(dim=1)
    return denominator - logits.gather(1, positive[:, None]).squeeze(1)


@dataclass
class Level:
    """One side each of the pairs at one level, row by row: sample or channel."""

    series: Tensor  # (n, e) unit vectors
    text: Tensor  # (n, e) unit vectors
    text_id: Tensor  # (n,) int64, see `admissible`
    window: Tensor  # (n, 3) int64, see `admissible`
    row: Tensor  # (n,) int64, each pair's instance in the batch


@dataclass
class ContrastiveLoss:
    """The loss of one level and what is worth watching about it."""

    text_to_series: Tensor
    series_to_text: Tensor
    negatives: Tensor  # mean number of negatives an anchor
    outranked: Tensor  # share of text anchors whose hardest negative is nearer than the positive

    @property
    def total(self) -> Tensor:
        return 0.5 * (self.text_to_series + self.series_to_text)


class AlignmentLoss(nn.Module, ABC):
    """A loss of aligned pairs, in both directions. A subclass writes `per_anchor`; see docs/extending/loss.md.

    It may have parameters, which are learned. Its options, `alignment.loss_options`, are arguments of its constructor.
    """

    def forward(
        self,
        level: Level,
        temperature: Tensor,
        negatives: Callable[[int], int | None],
        outside: tuple[Tensor, Tensor] | None = None,
    ) -> ContrastiveLoss:
        """The loss of one level, see `contrastive_loss`; to be overridden where a loss is no mean over anchors."""
        return contrastive_loss(level, temperature, negatives, outside, self.per_anchor)

    @abstractmethod
    def per_anchor(self, similarity: Tensor, positive: Tensor, negative: Tensor, temperature: Tensor) -> Tensor:
        """The loss of each anchor (N,).

        Parameters
        ----------
        similarity
            (N, M) float32 cosines between N anchors, texts or series, and M candidates of the other side.
        positive
            (N,) int64, the place of each anchor's positive among the candidates.
        negative
            (N, M) bool, the candidates that count as its negatives; neither positive nor negative are equal texts,
            overlapping windows, and negatives that `alignment.negatives` leaves out.
        temperature
            Scalar, learned where `alignment.learnable_temperature` says so.
        """


class InfoNCE(AlignmentLoss):
    """The paper's loss, see `info_nce`."""

    def per_anchor(self, similarity: Tensor, positive: Tensor, negative: Tensor, temperature: Tensor) -> Tensor:
        return _info_nce(similarity, positive, negative, temperature)


def build_loss(config: AlignmentConfig) -> AlignmentLoss:
    """The loss that `alignment.loss` asks for.

    Raises
    ------
    ConfigError
        It names no `AlignmentLoss`, or one that refuses `alignment.loss_options`.
    """
    path = "trace_lit.alignment.losses:InfoNCE" if config.loss == "info_nce" else config.loss
    return build_object(path, AlignmentLoss, "alignment.loss", options=config.loss_options)


def _info_nce(similarity: Tensor, positive: Tensor, negative: Tensor, temperature: Tensor) -> Tensor:
    return info_nce(similarity / temperature, positive, negative)


def contrastive_loss(
    level: Level,
    temperature: Tensor,
    negatives: Callable[[int], int | None],
    outside: tuple[Tensor, Tensor] | None = None,
    per_anchor: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor] = _info_nce,
) -> ContrastiveLoss:
    """A bidirectional loss of this process's pairs against those of all processes, InfoNCE by default.

    Parameters
    ----------
    level
        The n pairs of this process.
    temperature
        Scalar.
    negatives
        Given the number of candidates it says how many hard ones an anchor keeps, None for all.
    outside
        Similarities (n, K) of the texts to further series and of the series to further texts that are negatives without
        being in any batch, -inf where there is none; see `NegativeCache`.
    per_anchor
        The loss of each anchor, see `AlignmentLoss.per_anchor`.
    """
    series, text = gather(level.series), gather(level.text)
    size, device = len(level.series), level.series.device
    positive = row_offset(size) + torch.arange(size, device=device)
    allowed = admissible(level.text_id, gather(level.text_id), level.window, gather(level.window))
    allowed = allowed.scatter(1, positive[:, None], False)
    count = negatives(len(series))

    def direction(anchors: Tensor, others: Tensor, further: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        with torch.autocast(anchors.device.type, enabled=False):  # bfloat16 would blur what a temperature of 0.01 tells
            similarity = anchors.float() @ others.float().T
        chosen = hardest(similarity, allowed, count)
        if further is not None:
            there = further > -torch.inf
            chosen = torch.cat([chosen, there], dim=1)
            # An infinity would reach the temperature's gradient.
            similarity = torch.cat([similarity, further.masked_fill(~there, 0.0)], dim=1)
        loss = per_anchor(similarity, positive, chosen, temperature)
        if loss.shape != positive.shape:
            raise ConfigError(
                f"alignment.loss: per_anchor gives a tensor of shape {tuple(loss.shape)}; it must give the loss of each of "
                f"the {len(positive)} anchors, shape ({len(positive)},)"
            )
        return similarity, chosen, loss

    to_further_series, to_further_text = outside or (None, None)
    similarity, chosen, to_series = direction(level.text, series, to_further_series)
    _, _, to_text = direction(level.series, text, to_further_text)
    with torch.no_grad():
        similarity = similarity[:, : allowed.shape[1]]
        own = similarity.gather(1, positive[:, None])
        outranked = ((similarity > own) & allowed).any(1).float()
    return ContrastiveLoss(
        text_to_series=mean_over_processes(to_series),
        series_to_text=mean_over_processes(to_text),
        negatives=mean_over_processes(chosen.sum(1).float()).detach(),
        outranked=mean_over_processes(outranked).detach(),
    )


def multi_positive_info_nce(logits: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """For each anchor the mean over its positives of −log of a positive's share among itself and the negatives.

    Positives do not compete with one another. With one positive an anchor it is `info_nce`.

    Parameters
    ----------
    logits
        (N, M) similarities over temperature.
    positive, negative
        (N, M) bool; what is neither does not count.

    Returns
    -------
    Tensor
        (N,); 0 for an anchor without positives or without negatives.
    """
    logits = logits.float()
    others = logits.masked_fill(~negative, torch.finfo(logits.dtype).min).logsumexp(1, keepdim=True)
    loss = torch.where(positive & negative.any(1, keepdim=True), F.softplus(others - logits), 0.0)
    return loss.sum(1) / positive.sum(1).clamp(min=1)


def statement_loss(
    series: Tensor,
    text: Tensor,
    temperature: Tensor,
    own_texts: Tensor,
    own_series: Tensor,
    further: Tensor | None = None,
) -> ContrastiveLoss:
    """Bidirectional InfoNCE of this process's texts and windows, by what is true, against those of all processes.

    Parameters
    ----------
    series, text
        (n, e) and (m, e) unit vectors of this process's windows and texts.
    temperature
        Scalar.
    own_texts
        (m, N + K) bool, which of this process's texts are true of which of all processes' windows, and of the further ones.
    own_series
        (M, n) bool, which of all processes' texts are true of which of this process's windows.
    further
        (K, e) windows that no process has in its batch, to which the texts are also compared, without gradient.
    """

    def direction(anchors: Tensor, others: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
        negative = ~positive
        with torch.autocast(anchors.device.type, enabled=False):
            similarity = anchors.float() @ others.float().T
        counts = (positive.any(1) & negative.any(1)).float()
        loss = multi_positive_info_nce(similarity / temperature, positive, negative)
        return mean_over_processes(loss, counts), similarity

    windows = gather(series)
    windows = windows if further is None else torch.cat([windows, further])
    to_series, similarity = direction(text, windows, own_texts)
    to_text, _ = direction(series, gather(text), own_series.T)
    with torch.no_grad():
        worst = similarity.masked_fill(~own_texts, torch.inf).amin(1)
        best = similarity.masked_fill(own_texts, -torch.inf).amax(1)
        outranked = (best > worst).float()
    return ContrastiveLoss(
        text_to_series=to_series,
        series_to_text=to_text,
        negatives=mean_over_processes((~own_texts).sum(1).float()).detach(),
        outranked=mean_over_processes(outranked).detach(),
    )


def voice_loss(voice: Tensor, spoken: Tensor) -> Tensor:
    """How far texts are from saying something of the channels that they speak of, and of no other (m,).

    A text of several channels speaks of the whole window; otherwise [CLS] would answer for each channel.

    Parameters
    ----------
    voice
        (m, 1 + K), 0 to 1, how much the texts say of the whole and of K channels.
    spoken
        (m, K) bool.
    """
    wanted = torch.cat([spoken.sum(1, keepdim=True) > 1, spoken], dim=1)
    share = voice.float().clamp(1e-4, 1 - 1e-4)
    return -torch.where(wanted, share, 1 - share).log().mean(1)


def turned_loss(series: Tensor, text: Tensor, turned: Tensor, temperature: Tensor) -> Tensor:
    """How near windows `series` (m, e) are to what is false of them (m,): to `turned` (m, e) against `text` (m, e)."""
    return F.softplus(-(series * (text - turned)).sum(1) / temperature)
