"""Members that each tell the probabilities of a window's labels, combined by weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.encoder.calendar import calendar_features
from trace_lit.encoder.members import HARMONICS
from trace_lit.encoder.solved import Solved, mean_vectors
from trace_lit.encoder.trees import NODES, TREES, probabilities, tree_scores
from trace_lit.encoder.window_statistics import course_of, statistics_of

COURSE = 8  # parts of a window
_NEWEST = (1, 4, 16)  # of the labels known before, whose shares are features
_LEAST = 1e-6  # probability of a label
_SOMETIMES = ("labels", "texts", "neighbours")  # groups that a window may lack


class LogisticMember(Solved):
    """Multinomial logistic regression; a missing feature stands at its mean."""

    names = ("mean", "weight", "bias")
    mean: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.put(
            {"mean": torch.zeros(0).double(), "weight": torch.zeros(0, labels).double(), "bias": torch.zeros(labels)}
        )

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities (B, K) from `features` (B, F) float64, NaN where missing."""
        filled = torch.where(features.isnan(), self.mean, features)
        return (filled @ self.weight + self.bias).softmax(-1)


class TreesMember(Solved):
    """Boosted trees, see `trace_lit.encoder.trees`."""

    names = (*TREES, "classes")
    classes: Tensor

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.labels = labels
        places = dict.fromkeys(("first", "score", "feature", "left", "right", "classes"), torch.int64)
        kinds = {**dict.fromkeys(self.names, torch.float64), **places, "missing_left": torch.bool, "leaf": torch.bool}
        self.put({name: torch.zeros(0, dtype=kind) for name, kind in kinds.items()})

    def check(self) -> None:
        own = {name: getattr(self, name) for name in self.names}
        nodes, inner = len(own["leaf"]), (~own["leaf"]).nonzero().squeeze(1)
        sides = torch.stack([own["left"], own["right"]])[:, inner]
        if (
            any(tensor.dim() != 1 for tensor in own.values())
            or {len(own[name]) for name in NODES} != {nodes}
            or not bool(((sides > inner) & (sides < nodes)).all())  # so that every path ends
            or not bool(((own["first"] >= 0) & (own["first"] < nodes)).all())
            or not bool(((own["score"] >= 0) & (own["score"] < len(own["baseline"]))).all())
            or not bool(((own["classes"] >= 0) & (own["classes"] < self.labels)).all())
        ):
            raise RuntimeError("its trees lead nowhere")

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities (B, K) from `features` (B, F) float64, NaN where missing."""
        trees = {name: getattr(self, name) for name in self.names}
        return probabilities(tree_scores(trees, features), self.classes, self.labels)


class SharesMember(Solved):
    """The features themselves, which are the shares of the labels among some; the usual shares where they are missing."""

    names = ("usual",)
    usual: Tensor

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.put({"usual": torch.full((labels,), 1 / labels).double()})

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities (B, K) from `features` (B, K) float64, NaN where missing, or (B, 0)."""
        shares = features if features.shape[1] else features.new_full((len(features), len(self.usual)), torch.nan)
        return torch.where(shares.isnan(), self.usual, shares)


@dataclass(frozen=True)
class LabelMember:
    """A way to tell a window's label.

    Attributes
    ----------
    groups
        Of features: encoder ([CLS] and [CIT]s, and what a prompt of neighbours gives), statistics and course of each
        channel, calendar at the window's end, labels known before, texts of the window, neighbours (shares of their labels).
    kind
        What is learned on them.
    """

    name: str
    groups: tuple[str, ...] = ()
    kind: type[Solved] = LogisticMember

    @property
    def sometimes(self) -> tuple[str, ...]:
        """The groups of features that a window may lack."""
        return tuple(name for name in self.groups if name in _SOMETIMES)


_PLAIN = ("statistics", "calendar")
LABEL_MEMBERS: tuple[LabelMember, ...] = (
    LabelMember("usual shares", (), SharesMember),
    LabelMember("encoder", ("encoder",)),
    LabelMember("statistics", _PLAIN),
    LabelMember("course", ("course", *_PLAIN)),
    LabelMember("trees", _PLAIN, TreesMember),
    LabelMember("past labels", (*_PLAIN, "labels")),
    LabelMember("course, past labels", ("course", *_PLAIN, "labels")),
    LabelMember("trees, past labels", (*_PLAIN, "labels"), TreesMember),
    LabelMember("texts", ("texts",)),
    LabelMember("neighbours", ("neighbours",), SharesMember),
)


