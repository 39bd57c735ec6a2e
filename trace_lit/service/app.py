"""The application: routes over what is served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from trace_lit import __version__
from trace_lit.errors import InputError
from trace_lit.escapes import one_line
from trace_lit.service import embedding, instances, page, prediction, searching, status
from trace_lit.service.batching import Batcher
from trace_lit.service.bodies import ERROR, describe
from trace_lit.service.errors import ServiceError, TooLargeError, UnauthorizedError, UnknownError
from trace_lit.service.guard import Guard, error_body, error_headers
from trace_lit.service.limits import Limits
from trace_lit.service.served import Served
from trace_lit.service.state import State
from trace_lit.service.telemetry import Telemetry

_log = logging.getLogger(__name__)
_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"content": ERROR, "description": words}
    for code, words in {
        401: "The token is missing or wrong.",
        403: "The service has no token, and is asked by a name that is not this machine's.",
        404: "There is no such model, corpus or window.",
        408: "The body did not come in time.",
        413: "The body, the batch, a text or a series is too large.",
        422: "The request cannot be used.",
        424: "The model failed, or took too long.",
        429: "Too many questions wait; ask again.",
        503: "The models are not loaded yet.",
    }.items()
}


def create_app(
    served: Served, limits: Limits | None = None, *, token: str | None = None, origins: Sequence[str] = ()
) -> FastAPI:
    """The service as an ASGI application.

    Parameters
    ----------
    served
        Runs and corpora.
    limits
        Of requests.
    token
        Clients send it as `Authorization: Bearer TOKEN`; none is asked for by default.
    origins
        Web pages of other origins that may ask (CORS); none by default.

    Examples
    --------
    >>> app = create_app(Served(["runs/weather/align/first"]))  # doctest: +SKIP
    """
    limits, telemetry = limits or Limits(), Telemetry()
    state = State(served, limits, telemetry, Batcher(limits.batch, limits.waiting, telemetry))
    app = FastAPI(
        title="trace_lit",
        version=__version__,
        description="Time series and text in one space: embed, search, forecast.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        responses=_ERRORS,
    )
    app.state.service = state
    for routes in (searching, embedding, prediction, instances, status, page):
        app.include_router(routes.router)
    app.mount("/assets/docs", page.files_of_docs())
    app.mount("/assets", page.files_of_page())
    for kind in (RequestValidationError, HTTPException, InputError):
        app.add_exception_handler(kind, _refused)
    app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4)
    app.add_middleware(Guard, limits=limits, telemetry=telemetry, ending=lambda: state.ending, token=token)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-request-id"],
        )
    describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Embed the corpora while /healthz answers already; /readyz answers when that is done."""
    state: State = app.state.service
    async with state.batcher:
        preparing = asyncio.create_task(_prepare(state))
        yield
        preparing.cancel()


async def _prepare(state: State) -> None:
    try:
        await state.batcher.alone(state.served.prepare)
        state.corpora = state.served.info()
    except Exception:
        state.failure = "the models cannot be used; the service's log says why"
        _log.exception("the models cannot be used")
        return
    for own in state.corpora["corpora"]:
        state.telemetry.instances.labels(own["name"]).set(own["rows"])
    state.ready = True
    state.telemetry.ready.set(1)
    _log.info("ready")


async def _refused(request: Request, error: Exception) -> Response:
    """An error in the service's one form."""
    if isinstance(error, HTTPException) and error.status_code in (404, 405):  # Starlette's own, which says no more
        at = f"{one_line(request.method)} {one_line(request.url.path[:100])}"
        error = HTTPException(
            error.status_code, f"{at} is no request of this service; /docs describes all", error.headers
        )
    found = as_service_error(error, request.app.state.service.served)
    body = error_body(found, request.scope["state"]["request_id"])
    headers = error_headers(found)
    if isinstance(error, HTTPException) and error.headers:
        headers |= dict(error.headers)
    status = error.status_code if isinstance(error, HTTPException) and error.status_code != 400 else found.status
    return Response(body, status, headers, media_type="application/json")


def as_service_error(error: Exception, served: Served) -> ServiceError:
    """The answer to a client where there was an error."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        return ServiceError("; ".join(map(_in_words, error.errors()[:3])))
    if isinstance(error, HTTPException) and error.status_code == 400:  # FastAPI's own, which says no more
        return ServiceError("the body cannot be read; send JSON in UTF-8")
    if isinstance(error, HTTPException):
        kinds = {401: UnauthorizedError, 404: UnknownError, 413: TooLargeError}
        return kinds.get(error.status_code, ServiceError)(str(error.detail))
    return ServiceError(served.without_paths(str(error)))


def _in_words(found: dict[str, Any]) -> str:
    """One finding of pydantic, as `top: Input should be …`."""
    place = one_line(".".join(str(part) for part in found["loc"] if part != "body"))
    message = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        message = "the request has no such key; /docs describes it"
    elif message.startswith("Input should be") and isinstance(found["input"], (bool, int, float)):
        message += f", not {found['input']}"
    return f"{place}: {message}" if place else message
