"""`trace-lit embed`: the vectors of corpora in parts, by any number of processes."""

from __future__ import annotations

import argparse
from pathlib import Path

from trace_lit.cli.trust import add_trust
from trace_lit.escapes import say


def add(jobs: argparse._SubParsersAction) -> None:
    """Declare the command."""
    embed = jobs.add_parser("embed", help="embed corpora in parts, by any number of processes, for index build --parts")
    embed.add_argument("run", type=Path, help="an aligned run, a checkpoint, or universal")
    embed.add_argument("--corpus", type=Path, action="append", required=True, help="may be given several times")
    embed.add_argument("--out", type=Path, required=True, metavar="PARTS", help="the folder of the parts")
    embed.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="which of how many, from 0 (default: 0/1, or torchrun's, SLURM's or JOB's)",
    )
    add_trust(embed)
    embed.set_defaults(job=run)


def _shard(word: str) -> tuple[int, int]:
    own, _, count = word.partition("/")
    if not own.isdecimal() or not count.isdecimal() or not int(own) < int(count):
        raise argparse.ArgumentTypeError(f"{word!r} is no shard; write 0/4, 1/4, 2/4 or 3/4 for one of four")
    return int(own), int(count)


def run(options: argparse.Namespace) -> int:
    """Embed this shard's parts."""
    from trace_lit.modules import checkpoint_path

    checkpoint_path(options.run)
    from trace_lit.inference.parts import embed_parts, shard_of_environment
    from trace_lit.inference.search import open_aligned

    shard = options.shard or shard_of_environment()
    parts = embed_parts(open_aligned(options.run, options.trust), options.corpus, options.out, shard)
    missing = len(parts.missing())
    say(f"{options.out}: {len(parts.blocks) - missing} of {len(parts.blocks)} parts, {parts.rows:,} windows in all")
    return 0
