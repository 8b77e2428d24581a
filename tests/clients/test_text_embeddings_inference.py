"""Requests as clients of text-embeddings-inference send them."""

import pytest
import requests

from model_server import LABELS, ModelServer

HEADERS = [
    "x-compute-type",
    "x-compute-time",
    "x-compute-characters",
    "x-compute-tokens",
    "x-total-time",
    "x-tokenization-time",
    "x-queue-time",
    "x-inference-time",
]


@pytest.fixture(params=["/predict", "/"])
def path(request: pytest.FixtureRequest) -> str:
    return request.param


def predict(server: ModelServer, path: str, **body: object) -> requests.Response:
    return server.post(path, body)


def test_one_text_gets_a_list_sorted_by_score(server: ModelServer, path: str, insult: str) -> None:
    response = predict(server, path, inputs=insult)
    predictions = response.json()
    scores = [prediction["score"] for prediction in predictions]
    assert scores == sorted(scores, reverse=True)
    by_label = {prediction["label"]: prediction["score"] for prediction in predictions}
    assert by_label == pytest.approx(server.scores(insult), abs=1e-6)


def test_a_batch_gets_a_list_of_lists(server: ModelServer, path: str, civil: str, insult: str) -> None:
    batch = predict(server, path, inputs=[[insult], [civil], [insult]]).json()
    singles = [predict(server, path, inputs=text).json() for text in (insult, civil, insult)]
    assert batch == singles


def test_raw_scores_are_logits(server: ModelServer, path: str, insult: str) -> None:
    raw = predict(server, path, inputs=insult, raw_scores=True).json()
    assert len(raw) == len(LABELS)
    assert raw[0]["label"] == "toxic"
    assert raw[0]["score"] > 1


def test_truncation_is_taken_and_nothing_is_cut(server: ModelServer, path: str, insult: str) -> None:
    text = "fine " * 1_000 + insult
    body = {"inputs": text, "truncate": True, "truncation_direction": "Right"}
    assert predict(server, path, **body).json()[0]["score"] > 0.5


def test_the_headers_tell_of_the_work(server: ModelServer, path: str) -> None:
    headers = predict(server, path, inputs=[["two words"], ["three words more"]]).headers
    assert all(header in headers for header in HEADERS)
    assert headers["x-compute-characters"] == "25"
    assert headers["x-compute-tokens"] == "5"
    assert all(headers[header].isdigit() for header in HEADERS[1:])


@pytest.mark.parametrize(
    ("inputs", "status", "error_type", "message"),
    [
        ("", 400, "Empty", "index 0"),
        ([["fine"], [""]], 400, "Empty", "index 1"),
        (["a text", "its pair"], 422, "Validation", '[["first"], ["second"]]'),
        (["one", "two", "three"], 422, "Validation", '[["first"], ["second"]]'),
        ([["a text", "its pair"]], 422, "Validation", "a list of its own"),
        ([], 422, "Validation", "empty"),
        (1, 422, "Validation", "inputs"),
    ],
)
def test_an_error_has_its_type(
    server: ModelServer, path: str, inputs: object, status: int, error_type: str, message: str
) -> None:
    response = predict(server, path, inputs=inputs)
    assert response.status_code == status
    assert response.json()["error_type"] == error_type
    assert message in response.json()["error"]
