from __future__ import annotations

import dataclasses
import logging
import shutil
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch

from data_modules.building import CorpusCache, build_corpus
from data_modules.config import DataConfig
from data_modules.corpus import Corpus, CorpusError, Record
from data_modules.domain import DomainDataModule
from data_modules.registry import datamodule_class
from data_modules.samplers import DomainBatchSampler
from data_modules.vocabulary import training_vocabulary
from data_modules.weather import WeatherDataModule
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import ConfigError, ForeignPath
from trace_lit.runs.data import load_datamodule
from trace_lit.settings import Config, load_config


class TidesDataModule(DomainDataModule):
    """A domain that the project does not know."""

    domain = "tides"
    channels = (Channel("water level", "m"), Channel("salinity"), Channel("flow", "m³/s"))
    frequency = "30min"
    label_names = ("ebb", "flood")

    def records(self) -> Iterator[Record]:
        rng = np.random.default_rng(0)
        for number in range(self.config.options.get("days", 30)):
            length = 40 + number % 3
            yield Record(
                id=f"day-{number}",
                series_id="harbour",
                start=datetime(2024, 1, 1) + timedelta(days=number),
                values=rng.normal(size=(3, length)),
                text=f"Tide number {number}. Nothing else.",
                label=self.label_names[number % 2],
            )


def tides(tmp_path: Path, encoder=None, **options) -> TidesDataModule:
    config = DataConfig(cache_dir=str(tmp_path / "corpora"), batch_size=8, **options)
    return TidesDataModule(config, encoder, patch_length=6)


def ready(module: DomainDataModule, stage: str | None = None) -> DomainDataModule:
    module.prepare_data()
    module.setup(stage)
    return module


def assert_equal(left: MultimodalBatch, right: MultimodalBatch) -> None:
    for field in dataclasses.fields(MultimodalBatch):
        one, other = getattr(left, field.name), getattr(right, field.name)
        assert (one is None and other is None) or torch.equal(one, other), field.name


def test_a_new_domain_is_a_few_lines(tmp_path, encoder) -> None:
    module = ready(tides(tmp_path, encoder))
    assert [len(module.datasets[split][0]) for split in ("train", "validation", "test")] == [21, 3, 6]
    assert module.vocabulary.keys == ("water level [m]", "salinity", "flow [m³/s]")
    assert module.vocabulary.name_vectors.shape == (3, 8)
    assert module.label_names == ("ebb", "flood")
    assert module.corpus_names == ["tides"]
    batches = list(module.train_dataloader())
    assert sorted(index for batch in batches for index in batch.index.tolist()) == list(range(21))
    assert batches[0].values.shape == (7, 3, 42)
    assert batches[0].text.shape == (7, 2, 8)
    assert module.corpora[0].info.frequency == "30min"
    for split, loaders in (("validation", module.val_dataloader()), ("test", module.test_dataloader())):
        assert len(loaders) == 1
        indices = torch.cat([batch.index for batch in loaders[0]])
        assert indices.tolist() == list(range(len(module.datasets[split][0])))


def test_a_corpus_is_built_once_for_the_same_options(tmp_path, monkeypatch) -> None:
    first = ready(tides(tmp_path)).corpora[0]
    monkeypatch.setattr("data_modules.building.build_corpus", lambda *_: pytest.fail("built again"))
    assert ready(tides(tmp_path)).corpora[0].path == first.path
    monkeypatch.undo()
    other = ready(tides(tmp_path, options={"days": 40})).corpora[0]
    assert other.path != first.path
    assert len(other) == 40


def test_two_that_ask_at_once_build_once(tmp_path, monkeypatch) -> None:
    built = []

    def slow(domain: type[DomainDataModule], config: DataConfig, out: Path) -> Corpus:
        built.append(out)
        time.sleep(0.2)
        return build_corpus(domain, config, out)

    monkeypatch.setattr("data_modules.building.build_corpus", slow)
    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(tides(tmp_path).prepare_data) for _ in range(2)]:
            job.result()
    assert len(built) == 1


def test_changed_upstream_data_are_built_anew(tmp_path) -> None:
    root = tmp_path / "upstream"
    root.mkdir()
    (root / "a.csv").write_text("1")
    path = tides(tmp_path, root=str(root)).corpus_cache.folders()
    assert tides(tmp_path, root=str(root)).corpus_cache.folders() == path
    (root / "b.csv").write_text("2")
    assert tides(tmp_path, root=str(root)).corpus_cache.folders() != path


