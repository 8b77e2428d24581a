"""Requests as Coral, the comment system, sends them to Perspective.

Coral joins its setting `endpoint` and the method, adds the key to the query, and gives up after 800 ms, when it lets the
comment through unscored. Source: github.com/coralproject/talk, server/src/core/server/services/perspective.
"""

import json

import pytest
import requests

from model_server import ModelServer

# Coral's default for PERSPECTIVE_TIMEOUT, in seconds.
TIMEOUT = 0.8


def send(server: ModelServer, method: str, body: dict[str, object]) -> requests.Response:
    """Sends what Coral does when its `endpoint` is this server."""
    return requests.post(
        f"{server.url}/v1alpha1/comments:{method}",
        params={"key": "AIzaSyNotChecked"},
        data=json.dumps(body, separators=(",", ":")),
        headers={"Content-Type": "application/json", "Accept": "application/json, text/plain, */*"},
        timeout=TIMEOUT,
    )


# Each comment is scored for the first time, so that no answer comes from the cache.
@pytest.mark.parametrize("sentences", [1, 40], ids=["short", "long"])
def test_a_comment_is_scored_before_coral_gives_up(server: ModelServer, sentences: int) -> None:
    text = " ".join(f"Nobody with {number} brain cells would write that." for number in range(sentences))
    body = {
        "comment": {"text": text},
        "doNotStore": True,
        "requestedAttributes": {"TOXICITY": {}},
        "languages": ["en"],
    }
    response = send(server, "analyze", body)
    assert response.status_code == 200
    assert response.elapsed.total_seconds() < TIMEOUT
    value = response.json()["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
    assert value == pytest.approx(server.scores(text)["toxic"], abs=1e-6)


@pytest.mark.parametrize("value", [0, 1], ids=["approved", "deleted"])
def test_a_decision_of_a_moderator_is_taken(server: ModelServer, insult: str, value: int) -> None:
    comment = {
        "url": "https://news.example/story?commentID=0c5d8f0e",
        "reply_to_id_Coral_comment_id": "7b1e24c9",
        "Coral_comment_id": "0c5d8f0e",
    }
    body = {
        "comment": {"text": insult},
        "context": {"entries": [{"text": json.dumps(comment)}]},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": value}}},
        "languages": ["en"],
        "communityId": "Coral:https://comments.example",
        "clientToken": "comment:0c5d8f0e",
    }
    response = send(server, "suggestscore", body)
    assert response.status_code == 200, response.text
    assert response.json()["clientToken"] == "comment:0c5d8f0e"
