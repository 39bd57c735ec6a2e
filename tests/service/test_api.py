"""The routes of the service: what they answer, and what they refuse."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import shutil
import time
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starlette.testclient import TestClient

import trace_lit
from data_modules import Corpus
from tests.conftest import TinyRuns
from tests.inference.test_universal import untrained
from tests.service.conftest import HERE, TOKEN, opened
from trace_lit.config import ConfigError
from trace_lit.inference import Index
from trace_lit.modules.packaged import write_packaged
from trace_lit.service import Limits, Served
from trace_lit.service.asking import read_series
from trace_lit.service.errors import ServiceError
from trace_lit.service.guard import Guard
from trace_lit.service.telemetry import Telemetry

pytestmark = pytest.mark.slow


def csv_of(corpus: Corpus, row: int = 0) -> str:
    """A window as the text of a CSV file."""
    columns = {channel.key: own for channel, own in zip(corpus.info.channels, corpus.values()[row], strict=True)}
    times = pd.date_range("2030-01-01", periods=corpus.values()[row].shape[1], freq="1h", name="time")
    return pd.DataFrame(columns, index=times).to_csv()


def json_of(corpus: Corpus, row: int = 0) -> dict[str, object]:
    channels = {
        channel.key: [None if np.isnan(value) else float(value) for value in own]
        for channel, own in zip(corpus.info.channels, corpus.values()[row], strict=True)
    }
    return {"channels": channels}


def search(client: TestClient, **asked: object) -> dict[str, object]:
    answer = client.post("/search", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_search_answers_as_the_loaded_model_does(client: TestClient, tiny_runs: TinyRuns, corpus: Corpus) -> None:
    model = trace_lit.load(tiny_runs.aligned, device="cpu")
    name = str(corpus.ids[3])
    frame = pd.read_csv(StringIO(csv_of(corpus, 5)), index_col="time", parse_dates=True)
    for ours, theirs in (
        ({"text": "fog in the morning"}, {"text": "fog in the morning"}),
        ({"like": name}, {"like": name}),
        ({"csv": csv_of(corpus, 5)}, {"series": frame}),
        ({"series": json_of(corpus, 5)}, {"series": corpus.values()[5]}),
    ):
        hits = model.search(**theirs, top=7, explain=True)
        found = search(client, **ours, top=7, explain=True)["hits"]
        assert [hit["id"] for hit in found] == [hit.id for hit in hits]
        for hit, expected in zip(found, hits, strict=True):
            assert hit["score"] == pytest.approx(expected.score, abs=1e-5)
            plain = json.loads(json.dumps(expected.as_dict()))
            why, expected_why = hit.pop("explanation"), plain.pop("explanation")
            assert {**hit, "score": 0, "corpus": ""} == {**plain, "score": 0, "corpus": ""}
            scores = [own["score"] for own in why["channels"]]
            assert scores == pytest.approx([own["score"] for own in expected_why["channels"]], abs=1e-5)


def test_steps_that_a_series_leaves_out_are_missing_ones(client: TestClient, corpus: Corpus) -> None:
    header, *rows = csv_of(corpus, 5).splitlines()
    empty = [*rows[:7], rows[7].split(",")[0] + "," * rows[7].count(","), *rows[8:]]
    left_out, missing = ("\n".join([header, *own]) for own in (rows[:7] + rows[8:], empty))
    assert search(client, csv=left_out, top=5)["hits"] == search(client, csv=missing, top=5)["hits"]
    vectors = client.post("/embed", json={"series": [left_out, missing]}).json()
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)


def test_a_file_is_uploaded_as_a_form_or_as_the_body(client: TestClient, corpus: Corpus) -> None:
    text = csv_of(corpus, 5)
    expected = search(client, csv=text, top=4)["hits"]
    form = client.post("/search", data={"top": "4"}, files={"file": ("../../etc/passwd", text)})
    body = client.post("/search?top=4", content=text, headers={"content-type": "text/csv"})
    assert form.json()["hits"] == body.json()["hits"] == expected
    table = client.post("/search?top=4&format=csv", content=text, headers={"content-type": "text/csv"})
    assert pd.read_csv(StringIO(table.text))["id"].tolist() == [hit["id"] for hit in expected]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_a_file_may_be_in_another_encoding(client: TestClient, corpus: Corpus, encoding: str) -> None:
    text = csv_of(corpus, 5)
    assert "°C" in text
    sent = text.encode(encoding)
    form = client.post("/search", files={"file": ("of a spreadsheet.csv", sent)})
    body = client.post("/search", content=sent, headers={"content-type": "text/csv"})
    assert form.json()["hits"] == body.json()["hits"] == search(client, csv=text)["hits"]


def test_filters_admit_what_they_name(client: TestClient, corpus: Corpus) -> None:
    middle = np.sort(corpus.starts)[len(corpus) // 2]
    moment = str(np.datetime64(int(middle), "s"))
    label = corpus.info.label_names[int(corpus.labels[0])]
    expected = {
        ("since", moment): corpus.starts >= middle,
        ("until", moment): corpus.ends <= middle,
        ("since", f"{moment}Z"): corpus.starts >= middle,
        ("label", label): corpus.labels == corpus.labels[0],
        ("series_id", str(corpus.series_ids[0])): corpus.series_ids == corpus.series_ids[0],
        ("split", "test"): corpus.splits == "test",
        ("with_text", True): np.array([bool(text) for text in corpus.texts]),
    }
    for (name, value), admitted in expected.items():
        found = search(client, text="fog", top=100, **{name: value})
        assert {hit["id"] for hit in found["hits"]} == set(corpus.ids[admitted]), name
        assert found["searched"] == admitted.sum() > 0
    assert search(client, text="fog", since="2200-01-01T00:00:00")["hits"] == []


def test_values_are_those_of_the_corpus(client: TestClient, corpus: Corpus) -> None:
    found = search(client, like=str(corpus.ids[2]), top=3, values=True)
    row = found["hits"][0]["row"]
    for channel, own in zip(corpus.info.channels, corpus.values()[row], strict=True):
        given = np.array(found["hits"][0]["values"]["channels"][channel.key], dtype=float)
        np.testing.assert_array_equal(given.astype(np.float32), own)
    assert list(found["query"]["channels"]) == [channel.key for channel in corpus.info.channels]
    alone = client.get(f"/instances/{corpus.ids[row]}").json()
    assert alone["values"] == found["hits"][0]["values"]
    assert alone["text"] == corpus.texts[row]


def test_other_forms_of_an_answer(client: TestClient, corpus: Corpus) -> None:
    asked = {"text": "fog <b>&</b> </script><script>alert(1)</script>", "top": 3, "explain": True}
    table = pd.read_csv(StringIO(client.post("/search?format=csv", json=asked).text))
    assert list(table["id"]) == [hit["id"] for hit in search(client, **asked)["hits"]]
    assert "whole window" in table.columns
    picture = client.post("/search?format=png", json=asked)
    assert Image.open(BytesIO(picture.content)).size > (300, 300)
    html = client.post("/search?format=html", json=asked).text
    assert "<script>alert" not in html
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    name = corpus.ids[0]
    assert Image.open(BytesIO(client.get(f"/instances/{name}?format=png").content)).size > (300, 300)
    values = pd.read_csv(StringIO(client.get(f"/instances/{name}?format=csv").text))
    assert len(values) == corpus.lengths[0]


def test_embeddings_are_those_of_the_loaded_model(client: TestClient, tiny_runs: TinyRuns, corpus: Corpus) -> None:
    model = trace_lit.load(tiny_runs.aligned, device="cpu")
    texts = ["fog", "a gale from the west"]
    expected = model.embed_text(texts)
    np.testing.assert_allclose(client.post("/embed", json={"inputs": texts}).json(), expected, atol=1e-5)
    assert np.shape(client.post("/embed", json={"inputs": "fog"}).json()) == (1, expected.shape[1])
    series = client.post("/embed", json={"series": [json_of(corpus, 1), csv_of(corpus, 2)]}).json()
    np.testing.assert_allclose(series[0], model.embed_series(corpus.values()[1])[0], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(series, axis=1), 1, rtol=1e-5)
    floats = client.post("/v1/embeddings", json={"input": texts, "model": ""}).json()
    assert [own["index"] for own in floats["data"]] == [0, 1]
    np.testing.assert_allclose([own["embedding"] for own in floats["data"]], expected, atol=1e-5)
    coded = client.post("/v1/embeddings", json={"input": "fog", "encoding_format": "base64"}).json()
    vector = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    np.testing.assert_allclose(vector, expected[0], atol=1e-5)
    tuned = next(own["name"] for own in client.get("/info").json()["models"] if "horizon" in own)
    assert np.shape(client.post("/embed", json={"series": json_of(corpus), "model": tuned}).json())[0] == 1
    assert "no vectors of texts" in client.post("/embed", json={"inputs": "fog", "model": tuned}).json()["error"]


def test_forecasts_are_those_of_the_loaded_model(client: TestClient, tuned: Path, corpus: Corpus) -> None:
    model = trace_lit.load(tuned, device="cpu")
    frame = pd.read_csv(StringIO(csv_of(corpus, 4)), index_col="time", parse_dates=True)
    expected = model.predict(frame)
    found = client.post("/forecast", json={"csv": csv_of(corpus, 4), "values": True}).json()
    key = corpus.info.channels[0].key
    assert found["times"][0] == "2030-01-03T00:00:00"
    rows = expected[expected["channel"] == corpus.info.channels[0].name]
    for name in ("forecast", "0.1", "0.9"):
        np.testing.assert_allclose(found["channels"][key][name], rows[name], rtol=1e-5)
    assert len(found["lookback"]["channels"][key]) == 24
    assert found["retrieved"]
    assert len(found["retrieved"][0]["continuation"][key]) == 12
    name = str(corpus.ids[corpus.frequencies == "1h"][-1])
    assert client.post("/forecast", json={"id": name}).json()["id"] == name
    alone = client.post("/forecast", json={"id": str(corpus.ids[corpus.frequencies == "3h"][-1])})
    assert alone.json()["error"].startswith("weather has no window to retrieve for weather")
    assert client.post("/forecast", json={"id": "nowhere"}).status_code == 404
    assert (
        client.post("/forecast", data={}, files={"file": ("a.csv", csv_of(corpus, 4))}).json()["times"]
        == found["times"]
    )


def test_probabilities_of_labels(client: TestClient, corpus: Corpus) -> None:
    found = client.post("/classify", json={"id": str(corpus.ids[0])}).json()
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert found["label"] == corpus.info.label_names[int(corpus.labels[0])]
    assert set(client.post("/classify", json={"csv": csv_of(corpus)}).json()["probabilities"]) == set(
        found["probabilities"]
    )


def test_no_forecast_leaves_a_file_behind(client: TestClient, tiny_runs: TinyRuns, corpus: Corpus) -> None:
    """Nor a text that was asked: what clients send is theirs."""
    caches = [Path(word.partition("=")[2]) for word in tiny_runs.words if "cache_dir" in word]

    def sizes() -> dict[Path, int]:
        return {path: path.stat().st_size for folder in caches for path in folder.rglob("*") if path.is_file()}

    client.post("/forecast", json={"csv": csv_of(corpus, 7)})
    before = sizes()
    assert client.post("/forecast", json={"csv": csv_of(corpus, 8)}).status_code == 200
    search(client, text=f"a text that nobody has asked before, {time.time()}")
    assert sizes() == before


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({}, 422, "give one of text, series, csv and like; none was given"),
        ({"text": "fog", "like": "x"}, 422, "text and like was given"),
        ({"text": "  "}, 422, "the text is empty"),
        ({"text": "fog", "top": 0}, 422, "top: Input should be greater than or equal to 1, not 0"),
        ({"text": "fog", "top": 101}, 422, "at most 100"),
        ({"text": "fog", "colour": "red"}, 422, "colour: the request has no such key"),
        ({"text": "fog", "split": "tomorrow"}, 422, "split"),
        ({"text": "fog", "label": "moonshine"}, 422, "no label 'moonshine'"),
        ({"text": "fog", "since": "yesterday"}, 422, "since"),
        ({"text": "fog", "since": "0001-01-01T00:00:00+14:00"}, 422, "beyond the years 1 to 9999 in UTC"),
        ({"text": "fog", "until": "9999-12-31T23:59:59-14:00"}, 422, "beyond the years 1 to 9999 in UTC"),
        ({"text": "fog", "corpus": "../../etc"}, 404, "no corpus to search named '../../etc'; there are: weather"),
        ({"like": "/etc/passwd"}, 404, "weather has no window '/etc/passwd'"),
        ({"text": "f" * 9000}, 413, "8,192 are allowed"),
        ({"csv": "/etc/passwd"}, 422, "the CSV has no rows below its header"),
        ({"csv": "mood\n1\n2"}, 422, "the column 'mood' is no channel of the corpus"),
        ({"csv": "temperature\n1\n2\n"}, 422, "the model needs at least a patch"),
        ({"csv": "temperature\none\n"}, 422, "line 2"),
        ({"series": {"channels": {"temperature": [1, 2], "pressure": [1]}}}, 422, "must have one length"),
        ({"series": {"channels": {"temperature": ["x"]}}}, 422, "series.channels.temperature"),
        ({"series": {"channels": {"temperature": [None] * 24}}}, 422, "holds no value"),
        ({"series": {"channels": {"temperature": [1e300] * 24}}}, 422, "at most 1e+18"),
        ({"series": {"channels": {}}}, 422, "channels"),
        ({"text": "fog", "a\nb": 1}, 422, r"a\nb: the request has no such key"),
        (
            {"series": {"channels": {"temperature": [1]}, "times": ["9999-12-31T23:59:59-14:00"]}},
            422,
            "beyond the years 1 to 9999 in UTC",
        ),
        ({"csv": "," * 2_000_000}, 413, "the CSV has 2,000,001 columns; 1,001 are allowed"),
        ({"csv": "temperature\n1\n" + "\t" * 2_000}, 413, "2,001 columns"),
        (
            {"csv": "temperature\n" + "1\n" * 1_200_000},
            413,
            "the CSV has 1,200,001 lines; 1,000,000 values are allowed",
        ),
    ],
)
def test_what_cannot_be_asked(client: TestClient, asked: dict[str, object], status: int, words: str) -> None:
    answer = client.post("/search", json=asked)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "error_type", "request_id"}), answer.text
    assert words in answer.json()["error"]
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert "Traceback" not in answer.text
    assert "/tmp" not in answer.text


def test_bodies_that_are_none(client: TestClient) -> None:
    as_json = {"content-type": "application/json"}
    for content, headers in (
        (b"", as_json),
        (b"{", as_json),
        (b'{"text": "\xff"}', as_json),
        (rb'{"text": "\ud800"}', as_json),
        (b"[" * 100_000, as_json),
        (b"text=fog", {"content-type": "application/x-www-form-urlencoded"}),
        (b"nothing", {"content-type": "multipart/form-data; boundary=x"}),
        (b"\xff\xfe\x00", {"content-type": "text/csv"}),
        (b"{}", {"content-type": "a" * 3_000}),
    ):
        answer = client.post("/search", content=content, headers=headers)
        assert answer.status_code == 422, answer.text
        assert answer.json()["error_type"] == "validation"
        assert len(answer.json()["error"]) < 1_000
    wrong = client.get("/search")
    assert wrong.status_code == 405
    assert wrong.json()["error"] == "GET /search is no request of this service; /docs describes all"
    assert client.get("/serch").json()["error"].startswith("GET /serch is no request of this service")
    assert client.get("/nowhere").json()["error_type"] == "not_found"
    assert client.get("/instances/%2e%2e%2f%2e%2e%2fetc%2fpasswd").status_code == 404
    assert client.get("/assets/%2e%2e/%2e%2e/app.py").status_code == 404


def test_limits(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(served, Limits(body=4_000, batch=2, values=100, waiting=3)) as client:
        large = client.post("/search", json={"text": "f" * 5_000})
        assert (large.status_code, large.json()["error_type"]) == (413, "validation")
        chunks = client.post("/search", content=iter([b"f" * 3_000] * 3), headers={"content-type": "application/json"})
        assert chunks.status_code == 413
        assert client.post("/embed", json={"inputs": ["a", "b", "c"]}).status_code == 413
        series = {"channels": {"temperature": [1.0] * 200}}
        assert client.post("/search", json={"series": series}).status_code == 413
        busy = client.post("/v1/embeddings", json={"input": []})
        assert "the batch is empty" in busy.json()["error"]
    with opened(served, Limits(seconds=0.5)) as client:
        monkeypatch.setattr(type(served.searchable(None)), "answer", lambda *_: time.sleep(1.0))
        late = client.post("/search", json={"text": "fog"})
        assert (late.status_code, late.json()["error_type"]) == (424, "backend")


@pytest.mark.parametrize(("more", "status", "words"), [(True, 408, "the body did not come"), (False, 424, "no answer")])
def test_what_took_too_long_is_said(more: bool, status: int, words: str) -> None:
    sent: list[dict[str, Any]] = []
    messages = iter([{"type": "http.request", "body": b"{", "more_body": more}])

    async def receive() -> Any:
        return next(messages, None) or await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        await asyncio.sleep(60)

    guard = Guard(app, Limits(seconds=0.05), Telemetry(), ending=lambda: False)
    scope = {"type": "http", "method": "POST", "path": "/search", "headers": [(b"host", b"localhost")]}
    asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == status
    assert words in sent[1]["body"].decode()


def test_a_token(served: Served) -> None:
    with opened(served, token=TOKEN) as client:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {TOKEN}"}):
            refused = client.post("/search", json={"text": "fog"}, headers=headers)
            assert (refused.status_code, refused.json()["error_type"]) == (401, "unauthorized")
            assert refused.headers["www-authenticate"] == "Bearer"
            assert client.get("/metrics", headers=headers).status_code == 401
            assert client.get("/info", headers=headers).status_code == 401
        right = {"authorization": f"Bearer {TOKEN}"}
        assert client.post("/search", json={"text": "fog"}, headers=right).status_code == 200
        for path in ("/", "/healthz", "/docs", "/assets/app.js"):
            assert client.get(path).status_code == 200


def test_other_origins_may_not_ask(served: Served, client: TestClient) -> None:
    asking = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in client.options("/search", headers=asking).headers
    with opened(served, origins=["https://elsewhere.example"]) as allowing:
        assert allowing.options("/search", headers=asking).headers["access-control-allow-origin"] == asking["origin"]


def test_a_name_of_another_page_is_not_answered_without_a_token(served: Served, client: TestClient) -> None:
    for name in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", ""):
        answer = client.get("/info", headers={"host": name})
        assert (answer.status_code, answer.json()["error_type"]) == (403, "forbidden")
    for name in ("localhost:8000", "127.0.0.1", "[::1]:80", "LocalHost"):
        assert client.get("/healthz", headers={"host": name}).status_code == 200
    with opened(served, token=TOKEN) as open_client:
        assert open_client.get("/healthz", headers={"host": "search.example"}).status_code == 200


def test_what_a_service_says_of_itself(client: TestClient, corpus: Corpus) -> None:
    info = client.get("/info").json()
    assert info["limits"] == dataclasses.asdict(Limits())
    own = info["corpora"][0]
    assert own["rows"] == len(corpus) == sum(own["splits"].values())
    assert [model["stage"] for model in info["models"]] == ["align", "tune", "tune"]
    assert "/tmp" not in json.dumps(info)  # where things lie is nobody's business
    for _ in range(3):
        search(client, text="fog")
    metrics = client.get("/metrics").text
    assert 'trace_lit_requests_total{method="POST",route="/search",status="200"}' in metrics
    assert f'trace_lit_instances{{corpus="weather"}} {float(len(corpus))}' in metrics
    assert "nowhere" not in metrics  # an address that is asked for is no label
    given = client.get("/healthz", headers={"x-request-id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    odd = client.get("/healthz", headers={"x-request-id": "a\tb" * 99})
    assert len(odd.headers["x-request-id"]) == 32
    schema = client.get("/openapi.json").json()
    assert "SearchRequest" in schema["components"]["schemas"]
    policy = client.get("/").headers["content-security-policy"]
    assert "'unsafe" not in policy
    assert client.get("/assets/docs/swagger-ui-bundle.js").status_code == 200


def test_a_defect_shows_no_trace(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(served) as client:

        def defect(*_: object) -> None:
            raise ZeroDivisionError("a secret")

        monkeypatch.setattr(type(served.searchable(None)), "answer", defect)
        answer = client.post("/search", json={"text": "fog"})
        assert (answer.status_code, answer.json()["error_type"]) == (424, "backend")
        assert "secret" not in answer.text
        assert "a secret" in caplog.text
        monkeypatch.setattr("trace_lit.service.searching.question_of", defect)
        answer = client.post("/search", json={"text": "fog"})
        assert answer.status_code == 500
        assert "secret" not in answer.text


def test_a_service_that_is_not_ready(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    from trace_lit.errors import InputError
    from trace_lit.service import create_app

    def failing() -> None:
        raise InputError("the disk is gone")

    monkeypatch.setattr(served, "prepare", failing)
    with TestClient(create_app(served), base_url=HERE) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/info"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["error_type"]) == (503, "unhealthy")
            assert answer.headers["retry-after"] == "1"


def test_a_path_is_never_read(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "window.csv").write_text(csv_of(corpus))
    with pytest.raises(ServiceError, match="no rows below its header"):
        read_series(str(tmp_path / "window.csv"), corpus.info.channels, Limits())


def test_a_kept_index_is_searched_in_the_place_of_a_corpus(
    tiny_runs: TinyRuns, tuned: Path, corpus: Corpus, tmp_path: Path
) -> None:
    model = trace_lit.load(tiny_runs.aligned, device="cpu")
    index = Index.build(model, [tiny_runs.corpus], tmp_path / "kept")
    served = Served([tiny_runs.aligned, tuned], indexes=[tmp_path / "kept"], device="cpu")
    with opened(served) as client:
        info = client.get("/info").json()
        assert [(own["name"], own["rows"], own["index"]) for own in info["corpora"]] == [("kept", len(corpus), True)]
        name = str(corpus.ids[corpus.frequencies == "1h"][-1])
        for asked, how in (
            ({"text": "fog"}, {"within": "series"}),
            ({"text": "fog"}, {"within": "both"}),
            ({"like": name}, {"apart": True, "diversity": 0.3}),
        ):
            expected = index.search(**asked, model=model, top=4, **how)
            found = search(client, **asked, **how, top=4, explain=True, values=True)
            assert [hit["id"] for hit in found["hits"]] == [hit.id for hit in expected]
            assert found["within"] == how.get("within", "series")
            row = found["hits"][0]["row"]
            first = np.array(found["hits"][0]["values"]["channels"][corpus.info.channels[0].key], dtype=np.float32)
            np.testing.assert_array_equal(first, corpus.values()[row][0])
        label = corpus.info.label_names[0]
        assert {hit["label"] for hit in search(client, text="fog", label=label, top=50)["hits"]} == {label}
        np.testing.assert_allclose(
            client.post("/embed", json={"inputs": "fog"}).json(), model.embed_text(["fog"]), atol=1e-5
        )
        assert client.post("/search?format=png", json={"text": "fog"}).content.startswith(b"\x89PNG")
        assert client.get(f"/instances/{name}").json()["id"] == name
        unknown = client.get("/instances/nowhere")
        assert unknown.json()["error"].startswith("kept has no window 'nowhere'")
        for wrong, words in (
            ({"label": "moonshine"}, "kept has no label 'moonshine'; there are: "),
            ({"of_corpus": "elsewhere"}, "kept has no corpus 'elsewhere'; there are: weather"),
        ):
            refused = client.post("/search", json={"text": "fog", **wrong})
            assert (refused.status_code, words in refused.json()["error"]) == (422, True), refused.text
        assert client.post("/forecast", json={"id": name}).status_code == 200
    index.close()


def test_what_only_an_index_can_do(client: TestClient) -> None:
    assert search(client, text="fog")["within"] == "series"
    for how in ({"within": "texts"}, {"apart": True}, {"diversity": 0.5}, {"of_corpus": "weather"}):
        answer = client.post("/search", json={"text": "fog", **how})
        assert (answer.status_code, "are for a kept index" in answer.json()["error"]) == (422, True)


def test_the_universal_model_searches_a_csv_file(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "packaged"
    monkeypatch.setattr("trace_lit.modules.finding.PACKAGED", folder)
    monkeypatch.chdir(tmp_path)
    write_packaged(untrained(tmp_path / "text"), folder, {"command": "a test"})
    (tmp_path / "station.csv").write_text(csv_of(corpus) + csv_of(corpus, 1).partition("\n")[2].replace("2030", "2031"))
    served = Served(["universal"], [tmp_path / "station.csv"], device="cpu")
    with opened(served) as client:
        assert [own["name"] for own in client.get("/info").json()["corpora"]] == ["station"]
        found = search(client, text="a strong wind", top=2, explain=True, values=True)
        expected = trace_lit.load("universal").search("a strong wind", corpus=tmp_path / "station.csv", top=2)
        assert [hit["id"] for hit in found["hits"]] == [hit.id for hit in expected]
        assert np.shape(client.post("/embed", json={"inputs": ["calm"]}).json())[0] == 1
    with pytest.raises(ConfigError, match="has no corpus of its own"):
        Served(["universal"])


def test_an_index_of_another_run_is_refused(tiny_runs: TinyRuns, tuned: Path, tmp_path: Path) -> None:
    Index.build(trace_lit.load(tiny_runs.aligned, device="cpu"), [tiny_runs.corpus], tmp_path / "kept").close()
    with pytest.raises(ConfigError, match="was built by the run"):
        Served([tuned], indexes=[tmp_path / "kept"], device="cpu")


def test_the_index_in_a_run_is_searched_while_it_is_up_to_date(tiny_runs: TinyRuns, tmp_path: Path) -> None:
    run, corpus = tmp_path / "weather" / "align" / "copy", tmp_path / "weather-copy"
    shutil.copytree(tiny_runs.aligned, run)
    shutil.copytree(tiny_runs.corpus, corpus)
    Index.build(trace_lit.load(run, device="cpu"), [corpus], run / "index").close()
    assert Served([run], device="cpu").searchable("index").kept
    assert not Served([run], [corpus], device="cpu").searchable("weather-copy").kept
    shutil.rmtree(corpus)  # the run's own corpus is still there
    assert list(Served([run], device="cpu").searchables) == ["weather"]
