"""Solving a combination: penalties, weights of members and bands, all from predictions for time that was not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trace_lit.encoder.combination import calibrated, forward_segments, simplex_weights, some
from trace_lit.encoder.combined import Combination, mean_change
from trace_lit.encoder.members import TEXT_GROUPS, Inputs, Member, resolved_calendar
from trace_lit.encoder.patches import off_scale
from trace_lit.encoder.ridge_path import Moments, RidgePath, search_penalties

_STRETCHES = 3  # of the horizon, each with its own penalty
_IMPORTANCE = {"calendar": 3.0}  # of a group's scale: the time of year is hardly penalised
_DRIFTING = {"past", "weighted past", "changes", "calendar", "none"}  # features that are zero where nothing moves
_BOUND = 1.5  # a change may be that much further from the middle than any in training
_SCORED = 10_000  # examples by which weights are fitted; neighbouring windows hardly differ
_SEARCHED = 1_000  # of a block, by which a penalty is chosen
_WORK = 2e9  # products for the moments of a member; beyond it a part of the examples is taken,
_TIMES = 10.0  # but that many for each feature
_LEAST_SHARE = 0.02  # a member with less is left out
_UNLIKE = 3.0  # times the usual error of blocks of time: no block counts for more
_STILL = 1e-6  # mean squared error, on the standardised scale, of a block of time in which nothing happens
_LEAST_CHANGE = 1e-3  # usual one from step to step, in deviations, by which bands are scaled


@dataclass
class Windows:
    """N windows of C channels to solve from."""

    inputs: Inputs
    future: Tensor  # (N, C, H) in units less the offset of `inputs`
    observed: Tensor  # (N, C, H) bool, what is scored
    begin: Tensor  # (N,) seconds
    origin: Tensor  # (N,)
    end: Tensor  # (N,)
    learned: Tensor  # (N,) bool, the windows that the final solution is learned from
    unit: Tensor  # (C,) or (N, C), a deviation on the standardised scale


class _Solver:
    """The windows as examples, a channel of a window each, and the blocks of time that they are in."""

    def __init__(self, combination: Combination, windows: Windows, folds: int) -> None:
        self.combination, self.windows = combination, windows
        channels = windows.future.shape[1]
        kept = windows.observed.float().mean(-1) >= 0.5  # (N, C)
        self.rows = kept.flatten().nonzero().squeeze(1)
        if len(self.rows) < 2:
            raise ValueError("no window has a horizon of which half is observed")
        window = self.rows // channels
        self.channel = windows.inputs.channel_ids.flatten()[self.rows]
        self.future = windows.future.flatten(0, 1)[self.rows]
        self.observed = windows.observed.flatten(0, 1)[self.rows]
        self.unit = windows.unit.expand(kept.shape).flatten()[self.rows].unsqueeze(1)
        self.learned = windows.learned[window]
        origin, end = windows.origin[window], windows.end[window]
        self.origin, self.end = origin, end
        self.block, self.segment = forward_segments(origin, end, folds)
        self.folds = int(self.block.max()) + 1
        self.scored = some((self.block >= 0).nonzero().squeeze(1), _SCORED)
        self.calendar = resolved_calendar(windows.origin, windows.end)
        self._last: tuple[tuple[str, str], Tensor, Tensor] = ("", ""), torch.empty(0), torch.empty(0)
        self.errors_of_search: dict[str, list[float]] = {}
        self.at_limit: list[str] = []

    def example(self, tensor: Tensor) -> Tensor:
        """(n, F) of the examples, from a tensor (N, C, F)."""
        return tensor.flatten(0, 1)[self.rows]

    def solve(self, place: int) -> Tensor:
        """Put the solution of a member into the combination; its forecasts (m, H) of the scored examples, as `future`."""
        member = self.combination.members[place]
        base, target = self._targets(member)
        if not member.solved:
            return self._in_units(member, base, self.scored)
        features = self._features(member)
        change = torch.zeros(len(self.rows), target.shape[1])
        kinds = self.channel.unique().tolist() if member.own else [None]
        for kind in kinds:
            chosen = torch.ones(len(self.rows), dtype=torch.bool) if kind is None else self.channel == kind
            if kind is None or kind < self.combination.channels:
                self._solve_kind(place, kind or 0, chosen, features, target, base, change)
        return self._in_units(member, base + change, self.scored)

    def _targets(self, member: Member) -> tuple[Tensor, Tensor]:
        """The base (n, H) of a member and what it leaves of the changes (n, H); members with the same follow one another."""
        key = member.base, member.transform
        if self._last[0] != key:
            inputs = self.windows.inputs
            base = self.example(self.combination.base(member, inputs))
            change = self.example(inputs.on(member.transform).norm.normalise(self.windows.future))
            self._last = key, base, change - base
        return self._last[1:]

    def _features(self, member: Member) -> Tensor:
        """Features (n, F) of a member; what the calendar does not resolve is 0."""
        groups = self.combination.features(member, self.windows.inputs)
        parts = []
        for name, group in zip(member.groups, groups, strict=True):
            own = self.example(group)
            parts.append(own * self.calendar.to(own) if name == "calendar" else own)
        return torch.cat(parts, dim=1)

    def _scale(self, member: Member, features: Tensor) -> Tensor:
        """(F,) factors that give every group of features the same variance, apart from its importance."""
        scale, first = torch.ones(features.shape[1]), 0
        for name in member.groups:
            size = self.combination.sizes[name]
            own = features[:, first : first + size]
            variance = float(own.var(0, correction=0).sum()) if size else 0.0
            importance = member.faint if name in TEXT_GROUPS else _IMPORTANCE.get(name, 1.0)
            scale[first : first + size] = importance / variance**0.5 if variance > 1e-12 else 0.0
            first += size
        return scale

    def _solve_kind(
        self,
        place: int,
        kind: int,
        chosen: Tensor,
        features: Tensor,
        target: Tensor,
        base: Tensor,
        change: Tensor,
    ) -> None:
        """Solve a member on the `chosen` examples; put its predictions for the blocks into `change` (n, H)."""
        member = self.combination.members[place]
        thinned = self._thinned(chosen, features.shape[1])
        scale = self._scale(member, features[thinned])

        def moments(mask: Tensor) -> Moments:
            return Moments.of(features[mask] * scale, target[mask])

        paths, total = [], None
        for number in range(self.folds):
            own = moments(thinned & (self.segment == number))
            total = own if total is None else total + own
            paths.append(RidgePath(total, self._independent(member, self.segment <= number)))
        learned = target[chosen & self.learned]
        low, high = learned.amin(0), learned.amax(0)
        middle, half = (low + high) / 2, (high - low) / 2 * _BOUND
        low, high = middle - half, middle + half
        within = [(chosen & (self.block == number)).nonzero().squeeze(1) for number in range(self.folds)]
        stretches = torch.arange(target.shape[1]).tensor_split(min(_STRETCHES, target.shape[1]))

        def predicted(path: RidgePath, penalty: Tensor, rows: Tensor) -> Tensor:
            weight, bias = path.solution(penalty)
            shown = features[rows] * scale
            return (shown @ weight.float() + bias.float()).clamp(low, high)

        def errors(penalty: float) -> Tensor:
            everywhere = torch.full((target.shape[1],), penalty)
            found = []
            for path, rows in zip(paths, within, strict=True):
                few = some(rows, _SEARCHED)
                if len(few):
                    found.append(self._errors(member, base[few] + predicted(path, everywhere, few), few, stretches))
            return torch.stack(found).clamp(min=1e-12).log().nanmean(0)

        best, limit = search_penalties(errors)
        penalty = torch.cat([own.expand(len(steps)) for own, steps in zip(best, stretches, strict=True)])
        if features.shape[1] and bool(limit.any()):
            self.at_limit.append(member.name)
        self.errors_of_search.setdefault(member.name, best.tolist())
        for path, rows in zip(paths, within, strict=True):
            change[rows] = predicted(path, penalty, rows)
        final = RidgePath(moments(thinned & self.learned), self._independent(member, self.learned))
        weight, bias = final.solution(penalty)
        correction: Any = self.combination.corrections[place]
        correction.weight[kind].copy_(weight * scale.unsqueeze(1))
        correction.bias[kind].copy_(bias)
        correction.low[kind].copy_(low)
        correction.high[kind].copy_(high)

    def _independent(self, member: Member, chosen: Tensor) -> float | None:
        """How many horizons follow one another in the `chosen` examples; None where a bias is more than drift."""
        if not _DRIFTING.issuperset(member.groups):
            return None
        origin, end = self.origin[chosen], self.end[chosen]
        return float((end.max() - origin.min()) / (end - origin).double().mean()) if len(origin) else 1.0

    def _thinned(self, chosen: Tensor, size: int) -> Tensor:
        """(n,) bool, as many of the `chosen` examples as moments of `size` features can be taken of in time."""
        enough = round(max(_WORK / (size + 1) ** 2, _TIMES * size))
        kept = torch.zeros_like(chosen)
        kept[some(chosen.nonzero().squeeze(1), enough)] = True
        return kept

    def _in_units(self, member: Member, change: Tensor, rows: Tensor) -> Tensor:
        """Values (m, H) of the `rows`, less their offset, from their changes: (n, H) of all examples, or (m, H)."""
        norm = self.windows.inputs.on(member.transform).norm
        places = self.rows[rows]
        last, deviation = (tensor.flatten(0, 1)[places] for tensor in (norm.mean, norm.deviation))
        offset = None if norm.offset is None else norm.offset.flatten(0, 1)[places]
        own = change[rows] if len(change) == len(self.rows) else change
        return off_scale(own * deviation + last, member.transform, offset)

    def _errors(self, member: Member, change: Tensor, rows: Tensor, stretches: Sequence[Tensor]) -> Tensor:
        """The mean squared errors of the stretches, on the standardised scale."""
        values = self._in_units(member, change, rows)
        error = ((values - self.future[rows]) / self.unit[rows]).square()
        known = self.observed[rows]
        return torch.stack([error[:, steps][known[:, steps]].mean() for steps in stretches])


def solve_combination(
    combination: Combination, windows: Windows, folds: int, report: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Put the solution into `combination`; return how it was chosen.

    Each member is solved on what ended before each block of time and predicts the block; its penalties are those with
    the smallest errors there, one for each third of the horizon. The weights of the members and the bands are fitted on
    these predictions. At last each member is solved on all windows that are `learned`.

    Parameters
    ----------
    report
        Is called after each member.

    Raises
    ------
    ValueError
        There are too few windows.
    """
    for group, components in combination.components.items():
        if has_texts(windows, group):
            components.fit(windows.inputs.texts[group][windows.learned])  # type: ignore[operator]
    solver = _Solver(combination, windows, folds)
    usable = [_usable(member, windows) for member in combination.members]
    forecasts = torch.zeros(len(usable), len(solver.scored), combination.horizon)
    for place in range(len(usable)):
        if usable[place]:
            forecasts[place] = solver.solve(place)
        report()
    metrics = _weigh(combination, solver, forecasts, torch.tensor(usable))
    for name, penalties in solver.errors_of_search.items():
        for number, penalty in enumerate(penalties, start=1):
            metrics[f"cv/penalty/{name}/{number}"] = penalty
    metrics["cv/penalties_at_limit"] = float(len(solver.at_limit))
    return metrics


