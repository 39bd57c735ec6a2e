"""What stands before every route: request ids, the token, bounds of body and time, errors in one form, log and metrics."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trace_lit.service.errors import (
    BackendError,
    ForbiddenError,
    ServiceError,
    SlowError,
    TooLargeError,
    UnauthorizedError,
)
from trace_lit.service.limits import Limits
from trace_lit.service.telemetry import Telemetry

OPEN = frozenset({"/", "/healthz", "/readyz", "/docs", "/openapi.json"})  # without a token; and what is below /assets
LOCAL = frozenset(
    {"localhost", "127.0.0.1", "[::1]"}
)  # a page elsewhere may name this machine otherwise (DNS rebinding)
_PORT = re.compile(r":\d+$")
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_PAGE = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'"
POLICY = f"{_PAGE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": POLICY,
    "cross-origin-resource-policy": "same-origin",
}
_log = logging.getLogger(__name__)


@dataclass
class Guard:
    """Wraps an application."""

    app: ASGIApp
    limits: Limits
    telemetry: Telemetry
    ending: Callable[[], bool]  # whether the service is about to end: clients then have to ask elsewhere
    token: str | None = None  # without one, only who asks for this machine by its own name is answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        scope.setdefault("state", {})["request_id"] = request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        began, answer = time.perf_counter(), _Answer(send, request_id, self.ending())
        body = _Bounded(receive, self.limits.body)
        self.telemetry.in_flight.inc()
        try:
            self._admit(scope["path"], headers)
            async with asyncio.timeout(self.limits.seconds):
                await self.app(scope, body, answer)
        except ServiceError as error:
            await answer.refuse(error)
        except TimeoutError:
            seconds = f"within {self.limits.seconds:g} seconds"
            late = body.asked and not body.whole
            await answer.refuse(
                SlowError(f"the body did not come {seconds}; send it anew")
                if late
                else BackendError(f"no answer {seconds}; ask for less")
            )
        except Exception:
            _log.exception("a defect", extra={"fields": {"request_id": request_id}})
            await answer.refuse(BackendError("the service failed; its log says more, see the request id"), 500)
        finally:
            self.telemetry.in_flight.dec()
            self._record(scope, answer, time.perf_counter() - began)

    def _admit(self, path: str, headers: Headers) -> None:
        """Raise ServiceError where the token or the host is not right, or the body is declared as too large."""
        name = _PORT.sub("", headers.get("host", "")).lower()
        if self.token is None and name not in LOCAL:
            raise ForbiddenError(
                f"the service has no token, so it answers to {', '.join(sorted(LOCAL))} only, not to {name[:100]!r}; "
                "start it with --token-file to let others ask"
            )
        if self.token is not None and path not in OPEN and not path.startswith("/assets/"):
            scheme, _, token = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self.token.encode()):
                raise UnauthorizedError("give the token of this service: the header `Authorization: Bearer TOKEN`")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self.limits.body:
            raise _too_large(self.limits.body)

    def _record(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "none"
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        self.telemetry.requests.labels(method, route, str(answer.status)).inc()
        self.telemetry.seconds.labels(route).observe(seconds)
        fields: dict[str, Any] = {
            "request_id": answer.request_id,
            "method": method,
            "route": route,
            "status": answer.status,
            "seconds": round(seconds, 4),
            "bytes": answer.size,
            "client": (scope.get("client") or ("", 0))[0],
        }
        _log.info("request", extra={"fields": fields})


@dataclass
class _Bounded:
    """Receives a body of at most `limit` bytes."""

    receive: Receive
    limit: int
    size: int = 0
    asked: bool = False  # for it
    whole: bool = False

    async def __call__(self) -> Message:
        self.asked = True
        message = await self.receive()
        self.whole = not message.get("more_body", False)
        self.size += len(message.get("body", b""))
        if self.size > self.limit:
            raise _too_large(self.limit)
        return message


@dataclass
class _Answer:
    """Sends an answer with the headers that all have, and knows what was sent."""

    send: Send
    request_id: str
    last: bool  # on its connection
    status: int = 0  # none yet
    size: int = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            if self.last:
                headers["connection"] = "close"
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        self.size += len(message.get("body", b""))
        await self.send(message)

    async def refuse(self, error: ServiceError, status: int | None = None) -> None:
        """Send an error, unless an answer has begun."""
        if self.status:
            return
        body = error_body(error, self.request_id)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers += [(name.encode(), value.encode()) for name, value in error_headers(error).items()]
        await self({"type": "http.response.start", "status": status or error.status, "headers": headers})
        await self({"type": "http.response.body", "body": body})


def error_body(error: ServiceError, request_id: str) -> bytes:
    """The one form of all errors."""
    plain = {"error": str(error), "error_type": error.kind, "request_id": request_id}
    return json.dumps(plain, ensure_ascii=True).encode()


def error_headers(error: ServiceError) -> dict[str, str]:
    """The headers that belong to an error."""
    if error.status == 401:
        return {"www-authenticate": "Bearer"}
    return {"retry-after": "1"} if error.status in (429, 503) else {}


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body has more than {limit:,} bytes; send less at once")
