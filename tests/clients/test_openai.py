"""OpenAI's client against `/v1/moderations`."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from model_server import PATIENCE, ModelServer

# The names of the categories as the client's types have them.
CATEGORIES = [
    "harassment",
    "harassment_threatening",
    "hate",
    "hate_threatening",
    "illicit",
    "illicit_violent",
    "self_harm",
    "self_harm_instructions",
    "self_harm_intent",
    "sexual",
    "sexual_minors",
    "violence",
    "violence_graphic",
]


@pytest.fixture(scope="module")
def client(server: ModelServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="not-checked", max_retries=0)


def test_a_text_is_flagged_with_all_categories(client: openai.OpenAI, insult: str) -> None:
    answer = client.moderations.create(model="omni-moderation-latest", input=insult)
    assert answer.id.startswith("modr-")
    [result] = answer.results
    assert result.flagged
    for category in CATEGORIES:
        assert isinstance(getattr(result.categories, category), bool), category
        assert 0 <= getattr(result.category_scores, category) <= 1, category
        assert getattr(result.category_applied_input_types, category) in ([], ["text"]), category
    assert result.categories.harassment
    assert not result.categories.violence


def test_the_scores_are_those_of_the_labels(server: ModelServer, client: openai.OpenAI, insult: str) -> None:
    [result] = client.moderations.create(input=insult).results
    scores = server.scores(insult)
    expected = {
        "harassment": max(scores["toxic"], scores["severe_toxic"], scores["insult"]),
        "harassment_threatening": scores["threat"],
        "hate": scores["identity_hate"],
        "hate_threatening": min(scores["identity_hate"], scores["threat"]),
        "violence": scores["threat"],
    }
    for category, score in expected.items():
        assert getattr(result.category_scores, category) == pytest.approx(score, abs=1e-6), category
    assert result.category_scores.self_harm == 0


def test_what_the_model_cannot_judge_is_said(client: openai.OpenAI, civil: str) -> None:
    answer = client.moderations.create(input=civil)
    assert set(answer.model_extra["unsupported_categories"]) == {
        "illicit",
        "illicit/violent",
        "self-harm",
        "self-harm/intent",
        "self-harm/instructions",
        "sexual",
        "sexual/minors",
        "violence/graphic",
    }


def test_a_list_of_texts_gets_a_result_each(client: openai.OpenAI, civil: str, insult: str) -> None:
    results = client.moderations.create(input=[civil, insult, civil]).results
    assert [result.flagged for result in results] == [False, True, False]


def test_the_parts_of_a_message_get_one_result(client: openai.OpenAI, civil: str, insult: str) -> None:
    parts = [{"type": "text", "text": civil}, {"type": "text", "text": insult}]
    [result] = client.moderations.create(input=parts).results
    assert result.flagged


def test_the_asynchronous_client_works_too(server: ModelServer, insult: str) -> None:
    async def flagged() -> bool:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="not-checked") as client:
            return (await client.moderations.create(input=insult)).results[0].flagged

    assert asyncio.run(flagged())


@pytest.mark.parametrize(
    ("text", "param", "code"),
    [
        ([], "input", "empty_array"),
        ("", "input", "empty_string"),
        (["fine", " \n"], "input", "empty_string"),
        ("a" * 20_001, "input", "string_above_max_length"),
        (["a"] * 1_001, "input", "array_above_max_length"),
        ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}], "input[0].type", "invalid_value"),
        ({"text": "an object"}, "input", "invalid_type"),
    ],
)
def test_an_error_names_the_parameter(client: openai.OpenAI, text: object, param: str, code: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.moderations.create(input=text)
    assert caught.value.type == "invalid_request_error"
    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.request_id


def test_an_error_names_a_parameter_that_is_not_known(client: openai.OpenAI, civil: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.moderations.create(input=civil, extra_body={"threshold": 0.9})
    assert (caught.value.param, caught.value.code) == ("threshold", "unknown_parameter")


@pytest.fixture
def full_server() -> Iterator[ModelServer]:
    """A server whose one place is taken for some seconds."""
    texts = [f"{number} " + "words that nobody has scored before " * 60 for number in range(60)]
    with ModelServer("--max-concurrent-requests=1") as server, ThreadPoolExecutor() as pool:
        pool.submit(server.post, "/v1/analyze", {"texts": texts})
        server.wait_for("/readyz", 503)
        yield server


def test_a_full_server_says_when_to_come_back_and_the_client_does(full_server: ModelServer, insult: str) -> None:
    client = openai.OpenAI(base_url=f"{full_server.url}/v1", api_key="not-checked", timeout=PATIENCE)
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=0).moderations.create(input=insult)
    assert int(caught.value.response.headers["retry-after"]) >= 1
    assert caught.value.code == "overloaded"
    answer = client.with_options(max_retries=100).moderations.with_raw_response.create(input=insult)
    assert answer.retries_taken > 0
    assert answer.parse().results[0].flagged
