"""Google's client for Python against `comments:analyze` and `comments:suggestscore`."""

import json

import pytest
from googleapiclient.discovery import Resource, build
from googleapiclient.errors import HttpError

from model_server import ModelServer

ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"


@pytest.fixture(scope="module")
def comments(server: ModelServer) -> Resource:
    """The methods of the service, as Google's documentation of the Perspective API makes them: only the host is another
    one."""
    service = build(
        "commentanalyzer",
        "v1alpha1",
        developerKey="not-checked",
        discoveryServiceUrl=f"{server.url}/$discovery/rest?version=v1alpha1",
        static_discovery=False,
    )
    return service.comments()


def refusal(comments: Resource, **body: object) -> HttpError:
    """The error that `analyze` gives for a body."""
    complete = {"comment": {"text": "You are a stupid idiot."}, "requestedAttributes": {"TOXICITY": {}}}
    with pytest.raises(HttpError) as caught:
        comments.analyze(body=complete | body).execute()
    return caught.value


def test_attributes_are_the_scores_of_the_labels(
    server: ModelServer, comments: Resource, insult: str
) -> None:
    label_of = {
        "TOXICITY": "toxic",
        "SEVERE_TOXICITY": "severe_toxic",
        "PROFANITY": "obscene",
        "THREAT": "threat",
        "INSULT": "insult",
        "IDENTITY_ATTACK": "identity_hate",
    }
    body = {
        "comment": {"text": insult, "type": "PLAIN_TEXT"},
        "requestedAttributes": {attribute: {} for attribute in label_of},
        "languages": ["en"],
        "doNotStore": True,
        "clientToken": "comment:1",
        "sessionId": "7",
        "communityId": "tests",
    }
    answer = comments.analyze(body=body).execute()
    scores = server.scores(insult)
    assert answer["clientToken"] == "comment:1"
    assert answer["languages"] == ["en"]
    assert list(answer["attributeScores"]) == list(label_of)
    for attribute, label in label_of.items():
        summary = answer["attributeScores"][attribute]["summaryScore"]
        assert summary["type"] == "PROBABILITY"
        assert summary["value"] == pytest.approx(scores[label], abs=1e-6)


def test_spans_are_sentences_in_utf_16_units(comments: Resource) -> None:
    first, second = "You are a stupid idiot 😀!", "Sorry, I like your name 🙂."
    body = {
        "comment": {"text": f"{first} {second}"},
        "requestedAttributes": {"TOXICITY": {}},
        "spanAnnotations": True,
        "languages": ["en"],
    }
    spans = comments.analyze(body=body).execute()["attributeScores"]["TOXICITY"]["spanScores"]
    units = body["comment"]["text"].encode("utf-16-le")
    cut = [units[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le").strip() for span in spans]
    assert cut == [first, second]
    values = [span["score"]["value"] for span in spans]
    assert values[0] > 0.9 > 0.1 > values[1]


def test_a_score_below_its_threshold_is_left_out(comments: Resource, insult: str) -> None:
    attributes = {"TOXICITY": {"scoreThreshold": 0.9}, "THREAT": {"scoreThreshold": 0.9}}
    body = {"comment": {"text": insult}, "requestedAttributes": attributes, "languages": ["en"]}
    scores = comments.analyze(body=body).execute()["attributeScores"]
    assert "summaryScore" in scores["TOXICITY"]
    assert "summaryScore" not in scores.get("THREAT", {})


def test_the_language_is_detected_where_none_is_named(comments: Resource) -> None:
    body = {
        "comment": {"text": "I have read the article twice and I still do not see what the author wants."},
        "requestedAttributes": {"TOXICITY": {}},
    }
    assert comments.analyze(body=body).execute()["detectedLanguages"] == ["en"]


def test_context_is_taken(comments: Resource, insult: str) -> None:
    for context in [
        {"entries": [{"text": "What do you think of me?"}]},
        {"articleAndParentComment": {"article": {"text": "News"}, "parentComment": {"text": "Who am I?"}}},
    ]:
        body = {
            "comment": {"text": insult},
            "context": context,
            "requestedAttributes": {"TOXICITY": {}},
            "languages": ["en"],
        }
        assert comments.analyze(body=body).execute()["attributeScores"]["TOXICITY"]["summaryScore"]


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({"comment": {"text": ""}}, "COMMENT_EMPTY"),
        ({"comment": {"text": "a " * 20_000}}, "COMMENT_TOO_LONG"),
        ({"requestedAttributes": {}}, "NO_REQUESTED_ATTRIBUTES"),
        ({"requestedAttributes": {"SPAM": {}}}, "INVALID_REQUEST"),
        ({"languages": ["de"]}, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
        ({"comment": {"text": "<b>You</b>", "type": "HTML"}}, "INVALID_REQUEST"),
        ({"requestedAttributes": {"TOXICITY": {"scoreType": "RAW"}}}, "INVALID_REQUEST"),
    ],
)
def test_an_error_says_its_type(comments: Resource, body: dict[str, object], error_type: str) -> None:
    error = refusal(comments, **body)
    assert error.status_code == 400
    assert json.loads(error.content)["error"]["status"] == "INVALID_ARGUMENT"
    assert error.error_details[0]["@type"] == ERROR
    assert error.error_details[0]["errorType"] == error_type


def test_a_language_that_is_not_judged_is_named(comments: Resource) -> None:
    error = refusal(comments, languages=["de"])
    assert error.reason == "Attribute TOXICITY does not support request languages: de"
    assert error.error_details[0]["languageNotSupportedByAttributeError"] == {
        "requestedLanguages": ["de"],
        "attribute": "TOXICITY",
    }


def test_a_field_that_is_not_known_is_named(comments: Resource) -> None:
    error = refusal(comments, requestedAtributes={})
    assert error.status_code == 400
    assert '"requestedAtributes"' in error.reason


def test_a_better_score_is_taken(comments: Resource, insult: str) -> None:
    body = {
        "comment": {"text": insult},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1, "type": "PROBABILITY"}}},
        "languages": ["en"],
        "communityId": "tests",
        "clientToken": "comment:1",
    }
    answer = comments.suggestscore(body=body).execute()
    assert answer["clientToken"] == "comment:1"
    assert answer["requestedLanguages"] == ["en"]


def test_a_better_score_must_be_there(comments: Resource, insult: str) -> None:
    for scores in [{}, {"TOXICITY": {}}]:
        with pytest.raises(HttpError) as caught:
            comments.suggestscore(body={"comment": {"text": insult}, "attributeScores": scores}).execute()
        assert caught.value.status_code == 400
