"""Each corpus of a joint training has its own usual values, where the run is to be used so."""

from __future__ import annotations

import dataclasses

import torch

from tests.batches import make_batch, make_vocabulary
from trace_lit.modules import AlignModule
from trace_lit.settings import load_config

WORDS = ["stage=align", "encoder={width: 16, layers: 1, heads: 2}", "data.usual=corpus", "alignment.statistics=true"]


def test_a_corpus_is_seen_by_its_own_scale() -> None:
    common = make_vocabulary(3)
    usual = [
        common.with_statistics({key: (place * factor, factor) for place, key in enumerate(common.keys)})
        for factor in (1.0, 100.0)
    ]
    module = AlignModule(load_config([], WORDS), common).eval()
    module.use_usual(usual, [6, 4])
    small = make_batch(size=4, channels=3)
    large = dataclasses.replace(small, values=100 * small.values)

    def cls(batch, corpus: int) -> torch.Tensor:
        module.enter(corpus)
        return module.model.sample_level(batch).series

    with torch.no_grad():
        torch.testing.assert_close(cls(small, 0), cls(large, 1), atol=1e-4, rtol=1e-3)
        assert not torch.allclose(cls(small, 0), cls(small, 1), atol=1e-2)
    assert module.encoder.vocabulary is usual[1]
    assert module.vocabulary is common  # what a checkpoint keeps


def test_the_corpus_of_a_training_batch_is_known_by_its_rows(monkeypatch) -> None:
    module = AlignModule(load_config([], WORDS), make_vocabulary(3))
    module.use_usual([module.encoder.vocabulary] * 3, [6, 4, 5])
    entered: list[int] = []
    monkeypatch.setattr(module, "enter", entered.append)
    for name in ("log", "log_dict"):
        monkeypatch.setattr(module, name, lambda *_, **__: None)
    monkeypatch.setattr(AlignModule, "progress", 0.0)
    for first in (0, 5, 6, 9, 10):
        batch = make_batch(size=1, channels=3)
        module.training_step(dataclasses.replace(batch, index=torch.tensor([first])), 0)
    assert entered == [0, 0, 1, 1, 2]
