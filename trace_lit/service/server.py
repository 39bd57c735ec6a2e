"""A service that runs until it is asked to end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import uuid
from types import FrameType

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from trace_lit.escapes import say
from trace_lit.service.errors import ServiceError
from trace_lit.service.guard import error_body
from trace_lit.service.state import State
from trace_lit.service.telemetry import start_log

_log = logging.getLogger(__name__)


class _Protocol(H11Protocol):
    """HTTP, with an error in the service's one form for what is none, which no application sees."""

    def send_400_response(self, msg: str) -> None:
        request_id = uuid.uuid4().hex
        _log.info(
            "request", extra={"fields": {"request_id": request_id, "status": 400, "client": (self.client or [""])[0]}}
        )
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):  # otherwise an answer has begun
            body = error_body(
                ServiceError("the request is no HTTP/1.1; a proxy or a client before it is broken"), request_id
            )
            headers = {
                "content-type": "application/json",
                "content-length": str(len(body)),
                "x-request-id": request_id,
                "connection": "close",
            }
            answer = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


class _Server(uvicorn.Server):
    """On SIGTERM it says so at /readyz, answers what still comes for a while, and ends when all is answered."""

    def __init__(self, config: uvicorn.Config, state: State, drain: float) -> None:
        super().__init__(config)
        self._state, self._drain = state, drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ending when asked to is no failure, so the signal is not raised again afterwards, as uvicorn would."""
        if self._state.ending or sig != signal.SIGTERM or not self._drain:
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True
        else:
            asyncio.get_running_loop().call_later(self._drain, setattr, self, "should_exit", True)
        self._state.ending = True


def serve(app: FastAPI, host: str = "127.0.0.1", port: int = 8000, *, drain: float = 1.0) -> int:
    """Serve an application of `create_app` until SIGTERM or SIGINT, and return the exit code.

    Parameters
    ----------
    drain
        Seconds between SIGTERM and the end of listening, in which load balancers learn from /readyz.
    """
    state: State = app.state.service
    start_log()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=int(state.limits.seconds) + 5,
        backlog=2048,
    )
    say(f"http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)", file=sys.stderr)
    server = _Server(config, state, drain)
    server.run()
    return 0 if server.started else 2