class LabelCombination(nn.Module):
    """Members that tell a window's label, combined by weights; solved by `trace_lit.tuning.combine_labels`.

    Parameters
    ----------
    channels
        The first channels of the vocabulary, which members know.
    labels
        K.
    """

    share: Tensor  # (M,) how much each member counts
    fallback: Tensor  # (M,) likewise, of those that take the place of a member where a window lacks what it needs

    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.channels, self.labels = channels, labels
        self.members = LABEL_MEMBERS
        self.solved = nn.ModuleList(member.kind(labels) for member in self.members)  # type: ignore[call-arg]
        for name in ("share", "fallback"):
            self.register_buffer(name, torch.zeros(len(self.members), dtype=torch.float64))
        self.share[0] = self.fallback[0] = 1.0

    def groups(self, batch: MultimodalBatch, encoded: Tensor) -> dict[str, Tensor]:
        """The groups of features of a batch, each (B, F), NaN where missing; `encoded` (B, F) are the encoder's."""
        ids = torch.arange(self.channels, device=batch.values.device)
        return {
            "encoder": encoded,
            "statistics": statistics_of(batch, ids),
            "course": course_of(batch, ids, COURSE),
            "calendar": calendar_features(batch.span[:, 1], HARMONICS).double(),
            "labels": self._shares(batch.past_label, batch),
            "texts": mean_vectors(batch.text, batch.text_mask),
            "neighbours": self._shares(None if batch.retrieved is None else batch.retrieved.label, batch)[
                :, -self.labels :
            ],
        }

    def _shares(self, label: Tensor | None, batch: MultimodalBatch) -> Tensor:
        """(B, 3 · K) the shares of the labels among the first ones of `label` (B, P), NaN where there is none."""
        if label is None:
            return batch.values.new_full((len(batch), len(_NEWEST) * self.labels), torch.nan).double()
        one_hot = (label.unsqueeze(-1) == torch.arange(self.labels, device=label.device)).double()  # (B, P, K)
        known = (label != NO_LABEL).double().unsqueeze(-1)
        return torch.cat([one_hot[:, :count].sum(1) / known[:, :count].sum(1) for count in _NEWEST], dim=1)

    def features(self, member: LabelMember, groups: Mapping[str, Tensor]) -> Tensor:
        """(B, F) float64, those of `member`."""
        if not member.groups:
            return groups["statistics"][:, :0]
        return torch.cat([groups[name].double() for name in member.groups], dim=1)

    def shares(self) -> dict[str, float]:
        """How much each member counts, the most first."""
        named = {member.name: own for member, own in zip(self.members, self.share.tolist(), strict=True) if own > 0}
        return dict(sorted(named.items(), key=lambda entry: -entry[1]))

    @property
    def reads_texts(self) -> bool:
        """Whether a member that counts looks at the windows' texts."""
        return any(
            own > 0 and "texts" in member.groups for member, own in zip(self.members, self.share.tolist(), strict=True)
        )

    def forward(self, batch: MultimodalBatch, encoded: Tensor) -> Tensor:
        """Logarithms of the probabilities (B, K) of the labels."""
        groups = self.groups(batch, encoded)
        share, fallback = self.share.tolist(), self.fallback.tolist()
        there = [has_all(member, groups) for member in self.members]
        found = {
            place: self.solved[place](self.features(member, groups))
            for place, member in enumerate(self.members)
            if share[place] + fallback[place] > 0 and bool(there[place].any())
        }
        instead = torch.stack([fallback[place] * own for place, own in found.items() if fallback[place] > 0]).sum(0)
        total = torch.zeros_like(instead)
        for place, own in enumerate(share):
            if own > 0:
                known = there[place].unsqueeze(1)
                total = total + own * (torch.where(known, found[place], instead) if place in found else instead)
        return total.clamp(min=_LEAST).log().float()


def has_all(member: LabelMember, groups: Mapping[str, Tensor]) -> Tensor:
    """(B,) bool, which windows have something of each group of features that `member` needs."""
    there = torch.ones(len(groups["encoder"]), dtype=torch.bool, device=groups["encoder"].device)
    for name in member.sometimes:
        there &= ~groups[name].isnan().all(1)
    return there
