"""Keys, where each client puts its own, and the refusal of a wrong one in the words of each protocol."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openai
import pytest
import requests
import tritonclient.grpc
import tritonclient.http
from googleapiclient.discovery import Resource, build
from googleapiclient.errors import HttpError
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from tritonclient.utils import InferenceServerException

from model_server import BINARY, MODEL, PATIENCE, ModelServer

WRONG = "tox_this-is-not-a-key-of-anybody"


def make_key(*arguments: str) -> tuple[str, str]:
    """A key, and its line in the file of keys."""
    command = [BINARY, "keys", "create", *arguments]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    secret, line = [line.split(":", 1)[1].strip() for line in lines]
    return secret, line


@pytest.fixture(scope="module")
def keys() -> dict[str, tuple[str, str]]:
    """A key without limits, one with other thresholds, and one that may ask once in a second."""
    return {
        "plain": make_key("plain"),
        "strict": make_key("strict", "thresholds=toxic=0.00001"),
        "slow": make_key("slow", "rate=1", "burst=1"),
    }


@pytest.fixture(scope="module")
def locked(keys: dict[str, tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """A server that wants a key."""
    file: Path = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text("".join(f"{line}\n" for _, line in keys.values()))
    with ModelServer(f"--api-keys-file={file}") as server:
        yield server


@pytest.fixture(scope="module")
def key(keys: dict[str, tuple[str, str]]) -> str:
    """The key without limits."""
    return keys["plain"][0]


def comments(server: ModelServer, key: str) -> Resource:
    return build(
        "commentanalyzer",
        "v1alpha1",
        developerKey=key,
        discoveryServiceUrl=f"{server.url}/$discovery/rest?version=v1alpha1",
        static_discovery=False,
    ).comments()


def test_perspective(locked: ModelServer, key: str, insult: str) -> None:
    body = {"comment": {"text": insult}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}
    assert comments(locked, key).analyze(body=body).execute()["attributeScores"]["TOXICITY"]
    with pytest.raises(HttpError, match="API key not valid. Please pass a valid API key.") as caught:
        comments(locked, WRONG).analyze(body=body).execute()
    assert caught.value.status_code == 400
    assert "API_KEY_INVALID" in str(caught.value.error_details)


def test_perspective_by_header(locked: ModelServer, key: str, insult: str) -> None:
    body = {"comment": {"text": insult}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}
    path = "/v1alpha1/comments:analyze"
    assert locked.post(path, body, headers={"X-Goog-Api-Key": key}).status_code == 200
    assert locked.post(path, body, headers={"X-Goog-Api-Key": WRONG}).status_code == 400


def test_openai(locked: ModelServer, key: str, insult: str) -> None:
    client = openai.OpenAI(base_url=f"{locked.url}/v1", api_key=key)
    assert client.moderations.create(input=insult).results[0].flagged
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key=WRONG).moderations.create(input=insult)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.type == "invalid_request_error"


def test_the_rate_limit_of_a_key_makes_openai_wait(
    locked: ModelServer, keys: dict[str, tuple[str, str]], insult: str
) -> None:
    client = openai.OpenAI(base_url=f"{locked.url}/v1", api_key=keys["slow"][0], max_retries=0)
    client.moderations.create(input=insult)
    with pytest.raises(openai.RateLimitError) as caught:
        client.moderations.create(input=insult)
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.response.headers["retry-after"] == "1"
    answer = client.with_options(max_retries=3).moderations.with_raw_response.create(input=insult)
    assert answer.retries_taken > 0


@pytest.mark.parametrize("transport", [tritonclient.http, tritonclient.grpc], ids=["http", "grpc"])
def test_open_inference(locked: ModelServer, key: str, insult: str, transport: object) -> None:
    client = transport.InferenceServerClient(locked.address)
    text = transport.InferInput("text", [1], "BYTES")
    text.set_data_from_numpy(np.array([insult], dtype=np.object_))
    result = client.infer(MODEL, [text], headers={"authorization": f"Bearer {key}"})
    assert result.as_numpy("flagged").tolist() == [True]
    for headers in [{"authorization": f"Bearer {WRONG}"}, None]:
        with pytest.raises(InferenceServerException) as caught:
            client.infer(MODEL, [text], headers=headers)
        assert caught.value.status() in ("401", "StatusCode.UNAUTHENTICATED")
        assert "API key" in caught.value.message()
    assert client.is_server_ready()


def test_hugging_face(locked: ModelServer, key: str, insult: str) -> None:
    assert InferenceClient(model=locked.url, token=key).text_classification(insult)[0].label == "toxic"
    with pytest.raises(HfHubHTTPError) as caught:
        InferenceClient(model=locked.url, token=WRONG).text_classification(insult)
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", {"inputs": "a text"}),
        (f"/v1/models/{MODEL}:predict", {"instances": ["a text"]}),
        ("/v1/analyze", {"text": "a text"}),
        ("/predict", {"input": "a text"}),
    ],
    ids=["text-embeddings-inference", "kserve", "analyze", "predict"],
)
def test_a_bearer_token(locked: ModelServer, key: str, path: str, body: dict[str, object]) -> None:
    assert locked.post(path, body, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    for headers in [{"Authorization": f"Bearer {WRONG}"}, {}]:
        refused = locked.post(path, body, headers=headers)
        assert refused.status_code == 401
        assert refused.json()["error"]


def test_probes_and_metrics_need_no_key(locked: ModelServer) -> None:
    for path in ["/livez", "/readyz", "/metrics", "/v2/health/ready", f"/v2/models/{MODEL}/ready"]:
        assert requests.get(locked.url + path, timeout=PATIENCE).status_code == 200, path


def test_a_key_has_thresholds_of_its_own(
    locked: ModelServer, keys: dict[str, tuple[str, str]], civil: str
) -> None:
    flagged = {
        name: openai.OpenAI(base_url=f"{locked.url}/v1", api_key=keys[name][0])
        .moderations.create(input=civil)
        .results[0]
        .flagged
        for name in ("plain", "strict")
    }
    assert flagged == {"plain": False, "strict": True}
