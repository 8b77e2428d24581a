"""Triton's clients, over HTTP and over gRPC, against the Open Inference Protocol."""

from types import ModuleType

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tokenizers import Tokenizer
from tritonclient.utils import InferenceServerException

from model_server import LABELS, MODEL, MODEL_FOLDER, ModelServer

INPUTS = {"text": "BYTES", "input_ids": "INT64", "attention_mask": "INT64", "token_type_ids": "INT64"}
OUTPUTS = {"scores": "FP32", "logits": "FP32", "flags": "BOOL", "flagged": "BOOL", "labels": "BYTES"}


class TritonClient:
    """Triton's client of one transport, and how a test speaks through it."""

    def __init__(self, transport: ModuleType, address: str) -> None:
        self.transport = transport
        self.client = transport.InferenceServerClient(address)
        # Over gRPC the client asks for JSON; over HTTP there is nothing else.
        self.described = {} if transport is tritonclient.http else {"as_json": True}

    def tensor(self, name: str, values: np.ndarray, **options: object) -> object:
        """An input tensor. Options are those of `set_data_from_numpy`."""
        tensor = self.transport.InferInput(name, values.shape, INPUTS[name])
        tensor.set_data_from_numpy(values, **options)
        return tensor

    def texts(self, *texts: str, **options: object) -> object:
        """The input `text`."""
        return self.tensor("text", np.array(texts, dtype=np.object_), **options)

    def output(self, name: str, **options: object) -> object:
        """An output to ask for. Options are those of `InferRequestedOutput`."""
        return self.transport.InferRequestedOutput(name, **options)

    def infer(self, *inputs: object, model: str = MODEL, **options: object) -> object:
        return self.client.infer(model, list(inputs), **options)


@pytest.fixture(scope="module", params=["http", "grpc"])
def triton(request: pytest.FixtureRequest, server: ModelServer) -> TritonClient:
    """Both transports are served on one port."""
    transports = {"http": tritonclient.http, "grpc": tritonclient.grpc}
    return TritonClient(transports[request.param], server.address)


@pytest.fixture(scope="module")
def http(server: ModelServer) -> TritonClient:
    """The client of the transport that has two forms for the data of a tensor."""
    return TritonClient(tritonclient.http, server.address)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    tokenizer.enable_padding()
    return tokenizer


def expected(server: ModelServer, *texts: str) -> np.ndarray:
    """Scores by the native protocol, a row per text."""
    return np.array([[server.scores(text)[label] for label in LABELS] for text in texts], dtype=np.float32)


def test_server_and_model_are_live_and_ready(triton: TritonClient) -> None:
    assert triton.client.is_server_live()
    assert triton.client.is_server_ready()
    assert triton.client.is_model_ready(MODEL)
    assert not triton.client.is_model_ready("another")


def test_the_server_names_its_extensions(triton: TritonClient) -> None:
    metadata = triton.client.get_server_metadata(**triton.described)
    assert metadata["name"] == "toxicity-model-server"
    assert {"binary_tensor_data", "classification"} <= set(metadata["extensions"])


def test_the_model_says_what_it_takes_and_gives(triton: TritonClient) -> None:
    metadata = triton.client.get_model_metadata(MODEL, **triton.described)
    assert metadata["name"] == MODEL
    assert {tensor["name"]: tensor["datatype"] for tensor in metadata["inputs"]} == INPUTS
    assert {tensor["name"]: tensor["datatype"] for tensor in metadata["outputs"]} == OUTPUTS
    [version] = metadata["versions"]
    assert triton.client.is_model_ready(MODEL, version)
    assert not triton.client.is_model_ready(MODEL, "another")


def test_the_model_has_a_configuration(triton: TritonClient) -> None:
    configuration = triton.client.get_model_config(MODEL, **triton.described)
    # Over gRPC it lies in a message of its own.
    configuration = configuration.get("config", configuration)
    assert {tensor["name"] for tensor in configuration["input"]} == set(INPUTS)
    assert {tensor["name"]: tensor["data_type"] for tensor in configuration["output"]}["scores"] == "TYPE_FP32"


def test_the_index_and_the_statistics_name_the_model(triton: TritonClient, civil: str) -> None:
    index = triton.client.get_model_repository_index(**triton.described)
    index = index if isinstance(index, list) else index["models"]
    assert [(model["name"], model["state"]) for model in index] == [(MODEL, "READY")]

    def inferences() -> int:
        statistics = triton.client.get_inference_statistics(MODEL, **triton.described)
        [model] = statistics["model_stats"]
        return int(model["inference_stats"]["success"]["count"])

    before = inferences()
    triton.infer(triton.texts(civil))
    assert inferences() > before


def test_texts_are_scored(server: ModelServer, triton: TritonClient, civil: str, insult: str) -> None:
    result = triton.infer(triton.texts(insult, civil), request_id="7")
    np.testing.assert_allclose(result.as_numpy("scores"), expected(server, insult, civil), rtol=0, atol=1e-6)
    scores = 1 / (1 + np.exp(-result.as_numpy("logits").astype(np.float64)))
    np.testing.assert_allclose(result.as_numpy("scores"), scores, rtol=0, atol=1e-6)
    assert result.as_numpy("flags").tolist() == (result.as_numpy("scores") >= 0.5).tolist()
    assert result.as_numpy("flagged").tolist() == [True, False]
    assert [label.decode() for label in result.as_numpy("labels")] == LABELS


