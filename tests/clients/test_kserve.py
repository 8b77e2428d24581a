"""Requests as clients of KServe's version 1 send them."""

import pytest
import requests

from model_server import LABELS, MODEL, PATIENCE, ModelServer


def test_the_model_is_ready(server: ModelServer) -> None:
    answer = requests.get(f"{server.url}/v1/models/{MODEL}", timeout=PATIENCE)
    assert answer.json() == {"name": MODEL, "ready": True}


def test_instances_get_a_prediction_each(server: ModelServer, civil: str, insult: str) -> None:
    response = server.post(f"/v1/models/{MODEL}:predict", {"instances": [insult, civil]})
    first, second = response.json()["predictions"]
    assert list(first) == LABELS
    assert first == pytest.approx(server.scores(insult), abs=1e-6)
    assert second == pytest.approx(server.scores(civil), abs=1e-6)


def test_another_model_is_not_found(server: ModelServer, civil: str) -> None:
    response = server.post("/v1/models/another:predict", {"instances": [civil]})
    assert response.status_code == 404
    assert "another" in response.json()["error"]


def test_another_verb_is_refused(server: ModelServer, civil: str) -> None:
    response = server.post(f"/v1/models/{MODEL}:explain", {"instances": [civil]})
    assert response.status_code == 404
    assert isinstance(response.json()["error"], str)