def test_what_is_written_below_the_root_does_not_name_the_corpus(tmp_path, monkeypatch) -> None:
    """A project whose working folder is the root of its data finds its corpus again after a training."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "level.csv").write_text("1")
    config = DataConfig(root=".", cache_dir="corpora")
    cache = CorpusCache(TidesDataModule, config)
    (before,) = cache.folders()
    (built,) = cache.prepare()
    run = tmp_path / "runs" / "tides"
    (run / "checkpoints").mkdir(parents=True)
    for file in (run / "config.yaml", run / "checkpoints" / "best.ckpt", tmp_path / ".lock"):
        file.write_text("x")
    shutil.copytree(built, tmp_path / "elsewhere" / "copy")
    assert before == built == CorpusCache(TidesDataModule, config).folders()[0]
    (tmp_path / "level.csv").write_text("12")
    assert CorpusCache(TidesDataModule, config).folders()[0] != before


def test_an_edited_helper_module_builds_anew(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    code = "from data_modules import Channel, DomainDataModule\n\n\nclass Gauges(DomainDataModule):\n    domain = 'gauges'\n"
    (tmp_path / "gauges_plugin.py").write_text(f"import json\nfrom gauges_help.reading import scale\n{code}")
    (tmp_path / "gauges_help").mkdir()
    (tmp_path / "gauges_help" / "__init__.py").write_text("")
    (tmp_path / "gauges_help" / "reading.py").write_text("from . import deeper\n\nscale = deeper.scale\n")
    (tmp_path / "gauges_help" / "deeper.py").write_text("scale = 1\n")
    config = DataConfig(domain="gauges_plugin:Gauges", cache_dir=str(tmp_path / "corpora"))
    names = [CorpusCache(datamodule_class(config), config).folders()]
    for file in ("deeper.py", "__init__.py"):
        (tmp_path / "gauges_help" / file).write_text("scale = 2\n")
        names.append(CorpusCache(datamodule_class(config), config).folders())
    assert len(set(map(str, names))) == 3
    (tmp_path / "unused.py").write_text("")
    assert CorpusCache(datamodule_class(config), config).folders() == names[-1]


def test_an_option_that_a_plug_in_does_not_use_is_named(tmp_path) -> None:
    class Picky(TidesDataModule):
        def records(self):
            assert self.config.options.get("factor", 1)
            yield from super().records()

    config = DataConfig(cache_dir=str(tmp_path), options={"fctor": 2})
    with pytest.raises(ConfigError, match=r"data\.options\.fctor: Picky does not use this option; it uses .*factor"):
        Picky(config).prepare_data()
    assert not list(tmp_path.glob("*/corpus.yaml"))


def test_a_failed_build_leaves_no_corpus(tmp_path, monkeypatch) -> None:
    def broken(self) -> Iterator[Record]:
        yield Record("a", "s", datetime(2024, 1, 1), np.zeros((3, 10)))
        raise CorpusError("the disk is gone")

    monkeypatch.setattr(TidesDataModule, "records", broken)
    with pytest.raises(CorpusError, match="the disk is gone"):
        tides(tmp_path).prepare_data()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_needs_no_class(tmp_path) -> None:
    folder = build_corpus(TidesDataModule, tides(tmp_path).config, tmp_path / "harbour").path
    config = Config(data=DataConfig(domain="anything", corpus=str(folder)))
    module = ready(load_datamodule(config))
    assert type(module) is DomainDataModule
    assert module.corpus_names == ["tides"]
    assert module.data_fingerprint == Corpus.load(folder).fingerprint


def test_statistics_are_of_the_training_part_alone(write, series, windows_of) -> None:
    values = series(240)
    split = {0: "train", 1: "validation", 2: "test"}
    vocabulary = []
    for factor in (1, 1000):
        changed = values.copy()
        changed[:, 120:] *= factor
        records = windows_of(changed, 12, 12, split=lambda n: split[max(0, n // 5 - 1)])
        vocabulary.append(training_vocabulary([write(records, name=f"x{factor}")], None))
    assert vocabulary[0].state() | {"name_vectors": 0} == vocabulary[1].state() | {"name_vectors": 0}
    np.testing.assert_allclose(vocabulary[0].mean, np.nanmean(values[:, :120], axis=1, dtype=float), rtol=1e-6)
    np.testing.assert_allclose(vocabulary[0].deviation, np.nanstd(values[:, :120], axis=1, dtype=float), rtol=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.1, -1013.25])
def test_a_constant_channel_has_a_deviation(write, level: float) -> None:
    records = [
        Record(f"r{n}", "s", datetime(2024, 1, 1 + n), np.stack([np.full(24, level), np.arange(24.0)]), split="train")
        for n in range(9)
    ]
    vocabulary = training_vocabulary([write(records)], None)
    assert vocabulary.deviation[0] == pytest.approx(abs(level) or 1.0)


def test_a_channel_without_training_value_was_never_seen(write) -> None:
    values = np.ones((2, 24), np.float32)
    silent = values.copy()
    silent[1] = np.nan
    records = [
        Record("a", "s", datetime(2024, 1, 1), silent, split="train"),
        Record("b", "s", datetime(2024, 1, 2), values, split="test"),
    ]
    vocabulary = training_vocabulary([write(records)], None)
    assert np.isnan([vocabulary.mean[1], vocabulary.deviation[1]]).all()


@pytest.mark.parametrize(("stage", "known"), [("fit", True), ("test", False)])
def test_a_given_vocabulary_keeps_its_ids(tmp_path, encoder, stage: str, known: bool) -> None:
    channels = (Channel("wind", "m/s"), Channel("salinity"))
    given = ChannelVocabulary().extended(channels, torch.zeros(2, 8), [1.0, 7.0], [2.0, 3.0])
    module = TidesDataModule(tides(tmp_path).config, encoder, vocabulary=given)
    ready(module, stage)
    assert module.vocabulary.keys == ("wind [m/s]", "salinity", "water level [m]", "flow [m³/s]")
    assert module.vocabulary.mean[:2] == (1.0, 7.0)
    assert np.isfinite(module.vocabulary.mean[2]) == known
    assert next(iter(module.train_dataloader())).channel_ids[0].tolist() == [2, 1, 3]


@pytest.mark.parametrize("offset", [False, True])
def test_workers_give_the_batches_of_the_main_process(tmp_path, encoder, offset: bool) -> None:
    batches = []
    for workers in (0, 2):
        module = ready(tides(tmp_path, encoder, num_workers=workers, random_offset=offset))
        loader = module.train_dataloader()
        sampler = loader.batch_sampler
        assert isinstance(sampler, DomainBatchSampler)
        batches.append([])
        for epoch in (0, 1):
            sampler.set_epoch(epoch)
            batches[-1] += list(loader)
    for one, other in zip(*batches, strict=True):
        assert_equal(one, other)
    assert not torch.equal(batches[0][0].index, batches[0][3].index)


def test_loading_draws_nothing_from_the_global_generator(tmp_path) -> None:
    module = ready(tides(tmp_path))
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(module.train_dataloader())
    list(module.val_dataloader()[0])
    assert torch.equal(before, torch.get_rng_state())


class Recorder(L.LightningModule):
    """Notes which instances it is given in which epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.given: list[tuple[int, list[int]]] = []

    def training_step(self, batch: MultimodalBatch, batch_idx: int) -> torch.Tensor:
        self.given.append((self.current_epoch, batch.index.tolist()))
        return self.weight * batch.values.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


