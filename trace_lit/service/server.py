"""A service that runs until it is asked to end."""

from __future__ import annotations

import asyncio
import signal
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from trace_lit.escapes import say
from trace_lit.service.state import State
from trace_lit.service.telemetry import start_log


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
