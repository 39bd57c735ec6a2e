"""The combination of members that tell a window's label, solved on a frozen encoder."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from data_modules import DomainDataModule
from trace_lit.batch import NO_LABEL
from trace_lit.config import ConfigError
from trace_lit.distributed import is_first
from trace_lit.encoder import ClassificationModel, LabelCombination, logistic
from trace_lit.encoder.combination import forward_segments, simplex_weights, some
from trace_lit.encoder.label_combination import LabelMember, LogisticMember, TreesMember, has_all
from trace_lit.encoder.members import resolved_calendar
from trace_lit.encoder.ridge_path import beyond
from trace_lit.encoder.solved import Solved
from trace_lit.modules import TuneModule
from trace_lit.text.progress import JobProgress
from trace_lit.tuning.combine import window_places
from trace_lit.tuning.statistics import boosted_trees

_PENALTIES = (1e-3, 1e-2, 0.1, 1.0)  # where the search begins,
_LEAST_PENALTY = 1e-4  # and where it ends: less only tells apart what is known already
_MOST = 30_000  # examples that a member is learned from; those of neighbouring windows hardly differ
_COMPONENTS = 256  # of more features
_LEAST_SHARE = 0.02  # a member with less is left out
_CERTAIN = 1e-6  # the least probability that a loss is taken of


@dataclass
class _Examples:
    """n labelled windows of training and validation."""

    groups: dict[str, Tensor]  # (n, F) float64 each, see `LabelCombination.groups`
    label: Tensor  # (n,) int64
    origin: Tensor  # (n,) seconds at which they end,
    end: Tensor  # (n,) and at which what their label describes has ended
    learned: Tensor  # (n,) bool, those that the final solution is learned from
    weight: Tensor  # (K,) how much a window of each label counts
    seed: int

    def __len__(self) -> int:
        return len(self.label)

    @property
    def counts(self) -> Tensor:
        """(n,) how much each window counts."""
        return self.weight[self.label]


@torch.no_grad()
def solve_label_members(module: TuneModule, data: DomainDataModule, device: torch.device) -> dict[str, float]:
    """Put the solved combination into the module's model; return how it was chosen.

    Each member is learned from the windows whose labels are known before a block of time, and predicts the block; only what
    stands for a missing feature, and the principal components of many features, are those of all training windows. The
    weights, which are not negative and sum to one, have the least squared error of the probabilities there; at last each
    member is learned from all training windows (with `head.refit`, from validation, too).

    Raises
    ------
    ConfigError
        There are too few windows.
    """
    began = time.perf_counter()
    before = next(module.parameters()).device
    examples = _examples(module.to(device).eval(), data, device)
    module.to("cpu")
    combination = _combination(module)
    try:
        block, segment = forward_segments(examples.origin, examples.end, module.config.head.folds)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    scored = some((block >= 0).nonzero().squeeze(1), _MOST)
    predicted: dict[int, Tensor] = {}  # by place the probabilities (m, K) of the scored windows
    penalties: dict[str, float] = {}
    with JobProgress("solving members", len(combination.members), is_first()) as progress:
        for place, member in enumerate(combination.members):
            if _there(member, examples):
                found, penalty = _solve(combination, place, examples, block, segment)
                predicted[place] = found[scored]
                penalties |= {} if penalty is None else {f"cv/penalty/{member.name}": penalty}
            progress.advance(1)
    metrics = _weigh(combination, examples, predicted, scored, len(block[scored].unique())) | penalties
    module.to(before).train()
    return {**metrics, "fit/solve_seconds": time.perf_counter() - began}


def _combination(module: TuneModule) -> LabelCombination:
    model = module.model
    assert isinstance(model, ClassificationModel)
    assert model.combination is not None
    return model.combination


def _examples(module: TuneModule, data: DomainDataModule, device: torch.device) -> _Examples:
    model, horizon = module.model, module.config.window.horizon
    assert isinstance(model, ClassificationModel)
    stride, size = module.config.window.stride, data.evaluation_batch_size
    sets = [(split, own) for split in ("train", "validation") for own in data.datasets[split]]
    places = [torch.tensor(window_places(dataset, split, stride)) for split, dataset in sets]
    few = some(torch.arange(sum(map(len, places))), _MOST)
    first, parts = 0, list[dict[str, Tensor]]()
    with JobProgress("encoding windows", len(few), is_first()) as progress:
        for (split, dataset), all_own in zip(sets, places, strict=True):
            origins, ends = dataset.seconds, dataset.series.known(dataset.origins, horizon)
            chosen = all_own[few[(few >= first) & (few < first + len(all_own))] - first]
            first += len(all_own)
            for own in chosen.split(size):
                batch = dataset[own.tolist()].to(device)
                groups = _combination(module).groups(batch, model.features(batch))
                learned = torch.full((len(own),), split == "train" or module.config.head.refit)
                rest = {"label": batch.label, "origin": origins[own], "end": ends[own], "learned": learned}
                parts.append({name: tensor.cpu() for name, tensor in {**groups, **rest}.items()})
                progress.advance(len(own))
    known = torch.cat([part["label"] for part in parts]) != NO_LABEL
    joined = {name: torch.cat([part[name] for part in parts])[known] for name in parts[0]}
    label, origin, end, learned = (joined.pop(name) for name in ("label", "origin", "end", "learned"))
    joined["calendar"] *= resolved_calendar(origin, end).double()
    return _Examples(joined, label, origin, end, learned, module.label_weight.cpu().double(), module.config.seed)


def _there(member: LabelMember, examples: _Examples) -> bool:
    """Whether the windows have what a member needs."""
    groups = [examples.groups[name] for name in member.groups]
    return all(own.shape[1] and not bool(own.isnan().all()) for own in groups)


def _solve(
    combination: LabelCombination, place: int, examples: _Examples, block: Tensor, segment: Tensor
) -> tuple[Tensor, float | None]:
    """Put the solution of a member into the combination; its probabilities (n, K) of the blocks, its penalty."""
    member, solved = combination.members[place], combination.solved[place]
    assert isinstance(solved, Solved)
    features = combination.features(member, examples.groups)
    folds = [(segment <= number, block == number) for number in block.unique().tolist() if number >= 0]
    found = torch.full((len(examples), combination.labels), 1 / combination.labels, dtype=torch.float64)

    def predict_blocks(learn: Callable[[Tensor], dict[str, Tensor]]) -> None:
        for known, asked in folds:
            solved.put(learn(known))
            found[asked] = solved(features[asked])
        solved.put(learn(examples.learned))

    if isinstance(solved, TreesMember):
        predict_blocks(lambda rows: _trees(features, examples, rows))
        return found, None
    if not isinstance(solved, LogisticMember):
        predict_blocks(lambda rows: {"usual": _usual(examples, rows)})
        return found, None
    plain = _Plain.of(features, examples.learned)
    tried: dict[float, float] = {}
    by_penalty: dict[float, Tensor] = {}
    wanted = list(_PENALTIES)
    while wanted:
        by_penalty |= {penalty: found.clone() for penalty in wanted}
        losses = []
        for known, asked in folds:
            weights, biases = plain.regressions(examples, known, wanted)
            predicted = (plain.features[asked] @ weights + biases.unsqueeze(1)).softmax(-1)  # (P, m, K)
            losses.append(torch.stack([_loss(own, examples, asked) for own in predicted]))
            for penalty, own in zip(wanted, predicted, strict=True):
                by_penalty[penalty][asked] = own
        tried |= dict(zip(wanted, torch.stack(losses).mean(0).tolist(), strict=True))
        wanted = [own for own in beyond(list(tried), list(tried.values())) if own >= _LEAST_PENALTY]
    best = min(tried, key=lambda own: tried[own])
    weights, biases = plain.regressions(examples, examples.learned, [best])
    solved.put(plain.of_features(weights[0], biases[0]))
    return by_penalty[best], best


@dataclass
class _Plain:
    """The features of a logistic regression: nothing is missing, and there are no more than can be learned in time."""

    features: Tensor  # (n, P) float64
    mean: Tensor  # (F,) what stands for a missing one,
    basis: Tensor | None  # (F, P) and how the others are made of the features less this mean; None: they are these

    @classmethod
    def of(cls, features: Tensor, learned: Tensor) -> _Plain:
        """Of `features` (n, F), NaN where missing; many are brought to their principal components in `learned` rows (n,)."""
        mean = features[learned].nanmean(0).nan_to_num(0.0)
        filled = torch.where(features.isnan(), mean, features)
        if features.shape[1] <= _COMPONENTS:
            return cls(filled, mean, None)
        own = filled[some(learned.nonzero().squeeze(1), _MOST)]
        deviation = own.std(0, correction=0)
        inverse = torch.where(deviation > 1e-8, 1 / deviation, 0.0)
        basis = _axes((own - mean) * inverse) * inverse.unsqueeze(1)
        return cls((filled - mean) @ basis, mean, basis)

    def regressions(self, examples: _Examples, rows: Tensor, penalties: list[float]) -> tuple[Tensor, Tensor]:
        """Weights (P, F, K) and biases (P, K) of logistic regressions on some `rows` (n,), one for each penalty."""
        chosen = some(rows.nonzero().squeeze(1), _MOST)
        with torch.enable_grad():
            return logistic(
                self.features[chosen], examples.label[chosen], examples.weight, penalties, self.basis is None
            )

    def of_features(self, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
        """The same regression on the features as they are."""
        if self.basis is not None:
            weight = self.basis @ weight
            bias = bias - self.mean @ weight
        return {"mean": self.mean, "weight": weight, "bias": bias}


def _axes(features: Tensor) -> Tensor:
    """(F, P) about the first principal axes of `features` (n, F), by a random sketch (Halko et al., 2011)."""
    sketch = torch.randn(
        features.shape[1], _COMPONENTS, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    span = features @ sketch
    for _ in range(2):
        span = features @ (features.T @ torch.linalg.qr(span).Q)
    return torch.linalg.svd(torch.linalg.qr(span).Q.T @ features, full_matrices=False).Vh.T


def _trees(features: Tensor, examples: _Examples, rows: Tensor) -> dict[str, Tensor]:
    """Small boosted trees, learned from some `rows`."""
    chosen = some(rows.nonzero().squeeze(1), _MOST)
    label = examples.label[chosen]
    if len(label.unique()) < 2:  # there is nothing to learn yet
        only = {"baseline": torch.ones(1).double(), "classes": label[:1], "leaf": torch.zeros(0, dtype=torch.bool)}
        empty = TreesMember(len(examples.weight))
        return {name: getattr(empty, name) for name in empty.names} | only
    trees, classes = boosted_trees(
        features[chosen].numpy(),
        label.numpy(),
        learning_rate=0.03,
        max_iter=150,
        max_leaf_nodes=6,
        min_samples_leaf=20,
        l2_regularization=5.0,
        max_features=0.3,
        early_stopping=False,
        random_state=examples.seed,
    )
    # That a label counts more is the same as that it is more usual; weights of windows would have to be sorted by feature.
    own = examples.weight[classes].log()
    trees["baseline"] = trees["baseline"] + (own if len(trees["baseline"]) > 1 else own[1] - own[0])
    return {**trees, "classes": torch.as_tensor(classes)}


def _usual(examples: _Examples, rows: Tensor) -> Tensor:
    """(K,) the shares of the labels, each counting by its weight."""
    counts = examples.label[rows].bincount(minlength=len(examples.weight)) * examples.weight
    return (counts + 1 / len(counts)) / (counts.sum() + 1)


def _loss(probabilities: Tensor, examples: _Examples, rows: Tensor) -> Tensor:
    """The mean negative logarithm of the right label's probability, of `rows` whose `probabilities` are (m, K)."""
    right = probabilities.gather(1, examples.label[rows].unsqueeze(1)).squeeze(1).clamp(min=_CERTAIN)
    weight = examples.counts[rows]
    return -(weight * right.log()).sum() / weight.sum()


