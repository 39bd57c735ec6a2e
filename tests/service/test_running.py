"""A service as a process: under load, with odd requests, and when it is asked to end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest

import trace_lit
from data_modules import Corpus
from tests.conftest import TinyRuns
from tests.service.conftest import TOKEN, Process, running, wait_until
from trace_lit.service.client import ClientError

pytestmark = pytest.mark.slow
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
CLIENTS = 8


def frame_of(corpus: Corpus, row: int) -> pd.DataFrame:
    columns = {channel.key: own for channel, own in zip(corpus.info.channels, corpus.values()[row], strict=True)}
    return pd.DataFrame(
        columns, index=pd.date_range("2030-01-01", periods=len(next(iter(columns.values()))), freq="1h")
    )


def test_the_client_is_like_the_loaded_model(
    service: Process, tiny_runs: TinyRuns, tuned: Path, corpus: Corpus
) -> None:
    here, forecaster = (trace_lit.load(run, device="cpu") for run in (tiny_runs.aligned, tuned))
    frame = frame_of(corpus, 2)
    with trace_lit.Client(service.url) as there:
        assert [channel.key for channel in there.channels] == [channel.key for channel in corpus.info.channels]
        assert there.label_names == corpus.info.label_names
        texts = [f"fog {n}" for n in range(40)]  # more than one request
        np.testing.assert_allclose(there.embed_text(texts), here.embed_text(texts), atol=1e-5)
        for data in (frame, corpus.values()[1], [frame, frame[6:]]):
            np.testing.assert_allclose(there.embed_series(data), here.embed_series(data), atol=1e-5)
        for asked in ({"text": "fog"}, {"series": frame}, {"like": str(corpus.ids[0])}):
            ours = there.search(**asked, top=4, split="train", explain=True)
            theirs = here.search(**asked, top=4, split="train", explain=True)
            assert [hit.id for hit in ours] == [hit.id for hit in theirs]
            assert type(ours) is type(theirs)
            table, expected = ours.to_frame(), theirs.to_frame()
            assert list(table.columns) == list(expected.columns)
            assert (table["start"] == expected["start"]).all()
            np.testing.assert_allclose(table["whole window"], expected["whole window"], atol=1e-5)
        since = pd.Timestamp(int(np.median(corpus.starts)), unit="s")
        later = [there.search("fog", since=own, top=60) for own in (str(since), since.to_pydatetime(), since)]
        assert [len(hits) for hits in later] == 3 * [int((corpus.starts >= since.timestamp()).sum())]
        pd.testing.assert_frame_equal(there.predict(frame), forecaster.predict(frame), check_dtype=False, rtol=1e-4)
        with pytest.raises(ClientError, match="give one of text, series, csv and like") as refused:
            there.search()
        assert refused.value.status == 422
    with pytest.raises(ClientError, match="does not answer"):
        trace_lit.Client("http://127.0.0.1:9").search("fog")


def test_malformed_requests_are_refused(service: Process) -> None:
    """Two hundred, made from the description of the API to be wrong in one way or another."""
    from hypothesis import HealthCheck, Phase, given, settings

    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    seen: Counter[int] = Counter()
    operations = [one.ok() for one in schema.get_all_operations()]
    wrong = {"generation_mode": schemathesis.GenerationMode.NEGATIVE}
    asked = [one for one in operations if one.body or one.query or one.path_parameters]
    for operation in asked:

        @settings(
            max_examples=-(-200 // len(asked)),
            phases=[Phase.generate],
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(**wrong))
        def refuse(case: Any) -> None:
            answer = case.call(timeout=30)
            seen[answer.status_code] += 1
            assert 400 <= answer.status_code < 500, (
                f"{case.as_curl_command()}: {answer.status_code} {answer.text[:300]}"
            )
            assert set(answer.json()) == {"error", "error_type", "request_id"}

        refuse()
    assert seen.total() >= 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"hello\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",  # without a host
        b"GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + 2**18 * b"a",
        b"POST /embed HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nno length\r\n",
    ],
    ids=["TLS", "a word", "no host", "no colon", "an endless header", "a broken chunk"],
)
def test_what_is_no_http_is_refused_in_the_one_form_of_errors(service: Process, sent: bytes) -> None:
    address = httpx.URL(service.url)
    with socket.create_connection((address.host, address.port), timeout=30) as connection:
        connection.sendall(sent)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = json.loads(answer.read())
    assert answer.status == 400
    assert set(body) == {"error", "error_type", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"]


class Clients:
    """Threads that ask without a pause, each over a connection of its own."""

    def __init__(self, url: str, count: int, asked: list[tuple[str, dict[str, Any]]], token: str = "") -> None:
        self.url, self.asked = url, asked
        self.headers = {"authorization": f"Bearer {token}"} if token else {}
        self.statuses: Counter[int | str] = Counter()
        self.ids: list[str] = []
        self.until = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(count)]

    def __enter__(self) -> Clients:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.until.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)

    def _ask(self, number: int) -> None:
        turn = number
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=60) as client:
            while not self.until.is_set():
                turn += 1
                path, body = self.asked[turn % len(self.asked)]
                try:
                    answer = client.post(path, json=body)
                except httpx.TransportError as error:  # a connection that the service has not accepted, or has closed
                    self.statuses[type(error).__name__] += 1
                    return
                answer.json()
                self.statuses[answer.status_code] += 1
                self.ids.append(answer.headers["x-request-id"])


def questions(corpus: Corpus) -> list[tuple[str, dict[str, Any]]]:
    names = [str(name) for name in corpus.ids[corpus.frequencies == "1h"]]
    return [
        ("/search", {"text": "fog and wind", "top": 5, "explain": True}),
        ("/search", {"like": names[0], "values": True}),
        ("/embed", {"inputs": ["a dry day", "a wet day"]}),
        ("/forecast", {"id": names[-1], "values": True}),
        ("/search", {"text": "  "}),
    ]


def test_many_clients_are_answered(service: Process, corpus: Corpus) -> None:
    process = psutil.Process(service.pid)
    with Clients(service.url, CLIENTS, questions(corpus)) as clients:
        time.sleep(1)
        before = process.memory_info().rss
        time.sleep(2)
    assert set(clients.statuses) == {200, 422}
    assert clients.statuses[200] > 3 * clients.statuses[422] > 0
    assert process.memory_info().rss < before + 50 * 2**20
    metrics = httpx.get(f"{service.url}/metrics", timeout=60).text
    sizes = {
        line.split()[0]: float(line.split()[1]) for line in metrics.splitlines() if line.startswith("trace_lit_batch")
    }
    assert sizes["trace_lit_batch_size_sum"] > 1.2 * sizes["trace_lit_batch_size_count"]  # some were computed together


def test_no_accepted_request_is_lost_at_the_end(
    tiny_runs: TinyRuns, tuned: Path, corpus: Corpus, tmp_path: Path
) -> None:
    with running(tmp_path, tiny_runs.aligned, tuned, "--drain", "3") as service:
        with Clients(service.url, CLIENTS, questions(corpus)) as clients:
            time.sleep(0.5)
            os.kill(service.pid, signal.SIGTERM)
            wait_until(lambda: httpx.get(f"{service.url}/readyz", timeout=30).status_code == 503)
            assert httpx.post(f"{service.url}/search", json={"text": "fog"}, timeout=60).status_code == 200
            service.process.join(60)
            assert service.process.exitcode == 0
        lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    answered = {
        line["request_id"]: line["status"] for line in lines if line.get("route") in ("/search", "/embed", "/forecast")
    }
    assert set(answered.values()) == {200, 422}
    assert set(clients.ids) <= set(answered)
    assert len(set(answered) - set(clients.ids)) == 1  # the one that this test asked itself
    assert set(clients.statuses) - {200, 422} <= {"ConnectError", "ReadError", "RemoteProtocolError"}
    assert "Traceback" not in service.log.read_text()


def test_a_token_opens_the_service_and_too_many_requests_are_refused(
    tiny_runs: TinyRuns, corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    words = ("--token-file", tmp_path / "token", "--waiting", "2", "--drain", "0")
    with running(tmp_path, tiny_runs.aligned, *words) as service:
        with Clients(service.url, CLIENTS, questions(corpus)[:1], TOKEN) as clients:
            time.sleep(1)
        assert set(clients.statuses) == {200, 429}
        assert len(trace_lit.Client(service.url, token=TOKEN, retries=20).search("fog")) == 5
        with pytest.raises(ClientError, match="give the token of this service"):
            trace_lit.Client(service.url).search("fog")
        assert service.end(signal.SIGINT) == 0
        lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    asked = [line for line in lines if line.get("route") == "/search"]
    assert {"request_id", "status", "seconds", "client", "bytes", "time", "level"} <= set(asked[0])
    assert TOKEN not in (tmp_path / "log").read_text()
    assert "fog" not in (tmp_path / "log").read_text()  # what is asked is not logged
