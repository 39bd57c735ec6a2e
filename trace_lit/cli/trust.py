"""The option `--trust` of all commands that take a run."""

from __future__ import annotations

import argparse


def add_trust(job: argparse.ArgumentParser) -> None:
    """Declare it."""
    job.add_argument(
        "--trust",
        action="store_true",
        help="import classes that a run's own files name (its encoder, its model, …), because you know who made it",
    )