def _weigh(
    combination: LabelCombination, examples: _Examples, predicted: dict[int, Tensor], scored: Tensor, blocks: int
) -> dict[str, float]:
    """Fit weights on the probabilities `predicted` (m, K) of the `scored` windows (m,), by the members' places."""
    members, shrinkage = combination.members, 0.5 / blocks
    root = examples.counts[scored].sqrt().unsqueeze(1)
    right = F.one_hot(examples.label[scored], combination.labels)

    def weights(places: list[int], found: list[Tensor]) -> Tensor:
        error = torch.stack([(root * (own - right)).flatten() for own in found])  # (M, m · K)
        # Most of an error is the same for all members; what decides is by how much theirs differ.
        scale = (error - error.mean(0)).square().sum(1).mean().clamp(min=1e-12)
        own = simplex_weights(error @ error.T / scale, shrinkage)
        own = torch.where(own >= min(_LEAST_SHARE, float(own.max())), own, 0.0)
        return torch.zeros(len(members), dtype=torch.float64).index_copy(0, torch.tensor(places), own / own.sum())

    always = [place for place in predicted if not members[place].sometimes]
    combination.fallback.copy_(weights(always, [predicted[place] for place in always]))
    instead = torch.stack([combination.fallback[place] * predicted[place] for place in always]).sum(0)
    groups = {name: own[scored] for name, own in examples.groups.items()}
    # Where a window lacks what a member needs, the fallback stands for it, as in use.
    seen = [torch.where(has_all(members[place], groups).unsqueeze(1), own, instead) for place, own in predicted.items()]
    combination.share.copy_(weights(list(predicted), seen))
    combined = torch.stack([combination.share[place] * own for place, own in zip(predicted, seen, strict=True)]).sum(0)
    return {
        "cv/loss": float(_loss(combined, examples, scored)),
        "cv/loss_of_best_member": min(float(_loss(own, examples, scored)) for own in seen),
        **{f"cv/weight/{name}": own for name, own in combination.shares().items()},
    }
