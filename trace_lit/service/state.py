"""What the routes of one application share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from trace_lit.service.batching import Batcher
from trace_lit.service.errors import OverloadedError, UnhealthyError
from trace_lit.service.limits import Limits
from trace_lit.service.served import Served
from trace_lit.service.telemetry import Telemetry

PICTURES = 16  # that may wait


@dataclass
class State:
    """What is served, and how far it is."""

    served: Served
    limits: Limits
    telemetry: Telemetry
    batcher: Batcher
    corpora: dict[str, Any] = field(default_factory=dict)  # the answer of /info
    ready: bool = False
    ending: bool = False
    failure: str | None = None  # why it will never be ready
    pictures: int = 0  # that are being drawn, or wait
    drawing: Executor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="drawing"))

    async def draw(self, function: Callable[[], bytes]) -> bytes:
        """Call what makes a picture in a thread of its own, one at a time: matplotlib wants no more.

        Raises
        ------
        OverloadedError
            Too many pictures wait.
        """
        if self.pictures >= PICTURES:
            raise OverloadedError(f"{self.pictures} pictures are being drawn already; ask again in a moment")
        self.pictures += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.drawing, function)
        finally:
            self.pictures -= 1


def _state(request: Request) -> State:
    return request.app.state.service


def _ready(request: Request) -> State:
    state: State = request.app.state.service
    if state.failure is not None:
        raise UnhealthyError(state.failure)
    if not state.ready:
        raise UnhealthyError("the corpora are being embedded; ask again in a moment")
    return state


AnyState = Annotated[State, Depends(_state)]
ReadyState = Annotated[State, Depends(_ready)]
