"""What `bench.py` measures: seconds and memory of parts of this project, beside the products that they cannot do without."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import torch

import trace_lit
from data_modules import DomainDataModule
from data_modules.config import DataConfig
from data_modules.corpus import Corpus, CorpusInfo, Record
from data_modules.corpus_writing import write_corpus
from data_modules.dataset import CorpusDataset
from data_modules.text_table import TextTable
from trace_lit.alignment import Instances, NegativeRules, mine_negatives
from trace_lit.alignment.config import MiningConfig
from trace_lit.alignment.mining import ACCELERATOR_BLOCK, BLOCKS
from trace_lit.batch import NO_LABEL, MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.encoder import ReconstructionHead, SeriesEncoder
from trace_lit.encoder.config import EncoderConfig
from trace_lit.inference import AlignedRun, embed_parts
from trace_lit.modules.optim import build_optimizer
from trace_lit.modules.pretrain import reconstruction_loss
from trace_lit.retrieval.directions import directions
from trace_lit.retrieval.pool import Pool, embed_series
from trace_lit.settings import Config, load_config
from trace_lit.text import build_text_encoder, document

BATCH, CHANNELS, STEPS = 16, 7, 186
WINDOW = 5, 24  # channels and steps of data
ALIGNED = 80, 24  # windows and steps of alignment
WIDTH = 384
EMBEDDED = 2048, 7, 168  # windows, channels and steps of embedding
ROUNDS, TURN = 10, 1024  # how often some anchors' mining and bare product are timed, and how many anchors
RANKED_AT_ONCE = 2**23  # scores that evaluation holds


def forward_flop(config: EncoderConfig, batch: int, channels: int, steps: int) -> float:
    """Two per multiply-add of the matrix products and of the attention, of one forward pass."""
    count = -(-steps // config.patch_length)
    length = channels * (count + 1) + 1
    width = config.width
    linear = (4 + 2 * config.ffn_ratio) * width * width * length
    attention = 2 * width * ((length - channels) * length + channels * (count + 1))
    return 2.0 * batch * (config.layers * (linear + attention) + channels * count * config.patch_length * width)


def random_walks(folder: Path, windows: int, channels: int, steps: int) -> Corpus:
    """A corpus of windows of one series, which has no texts."""
    generator = np.random.default_rng(0)
    info = CorpusInfo(
        "bench", "bench", "random walks", tuple(Channel(f"channel {n}", "V") for n in range(channels)), "1h", ()
    )
    records = (
        Record(
            id=str(number),
            series_id="walk",
            start=datetime(2020, 1, 1) + number * timedelta(hours=steps),
            values=generator.normal(size=(channels, steps)).cumsum(1).astype(np.float32),
            channel_texts=[""] * channels,
        )
        for number in range(windows)
    )
    return write_corpus(records, info, folder)


def make_batches(folder: Path, config: Config) -> tuple[Iterator[MultimodalBatch], ChannelVocabulary]:
    """Endless training batches, as a run has them, and their channels."""
    random_walks(folder / "corpus", 64 * BATCH, CHANNELS, STEPS)
    data = DomainDataModule(
        DataConfig(corpus=str(folder / "corpus"), batch_size=BATCH), build_text_encoder(config.text), text_unit="none"
    )
    data.setup("fit")
    loader = data.train_dataloader()

    def endless() -> Iterator[MultimodalBatch]:
        while True:
            for batch in loader:
                if len(batch) == BATCH:
                    yield batch

    return endless(), data.vocabulary


def by_turns(
    steps: dict[str, Callable[[], object]], device: torch.device, repeats: int = 1, rounds: int = 5
) -> dict[str, list[float]]:
    """The mean seconds of each step in each round, one step after the other, so that other work slows all alike."""
    for step in steps.values():
        step()
    measured: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = clock(device)
            for _ in range(repeats):
                step()
            measured[name].append((clock(device) - began) / repeats)
    return measured


def clock(device: torch.device) -> float:
    """Seconds, after all work on the device; those of the processor alone where one thread does all."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.process_time() if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()


def ratio(measured: dict[str, list[float]], one: str, other: str) -> float:
    """The median over rounds of how many times as long as `other` the step `one` takes."""
    return statistics.median(a / b for a, b in zip(measured[one], measured[other], strict=True))