@pytest.mark.parametrize("workers", [0, 2])
def test_lightning_gives_each_epoch_its_batches(tmp_path, workers: int) -> None:
    """Fresh and resumed: Lightning makes the first iterator of a run before it sets the epoch (issue 21938)."""

    def fit(epochs: int, checkpoint: Path | None = None) -> tuple[Recorder, Path]:
        model = Recorder()
        trainer = L.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, barebones=False,
            enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(model, datamodule=tides(tmp_path, num_workers=workers), ckpt_path=checkpoint, weights_only=True)
        path = tmp_path / f"{epochs}.ckpt"
        trainer.save_checkpoint(path)
        return model, path

    whole, _ = fit(4)
    sampler = DomainBatchSampler([21], 8)
    for epoch in range(4):
        sampler.set_epoch(epoch)
        assert [batch for number, batch in whole.given if number == epoch] == [list(batch) for batch in sampler]
    _, checkpoint = fit(2)
    resumed, _ = fit(4, checkpoint)
    assert resumed.given == [(epoch, batch) for epoch, batch in whole.given if epoch >= 2]


def test_stage_one_encodes_channel_names_only(tmp_path, encoder) -> None:
    config = Config(
        stage="pretrain",
        data=DataConfig(corpus=str(build_corpus(TidesDataModule, tides(tmp_path).config, tmp_path / "harbour").path)),
    )
    module = ready(load_datamodule(config, encoder))
    assert encoder.seen == [channel.text for channel in TidesDataModule.channels]
    assert not next(iter(module.train_dataloader())).has_text.any()


