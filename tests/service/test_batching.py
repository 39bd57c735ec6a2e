"""Questions of several clients are computed together, and none spoils another."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from trace_lit.errors import InputError
from trace_lit.service.batching import Batcher
from trace_lit.service.errors import BackendError, OverloadedError
from trace_lit.service.telemetry import Telemetry


class Recorder:
    """Work that takes a while and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()

    def double(self, items: list[int]) -> list[int]:
        self.batches.append(list(items))
        self.threads.add(threading.get_ident())
        time.sleep(0.02)
        if 13 in items:
            raise InputError("13 cannot be doubled")
        if 0 in items:
            raise ZeroDivisionError
        return [2 * item for item in items]

    def negate(self, items: list[int]) -> list[int]:
        return [-item for item in items]


def run(ask: Any, size: int = 8, waiting: int = 100) -> Any:
    async def inside() -> Any:
        async with Batcher(size, waiting, Telemetry()) as batcher:
            return await ask(batcher)

    return asyncio.run(inside())


def together(batcher: Batcher, work: Any, items: list[int]) -> Coroutine[Any, Any, list[Any]]:
    return asyncio.gather(*(batcher.one(work, item) for item in items), return_exceptions=True)  # type: ignore[return-value]


def test_what_waits_is_computed_together() -> None:
    own = Recorder()
    items = list(range(101, 141))
    assert run(lambda batcher: together(batcher, own.double, items)) == [2 * item for item in items]
    assert max(map(len, own.batches)) == 8
    assert len(own.batches) <= 6
    assert len(own.threads) == 1


def test_each_gets_its_own_answer() -> None:
    own = Recorder()

    async def ask(batcher: Batcher) -> Any:
        return await asyncio.gather(
            together(batcher, own.double, [1, 13, 2, 0, 3]),
            together(batcher, own.negate, [5, 6]),
            batcher.each(own.double, [7, 8]),
        )

    doubled, negated, both = run(ask)
    assert [doubled[n] for n in (0, 2, 4)] == [2, 4, 6]
    assert isinstance(doubled[1], InputError)
    assert isinstance(doubled[3], BackendError)
    assert (negated, both) == ([-5, -6], [14, 16])


def test_too_many_are_refused_and_the_others_answered() -> None:
    own = Recorder()
    found = run(lambda batcher: together(batcher, own.double, list(range(20, 60))), waiting=10)
    assert sum(isinstance(one, OverloadedError) for one in found) >= 20
    assert [one for one in found if isinstance(one, int)]


def test_nobody_computes_for_a_client_that_has_left() -> None:
    own = Recorder()

    async def ask(batcher: Batcher) -> None:
        tasks = [asyncio.create_task(batcher.one(own.double, item)) for item in range(1, 20)]
        await asyncio.sleep(0.005)
        for task in tasks[8:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await batcher.one(own.double, 99) == 198

    run(ask, size=4)
    assert sum(map(len, own.batches)) == 9


def test_an_error_of_one_item_ends_a_request_of_many() -> None:
    own = Recorder()
    with pytest.raises(InputError, match="13"):
        run(lambda batcher: batcher.each(own.double, [1, 13, 2]))


def test_who_waited_in_vain_is_told_so_and_who_was_computed_for_too_long_is_not() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def work(items: list[int]) -> list[int]:
        begun.set()
        may_end.wait(60)
        return items

    async def ask(batcher: Batcher) -> None:
        computed = asyncio.create_task(batcher.one(work, 1))
        await asyncio.to_thread(begun.wait, 60)
        with pytest.raises(OverloadedError):
            await asyncio.wait_for(batcher.one(work, 2), 0.01)
        computed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await computed
        may_end.set()
        assert await batcher.one(work, 3) == 3

    run(ask)