def has_texts(windows: Windows, group: str) -> bool:
    """Whether windows that are learned from have texts of the `group` that differ."""
    vectors = windows.inputs.texts.get(group)
    if vectors is None or not vectors.shape[1]:
        return False
    known = vectors[windows.learned & ~vectors.isnan().any(1)]
    return len(known) > 1 and bool((known != known[0]).any())


def _usable(member: Member, windows: Windows) -> bool:
    """Whether the values have the logarithms or roots that a member needs, and windows have its texts."""
    if not all(has_texts(windows, group) for group in member.of_texts):
        return False
    if member.transform == "none":
        return True
    offset = 0.0 if windows.inputs.offset is None else windows.inputs.offset
    past, future = windows.inputs.past + offset, windows.future + offset
    least = float(torch.cat([past.flatten(), future[windows.observed]]).min())
    return least > 0 if member.transform == "log" else least >= 0


def _weigh(combination: Combination, solver: _Solver, forecasts: Tensor, usable: Tensor) -> dict[str, float]:
    """Fit weights and bands on the `forecasts` (M, m, H) of the scored examples."""
    rows = solver.scored
    future, observed, unit = solver.future[rows], solver.observed[rows], solver.unit[rows]
    channel, block = solver.channel[rows], solver.block[rows]
    places = usable.nonzero().squeeze(1)
    error = torch.where(observed, (forecasts[places] - future) / unit, 0.0)
    alone = error.square().sum((1, 2)) / observed.sum()  # (M,) mean squared errors
    means = _means_of_blocks(error, observed, block)
    influence = _influence(means)
    error *= influence[block].sqrt().to(error).unsqueeze(1)
    distrust = torch.tensor([combination.members[place].distrust for place in places], dtype=torch.float64)
    distrust = distrust * (2 * _share_lost(means, influence, distrust)).clamp(max=1)
    grams = _grams(error, channel)
    total = torch.stack(list(grams.values())).sum(0)
    shrinkage = 0.5 / solver.folds

    steady = torch.tensor([not combination.members[place].of_levels for place in places])

    def weights(gram: Tensor, chosen: Tensor, target: Tensor | None = None) -> Tensor:
        """(M,) of the `chosen` members (M,) bool."""
        gram = gram[chosen][:, chosen]
        gram = gram / gram.diagonal().min().clamp(min=1e-12) + torch.diag(distrust[chosen])
        found = torch.zeros(len(chosen), dtype=torch.float64)
        found[chosen] = simplex_weights(gram, shrinkage, None if target is None else target[chosen])
        found = torch.where(found >= min(_LEAST_SHARE, float(found.max())), found, 0.0)
        return found / found.sum()

    every = torch.ones_like(steady)
    kinds = [(combination.share, every), (combination.fallback, steady)]
    if combination.follows:
        none = torch.tensor([not combination.members[place].of_neighbours for place in places])
        kinds += [(combination.alone, none), (combination.alone_fallback, none & steady)]
    for shares, chosen in kinds:
        shares.zero_()
        common = weights(total, chosen)
        shares[:, places] = common.float()
        for number, own in grams.items():
            if len(grams) > 1 and number < combination.channels:
                shares[number, places] = weights(own, chosen, common).float()
    _bound(combination, solver)
    share = solver.example(combination.shares_of(solver.windows.inputs))[rows]  # (m, M)
    combined = torch.einsum("nm,mnh->nh", share, forecasts)
    residual = torch.where(observed, future - combined, torch.nan)
    _fit_bands(combination, solver, residual, channel)
    squared = (residual / unit).square()
    by_block = torch.stack([squared[block == number].nanmean() for number in block.unique()])
    metrics = {"cv/MSE": float(squared.nanmean())}
    metrics["cv/geometric_mean"] = float(by_block.clamp(min=1e-12).log().nanmean().exp())
    metrics["cv/MSE_of_best_member"] = float(alone[total.diagonal().argmin()])
    for place, member in enumerate(combination.members):
        if (own_share := float(combination.share[-1, place])) > 0:
            metrics[f"cv/weight/{member.name}"] = own_share
    return metrics


