"""Which candidates count as an anchor's negatives, TRACE §3.3.

Plain functions on similarities and masks: a miner says which negatives count, a loss takes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trace_lit.batch import NO_LABEL

# Anchors and candidates whose product is taken at once: wide, as ranking costs a CPU much for each row of a block, and
# what keeps an accelerator busy. Of a block, a CPU ranks as many pairs at once as its caches hold.
BLOCKS = {"cpu": (256, 32768)}
ACCELERATOR_BLOCK = (2048, 16384)
RANKED = {"cpu": 2**20}
RULES = ("text", "window", "label", "margin")


@dataclass(frozen=True)
class Instances:
    """What decides whether instances may be each other's negatives."""

    text_id: Tensor  # (N,) int64, equal ids are equal texts, a negative id equals no other
    window: Tensor  # (N, 3) int64: series id, first second, second after the last
    label: Tensor  # (N,) int64, NO_LABEL where there is none

    def __len__(self) -> int:
        return len(self.text_id)

    def __getitem__(self, rows: Tensor | slice) -> Instances:
        return Instances(self.text_id[rows], self.window[rows], self.label[rows])


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
    return ~(_same_text(anchor_text, candidate_text) | _overlapping(anchor_window, candidate_window))


def _same_text(anchor: Tensor, candidate: Tensor) -> Tensor:
    anchor, candidate = anchor.masked_fill(anchor < 0, -1), candidate.masked_fill(candidate < 0, -2)
    return anchor[:, None] == candidate


def _overlapping(anchor: Tensor, candidate: Tensor) -> Tensor:
    series, start, end = anchor[:, None].unbind(-1)
    other_series, other_start, other_end = candidate.unbind(-1)
    return (series == other_series) & (start < other_end) & (other_start < end)


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


@dataclass(frozen=True)
class NegativeRules:
    """Which of the admissible candidates an anchor may have as negatives, and which of these it gets.

    A candidate that scores nearly as high as the positive is more likely unlabelled than wrong. The margins leave it
    out (positive-aware mining, NV-Retriever, arXiv 2407.15831). Of the rest, ranked from the hardest, `range_max` are
    looked at, `range_min` of these skipped, and K taken: the first ("top") or any ("random").
    """

    relative_margin: float | None = 0.05  # a negative scores at least this share below the positive
    absolute_margin: float | None = None  # a negative scores below the positive's score less this
    range_min: int = 0
    range_max: int | None = None  # where it is None, range_min + K at "top" and range_min + 4 K at "random"
    sampling_strategy: str = "top"
    exclude_same_label: bool = False

    def ceiling(self, positive: Tensor) -> Tensor:
        """The score (n,) that a negative stays below, from the positives' scores (n,)."""
        ceiling = torch.full_like(positive, torch.inf)
        if self.relative_margin is not None:  # of a negative score, a share less would lie above it
            ceiling = ceiling.minimum(positive - self.relative_margin * positive.abs())
        if self.absolute_margin is not None:
            ceiling = ceiling.minimum(positive - self.absolute_margin)
        return ceiling

    def ranks(self, count: int) -> int:
        """How many of the hardest must be known to give `count` to each anchor."""
        usual = (count if self.sampling_strategy == "top" else 4 * count) + self.range_min
        return usual if self.range_max is None else self.range_max


@dataclass
class MinedNegatives:
    """The K hardest negatives of n anchors, and what the rules left out."""

    index: Tensor  # (n, K) int64, places among the candidates, the hardest first; -1 where there are fewer
    score: Tensor  # (n, K), -inf where there are fewer
    positive: Tensor  # (n,) the score of each anchor's positive
    hardest: Tensor  # (n,) the score of the hardest admissible candidate, near-positives included; -inf without one
    # rule -> (n,) int64, the candidates that it alone left out, in this order of rules; empty where nobody counts
    excluded: dict[str, Tensor]


