"""What can be seen of a running service: metrics for Prometheus, and a line of JSON in the log for each request."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from trace_lit.escapes import shown

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Telemetry:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "trace_lit_requests", "Requests that were answered", ["method", "route", "status"], **own
        )
        self.seconds = Histogram(
            "trace_lit_request_seconds", "From a request to its answer", ["route"], buckets=_SECONDS, **own
        )
        self.in_flight = Gauge("trace_lit_requests_in_flight", "Requests that are being answered", **own)
        self.waiting = Gauge("trace_lit_waiting", "Questions that wait for the model", **own)
        self.batch_size = Histogram(
            "trace_lit_batch_size", "Questions that were computed at once", buckets=_SIZES, **own
        )
        self.instances = Gauge("trace_lit_instances", "Windows that can be searched", ["corpus"], **own)
        self.ready = Gauge("trace_lit_ready", "Whether the models are loaded", **own)

    def text(self) -> bytes:
        """The metrics in the form that Prometheus reads."""
        return generate_latest(self.registry)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON; what a record has under `fields` becomes keys."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


class PlainLines(logging.Formatter):
    """A log record as a line for a person in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        words = shown(record.getMessage())
        if "route" in fields:
            words = f"{fields['method']} {fields['route']} {fields['status']}, {1000 * fields['seconds']:.0f} ms"
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{datetime.fromtimestamp(record.created):%H:%M:%S}  {words}{trace}"


def start_log(level: int = logging.INFO) -> None:
    """Write the log of the service, and of the server below it, on the standard error: lines of JSON, or for a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("trace_lit.service").setLevel(level)
