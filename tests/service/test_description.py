"""The description of the API says what the routes take and what they answer."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from data_modules import Corpus
from tests.service.test_api import csv_of, json_of

pytestmark = pytest.mark.slow
schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
CSV = {"content-type": "text/csv"}
OPTIONS: dict[str, dict[str, Any]] = {  # of each route that takes a CSV file, another value than the default
    "/search": {
        "corpus": "weather",
        "top": 3,
        "explain": True,
        "values": True,
        "since": "1990-01-01",
        "until": "2100-01-01T00:00:00+01:00",
        "label": "gale",
        "series_id": "series",
        "split": "train",
        "with_text": True,
        "of_corpus": "weather",
        "within": "texts",
        "apart": True,
        "diversity": 0.5,
    },
    "/forecast": {"corpus": "weather", "model": "weather/tune/tiny", "values": True},
    "/classify": {"corpus": "weather", "model": "weather/tune/classes", "values": True},
}


def described(client: TestClient, path: str) -> dict[str, Any]:
    return client.get("/openapi.json").json()["paths"][path]["post"]


def without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in names}


def fields_of(client: TestClient, kind: str, path: str) -> set[str]:
    schema = described(client, path)["requestBody"]["content"][kind]["schema"]
    if "$ref" in schema:
        schema = client.get("/openapi.json").json()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema["properties"])


@pytest.mark.parametrize("path", OPTIONS)
def test_options_are_taken_from_a_body_a_form_or_the_query(client: TestClient, corpus: Corpus, path: str) -> None:
    text, questions = (
        csv_of(corpus, 5),
        {"csv", "series", "text", "like"} if path == "/search" else {"csv", "series", "id"},
    )
    parameters = {own["name"] for own in described(client, path)["parameters"]}
    assert parameters - {"format"} == set(OPTIONS[path]) == fields_of(client, "application/json", path) - questions
    kinds = set(described(client, path)["requestBody"]["content"])
    assert kinds == {"application/json", "multipart/form-data", "text/csv"}
    assert fields_of(client, "multipart/form-data", path) == {*OPTIONS[path], *questions, "file"} - {"series"}
    plain = client.post(path, json={"csv": text}).json()
    for name, value in OPTIONS[path].items():
        given = {name: str(value)}
        answers = [
            client.post(path, json={"csv": text, name: value}),
            client.post(path, json={"csv": text}, params=given),
            client.post(path, data=given, files={"file": text}),
            client.post(path, files={"file": text}, params=given),
            client.post(path, content=text, headers=CSV, params=given),
        ]
        assert len({answer.status_code for answer in answers}) == 1, [answer.text for answer in answers]
        first, *others = (without(answer.json(), "seconds", "request_id") for answer in answers)
        assert all(other == first for other in others), name
        if name not in ("corpus", "model", "since", "until", "with_text"):  # of which this corpus has one, or all
            assert first != without(plain, "seconds", "request_id"), name


@pytest.mark.parametrize("path", OPTIONS)
def test_what_is_not_described_is_refused(client: TestClient, corpus: Corpus, path: str) -> None:
    text = csv_of(corpus, 5)
    for params, words in (
        ({"colour": "red"}, "query.colour: the request has no such key"),
        ({"csv": text}, "query.csv: the request has no such key"),
        ({"values": "perhaps"}, "query.values: Input should be a valid boolean"),
        ({"values": ["true", "false"]}, "the query has 'values' twice; give it once"),
    ):
        for body in ({"json": {"csv": text}}, {"files": {"file": text}}, {"content": text, "headers": CSV}):
            answer = client.post(path, params=params, **body)
            assert (answer.status_code, words in answer.json()["error"]) == (422, True), answer.text
    for body in ({"json": {"csv": text, "values": True}}, {"files": {"file": text}, "data": {"values": "true"}}):
        answer = client.post(path, params={"values": "false"}, **body)
        assert "values is not the same in the query and in the body; give it once" in answer.json()["error"]
        assert client.post(path, params={"values": "true"}, **body).status_code == 200
    assert client.post(path, files={"file": text}, data={"csv": text}).status_code == 422
    assert client.post(path, data={"series": "{}"}, files={"other": ""}).status_code == 422
    format = client.post(path, content=text, headers=CSV, params={"format": "csv"})
    assert format.status_code == (200 if path == "/search" else 422)
    assert client.get(f"/instances/{corpus.ids[0]}?fromat=csv").status_code == 422


@pytest.mark.parametrize(
    ("path", "asked", "place"),
    [
        ("/search", {"text": "fog", "top": "5"}, "top"),
        ("/search", {"text": "fog", "top": True}, "top"),
        ("/search", {"text": "fog", "explain": "yes"}, "explain"),
        ("/search", {"text": "fog", "since": 1_700_000_000}, "since"),
        ("/search", {"text": "fog", "since": "1700000000"}, "since"),
        ("/search", {"text": "fog", "diversity": "0.5"}, "diversity"),
        ("/search", {"series": {"channels": {"temperature": ["1"]}}}, "series.channels.temperature.0"),
        ("/forecast", {"series": {"channels": {"temperature": [True]}}}, "series.channels.temperature.0"),
        ("/forecast", {"series": {"channels": {"temperature": [1]}, "times": [86_400]}}, "series.times.0"),
        ("/classify", {"id": "x", "values": 1}, "values"),
        ("/embed", {"series": {"channels": {"temperature": ["1"]}}}, "series.object.channels.temperature.0"),
        ("/embed", {"inputs": ["fog", 1]}, "inputs.list.1"),
        ("/embed", {"inputs": 1}, "inputs"),
        ("/v1/embeddings", {"input": ["fog", {"channels": {"temperature": [1]}}]}, "input.list.1"),
        ("/v1/embeddings", {"input": [{"channels": {"temperature": ["1"]}}]}, "input.objects.0.channels.temperature.0"),
        ("/v1/embeddings", {"input": "fog", "dimensions": "8"}, "dimensions"),
    ],
)
def test_values_of_another_type_are_refused(client: TestClient, path: str, asked: dict[str, Any], place: str) -> None:
    answer = client.post(path, json=asked)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(f"{place}: ")
    assert "; " not in answer.json()["error"]  # nothing about kinds that were not given


def test_answers_are_as_described(client: TestClient, corpus: Corpus) -> None:
    operations = {one.ok().label: one.ok() for one in description(client).get_all_operations()}
    untimed = json_of(corpus, 4)
    name = str(corpus.ids[corpus.frequencies == "1h"][-1])
    seen = set()
    for label, params, asked in (
        *(
            ("POST /search", {"format": form}, {"text": "fog", "explain": True})
            for form in ("json", "csv", "png", "html")
        ),
        *(("POST /search", {}, {**own, "values": True}) for own in ({"like": name}, {"csv": csv_of(corpus)})),
        ("POST /search", {}, {"series": untimed, "values": True, "explain": True}),
        ("POST /search", {}, {"text": "fog", "since": "2200-01-01"}),
        ("POST /search", {}, {"text": "fog", "corpus": "elsewhere"}),
        ("POST /embed", {}, {"inputs": "fog"}),
        ("POST /embed", {}, {"series": [untimed, csv_of(corpus)]}),
        ("POST /v1/embeddings", {}, {"input": ["fog"], "encoding_format": "base64"}),
        ("POST /v1/embeddings", {}, {"input": untimed}),
        *(("POST /forecast", {}, {**own, "values": True}) for own in ({"id": name}, {"series": untimed}, {"id": "x"})),
        *(("POST /classify", {}, {**own, "values": True}) for own in ({"id": name}, {"series": untimed}, {})),
        *(("GET /instances/{id}", {"format": form}, None) for form in ("json", "csv", "png", "html")),
        *((f"GET /{path}", {}, None) for path in ("info", "healthz", "readyz", "metrics")),
    ):
        method, path = label.split()
        answer = client.request(method, path.replace("{id}", name), params=params, json=asked)
        operations[label].validate_response(answer)
        assert answer.headers["content-type"].partition(";")[0] in kinds_of(operations[label], answer.status_code)
        seen.add(label)
    assert seen == set(operations)


def description(client: TestClient) -> Any:
    return schemathesis.openapi.from_dict(client.get("/openapi.json").json())


def kinds_of(operation: Any, status: int) -> set[str]:
    return set(operation.definition.raw["responses"][str(status)]["content"])
