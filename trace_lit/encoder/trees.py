"""Boosted trees in use, as tensors: what they say needs neither the library that learned them nor pickle."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

NODES = ("feature", "threshold", "missing_left", "left", "right", "leaf", "value")  # of each node one
TREES = ("first", "score", *NODES, "baseline")


def tree_scores(trees: Mapping[str, Tensor], features: Tensor) -> Tensor:
    """The logits (B, K') of the classes, of two those (B, 1) of the second, from `features` (B, F) float64.

    Parameters
    ----------
    features
        A missing one is NaN.
    trees
        `first` (trees,) the places of the roots and `score` (trees,) the logit that a tree adds to; node by node the
        `feature` and the `threshold` that it asks for, whether a missing one goes left (`missing_left`), the places of
        the nodes on either side (`left`, `right`), whether it is a `leaf`, and its `value`; `baseline` (K',).
    """
    node = trees["first"].repeat(len(features), 1)  # (B, trees)
    for _ in range(len(trees["leaf"])):  # no path is longer
        if bool(trees["leaf"][node].all()):
            break
        value = features.gather(1, trees["feature"][node])
        left = torch.where(value.isnan(), trees["missing_left"][node], value <= trees["threshold"][node])
        step = torch.where(left, trees["left"][node], trees["right"][node])
        node = torch.where(trees["leaf"][node], node, step)
    total = trees["baseline"].repeat(len(features), 1)
    return total.index_add(1, trees["score"], trees["value"][node])


def probabilities(scores: Tensor, classes: Tensor, labels: int) -> Tensor:
    """(B, `labels`) from `scores` (B, K') of the labels `classes` (K',), or (B, 1) of the second of two; 0 for others."""
    of_two = scores.shape[1] == 1 and len(classes) == 2
    known = torch.cat([-scores, scores], dim=1).sigmoid() if of_two else scores.softmax(-1)
    found = scores.new_zeros(len(scores), labels)
    found[:, classes] = known
    return found
