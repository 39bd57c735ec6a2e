"""Run a function on several processes with gloo, as data-parallel training does."""

import os
import socket
from collections.abc import Callable
from typing import Any

import torch.distributed as dist
import torch.multiprocessing as mp


def _enter(rank: int, world_size: int, port: int, function: Callable, arguments: tuple, results: Any) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=world_size)
    try:
        results[rank] = function(*arguments)
    finally:
        dist.destroy_process_group()


def on_processes(count: int, function: Callable, *arguments: Any) -> list[Any]:
    """What `function(*arguments)` returns on each of `count` processes; it and its results must be picklable."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with mp.get_context("spawn").Manager() as manager:
        results = manager.dict()
        mp.spawn(_enter, (count, port, function, arguments, results), nprocs=count)
        return [results[rank] for rank in range(count)]
