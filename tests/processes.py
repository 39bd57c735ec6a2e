"""Functions in processes of their own: on several with gloo, as data-parallel training does, and on one to be killed.

They are forked from a process that has imported what most of them need, and has no threads yet.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

import torch.distributed as dist
import torch.multiprocessing as mp

IMPORTED = ("tests.processes", "callbacks", "trace_lit.train", "trace_lit.retrieval.stores", "trace_lit.service")


def _context() -> ForkServerContext:
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


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
    with _context().Manager() as manager:
        results = manager.dict()
        mp.start_processes(_enter, (count, port, function, arguments, results), nprocs=count, start_method="forkserver")
        return [results[rank] for rank in range(count)]


@contextmanager
def other_process(function: Callable[..., None], *arguments: Any) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """A process that runs `function(connection, *arguments)`, and what it sends; it is killed where it has not ended."""
    context = _context()
    here, there = context.Pipe()
    process = context.Process(target=function, args=(there, *arguments))
    process.start()
    there.close()
    try:
        yield process, here
    finally:
        process.kill()
        process.join()