def _bound(combination: Combination, solver: _Solver) -> None:
    """Note the lowest and the highest level of each channel that members have learned from."""
    scaled = solver.windows.inputs.on("none")
    changes = torch.cat([scaled.changes, scaled.norm.normalise(solver.windows.future)], dim=-1)
    levels = solver.example(changes + scaled.level)
    lowest, highest = levels.amin(1), levels.amax(1)
    for number in range(combination.channels + 1):
        own = solver.learned & ((solver.channel == number) | (number == combination.channels))
        if own.any():
            combination.lowest[number], combination.highest[number] = lowest[own].min(), highest[own].max()
    if combination.channels > 1:  # of a channel that is not known, nothing is known
        combination.lowest[-1], combination.highest[-1] = -torch.inf, torch.inf


def _means_of_blocks(error: Tensor, observed: Tensor, block: Tensor) -> Tensor:
    """(B, M) the members' mean squared errors in each block, NaN in one without windows."""
    squared = error.square()
    own = [block == number for number in range(int(block.max()) + 1)]
    return torch.stack([squared[:, rows].sum((1, 2)) / observed[rows].sum() for rows in own]).double()


def _influence(means: Tensor) -> Tensor:
    """(B,) how much the squared errors of blocks count, from their `means` (B, M).

    A spike or a break that no member foresees has errors of another size, by which a member wins that is of no use at
    any other time. So a block counts for no more than one whose best member has `_UNLIKE` times the usual errors.
    """
    best = means.amin(1)
    moving = best > _STILL
    if not moving.any():
        return torch.ones_like(best)
    return (_UNLIKE * best[moving].median() / best).nan_to_num(1.0).clamp(max=1)