def test_the_id_of_a_request_comes_back(triton: TritonClient, civil: str) -> None:
    result = triton.infer(triton.texts(civil), request_id="a-4711")
    response = result.get_response()
    assert (response["id"] if isinstance(response, dict) else response.id) == "a-4711"


@pytest.mark.parametrize("binary_in", [False, True], ids=["json in", "binary in"])
@pytest.mark.parametrize("binary_out", [False, True], ids=["json out", "binary out"])
def test_both_forms_of_data_mean_the_same(
    server: ModelServer, http: TritonClient, binary_in: bool, binary_out: bool
) -> None:
    texts = ["You are a stupid idiot.", "Ünïcode 😀 \"quoted\"\n\u0000", "Thanks."]
    outputs = [http.output(name, binary_data=binary_out) for name in OUTPUTS]
    result = http.infer(http.texts(*texts, binary_data=binary_in), outputs=outputs)
    np.testing.assert_allclose(result.as_numpy("scores"), expected(server, *texts), rtol=0, atol=1e-6)
    assert result.as_numpy("flagged").tolist() == [True, False, False]
    assert len(result.as_numpy("labels")) == len(LABELS)


def test_a_column_of_texts_is_scored(server: ModelServer, triton: TritonClient, civil: str, insult: str) -> None:
    column = triton.tensor("text", np.array([[insult], [civil]], dtype=np.object_))
    np.testing.assert_allclose(
        triton.infer(column).as_numpy("scores"), expected(server, insult, civil), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_token_ids_score_as_their_texts_do(
    server: ModelServer, http: TritonClient, tokenizer: Tokenizer, civil: str, insult: str, binary: bool
) -> None:
    encodings = tokenizer.encode_batch([insult, civil])
    tensors = {
        "input_ids": [encoding.ids for encoding in encodings],
        "attention_mask": [encoding.attention_mask for encoding in encodings],
        "token_type_ids": [encoding.type_ids for encoding in encodings],
    }
    inputs = [http.tensor(name, np.array(rows, dtype=np.int64), binary_data=binary) for name, rows in tensors.items()]
    scores = http.infer(*inputs).as_numpy("scores")
    np.testing.assert_allclose(scores, expected(server, insult, civil), rtol=0, atol=1e-6)


def test_token_ids_without_padding_need_no_mask(
    server: ModelServer, triton: TritonClient, tokenizer: Tokenizer, insult: str
) -> None:
    ids = np.array([tokenizer.encode(insult).ids], dtype=np.int64)
    scores = triton.infer(triton.tensor("input_ids", ids)).as_numpy("scores")
    np.testing.assert_allclose(scores, expected(server, insult), rtol=0, atol=1e-6)


def test_only_the_outputs_asked_for_come(triton: TritonClient, civil: str) -> None:
    result = triton.infer(triton.texts(civil), outputs=[triton.output("flagged")])
    assert result.as_numpy("flagged").tolist() == [False]
    assert result.as_numpy("scores") is None


def test_classification_gives_the_highest_labels(server: ModelServer, triton: TritonClient, insult: str) -> None:
    outputs = [triton.output("scores", class_count=2)]
    classes = triton.infer(triton.texts(insult), outputs=outputs).as_numpy("scores")
    ranked = sorted(server.scores(insult).items(), key=lambda item: -item[1])[:2]
    assert [cell.decode() for cell in classes.ravel()] == [
        f"{score:.6f}:{LABELS.index(label)}:{label}" for label, score in ranked
    ]


def test_requests_may_run_beside_each_other(triton: TritonClient, civil: str, insult: str) -> None:
    texts = [civil, insult] * 8
    if triton.transport is tritonclient.http:
        pending = [triton.client.async_infer(MODEL, [triton.texts(text)]) for text in texts]
        results = [request.get_result() for request in pending]
    else:
        results = [triton.infer(triton.texts(text)) for text in texts]
    assert [result.as_numpy("flagged")[0] for result in results] == [False, True] * 8


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_a_compressed_request_is_read(triton: TritonClient, insult: str, algorithm: str) -> None:
    if triton.transport is tritonclient.http:
        result = triton.infer(triton.texts(insult), request_compression_algorithm=algorithm)
    else:
        result = triton.infer(triton.texts(insult), compression_algorithm=algorithm)
    assert result.as_numpy("flagged").tolist() == [True]


def test_an_error_names_the_tensor_or_the_model(triton: TritonClient, tokenizer: Tokenizer, civil: str) -> None:
    ids = triton.tensor("input_ids", np.array([[101, 102]], dtype=np.int64))
    unknown = triton.tensor("input_ids", np.array([[101, 30_522, 102]], dtype=np.int64))
    text = triton.texts(civil)
    for inputs, options, message in [
        ([], {}, "no input"),
        ([text, ids], {}, "text"),
        ([unknown], {}, "30522"),
        ([triton.texts("")], {}, "index 0"),
        ([text], {"outputs": [triton.output("embedding")]}, "embedding"),
        ([text], {"model": "another"}, "another"),
        ([text], {"model_version": "another"}, "another"),
    ]:
        with pytest.raises(InferenceServerException, match=message):
            triton.infer(*inputs, **options)


def test_models_cannot_be_loaded_by_the_protocol(triton: TritonClient) -> None:
    with pytest.raises(InferenceServerException) as caught:
        triton.client.load_model(MODEL)
    assert isinstance(caught.value.message(), str)
