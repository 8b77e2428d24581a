"""One text, one score: whoever asks, whatever else is asked for."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from model_server import LABELS, MODEL, ModelServer

TEXTS = [
    "You are a stupid idiot.",
    "Nobody wants you in here!",
    "I hope you die in pain.",
    "What a lovely garden you have.",
    "Thanks for sharing the sources.",
    "Ünïcode 😀 and the naïve café",
    "fine " * 500 + "you stupid idiot",
]


@pytest.fixture(scope="module")
def forgetful_server() -> Iterator[ModelServer]:
    """A server that keeps no scores, so that each answer is scored anew."""
    with ModelServer("--cache-bytes=0") as server:
        yield server


def perspective(server: ModelServer, text: str) -> dict[str, float]:
    attributes = {
        "TOXICITY": "toxic",
        "SEVERE_TOXICITY": "severe_toxic",
        "OBSCENE": "obscene",
        "THREAT": "threat",
        "INSULT": "insult",
        "IDENTITY_ATTACK": "identity_hate",
    }
    body = {
        "comment": {"text": text},
        "requestedAttributes": {attribute: {} for attribute in attributes},
        "languages": ["en"],
    }
    scores = server.post("/v1alpha1/comments:analyze", body).json()["attributeScores"]
    return {label: scores[attribute]["summaryScore"]["value"] for attribute, label in attributes.items()}


def openai(server: ModelServer, text: str) -> dict[str, float]:
    return server.post("/v1/moderations", {"input": text}).json()["results"][0]["label_scores"]


def open_inference(server: ModelServer, text: str) -> dict[str, float]:
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}
    body = {"inputs": [tensor], "outputs": [{"name": "scores"}]}
    [output] = server.post(f"/v2/models/{MODEL}/infer", body).json()["outputs"]
    return dict(zip(LABELS, output["data"], strict=True))


def kserve(server: ModelServer, text: str) -> dict[str, float]:
    return server.post(f"/v1/models/{MODEL}:predict", {"instances": [text]}).json()["predictions"][0]


def text_embeddings_inference(server: ModelServer, text: str) -> dict[str, float]:
    predictions = server.post("/predict", {"inputs": text}).json()
    return {prediction["label"]: prediction["score"] for prediction in predictions}


def predict(server: ModelServer, text: str) -> dict[str, float]:
    return server.post("/predict", {"input": text}).json()["content"]


Protocol = Callable[[ModelServer, str], dict[str, float]]
PROTOCOLS = [perspective, openai, open_inference, kserve, text_embeddings_inference, predict]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_every_protocol_gives_the_same_scores(forgetful_server: ModelServer, protocol: Protocol, text: str) -> None:
    assert protocol(forgetful_server, text) == pytest.approx(forgetful_server.scores(text), abs=1e-6)


def test_a_text_scores_the_same_among_others(forgetful_server: ModelServer) -> None:
    alone = [forgetful_server.scores(text) for text in TEXTS]
    together = forgetful_server.post("/v1/analyze", {"texts": TEXTS}).json()["results"]
    assert [result["scores"] for result in together] == [pytest.approx(scores, abs=1e-6) for scores in alone]


def test_a_text_scores_the_same_at_every_load(forgetful_server: ModelServer) -> None:
    alone = {text: forgetful_server.scores(text) for text in TEXTS}
    texts = TEXTS * 8
    with ThreadPoolExecutor(16) as pool:
        loaded = pool.map(forgetful_server.scores, texts)
    for text, scores in zip(texts, loaded, strict=True):
        assert scores == pytest.approx(alone[text], abs=1e-6), text