def test_alignment_takes_windows_where_their_texts_are() -> None:
    with pytest.raises(ConfigError, match="keep it for stage pretrain"):
        load_config([], ["stage=align", "data.random_offset=true"])


def test_windows_shorter_than_a_patch(tmp_path) -> None:
    module = tides(tmp_path)
    module.patch_length = 41
    with pytest.raises(CorpusError, match=r"window 'day-0' has 40 steps and is shorter than a patch of 41.*at most 40"):
        ready(module)


def test_an_empty_split_is_reported(tmp_path) -> None:
    module = ready(tides(tmp_path, options={"days": 2}))
    with pytest.raises(CorpusError, match="has no rows in the split 'test'"):
        module.test_dataloader()
    with pytest.raises(CorpusError, match="no split 'dev'; the splits are train, validation, test"):
        module.split_dataloader("dev")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "timecap"}, "data.root is not set"),
        ({"source": "timemmd"}, "data.source is 'timemmd'; the domain weather offers generated, timecap"),
        (
            {"source": "timecap", "root": "tests", "options": {"citys": ["ny"]}},
            r"no such option; did you mean cities\? Its options are cities, events",
        ),
    ],
)
def test_wrong_source(tmp_path, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WeatherDataModule(DataConfig(cache_dir=str(tmp_path), **options)).prepare_data()


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("wether", "must be one of weather, healthcare, energy"),
        ("no_such_module:Tides", "there is no module 'no_such_module'"),
        ("data_modules.weather:Weather", "those there are: WeatherDataModule"),
    ],
)
def test_wrong_domain(domain: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_datamodule(Config(data=DataConfig(domain=domain)))


def test_a_domain_in_the_current_folder(tmp_path, monkeypatch) -> None:
    (tmp_path / "my_tides.py").write_text(
        "from data_modules.domain import DomainDataModule\n\nclass Tides(DomainDataModule):\n    domain = 'tides'\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [path for path in __import__("sys").path if path])
    assert load_datamodule(Config(data=DataConfig(domain="my_tides:Tides"))).domain == "tides"


@pytest.mark.parametrize("corpus", [3, [], [None]])
def test_wrong_corpus(corpus: object) -> None:
    with pytest.raises(ConfigError, match="must be a corpus folder or a list of them"):
        DomainDataModule(DataConfig(corpus=corpus)).corpus_cache.folders()


def test_a_missing_corpus_folder(tmp_path, caplog) -> None:
    with pytest.raises(CorpusError, match="there is no corpus folder"), caplog.at_level(logging.INFO):
        ready(load_datamodule(Config(data=DataConfig(corpus=str(tmp_path / "nowhere")))))


def test_a_domain_without_records_says_what_it_needs(tmp_path: Path) -> None:
    class Silent(DomainDataModule):
        domain = "silent"

    with pytest.raises(ConfigError, match=r"Silent has neither `sources` nor its own records\(\)"):
        build_corpus(Silent, DataConfig(), tmp_path / "silent")
    assert not (tmp_path / "silent").exists()


@pytest.mark.parametrize(
    ("gives", "channels", "message"),
    [
        (None, (Channel("tide", "m"),), "Rough.records gives None; it must yield a Record"),
        ([{"id": "a"}], (Channel("tide", "m"),), "record number 0 is a dict; it must be a data_modules.Record"),
        ([], ("tide",), r"a channel is 'tide'; it must be a Channel"),
    ],
)
def test_a_domain_that_gives_something_else_is_told_what_is_needed(
    gives, channels, message: str, tmp_path: Path
) -> None:
    class Rough(DomainDataModule):
        domain = "rough"
        frequency = "1h"

        def records(self):
            return gives

    Rough.channels = channels
    with pytest.raises(CorpusError, match=message):
        build_corpus(Rough, DataConfig(), tmp_path / "rough")


def test_a_class_that_a_run_names_is_needed_only_to_build_its_corpus() -> None:
    foreign = ForeignPath("no_such:Tides", "their run")
    assert datamodule_class(DataConfig(domain=foreign, corpus="somewhere")) is DomainDataModule
    with pytest.raises(ConfigError, match="their run names the class 'no_such:Tides'"):
        datamodule_class(DataConfig(domain=foreign))
    with pytest.raises(ConfigError, match="no module 'no_such'"):  # one's own words are taken at their word
        datamodule_class(DataConfig(domain="no_such:Tides", corpus="somewhere"))
