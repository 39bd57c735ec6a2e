"""Hard negatives mined while a model trains, and the batches that are made of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor

from callbacks import HardNegativeMining
from data_modules import Channel, CorpusInfo, DomainDataModule, Record, write_corpus
from data_modules.samplers import DomainBatchSampler
from tests.conftest import TinyRuns
from tests.processes import on_processes
from trace_lit.alignment import admissible
from trace_lit.batch import MultimodalBatch
from trace_lit.modules import AlignModule
from trace_lit.runs.data import build_datamodule
from trace_lit.settings import load_config
from trace_lit.train import fit
from trace_lit.train.fit import build_module

K = 4


def write_moods(folder: Path, name: str, windows: int, silent: bool = False) -> Path:
    """Windows of two channels, six hours apart and half over one another; every fifth has no text, some texts are equal."""
    rng = np.random.default_rng(windows)
    moods = ("calm", "rough", "wild")
    records = [
        Record(
            id=f"{name}-{number}",
            series_id=f"{name}-{number % 2}",
            start=datetime(2020, 1, 1) + timedelta(hours=6 * number),
            values=rng.normal(number % 3, 1 + number % 3, size=(2, 24)).astype(np.float32),
            text=""
            if silent or number % 5 == 2
            else f"On day {number % 8} the {name} was {moods[number % 3]}. It went on.",
            channel_texts=["", ""] if silent else None,
            label=moods[number % 3],
        )
        for number in range(windows)
    ]
    channels = (Channel("swell", "m"), Channel("wind speed", "m/s"))
    return write_corpus(records, CorpusInfo(name, name, "made up", channels, "1h", moods), folder / name).path


@pytest.fixture(scope="module")
def seas(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("seas")
    return [write_moods(folder, "baltic", 93), write_moods(folder, "aegean", 60)]


def words_of(corpora: list[Path], caches: Path, *words: str) -> list[str]:
    return [
        "stage=align",
        "encoder={width: 16, layers: 1, heads: 2}",
        f"data.corpus=[{','.join(map(str, corpora))}]",
        "data.domain=joint",
        "data.batch_size=16",
        "evaluation.batch_size=7",
        f"text.cache_dir={caches}",
        "mining={every_n_epochs: 1, first_epoch: 0, negatives: 4}",
        *words,
    ]


def make_miner(words: list[str]) -> tuple[HardNegativeMining, DomainDataModule, AlignModule]:
    """The callback beside all that it works with, without a training."""
    config = load_config([], words)
    torch.manual_seed(0)
    data = build_datamodule(config)
    data.prepare_data()
    data.setup("fit")
    module = build_module(config, data, None)
    assert isinstance(module, AlignModule)
    miner = HardNegativeMining(config.mining, config.seed)
    trainer: Any = SimpleNamespace(datamodule=data, loggers=[], global_step=0, max_epochs=config.trainer.max_epochs)
    miner.setup(trainer, module, "fit")
    return miner, data, module


@pytest.fixture
def make(seas: list[Path], tmp_path: Path):
    def make(*words: str) -> tuple[HardNegativeMining, DomainDataModule, AlignModule]:
        return make_miner(words_of(seas, tmp_path, *words))

    return make


def embedded(module: AlignModule, batch: MultimodalBatch) -> tuple[Tensor, Tensor]:
    """Series and texts (N, E) of all instances, whether they have a text or not."""
    training = module.training
    module.eval()
    with torch.no_grad():
        slots = batch.channel_ids.unique()
        found = module.model.embed_series(batch, slots), module.model.embed_text(batch.text, batch.text_mask, slots)
    module.train(training)
    return found


def brute_force(module: AlignModule, data: DomainDataModule, margin: float = 0.95) -> tuple[Tensor, dict[str, Tensor]]:
    """The table of all corpora by comparing all with all, and what there is to tell about the pairs of each anchor."""
    tables, output, first = [], {}, 0
    for dataset in data.datasets["train"]:
        batch = dataset[list(range(len(dataset)))]
        series, text = embedded(module, batch)
        same_text = batch.text_id[:, None] == batch.text_id
        text = text[same_text.int().argmax(1)]  # of equal texts the first one's, as rounding depends on the place
        paired = admissible(batch.text_id, batch.text_id, batch.window, batch.window) & batch.has_text
        table = torch.full((len(dataset), K, 2), -1)
        for way, score in enumerate((text @ series.T, series @ text.T)):
            own = score.diagonal()
            near = score >= (own - (1 - margin) * own.abs())[:, None]
            for row in batch.has_text.nonzero().squeeze(1).tolist():
                ranked = score[row].masked_fill(~paired[row] | near[row], -torch.inf).sort(descending=True, stable=True)
                best = ranked.indices[ranked.values > -torch.inf][:K]
                table[row, : len(best), way] = best + first
                output.setdefault(f"own/{way}", []).append(own[row])
                output.setdefault(f"hardest/{way}", []).append(score[row].masked_fill(~paired[row], -torch.inf).max())
                output.setdefault(f"best/{way}", []).append(ranked.values[0])
                output.setdefault(f"margin/{way}", []).append((paired[row] & near[row]).sum() * 1.0)
                output.setdefault(f"pairs/{way}", []).append(batch.has_text.sum() * 1.0)
        tables.append(table.flatten(1))
        first += len(dataset)
    return torch.cat(tables), {name: torch.stack(values) for name, values in output.items()}


def test_the_table_is_what_comparing_all_windows_finds(make) -> None:
    miner, data, module = make()
    expected, _ = brute_force(module, data)
    table = torch.from_numpy(miner.negatives(0))
    assert torch.equal(table, expected)
    assert (table >= 0).any(1).float().mean() > 0.7
    assert module.training  # as before


def test_negatives_come_from_the_own_corpus_and_have_texts(make) -> None:
    miner, data, _ = make("mining.relative_margin=null")
    table = miner.negatives(0)
    sizes = [len(dataset) for dataset in data.datasets["train"]]
    corpus = np.repeat(np.arange(len(sizes)), sizes)
    has_text = np.concatenate([[bool(text) for text in dataset.texts] for dataset in data.datasets["train"]])
    assert table.shape == (sum(sizes), 2 * K)
    rows, places = np.nonzero(table >= 0)
    mined = table[rows, places]
    assert (corpus[mined] == corpus[rows]).all()
    assert (mined != rows).all()
    assert has_text[mined].all()
    assert ((table >= 0).all(1) == has_text).all()
    assert ((table == -1).all(1) == ~has_text).all()


def test_a_corpus_without_texts_has_no_negatives(seas: list[Path], tmp_path: Path) -> None:
    silent = write_moods(tmp_path, "arctic", 30, silent=True)
    words = words_of([silent, seas[1]], tmp_path, "mining.channels=true", "mining.cached=true")
    miner, data, _ = make_miner(words)
    table = miner.negatives(0)
    size = len(data.datasets["train"][0])
    assert (table[:size] == -1).all()
    assert (table[size:] >= size).any()
    assert np.isfinite(list(miner.metrics.values())).all()


def test_a_table_serves_the_epochs_until_the_next_is_due(make) -> None:
    miner, data, module = make("mining={every_n_epochs: 2, first_epoch: 1}")

    def train() -> None:  # as far as the miner can tell
        with torch.no_grad():
            for weight in module.parameters():
                weight.add_(0.1 * torch.randn_like(weight))

    assert miner.negatives(0) is None
    tables = []
    for epoch in range(1, 5):
        train()
        expected = brute_force(module, data)[0].numpy()
        tables.append(miner.negatives(epoch))
        assert np.array_equal(tables[-1], expected) == (epoch in (1, 3))
    assert np.array_equal(tables[0], tables[1])
    assert np.array_equal(tables[2], tables[3])
    assert not np.array_equal(tables[0], tables[2])
    assert miner.negatives(miner.trainer.max_epochs) is None, "Lightning makes an iterator of a run that has ended, too"


def test_the_datamodule_asks_it_for_the_table(make) -> None:
    miner, data, _ = make("mining.in_batch=2")
    loader = data.train_dataloader()
    sampler = loader.batch_sampler
    sampler.set_epoch(3)
    batches = list(sampler)
    sizes = [len(dataset) for dataset in data.datasets["train"]]
    table = miner.negatives(3)
    mined = DomainBatchSampler(sizes, 16, negatives=lambda _: table, in_batch=2)
    mined.set_epoch(3)
    assert batches == list(mined)
    assert miner.epoch == 3


@pytest.mark.parametrize("words", [(), ("mining.channels=true", "mining.cached=true")])
def test_its_state_is_plain_and_spares_another_mining(words: tuple[str, ...], make) -> None:
    miner, _, module = make(*words)
    table = miner.negatives(2).copy()
    file = io.BytesIO()
    torch.save(miner.state_dict(), file)
    file.seek(0)
    again, _, other_module = make(*words)
    again.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        for weight in other_module.parameters():
            weight.zero_()
    assert np.array_equal(again.negatives(2), table)
    again.on_train_start(again.trainer, other_module)
    assert len(other_module._negative_caches) == len(module._negative_caches) == 2 * len(words[1:])
    for cache, other in zip(module._negative_caches, other_module._negative_caches, strict=True):
        assert all(
            torch.equal(torch.as_tensor(value), torch.as_tensor(vars(other)[name]))
            for name, value in vars(cache).items()
        )
    assert again.seconds == miner.seconds
    assert 0 < again.cost["share"] < 1


def test_what_it_tells_is_what_comparing_all_windows_finds(make) -> None:
    miner, data, module = make()
    miner.negatives(0)
    _, output = brute_force(module, data)
    for way, name in enumerate(("text_to_series", "series_to_text")):
        own, hardest, best = (output[f"{kind}/{way}"] for kind in ("own", "hardest", "best"))
        found = best.isfinite()
        expected = {
            "outranked": float((hardest > own).float().mean()),
            "hardness": float((best - own)[found].mean()),
            "without": float((~found).float().mean()),
            "excluded/margin": float(output[f"margin/{way}"].sum() / output[f"pairs/{way}"].sum()),
        }
        for key, value in expected.items():
            assert miner.metrics[f"mining/sample/{name}/{key}"] == pytest.approx(value, abs=1e-5), (name, key)
        assert miner.metrics[f"mining/sample/{name}/excluded/text"] > 0
        assert miner.metrics[f"mining/sample/{name}/excluded/window"] > 0
    assert miner.metrics["mining/seconds"] > 0


def test_an_instance_has_the_negatives_of_its_channels_as_well(make) -> None:
    miner, data, module = make("mining.channels=true", "mining.relative_margin=null")
    table = torch.from_numpy(miner.negatives(0))[:, 2 * K :]
    dataset = data.datasets["train"][0]
    batch = dataset[list(range(len(dataset)))]
    module.eval()
    with torch.no_grad():
        level = module.model(batch).channel
    allowed = admissible(level.text_id, level.text_id, level.window, level.window)
    expected: list[set[int]] = [set() for _ in dataset.rows]
    for score in (level.text @ level.series.T, level.series @ level.text.T):
        nearest = score.masked_fill(~allowed, -torch.inf).topk(K, dim=1).indices
        for row, places in zip(level.row.tolist(), nearest.tolist(), strict=True):
            expected[row] |= set(level.row[places].tolist()) - {row}
    found = [set(row[row >= 0].tolist()) for row in table[: len(dataset)]]
    assert found == expected
    assert any(found)


def mined_here(runs: list[list[str]]) -> list[tuple[list[Tensor], dict[str, float]]]:
    """The table of each run and what its losses are to know of it, mined by all processes together."""
    found = []
    for words in runs:
        miner, _, _ = make_miner(words)
        table = torch.from_numpy(miner.negatives(1))
        found.append(
            ([table, *(places for cache in miner.caches for places in (cache.of_text, cache.of_series))], miner.metrics)
        )
    return found


def test_two_processes_mine_the_table_of_one(seas: list[Path], tmp_path: Path) -> None:
    """Neither the windows nor the pairs divide by two."""
    random = ("mining.sampling_strategy=random", "mining.cached=true", "mining.channels=true")
    runs = [words_of(seas, tmp_path, *more) for more in ((), ("evaluation.batch_size=20",), random)]
    alone = mined_here(runs)
    for together in on_processes(2, mined_here, runs):
        for (tables, metrics), (other_tables, other_metrics) in zip(alone, together, strict=True):
            assert all(torch.equal(other, table) for other, table in zip(other_tables, tables, strict=True))
            for name, value in metrics.items():
                if name not in ("mining/seconds", "mining/share"):
                    assert other_metrics[name] == pytest.approx(value, abs=1e-6), name


# While a model trains


class Watched:
    """What a run has mined and trained on, epoch by epoch."""

    def __init__(self) -> None:
        self.tables: dict[int, np.ndarray | None] = {}
        self.mined: list[int] = []
        self.batches: dict[int, list[list[int]]] = {}


@contextmanager
def watching(stop_at: int | None = None) -> Iterator[Watched]:
    """Watch a run, and end it by Ctrl-C when it has fetched the first batch of epoch `stop_at`."""
    seen = Watched()
    with pytest.MonkeyPatch.context() as patch:
        negatives, mine, step = HardNegativeMining.negatives, HardNegativeMining._mine, AlignModule.training_step

        def watched_negatives(self: Any, epoch: int) -> Any:
            table = negatives(self, epoch)
            seen.tables[epoch] = None if table is None else table.copy()
            return table

        def watched_mine(self: Any, epoch: int) -> None:
            mine(self, epoch)
            seen.mined.append(epoch)
            expected, _ = brute_force(self.module, self.trainer.datamodule)
            assert torch.equal(self.table, expected), "the table is of other weights than those it will train"

        def watched_step(self: Any, batch: MultimodalBatch, batch_idx: int) -> Tensor:
            if self.current_epoch == stop_at:
                raise KeyboardInterrupt
            seen.batches.setdefault(self.current_epoch, []).append(batch.index.tolist())
            return step(self, batch, batch_idx)

        patch.setattr(HardNegativeMining, "negatives", watched_negatives)
        patch.setattr(HardNegativeMining, "_mine", watched_mine)
        patch.setattr(AlignModule, "training_step", watched_step)
        yield seen


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_follow_the_table_of_their_epoch(workers: int, tiny_runs: TinyRuns, tmp_path: Path) -> None:
    """In a run without a break, and in one that goes on at an epoch's end."""

    def run(name: str, **how: Any) -> Path:
        words = [
            *tiny_runs.words,
            f"run.dir={tmp_path}",
            f"run.name={name}",
            "stage=align",
            f"init_from={tiny_runs.pretrained}",
            "trainer.max_epochs=5",
            "optim.ema_decay=0.9",
            "mining={every_n_epochs: 2, first_epoch: 1, negatives: 4}",
            f"data.num_workers={workers}",
        ]
        return fit(load_config([], words), **how).folder

    with watching() as whole:
        folder = run("whole")
    assert whole.mined == [1, 3]
    assert whole.tables[0] is None
    rows = sum(map(len, whole.batches[0]))
    sampler = DomainBatchSampler([rows], 16, negatives=whole.tables.__getitem__)
    for epoch in range(5):
        sampler.set_epoch(epoch)
        assert whole.batches[epoch] == list(sampler), epoch
    assert not np.array_equal(whole.tables[1], whole.tables[3])

    with watching(stop_at=3), pytest.raises((KeyboardInterrupt, SystemExit)):
        run("cut")
    with watching() as rest:
        run("cut", resume="auto")
    assert sorted(rest.batches) == [3, 4]
    for epoch in (3, 4):
        assert np.array_equal(rest.tables[epoch], whole.tables[epoch])
        assert rest.batches[epoch] == whole.batches[epoch]

    output = EventAccumulator(str(folder)).Reload()
    for name in ("seconds", "share", "sample/text_to_series/outranked", "sample/series_to_text/excluded/margin"):
        assert len(output.Scalars(f"mining/{name}")) == 2, name
    metrics = json.loads((folder / "metrics.json").read_text())
    assert 0 < metrics["fit/mining_seconds"] < metrics["fit/seconds"]
    assert 0 < metrics["fit/mining_share"] < 1


def test_another_seed_and_another_epoch_draw_other_lots(seas: list[Path], tmp_path: Path) -> None:
    """The weights are the same, so that only what is drawn can differ."""
    words = words_of(seas, tmp_path, "mining.sampling_strategy=random", "mining.relative_margin=null")
    tables = [
        make_miner([*words, f"seed={seed}"])[0].negatives(epoch) for seed, epoch in ((0, 0), (0, 0), (1, 0), (0, 1))
    ]
    same, again, other, later = (np.asarray(table) for table in tables)
    assert (same == again).all()
    assert (same != other).any()
    assert (same != later).any()
