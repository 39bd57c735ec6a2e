from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from data_modules import DomainDataModule
from data_modules.config import DataConfig
from trace_lit.channels import Channel
from trace_lit.runs.data import load_datamodule
from trace_lit.settings import Config


@pytest.fixture
def folders(write, series, windows_of) -> list[Path]:
    """Two corpora that share the channel temperature and the label calm."""
    made = []
    for name, count, channels, labels in (
        ("coast", 160, (Channel("temperature", "K"), Channel("wave", "m")), ("calm", "surge")),
        ("hills", 40, (Channel("humidity", "%"), Channel("temperature", "K"), Channel("rain")), ("fog", "calm")),
    ):
        values = series(count * 8, len(channels), seed=count) + (100 if name == "hills" else 0)
        records = windows_of(values, 8, 8, text=lambda n: f"Day {n}.", label=lambda n, labels=labels: labels[n % 2])
        made.append(write(records, name=name, domain=name, channels=channels, label_names=labels).path)
    return made


def joint(folders: list[Path], encoder=None, **options) -> DomainDataModule:
    config = DataConfig(corpus=[str(folder) for folder in folders], batch_size=8, **options)
    module = DomainDataModule(config, encoder)
    module.prepare_data()
    module.setup()
    return module


def test_one_vocabulary_with_pooled_statistics(folders, encoder) -> None:
    module = joint(folders, encoder)
    assert module.vocabulary.keys == ("temperature [K]", "wave [m]", "humidity [%]", "rain")
    values = [
        module.corpora[corpus].values()[row][channel]
        for corpus, channel in ((0, 0), (1, 1))
        for row in module.corpora[corpus].select("train")
    ]
    pooled = np.concatenate(values, dtype=float)
    assert module.vocabulary.mean[0] == pytest.approx(np.nanmean(pooled))
    assert module.vocabulary.deviation[0] == pytest.approx(np.nanstd(pooled))
    assert module.corpus_names == ["coast", "hills"]
    assert module.data_fingerprint.count(",") == 1


def test_batches_are_of_one_corpus_and_mix_by_size(folders) -> None:
    for exponent, share in ((1.0, 0.2), (0.0, 0.5)):
        batches = list(joint(folders, mixing_exponent=exponent).train_dataloader())
        counts = Counter(tuple(batch.channel_ids[0].tolist()) for batch in batches)
        assert all((batch.channel_ids == batch.channel_ids[0]).all() for batch in batches)
        assert abs(counts[(2, 0, 3)] / len(batches) - share) < 0.06
        assert set(counts) == {(0, 1), (2, 0, 3)}


def test_instances_of_different_corpora_share_no_ids_but_those_of_equal_texts(folders, encoder) -> None:
    module = joint(folders, encoder)
    batches = list(module.train_dataloader())
    coast = [batch for batch in batches if batch.values.shape[1] == 2]
    hills = [batch for batch in batches if batch.values.shape[1] == 3]
    for field, shared in (("index", False), ("series_id", False), ("text_id", True)):
        one, other = (set(torch.cat([getattr(b, field) for b in part]).tolist()) for part in (coast, hills))
        assert bool(one & other) == shared


def test_equal_labels_are_one(folders) -> None:
    module = joint(folders)
    assert module.label_names == ("calm", "surge", "fog")
    coast, hills = (set(torch.cat([b.label for b in loader]).tolist()) for loader in module.test_dataloader())
    assert (coast, hills) == ({0, 1}, {2, 0})


def test_each_corpus_is_evaluated_by_itself(folders) -> None:
    module = joint(folders)
    for loaders in (module.val_dataloader(), module.test_dataloader(), module.split_dataloader("train")):
        assert len(loaders) == len(module.corpus_names)
        for loader in loaders:
            assert torch.cat([batch.index for batch in loader]).tolist() == list(range(len(loader.dataset)))


def test_two_processes_draw_the_same_corpus_at_each_step(folders, monkeypatch) -> None:
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr("data_modules.domain.rank", lambda rank=rank: rank)
        monkeypatch.setattr("data_modules.domain.world_size", lambda: 2)
        seen.append(list(joint(folders).train_dataloader()))
    assert len(seen[0]) == len(seen[1])
    for one, other in zip(*seen, strict=True):
        assert one.channel_ids[0].tolist() == other.channel_ids[0].tolist()
        assert not set(one.index.tolist()) & set(other.index.tolist())
        assert abs(len(one) - len(other)) <= 1


def test_corpora_of_one_domain_have_different_names(folders, write, series, windows_of) -> None:
    other = write(windows_of(series(400), 8, 8), name="north", domain="coast").path
    assert joint([folders[0], other]).corpus_names == ["coast", "coast-north"]
    assert joint([folders[0], folders[0]]).corpus_names == ["coast-1", "coast-2"]


def test_a_list_of_folders_is_joint_training(folders) -> None:
    config = Config(data=DataConfig(corpus=[str(folder) for folder in folders]))
    assert type(load_datamodule(config)) is DomainDataModule
