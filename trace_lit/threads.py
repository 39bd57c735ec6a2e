"""How many threads a process computes with on the CPU."""

from __future__ import annotations

import contextlib
import os

import psutil
import torch

_LOOK = 0.2  # seconds


def free_threads() -> int:
    """As many as there are cores without other work just now, at least one and at most as many as torch has.

    The threads of one operation wait for each other, so that one which has to share its core holds all of them up: with two
    threads beside other work a small model has trained up to ten times as slowly as with one.

    Examples
    --------
    >>> 1 <= free_threads() <= torch.get_num_threads()
    True
    """
    most = torch.get_num_threads()
    if most == 1:
        return 1
    try:
        busy = psutil.cpu_percent(_LOOK, percpu=True)
    except (OSError, psutil.Error):  # not every system tells
        return most
    cores = list(range(len(busy)))
    with contextlib.suppress(AttributeError, OSError):
        cores = [core for core in os.sched_getaffinity(0) if core < len(busy)] or cores
    free = sum(1 - busy[core] / 100 for core in cores)
    return min(most, max(1, int(free + 0.5)))