@torch.no_grad()
def mine_negatives(
    anchors: Tensor,
    candidates: Tensor,
    positive: Tensor,
    instances: Instances,
    count: int,
    rules: NegativeRules,
    *,
    seed: int = 0,
    block: tuple[int, int] | None = None,
) -> MinedNegatives:
    """The hardest negatives of each anchor among all candidates; of equally hard ones those that come first.

    It is fastest where the instances come in the order of time, as those of a corpus do: an anchor then has few blocks
    of candidates with texts and windows that are like its own.

    Parameters
    ----------
    anchors
        (n, E) unit vectors.
    candidates
        (N, E) unit vectors of the other side.
    positive
        (n,) int64, the place of each anchor's positive among the candidates.
    instances
        What is known of the N candidates; an anchor is the instance of its positive.
    count
        K.
    seed
        Of the random sampling.
    block
        How many anchors and candidates are compared at once, by default what suits the device. Beside the arguments and
        tables of the outcome's size, the memory taken is at most 24 bytes a pair of a block, whatever N: 200 MB on a CPU
        and 800 MB elsewhere.
    """
    size, device = len(anchors), anchors.device
    rows, columns = block or BLOCKS.get(device.type, ACCELERATOR_BLOCK)
    ranked = RANKED.get(device.type, rows * columns)
    ranks = min(rules.ranks(count), len(candidates))
    own = instances[positive]
    score = anchors.new_empty(size)
    for part in _blocks(size, rows):
        score[part] = (anchors[part] * candidates[positive[part]]).sum(1)
    ceiling = rules.ceiling(score)
    left_out = torch.finfo(anchors.dtype).min
    flags = anchors.new_empty(
        min(max(ranked, columns), size * len(candidates))
    )  # the same memory, which stays in caches
    best = anchors.new_full((size, ranks), left_out)
    index = torch.full((size, ranks), -1, device=device)
    nearest = anchors.new_full((size,), left_out)
    excluded = {rule: torch.zeros(size, dtype=torch.int64, device=device) for rule in RULES}
    for span in _blocks(len(candidates), columns):
        places = torch.arange(span.start, span.stop, device=device)
        others = instances[places]
        concerned = _concerned(own, others, rules)
        for part in _blocks(size, rows):
            similarity = anchors[part] @ candidates[span].T
            near = concerned[part].nonzero().squeeze(1)
            if len(near):
                anchor = part.start + near
                reach = _reach(others, own[anchor], rules)
                allowed = positive[anchor, None] != places[reach]
                for rule, number in _exclude(allowed, own[anchor], others[reach], rules):
                    excluded[rule][anchor] += number
                similarity[near, reach] = similarity[near, reach].masked_fill_(allowed.logical_not_(), left_out)
            for few in _blocks(len(similarity), max(1, ranked // similarity.shape[1])):
                some, scores = slice(part.start + few.start, part.start + few.stop), similarity[few]
                nearest[some] = nearest[some].maximum(scores.amax(1))
                # Arithmetic, as a masked_fill of so many would take a CPU half as long as the product.
                high = torch.ge(scores, ceiling[some, None], out=flags[: scores.numel()].view_as(scores))
                excluded["margin"][some] += high.sum(1).long()
                scores.add_(high, alpha=left_out)
                highest = _highest(scores, ranks)
                scores = torch.cat([best[some], scores.gather(1, highest)], dim=1)
                scores, kept = scores.sort(dim=1, descending=True, stable=True)
                best[some] = scores[:, :ranks]
                index[some] = torch.cat([index[some], span.start + highest], dim=1).gather(1, kept[:, :ranks])
    missing = best == left_out
    index, best = index.masked_fill(missing, -1), best.masked_fill(missing, -torch.inf)
    index, best = _chosen(
        index[:, rules.range_min :], best[:, rules.range_min :], positive, len(candidates), count, rules, seed
    )
    return MinedNegatives(
        index=F.pad(index, (0, count - index.shape[1]), value=-1),
        score=F.pad(best, (0, count - best.shape[1]), value=-torch.inf),
        positive=score,
        hardest=nearest.masked_fill(nearest == left_out, -torch.inf),
        excluded=excluded,
    )


def _blocks(size: int, most: int) -> list[slice]:
    """Slices of `most` or fewer of `size` places, equally long (±1): a product of a few rows alone may round otherwise."""
    count = math.ceil(size / most)
    return [slice(size * number // count, size * (number + 1) // count) for number in range(count)]


def _concerned(own: Instances, others: Instances, rules: NegativeRules) -> Tensor:
    """The instances (n,) that may find their text, window or label, or themselves, among `others`.

    It saves comparing all with all.
    """
    series, start, end = own.window.unbind(1)
    other_series, other_start, other_end = others.window.unbind(1)
    concerned = torch.isin(series, other_series) & (start < other_end.max()) & (other_start.min() < end)
    concerned |= torch.isin(own.text_id, others.text_id)
    if rules.exclude_same_label:
        concerned |= torch.isin(own.label, others.label)
    return concerned


def _reach(others: Instances, own: Instances, rules: NegativeRules) -> slice:
    """The places among `others` from the first to the last one that any of `own` may find."""
    places = _concerned(others, own, rules).nonzero()
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0)


def _exclude(allowed: Tensor, own: Instances, others: Instances, rules: NegativeRules) -> Iterator[tuple[str, Tensor]]:
    """Clear the pairs `allowed` (n, M) that a rule but the margin excludes; each rule with their number (n,)."""
    for rule, pairs in _ruled_out(own, others, rules):
        pairs &= allowed
        yield rule, pairs.sum(1, dtype=torch.int32)
        allowed ^= pairs


def _ruled_out(own: Instances, others: Instances, rules: NegativeRules) -> Iterator[tuple[str, Tensor]]:
    """Each rule but the margin, with the pairs (n, M) that it leaves out."""
    yield "text", _same_text(own.text_id, others.text_id)
    yield "window", _overlapping(own.window, others.window)
    if rules.exclude_same_label:
        yield "label", (own.label[:, None] == others.label) & (others.label != NO_LABEL)


def _highest(scores: Tensor, count: int) -> Tensor:
    """The places (n, count), in ascending order, of the highest of each row (n, m); of equal ones the first.

    `topk` takes any of equal ones. So rows whose last one has an equal that was left out are looked at again.
    """
    if count >= scores.shape[1]:
        return torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)
    values, places = _topk(scores, count + 1)
    last, places = values[:, count - 1], places[:, :count]
    tied = ((last == values[:, count]) & (last > torch.finfo(scores.dtype).min)).nonzero().squeeze(1)
    if len(tied):
        rows, least = scores[tied], last[tied, None]
        above, equal = rows > least, rows == least
        wanted = count - above.sum(1, keepdim=True)
        places[tied] = (above | (equal & (equal.cumsum(1) <= wanted))).nonzero()[:, 1].view(-1, count)
    return places.sort(dim=1).values


def _topk(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` highest of each row (n, m), the highest first, and their places; of equal ones any.

    Maxima of groups are much cheaper than `topk`, which then looks at the `count` groups of the highest maxima alone.
    """
    size = scores.shape[1]
    members = math.isqrt(size // count)  # of a group
    groups = size // members
    if groups <= count:
        values, places = scores.topk(count, dim=1)
        return values, places
    grouped, rest = scores[:, : groups * members].unflatten(1, (members, groups)), scores[:, groups * members :]
    group = grouped.amax(1).topk(count, dim=1).indices
    chosen = grouped.gather(2, group[:, None].expand(-1, members, -1))
    values, found = torch.cat([chosen.flatten(1), rest], dim=1).topk(count, dim=1)
    places = torch.where(
        found < members * count,
        groups * (found // count) + group.gather(1, found % count),
        found + members * (groups - count),
    )
    return values, places


def _chosen(
    index: Tensor, score: Tensor, positive: Tensor, instances: int, count: int, rules: NegativeRules, seed: int
) -> tuple[Tensor, Tensor]:
    """Up to `count` of each anchor's ranked negatives (n, R), as the sampling strategy says."""
    if rules.sampling_strategy == "random":
        # Drawn for all instances, so that an anchor's lot does not depend on the process that mines it.
        generator = torch.Generator().manual_seed(seed)
        lots = torch.rand(instances, index.shape[1], generator=generator).to(index.device)[positive]
        drawn = lots.masked_fill(index < 0, -1.0).topk(min(count, lots.shape[1]), dim=1).indices
        drawn = drawn.sort(dim=1).values  # the hardest stay first
        index, score = index.gather(1, drawn), score.gather(1, drawn)
    return index[:, :count], score[:, :count]
