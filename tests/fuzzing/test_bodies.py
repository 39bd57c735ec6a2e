"""Requests of every route of the service, with bodies of every form: they are answered, or refused in one sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from data_modules import Channel, CorpusInfo, Record, write_corpus
from tests.fuzzing.inputs import ODD, changed, flipped, fuzzed, mutated, tried
from trace_lit.service import Limits, Served, create_app

STEPS = 12
TIMES = [f"2024-05-01T{hour:02}:00:00Z" for hour in range(STEPS)]
SERIES: dict[str, Any] = {
    "channels": {"level [m]": [1, None, *range(STEPS - 2)], "flow": [0.5] * STEPS},
    "times": TIMES,
}
CSV = "time,level [m],flow\n" + "".join(f"{when},{n},{n}.5\n" for n, when in enumerate(TIMES))
SEARCHES: list[dict[str, Any]] = [
    {"text": "a cold day", "top": 3, "since": "2024-01-01", "until": "2024-05-01T00:00:00+02:00", "with_text": True},
    {"text": "high level", "label": "up", "series_id": "s1", "split": "test", "explain": True, "values": True},
    {"series": SERIES, "top": 2, "explain": True},
    {"series": {"channels": {"flow [m/s]": [1.5] * STEPS}}},
    {"csv": CSV, "corpus": "rivers", "split": "test"},
    {"like": "r1", "values": True},
    {"text": "flow", "within": "texts", "apart": True, "diversity": 0.5, "of_corpus": "rivers"},
    {"text": "flow", "since": "0001-01-01T00:00:00+05:00"},
    {"text": "w " * 9000},
    {"text": " "},
]
EMBEDDINGS: list[dict[str, Any]] = [
    {"inputs": "a dry day"},
    {"inputs": ["a dry day", "a wet day"], "corpus": "rivers"},
    {"series": SERIES, "model": "universal"},
    {"series": [SERIES, CSV]},
    {"series": []},
    {"inputs": ["x"] * 40},
]
OPEN_AI: list[dict[str, Any]] = [
    {"input": "a dry day", "model": "rivers", "encoding_format": "base64"},
    {"input": [SERIES, SERIES], "dimensions": 8},
    {"input": ["a", "b"], "user": "x"},
]
PREDICTIONS: list[dict[str, Any]] = [{"series": SERIES}, {"csv": CSV, "values": True}, {"id": "r1", "corpus": "rivers"}]
BODIES = {
    **{f"/search{query}": SEARCHES for query in ("", "?format=csv", "?format=html", "?format=x", "?top=2&explain=1")},
    **{"/embed": EMBEDDINGS, "/v1/embeddings": OPEN_AI, "/forecast": PREDICTIONS, "/classify": PREDICTIONS},
}
# Fields that a body, a form or a query may also have.
EMBEDDED: dict[str, list[Any]] = {"corpus": ["rivers", "seas"], "model": ["universal", "rivers"]}
PREDICTED: dict[str, list[Any]] = {**EMBEDDED, "values": [True]}
FIELDS: dict[str, list[Any]] = {
    "text": ["a wet day", "w " * 5000],
    "like": ["r1", "r9"],
    "top": [1, 4, 10**6],
    "explain": [True],
    "values": [True],
    "since": ["2024-01-02", "9999-12-31T23:59:59-23:59"],
    "until": ["2024-01-04T00:00:00Z", "0001-01-01T00:00:00+05:00"],
    "label": ["up", "down"],
    "series_id": ["s1"],
    "split": ["test", "none"],
    "with_text": [True],
    "within": ["series", "texts"],
    "diversity": [0.5, 2.0],
    "corpus": ["rivers", "seas"],
}
LIMITS = Limits(values=300)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The service, in this process, with the model that comes with the package and a corpus of six windows."""
    rng = np.random.default_rng(0)
    channels = Channel("level", "m"), Channel("flow", "m/s")
    records = [
        Record(
            f"r{n}", f"s{n}", datetime(2024, 1, 1 + n), rng.normal(size=(2, 8)), text="high", label="up", split="test"
        )
        for n in range(6)
    ]
    info = CorpusInfo("rivers", "rivers", "made up", channels, "1h", ("up",))
    corpus = write_corpus(records, info, tmp_path_factory.mktemp("served") / "rivers").path
    app = create_app(Served(["universal"], corpora=[corpus], device="cpu"), LIMITS)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        until = time.monotonic() + 90
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
        yield client


