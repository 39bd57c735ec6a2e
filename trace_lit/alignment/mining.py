"""Which candidates count as an anchor's negatives, TRACE §3.3.

Plain functions on similarities and masks: a miner says which negatives count, a loss takes them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def admissible(anchor_text: Tensor, candidate_text: Tensor, anchor_window: Tensor, candidate_window: Tensor) -> Tensor:
    """Pairs (N, M) that may be each other's negatives.

    Not admissible are equal texts, and windows of one series that overlap in time; the anchor itself is both.

    Parameters
    ----------
    anchor_text, candidate_text
        (N,) and (M,) int64 text ids; equal ids are equal texts, a negative id equals no other.
    anchor_window, candidate_window
        (N, 3) and (M, 3) int64: series id, first second, second after the last.
    """
    same_text = (anchor_text[:, None] == candidate_text) & (anchor_text[:, None] >= 0)
    series, start, end = anchor_window[:, None].unbind(-1)
    other_series, other_start, other_end = candidate_window.unbind(-1)
    overlap = (series == other_series) & (start < other_end) & (other_start < end)
    return ~(same_text | overlap)


def hardest(similarity: Tensor, allowed: Tensor, count: int | None) -> Tensor:
    """The `count` most similar of each anchor's allowed candidates, as a mask (N, M); all allowed where it is None.

    `similarity` (N, M) float, `allowed` (N, M) bool. An anchor with fewer allowed candidates keeps all of them.
    """
    if count is None or count >= allowed.shape[1]:
        return allowed
    ranked = similarity.detach().masked_fill(~allowed, -torch.inf)
    places = ranked.topk(count, dim=1).indices
    return torch.zeros_like(allowed).scatter_(1, places, True) & allowed


def negatives_at(progress: float, candidates: int, negatives: int | None, all_share: float) -> int | None:
    """How many negatives an anchor has at `progress` (0 to 1) of a run.

    All `candidates` for the first `all_share`, then falling geometrically to `negatives` at the end: the hardest alone
    collapse a small corpus.
    """
    if negatives is None or progress < all_share or negatives >= candidates:
        return None
    fraction = (progress - all_share) / max(1.0 - all_share, 1e-9)
    return round(candidates * (negatives / candidates) ** min(fraction, 1.0))
