"""Speed of the series encoder and of mining, beside the matrix products that they cannot do without; of starting; of data.

    python experiments/bench.py [--only encoder|mining|evaluation|embedding|startup|search|data|channels]
                                [--precision 32-true|bf16-mixed] [--compile] [--threads N] [--rows N] [--sizes N ...]
                                [--json FILE]

Encoder: forward and training as a share of what a large matrix product reaches, measured in the same process. The batch is
B=16 windows of C=7 channels and T=186 steps with patches of P=6, the encoder that of the paper's defaults, and the batches
come from the data loader of a corpus that is made for it. Model FLOP are counted from the shapes (matrix products and
attention, two a multiply-add); a training step (masked reconstruction, AdamW) counts three forward passes. The ratio is what
to look at: machines differ, and are noisy. So what is compared is timed by turns, and with `--threads 1` the time is that
of the processor, which other work on the machine does not lengthen.

Mining: the hard negatives of N anchors among N candidates, in one direction, of random unit vectors of width 384 with the
default rules, beside the bare product of the same vectors in the same blocks: both are timed by turns on 1,024 anchors, and
the medians multiplied to N. The memory is the most that mining all N took beyond the embeddings.

Evaluation: 1,024 texts ranked among the series of N pairs, random unit vectors of width 384 with four labels, beside the
bare product, in double precision, of the same vectors in the same blocks.

Embedding: a corpus of 2,048 windows of 7 channels and 168 steps from the disk to parts, by the universal model, beside the
model alone on the batches of the corpus, which are in memory.

Search: see `search_bench`; only with `--only search [--kinds KIND ...] [--real INDEX]`.

Data: building a corpus of N windows of 5 channels and 24 steps, getting ready to train on it, and batches of 64, each with
the resident memory that it took; N is 2,000,000 in the table of the results.

Channels: an epoch of alignment on 80 windows of 24 steps by the paper's defaults, and the resident memory that it took, for
7, 30, 100 and 300 channels, each of which a sentence of the report speaks of; only with `--only channels`.

Start-up: the CPU time until the command has answered, beside that of `python -c "import torch"`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Callable
from multiprocessing.pool import Pool
from pathlib import Path

import torch
from measures import (
    ALIGNED,
    WIDTH,
    WINDOW,
    channel_costs,
    data_speed,
    device_name,
    embedding_speed,
    encoder_speed,
    evaluation_speed,
    mining_speed,
)
from search_bench import search_speed
from startup import print_costs, startup_costs

from trace_lit.alignment.config import MiningConfig


def report_encoder(options: argparse.Namespace) -> dict[str, float | str | bool]:
    result = encoder_speed(options, default_device())
    for name, value in result.items():
        print(f"{name:28s} {value if isinstance(value, (str, bool)) else format(value, '.3f')}", flush=True)
    return result


def report_mining(options: argparse.Namespace) -> dict[int, dict[str, float | str]]:
    print(f"mining, one direction, K = {MiningConfig.negatives}, width {WIDTH}, {device_name(default_device())}")
    print("| N | mining s | matrix product s | ratio | memory MB |\n|--:|--:|--:|--:|--:|", flush=True)
    mined = {}
    with fresh_process() as fresh:
        for size in options.sizes or (1_000, 10_000, 100_000):
            print(f"| {size:,} | ", end="", flush=True)
            mined[size] = found = fresh.apply(mining_speed, (size, options.threads))
            seconds = f"{found['mining_seconds']:.3g} | {found['product_seconds']:.3g}"
            print(f"{seconds} | {found['ratio']:.2f} | {found['memory_mb']:.0f} |", flush=True)
    return mined


def report_evaluation(options: argparse.Namespace) -> dict[int, dict[str, float]]:
    print(f"evaluation, texts among the series of N pairs, width {WIDTH}, {device_name(torch.device('cpu'))}")
    print("| N | ranking s | matrix product s | ratio |\n|--:|--:|--:|--:|", flush=True)
    evaluated = {}
    for size in options.sizes or (10_000, 100_000):
        evaluated[size] = found = evaluation_speed(size)
        seconds = f"{found['ranking_seconds']:.3g} | {found['product_seconds']:.3g}"
        print(f"| {size:,} | {seconds} | {found['ratio']:.2f} |", flush=True)
    return evaluated


def report_embedding(_: argparse.Namespace) -> dict[str, float]:
    embedded = embedding_speed()
    print(
        f"embedding from disk to parts: {embedded['windows_per_second']:.1f} windows a second, "
        f"{embedded['share_of_the_model']:.3f} of the model alone",
        flush=True,
    )
    return embedded


def report_search(options: argparse.Namespace) -> object:
    return search_speed(options.sizes or [1_000_000], options.kinds, options.real, options.threads)


def report_data(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    measured = data_speed(options.rows)
    print(f"data, {options.rows:,} windows of {WINDOW[0]} channels and {WINDOW[1]} steps")
    print("| | s | CPU s | resident MB |\n|---|--:|--:|--:|")
    for name, cost in measured.items():
        print_cost(name, cost)
    return measured


def report_channels(options: argparse.Namespace) -> dict[int, dict[str, float]]:
    print(f"alignment, an epoch of {ALIGNED[0]} windows of {ALIGNED[1]} steps, {device_name(default_device())}")
    print("| channels | s | CPU s | resident MB |\n|--:|--:|--:|--:|", flush=True)
    costs = {}
    with fresh_process() as fresh:
        for channels in options.sizes or (7, 30, 100, 300):
            costs[channels] = cost = fresh.apply(channel_costs, (channels, options.threads))
            print_cost(channels, cost)
    return costs


def report_startup(_: argparse.Namespace) -> object:
    costs = startup_costs()
    print_costs(costs)
    return costs


REPORTS: dict[str, Callable[[argparse.Namespace], object]] = {
    "encoder": report_encoder,
    "mining": report_mining,
    "evaluation": report_evaluation,
    "embedding": report_embedding,
    "search": report_search,
    "data": report_data,
    "channels": report_channels,
    "startup": report_startup,
}
AT_LENGTH = ("search", "channels")  # they take minutes and gigabytes, and are measured only by name


def default_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fresh_process() -> Pool:
    """A new process for each measurement, so that memory is its own."""
    return multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)


def print_cost(name: object, cost: dict[str, float]) -> None:
    numbers = f"{cost['seconds']:.1f} | {cost['cpu_seconds']:.1f} | {cost['resident_mb']:.0f}"
    print(f"| {name} | {numbers} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=list(REPORTS))
    parser.add_argument("--precision", default="32-true", choices=("32-true", "bf16-mixed"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument(
        "--sizes", type=int, nargs="+", help="N of mining (1,000 to 100,000), of search (1,000,000) or of channels"
    )
    parser.add_argument("--kinds", nargs="+", default=["auto"], help="of the indexes of search")
    parser.add_argument("--real", type=Path, metavar="INDEX", help="whose vectors search repeats with noise")
    parser.add_argument("--rows", type=int, default=100_000, help="N of data")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    chosen = [options.only] if options.only else [name for name in REPORTS if name not in AT_LENGTH]
    result = {name: REPORTS[name](options) for name in chosen}
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