def form_of(draw: Any, fields: dict[str, Any], content: bytes) -> bytes:
    """A form with these fields and a CSV file, of which one part is changed at times."""
    parts = [(f'name="{name}"', str(value).encode("utf-8", "replace")) for name, value in fields.items()]
    parts.append(('name="file"; filename="a.csv"', content))
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(parts) - 1))
        head, own = parts[place]
        odd = draw(st.sampled_from(['name="file"', 'name="x"; filename="b"', head, "", 'name="top"']))
        parts.insert(place, (odd, own))
    written = [
        b"--x\r\nContent-Disposition: form-data; " + head.encode("utf-8", "replace") + b"\r\n\r\n" + own + b"\r\n"
        for head, own in parts
    ]
    return b"".join([*written, b"--x--\r\n"])


def request_of(draw: Any, route: str) -> tuple[str, bytes, str]:
    """Address, body and its type; the body is JSON, CSV or a form where the route takes these, and elsewhere at times."""
    fields, kind = draw(st.sampled_from(BODIES[route])), draw(st.integers(0, 23))
    allowed = PREDICTED if route in ("/forecast", "/classify") else FIELDS if "/search" in route else EMBEDDED
    own = draw(st.sampled_from(sorted(allowed)))
    added = {own: draw(st.sampled_from(allowed[own]))} if draw(st.booleans()) else {}
    if kind % 2 or (allowed is EMBEDDED and kind > 4):
        for _ in range(draw(st.integers(0, 2))):
            fields = changed(draw, fields)
        return route, json.dumps(fields | added).encode(), "text/x" if kind == 11 else "application/json"
    csv = mutated(draw, "a.csv", CSV.encode())
    csv = csv.decode("utf-8", "replace").encode("utf-16") if draw(st.integers(0, 4)) == 0 else csv
    known = {name: own for name, own in fields.items() if name in allowed and draw(st.booleans())} | added
    if draw(st.integers(0, 3)) == 0:
        known |= {draw(st.sampled_from(sorted(allowed))): draw(ODD)}
    asked = known.keys() & {"text", "like"}
    if kind % 4:
        known = {name: own for name, own in known.items() if name not in asked}
        joined = "&" if "?" in route else "?"
        written = urlencode({name: str(own).encode("utf-8", "replace") for name, own in known.items()})
        return f"{route}{joined}{written}", csv, "text/csv"
    return route, form_of(draw, known, b"" if asked else csv), "multipart/form-data; boundary=x"


@fuzzed
@given(st.data())
def test_bodies_of_requests(client: TestClient, data: st.DataObject) -> None:
    if data.draw(st.integers(0, 19)) == 0:
        name = data.draw(st.sampled_from(["r1", "../r1", "r%001"]) | st.text(max_size=9))
        address, content, kind = f"/instances/{quote(name.encode('utf-8', 'replace'))}", None, ""
    else:
        address, content, kind = request_of(data.draw, data.draw(st.sampled_from(sorted(BODIES))))
        content = flipped(data.draw, content) if content and data.draw(st.integers(0, 5)) == 0 else content

    def ask() -> None:
        if content is None:
            answer = client.get(address)
        else:
            answer = client.post(address, content=content, headers={"content-type": kind})
        assert answer.status_code in (200, 404, 413, 422), answer.text
        if "json" in answer.headers["content-type"]:
            found = json.loads(answer.content, parse_constant=pytest.fail)
            assert answer.status_code == 200 or "\n" not in found["error"]

    tried(ask)


@pytest.mark.parametrize("content", [b"\xff", b"[" * 100_000, b"{", b"null"], ids=["bytes", "nested", "cut", "null"])
@pytest.mark.parametrize("route", sorted(BODIES))
def test_a_body_that_is_no_request_is_told_alike_by_all_routes(client: TestClient, route: str, content: bytes) -> None:
    answer = client.post(route, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error_type"] == "validation"


@pytest.mark.parametrize("asked", [{"series": SERIES}, {"inputs": "a dry day"}], ids=["series", "text"])
def test_a_model_without_channels_names_the_corpora_that_have_some(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.post("/embed", json={"model": "universal", **asked})
    assert answer.status_code == 422
    assert "there are: rivers" in answer.json()["error"]
    assert client.post("/embed", json={"corpus": "rivers", **asked}).status_code == 200
