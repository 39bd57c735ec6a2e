"""Many clients at once ask a running service, for a while: latency by percentiles, errors, memory.

    python experiments/load.py URL [--clients 64] [--seconds 60] [--token-file FILE] [--pid PID] [--json FILE]

Each client sends one request after the other over its own connection: questions in words, with and without explanation, like
a window, as embeddings, and forecasts where a tuned run is served. `--pid` is that of the service, whose memory is then
followed. Exit code 1 where there is an error other than 429, or the memory has grown by more than a tenth after the first
quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from trace_lit.terminal import Column, add_row, console, new_table

OVERLOADED = 429
GROWTH = 1.1


def questions(info: dict[str, Any], windows: dict[str, list[str]]) -> list[tuple[str, str, dict[str, Any]]]:
    """What is asked in turn: a name, a path, a body; `windows` are some of each corpus."""
    first = info["corpora"][0]["name"]
    channels = [own["name"] for own in info["corpora"][0]["channels"]]
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("words", "/search", {"text": f"high {channels[0]}"}),
        ("words, explained", "/search", {"text": f"{channels[-1]} rises, then falls", "explain": True, "values": True}),
        ("like", "/search", {"like": windows[first][0], "top": 10}),
        ("embed", "/embed", {"inputs": [f"low {name}" for name in channels[:4]]}),
    ]
    for own in info["models"]:
        known = [name for name in own["corpora"] if name in windows]
        if own.get("task") == "forecast" and known:
            asked.append(("forecast", "/forecast", {"id": windows[known[0]][-1], "model": own["name"]}))
    return asked


class Load:
    """Clients and what they have seen."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.statuses: Counter[str] = Counter()
        self.memory: list[float] = []  # MiB, twice a second

    async def run(self, clients: int, seconds: float, process: psutil.Process | None) -> None:
        """Ask until the time is over."""
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=120) as http:
            info = (await http.get("/info")).raise_for_status().json()
            windows = {}
            for own in info["corpora"]:
                body = {"text": "anything", "top": 5, "corpus": own["name"]}
                hits = (await http.post("/search", json=body)).raise_for_status().json()["hits"]
                windows[own["name"]] = [hit["id"] for hit in hits]
        asked = questions(info, windows)
        until = time.monotonic() + seconds
        watcher = asyncio.create_task(self._watch(process))
        await asyncio.gather(*(self._ask(number, asked, until) for number in range(clients)))
        watcher.cancel()

    async def _ask(self, number: int, asked: list[tuple[str, str, dict[str, Any]]], until: float) -> None:
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=120) as http:
            while time.monotonic() < until:
                number += 1
                name, path, body = asked[number % len(asked)]
                began = time.perf_counter()
                try:
                    status = (await http.post(path, json=body)).status_code
                except httpx.HTTPError as error:
                    self.statuses[type(error).__name__] += 1
                    continue
                self.statuses[str(status)] += 1
                if status == OVERLOADED:
                    await asyncio.sleep(0.2)
                else:
                    self.seconds[name].append(time.perf_counter() - began)

    async def _watch(self, process: psutil.Process | None) -> None:
        while process is not None:
            self.memory.append(process.memory_info().rss / 2**20)
            await asyncio.sleep(0.5)

    def failures(self) -> list[str]:
        """What should not have been, in words."""
        wrong = {name: count for name, count in self.statuses.items() if name not in ("200", str(OVERLOADED))}
        found = [f"{count} × {name}" for name, count in wrong.items()]
        settled = self.memory[len(self.memory) // 4 :]
        if settled and settled[-1] > GROWTH * settled[0]:
            found.append(f"the memory grew from {settled[0]:.0f} to {settled[-1]:.0f} MiB")
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load = Load(options.url, None if options.token_file is None else options.token_file.read_text().strip())
    process = None if options.pid is None else psutil.Process(options.pid)
    began = time.perf_counter()
    asyncio.run(load.run(options.clients, options.seconds, process))
    elapsed = time.perf_counter() - began
    report(load, elapsed, options.json)
    for words in load.failures():
        print(f"error: {words}", file=sys.stderr)
    return 1 if load.failures() else 0


def report(load: Load, elapsed: float, path: Path | None) -> None:
    """Print what was seen, and write it."""
    out = console()
    names = ["requests", "p50 ms", "p90 ms", "p99 ms", "most ms"]
    table = new_table(out, ["question", *(Column(name, right=True) for name in names)])
    every = {**load.seconds, "all": [own for some in load.seconds.values() for own in some]}
    rows = {}
    for name, seconds in every.items():
        found = [float(1000 * value) for value in (*np.percentile(seconds, [50, 90, 99]), max(seconds))]
        rows[name] = {"requests": len(seconds), **dict(zip(names[1:], found, strict=True))}
        add_row(table, name, f"{len(seconds):,}", *(f"{value:,.0f}" for value in found))
    out.print(table)
    total = sum(load.statuses.values())
    statuses = ", ".join(f"{count:,} × {name}" for name, count in sorted(load.statuses.items()))
    print(f"{total / elapsed:.0f} requests a second for {elapsed:.0f} s: {statuses}")
    if load.memory:
        print(
            f"memory: {load.memory[0]:.0f} MiB at first, {max(load.memory):.0f} at most, {load.memory[-1]:.0f} at last"
        )
    if path is not None:
        path.write_text(json.dumps({"latency": rows, "statuses": load.statuses, "memory": load.memory}, indent=2))


if __name__ == "__main__":
    sys.exit(main())
