"""Training windows as they were last embedded."""

import torch

from trace_lit.alignment import WindowMemory


def test_a_window_counts_once_it_has_been_embedded_and_while_it_is_in_no_batch():
    memory = WindowMemory.empty(5, 2, torch.device("cpu"))
    assert len(memory.outside(torch.tensor([0]))[0]) == 0
    memory.put(torch.tensor([3, 1]), torch.tensor([[3.0, 0.0], [1.0, 0.0]]))
    memory.put(torch.tensor([3]), torch.tensor([[0.0, 3.0]], requires_grad=True))
    places, series = memory.outside(torch.tensor([0, 1]))
    assert places.tolist() == [3]
    assert series.tolist() == [[0.0, 3.0]]
    assert not series.requires_grad