def encoder_speed(options: argparse.Namespace, device: torch.device) -> dict[str, float | str | bool]:
    half = options.precision == "bf16-mixed"
    config = load_config()
    torch.manual_seed(0)

    size = 8192 if device.type == "cuda" else 2048
    left, right = torch.randn(2, size, size, device=device, dtype=torch.bfloat16 if half else torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        batches, vocabulary = make_batches(Path(folder), config)
        encoder = SeriesEncoder(config.encoder, vocabulary).to(device)
        head = ReconstructionHead(config.encoder.width, config.encoder.patch_length).to(device)
        if options.compile:
            encoder.compile_layers()
        optimizer = build_optimizer(torch.nn.ModuleList([encoder, head]), config.optim)

        def forward() -> None:
            batch = next(batches).to(device, non_blocking=True)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                encoder(batch)

        def train() -> None:
            batch = next(batches).to(device, non_blocking=True)
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                loss = reconstruction_loss(encoder, head, batch, config.pretrain.mask_ratio)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

        steps = {
            "product": lambda: left @ right,
            "forward": lambda: (encoder.eval(), forward()),
            "training": lambda: (encoder.train(), train()),
        }
        by_turns(steps, device, rounds=2)  # what is set up on the way
        times = by_turns(steps, device, options.repeats)

    flop, product = forward_flop(config.encoder, BATCH, CHANNELS, STEPS), 2 * size**3
    return {
        "device": device_name(device),
        "precision": options.precision,
        "compile": options.compile,
        "matrix_product_tflops": product / statistics.median(times["product"]) / 1e12,
        "forward_share": flop / product * ratio(times, "product", "forward"),
        "training_share": 3 * flop / product * ratio(times, "product", "training"),
        "forward_samples_per_second": BATCH / statistics.median(times["forward"]),
        "training_samples_per_second": BATCH / statistics.median(times["training"]),
    }


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"


def mining_speed(size: int, threads: int | None) -> dict[str, float | str]:
    """In a process of its own, whose peak of memory is that of this mining."""
    if threads:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    text, series = (torch.randn(size, WIDTH, device=device) for _ in range(2))
    for vectors in (text, series):
        vectors.div_(vectors.norm(dim=1, keepdim=True))
    every = torch.arange(size, device=device)
    start = every % 1000 * 43_200  # windows of a day, one every half a day, in series of a thousand
    window = torch.stack([every // 1000, start, start + 86_400], dim=1)
    instances = Instances(every, window, torch.full_like(every, NO_LABEL))
    rows, columns = BLOCKS.get(device.type, ACCELERATOR_BLOCK)

    def product(anchors: slice) -> None:
        for part in text[anchors].split(rows):
            for others in series.split(columns):
                part @ others.T

    def mine(anchors: slice) -> None:
        mine_negatives(text[anchors], series, every[anchors], instances, MiningConfig.negatives, NegativeRules())

    text[:rows] @ series[:rows].T  # what a first product sets up is not mining's
    before = most_memory(device)
    mine(slice(None))
    memory = most_memory(device) - before
    turns = []  # by few anchors, so that other work on the machine slows both alike
    for begin in torch.linspace(0, max(0, size - TURN), ROUNDS).long().tolist():
        anchors = slice(begin, begin + TURN)
        steps = {"product": partial(product, anchors), "mining": partial(mine, anchors)}
        turns.append(by_turns(steps, device, rounds=1))
    products, minings = ([own[name][0] for own in turns] for name in ("product", "mining"))
    share = min(TURN, size) / size
    return {
        "device": device_name(device),
        "mining_seconds": statistics.median(minings) / share,
        "product_seconds": statistics.median(products) / share,
        "ratio": statistics.median(ratio(own, "mining", "product") for own in turns),
        "memory_mb": memory / 1e6,
    }


def most_memory(device: torch.device) -> float:
    """The most bytes that this process has taken until now."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def evaluation_speed(size: int) -> dict[str, float]:
    """Ranking some queries among `size` candidates, on the CPU, as evaluation does."""
    torch.manual_seed(0)
    text, series = (torch.nn.functional.normalize(torch.randn(size, WIDTH), dim=1) for _ in range(2))
    every = torch.arange(size)
    pool = Pool(series, text, torch.ones_like(every, dtype=torch.bool), every % 4, every, every)
    whole = directions(pool)["text_to_series"]
    turn = slice(min(TURN, size))
    direction = replace(
        whole,
        queries=whole.queries[turn],
        query_vectors=whole.query_vectors[turn],
        keys={match: (asked[turn], offered) for match, (asked, offered) in whole.keys.items()},
    )
    double = series.double().T

    def product() -> None:
        for rows in direction.query_vectors.split(max(1, RANKED_AT_ONCE // size)):
            rows.double() @ double

    steps = {"product": product, "ranking": lambda: direction.rank(RANKED_AT_ONCE)}
    times, share = by_turns(steps, torch.device("cpu")), min(TURN, size) / size
    return {
        "ranking_seconds": statistics.median(times["ranking"]) / share,
        "product_seconds": statistics.median(times["product"]) / share,
        "ratio": ratio(times, "ranking", "product"),
    }


def embedding_speed() -> dict[str, float]:
    """A corpus from the disk to parts, beside the model alone."""
    windows, channels, steps = EMBEDDED
    model = trace_lit.load("universal", device="cpu")
    assert isinstance(model, AlignedRun)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        corpus = random_walks(place / "corpus", windows, channels, steps)
        space, table = model.space(corpus.info.channels), TextTable((), None, document)
        dataset = CorpusDataset(corpus, None, model.vocabulary, table, table)
        size = model.config.evaluation.batch_size
        batches = [dataset[own.tolist()] for own in torch.arange(windows).split(size)]
        numbers = itertools.count()
        steps_of = {
            "model": lambda: embed_series(space, batches, model.device),
            "parts": lambda: embed_parts(model, place / "corpus", place / f"parts {next(numbers)}"),
        }
        times = by_turns(steps_of, model.device, rounds=3)
    return {
        "windows_per_second": windows / statistics.median(times["parts"]),
        "share_of_the_model": ratio(times, "model", "parts"),
    }


def data_speed(rows: int) -> dict[str, dict[str, float]]:
    """What building and training take, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
            build = fresh.apply(build_cost, (rows, corpus))
            return {"build": build} | fresh.apply(training_costs, (corpus,))


def build_cost(rows: int, folder: Path) -> dict[str, float]:
    """Of a corpus of series with 2,000 windows each, one after another, without texts."""
    generator, (channels, steps), windows = np.random.default_rng(0), WINDOW, 2_000

    def records() -> Iterator[Record]:
        for number in range(rows):
            series, place = divmod(number, windows)
            if place == 0:
                values = generator.normal(size=(channels, steps * windows)).astype(np.float32)
            yield Record(
                id=str(number),
                series_id=f"series {series}",
                start=datetime(2020, 1, 1) + place * timedelta(hours=steps),
                values=values[:, place * steps : (place + 1) * steps],
                channel_texts=[""] * channels,
            )

    info = CorpusInfo("bench", "bench", "noise", tuple(Channel(f"channel {n}", "V") for n in range(channels)), "1h", ())
    with Cost() as cost:
        write_corpus(records(), info, folder)
    return cost.found


def training_costs(folder: Path) -> dict[str, dict[str, float]]:
    """Getting ready, and an epoch's first thousand batches, whose resident memory is the most of both."""
    with Cost() as ready:
        data = DomainDataModule(DataConfig(corpus=str(folder), batch_size=64), None, text_unit="none")
        data.setup("fit")
        loader = data.train_dataloader()
    with Cost() as batches:
        for _ in zip(range(1_000), loader, strict=False):
            pass
    return {"start-up": ready.found, "1,000 batches of 64": batches.found}


def channel_costs(channels: int, threads: int | None) -> dict[str, float]:
    """Of an epoch of alignment on windows of so many channels, in a process of its own."""
    if threads:
        torch.set_num_threads(threads)
    generator, (windows, steps) = np.random.default_rng(0), ALIGNED
    names = [f"channel {number}" for number in range(channels)]
    moves = "rose", "fell", "was steady", "was variable"

    def records() -> Iterator[Record]:
        for number in range(windows):
            texts = [f"The {name} {moves[int(generator.integers(4))]}." for name in names]
            yield Record(
                id=str(number),
                series_id="walk",
                start=datetime(2020, 1, 1) + number * timedelta(hours=steps),
                values=generator.normal(size=(channels, steps)).cumsum(1).astype(np.float32),
                channel_texts=texts,
                text=" ".join(texts),
                split="train" if number < 0.8 * windows else "validation",
            )

    info = CorpusInfo("bench", "bench", "random walks", tuple(Channel(name, "V") for name in names), "1h", ())
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(records(), info, Path(folder) / "corpus")
        words = [f"data.corpus={folder}/corpus", f"run.dir={folder}/runs", "data.batch_size=16", "logger=[]"]
        with Cost() as cost, redirect_stdout(StringIO()):
            trace_lit.fit("stage=align", "trainer.max_epochs=1", *words)
    return cost.found


class Cost:
    """The seconds of a block, and the most memory that its process has had resident until its end."""

    found: dict[str, float]

    def __enter__(self) -> Cost:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        seconds, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.found = {"seconds": seconds, "cpu_seconds": cpu, "resident_mb": memory / 1e6}