def _share_lost(means: Tensor, influence: Tensor, distrust: Tensor) -> Tensor:
    """(M,) the share of blocks in which a member has larger errors than the best one, over all blocks, without distrust."""
    known = ~means.isnan().any(1)
    means, influence = means[known], influence[known]
    trusted = torch.where(distrust > 0, torch.inf, (influence.unsqueeze(1) * means).mean(0))
    return (means > means[:, trusted.argmin()].unsqueeze(1)).double().mean(0)


def _grams(error: Tensor, channel: Tensor) -> dict[int, Tensor]:
    """The sums of products of the members' errors (M, M), for each channel."""
    found = {}
    for number in channel.unique().tolist():
        own = error[:, channel == number].flatten(1).double()
        found[number] = own @ own.T
    return found


def _fit_bands(combination: Combination, solver: _Solver, residual: Tensor, channel: Tensor) -> None:
    """Put the distances of the quantiles into `combination`, from `residual` (m, H), NaN where unknown."""
    if not combination.quantiles:
        return
    inputs, rows = solver.windows.inputs, solver.scored
    moved = solver.example(mean_change(inputs))[rows]
    combination.usual.fill_(moved.mean().clamp(min=_LEAST_CHANGE))
    for number in channel.unique().tolist():
        if number < combination.channels:
            combination.usual[number] = moved[channel == number].mean().clamp(min=_LEAST_CHANGE)
    spread = solver.example(combination.spread(inputs))[rows]
    found = calibrated(residual, spread, channel, solver.block[rows], combination.quantiles, combination.channels)
    combination.distance.copy_(found)
