"""Requests of all clients, computed together.

What waits for the same work is computed as one batch when the model is free: nothing is held back to fill a batch, and the
more clients ask, the larger the batches become. The models change while they are used (channels are added to them), so one
thread does all the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trace_lit.errors import InputError
from trace_lit.service.errors import BackendError, OverloadedError
from trace_lit.service.telemetry import Telemetry

Work = Callable[[list[Any]], Any]  # the results of N items, in their order
_log = logging.getLogger(__name__)


@dataclass
class _Job:
    work: Work
    item: Any
    begun: bool = False
    result: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """Does the work of the models, in batches of at most `size`, while at most `waiting` items wait."""

    def __init__(self, size: int, waiting: int, telemetry: Telemetry) -> None:
        self.size, self.waiting, self.telemetry = size, waiting, telemetry
        self._jobs: deque[_Job] = deque()
        self._some = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Batcher:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def each(self, work: Work, items: Sequence[Any]) -> list[Any]:
        """What `work` makes of each of `items`, computed together with what other requests ask of the same work.

        Raises
        ------
        OverloadedError
            Too many items wait, or the caller's time was over before the work on any of its items had begun.
        BackendError
            The work failed.
        InputError
            An item cannot be used.
        """
        if len(self._jobs) + len(items) > self.waiting:
            raise OverloadedError(f"{len(self._jobs)} questions wait already; ask again in a moment")
        jobs = [_Job(work, item) for item in items]
        self._jobs.extend(jobs)
        self.telemetry.waiting.set(len(self._jobs))
        self._some.set()
        try:
            return [await job.result for job in jobs]
        except asyncio.CancelledError:
            if any(job.begun for job in jobs):
                raise
            raise OverloadedError("too many questions were before this one; ask again in a moment") from None
        finally:
            for job in jobs:
                job.result.cancel()  # nobody waits for the others where one has failed or the client has left

    async def one(self, work: Work, item: Any) -> Any:
        """What `work` makes of `item`, see `each`."""
        return (await self.each(work, [item]))[0]

    async def alone(self, function: Callable[[], Any]) -> Any:
        """Call `function` in the models' thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            batch = self._take()
            if not batch:
                continue
            self.telemetry.batch_size.observe(len(batch))
            items = [job.item for job in batch]
            results = await self.alone(partial(_attempt, batch[0].work, items))
            for job, result in zip(batch, results, strict=True):
                if job.result.done():
                    continue
                if isinstance(result, Exception):
                    job.result.set_exception(result)
                else:
                    job.result.set_result(result)

    def _take(self) -> list[_Job]:
        """The jobs that are computed next: the oldest, and others of the same work."""
        waiting = [job for job in self._jobs if not job.result.done()]
        batch = [job for job in waiting if job.work == waiting[0].work][: self.size]
        for job in batch:
            job.begun = True
        taken = set(map(id, batch))
        self._jobs = deque(job for job in waiting if id(job) not in taken)
        self.telemetry.waiting.set(len(self._jobs))
        if not self._jobs:
            self._some.clear()
        return batch


def _attempt(work: Work, items: list[Any]) -> Sequence[Any]:
    """The results of a batch. Where it fails, each item is computed alone, so that a bad one spoils no other."""
    try:
        return work(items)
    except Exception as error:
        if len(items) > 1:
            return [_attempt(work, [item])[0] for item in items]
        if isinstance(error, InputError):
            return [error]
        _log.exception("the model failed")
        return [BackendError("the model failed on this request; the service's log says more")]
