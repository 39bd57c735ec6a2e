"""Speed of the series encoder as a share of what a large matrix product reaches, measured in the same process.

    python experiments/bench.py [--precision 32-true|bf16-mixed] [--compile] [--threads N] [--json FILE]

The batch is B=16 windows of C=7 channels and T=186 steps with patches of P=6, the encoder that of the paper's defaults, and
the batches come from the data loader of a corpus that is made for it. Model FLOP are counted from the shapes (matrix
products and attention, two a multiply-add); a training step (masked reconstruction, AdamW) counts three forward passes.
The ratio is what to look at: machines differ, and are noisy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import torch

from data_modules import DomainDataModule
from data_modules.corpus import CorpusInfo, Record, write_corpus
from trace_lit.batch import MultimodalBatch
from trace_lit.channels import Channel, ChannelVocabulary
from trace_lit.config import Config, DataConfig, EncoderConfig, load_config
from trace_lit.encoder import ReconstructionHead, SeriesEncoder
from trace_lit.modules.optim import build_optimizer
from trace_lit.modules.pretrain import reconstruction_loss
from trace_lit.text import build_text_encoder

BATCH, CHANNELS, STEPS = 16, 7, 186


def forward_flop(config: EncoderConfig, batch: int, channels: int, steps: int) -> float:
    """Two per multiply-add of the matrix products and of the attention, of one forward pass."""
    count = -(-steps // config.patch_length)
    length = channels * (count + 1) + 1
    width = config.width
    linear = (4 + 2 * config.ffn_ratio) * width * width * length
    attention = 2 * width * ((length - channels) * length + channels * (count + 1))
    return 2.0 * batch * (config.layers * (linear + attention) + channels * count * config.patch_length * width)


def make_batches(folder: Path, config: Config) -> tuple[Iterator[MultimodalBatch], ChannelVocabulary]:
    """Endless training batches, as a run has them, and their channels."""
    generator = np.random.default_rng(0)
    info = CorpusInfo(
        "bench", "bench", "random walks", tuple(Channel(f"channel {n}", "V") for n in range(CHANNELS)), "1h", ()
    )
    records = (
        Record(
            id=str(number),
            series_id="walk",
            start=datetime(2020, 1, 1) + number * timedelta(hours=STEPS),
            values=generator.normal(size=(CHANNELS, STEPS)).cumsum(1).astype(np.float32),
            channel_texts=[""] * CHANNELS,
        )
        for number in range(64 * BATCH)
    )
    write_corpus(records, info, folder / "corpus")
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


def seconds(step: Callable[[], object], device: torch.device, repeats: int, rounds: int = 5) -> float:
    """The median over rounds of the mean seconds of `step`."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):
        step()
    measured = []
    for _ in range(rounds):
        wait()
        began = time.perf_counter()
        for _ in range(repeats):
            step()
        wait()
        measured.append((time.perf_counter() - began) / repeats)
    return statistics.median(measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", default="32-true", choices=("32-true", "bf16-mixed"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = options.precision == "bf16-mixed"
    config = load_config()
    torch.manual_seed(0)

    size = 8192 if device.type == "cuda" else 2048
    left, right = torch.randn(2, size, size, device=device, dtype=torch.bfloat16 if half else torch.float32)
    peak = 2 * size**3 / seconds(lambda: left @ right, device, options.repeats)

    with tempfile.TemporaryDirectory() as folder:
        batches, vocabulary = make_batches(Path(folder), config)
        encoder = SeriesEncoder(config.encoder, vocabulary).to(device)
        head = ReconstructionHead(config.encoder.width, config.encoder.patch_length).to(device)
        if options.compile:
            for block in encoder.blocks:
                block.compile()
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

        encoder.eval()
        times = {"forward": seconds(forward, device, options.repeats)}
        encoder.train()
        times["training"] = seconds(train, device, options.repeats)

    flop = forward_flop(config.encoder, BATCH, CHANNELS, STEPS)
    result = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads",
        "precision": options.precision,
        "compile": options.compile,
        "matrix_product_tflops": peak / 1e12,
        "forward_share": flop / times["forward"] / peak,
        "training_share": 3 * flop / times["training"] / peak,
        "forward_samples_per_second": BATCH / times["forward"],
        "training_samples_per_second": BATCH / times["training"],
    }
    for name, value in result.items():
        print(f"{name:28s} {value if isinstance(value, (str, bool)) else format(value, '.3f')}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
