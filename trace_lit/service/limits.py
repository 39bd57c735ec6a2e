"""What one request may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the service; a request beyond one is refused with 413, 422 or 429."""

    body: int = 4 * 2**20  # bytes
    batch: int = 32  # texts or series in one request, and questions that are computed at once
    characters: int = 8_192  # of a text
    values: int = 1_000_000  # of a series, over all its channels
    top: int = 100  # hits
    waiting: int = 512  # questions of all clients that wait
    seconds: float = 30.0  # until a request is answered
