"""What a service is and how it is: /info, /healthz, /readyz, /metrics."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from trace_lit.service.errors import UnhealthyError
from trace_lit.service.state import AnyState, ReadyState

router = APIRouter(tags=["status"])


@router.get("/info")
async def info(state: ReadyState) -> dict[str, Any]:
    """The models, the corpora and the limits of requests."""
    return {**state.corpora, "limits": dataclasses.asdict(state.limits)}


@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """Whether the process lives."""
    return "ok\n"


@router.get("/readyz", response_class=PlainTextResponse)
async def readyz(state: ReadyState) -> str:
    """Whether it takes requests: the models are loaded, and it is not about to end."""
    if state.ending:
        raise UnhealthyError("the service is about to end")
    return "ready\n"


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(state: AnyState) -> Response:
    """Metrics for Prometheus."""
    return Response(state.telemetry.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
