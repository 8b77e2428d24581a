"""Hugging Face's inference client, with this server as its endpoint."""

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from model_server import LABELS, ModelServer


@pytest.fixture(scope="module", params=["model", "base_url", "predict route"])
def client(request: pytest.FixtureRequest, server: ModelServer) -> InferenceClient:
    """The client in each way of naming an endpoint."""
    match request.param:
        case "model":
            return InferenceClient(model=server.url)
        case "base_url":
            return InferenceClient(base_url=server.url)
        case _:
            return InferenceClient(model=f"{server.url}/predict")


def test_a_text_gets_all_labels_sorted_by_score(server: ModelServer, client: InferenceClient, insult: str) -> None:
    elements = client.text_classification(insult)
    assert [element.score for element in elements] == sorted((element.score for element in elements), reverse=True)
    assert {element.label: element.score for element in elements} == pytest.approx(server.scores(insult), abs=1e-6)


def test_top_k_limits_the_labels(client: InferenceClient, insult: str) -> None:
    elements = client.text_classification(insult, top_k=2)
    assert [element.label for element in elements] == ["toxic", "insult"]


@pytest.mark.parametrize(
    ("function", "check"),
    [
        ("sigmoid", lambda scores: scores["toxic"] > 0.9 and scores["insult"] > 0.5),
        ("softmax", lambda scores: sum(scores.values()) == pytest.approx(1, abs=1e-5)),
        ("none", lambda scores: scores["toxic"] > 1),
    ],
)
def test_the_function_to_apply_is_applied(
    client: InferenceClient, insult: str, function: str, check: object
) -> None:
    elements = client.text_classification(insult, function_to_apply=function)
    assert len(elements) == len(LABELS)
    assert check({element.label: element.score for element in elements})


def test_a_batch_of_one_is_a_text(server: ModelServer, client: InferenceClient, insult: str) -> None:
    elements = client.text_classification([[insult]])
    assert elements[0].score == pytest.approx(server.scores(insult)["toxic"], abs=1e-6)


def test_a_flat_list_is_refused_with_the_way_to_send_a_batch(client: InferenceClient, civil: str, insult: str) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        client.text_classification([civil, insult])
    assert caught.value.response.status_code == 422
    assert '[["first"], ["second"]]' in caught.value.response.json()["error"]


def test_an_empty_text_is_an_error(client: InferenceClient) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        client.text_classification("")
    assert caught.value.response.status_code == 400
    assert caught.value.response.json()["error_type"] == "Empty"
