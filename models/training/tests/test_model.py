"""The network, the file it is exported to, and the way from data to folder."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer

from toxicity_training import graph, network, training
from toxicity_training.batches import encode, group
from toxicity_training.pipeline import MODEL_FILES, Run
from toxicity_training.rows import Row, read_sets
from toxicity_training.vocabulary import choose_emoji, with_emoji

ONES, ZEROS = np.ones(6), np.zeros(6)


@pytest.fixture(scope="module")
def model() -> network.Classifier:
    torch.manual_seed(1)
    return network.pretrained({}).eval()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    found, _ = with_emoji(network.base_folder() / "tokenizer.json", ["I would love to 🔪 them"])
    return Tokenizer.from_str(json.dumps(found))


def outputs(file, texts: list[list[int]]) -> list[np.ndarray]:
    longest = max(map(len, texts))
    ids = np.zeros((len(texts), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})


def test_emoji_have_ids_of_their_own(tokenizer):
    ids = tokenizer.encode("I would love to🔪them 🦊").ids
    assert tokenizer.token_to_id("[UNK]") not in ids
    assert ids != tokenizer.encode("I would love to🦊them 🔪").ids
    assert tokenizer.get_vocab_size() == 30522
    # What is no emoji reads as before.
    assert tokenizer.encode("You [idiot] née 3:15").tokens == ["[CLS]", "you", "[", "idiot", "]", "nee", "3", ":", "15", "[SEP]"]


def test_the_commonest_emoji_come_first():
    assert choose_emoji(["🦊 🦊 🔪"], 3)[:2] == ["🦊", "🔪"]


def test_the_same_recipe_gives_the_same_weights(data, tokenizer):
    def weights() -> dict[str, torch.Tensor]:
        training.seed(7)
        recipe = training.Recipe(passes=1)
        model = training.train(network.pretrained({}), tokenizer, read_sets(data)[:200], recipe, lambda _: None, limit=2)
        return model.state_dict()

    first, second = weights(), weights()
    assert all(torch.equal(values, second[name]) for name, values in first.items())


@pytest.mark.parametrize("layers", network.EARLY_LAYERS)
def test_the_file_says_what_the_network_says(model, tokenizer, tmp_path, layers):
    texts = [tokenizer.encode(text).ids for text in ("you are an idiot", "thank you for the photo, it is lovely to see", "hm")]
    scale, offset = np.full(6, 2.0), np.full(6, -0.5)
    folding = graph.Folding(scale, offset, layers, ONES, ZEROS, 0.25, None)
    graph.write(model, folding, tmp_path / "exact.onnx", small=False)
    graph.write(model, folding, tmp_path / "small.onnx", small=True)
    exact, small = outputs(tmp_path / "exact.onnx", texts), outputs(tmp_path / "small.onnx", texts)
    for row, text in enumerate(texts):
        with torch.no_grad():
            logits, spans, _ = model(torch.tensor([text]), torch.ones(1, len(text), dtype=torch.long))
        assert exact[0][row] == pytest.approx(logits[0].numpy() * 2 - 0.5, abs=1e-4)
        assert exact[1][row, : len(text)] == pytest.approx(spans[0].numpy() + 0.25, abs=1e-4)
        assert small[0][row] == pytest.approx(exact[0][row], abs=0.2)
    assert (tmp_path / "small.onnx").stat().st_size < 25_000_000


def test_who_leaves_early_depends_on_the_text_alone(model, tokenizer, tmp_path):
    texts = [
        tokenizer.encode(text).ids
        for text in ("you are an idiot", "thank you for the photo, it is lovely to see", "hm", "kill them all now")
    ]
    layers = network.EARLY_LAYERS[0]
    whole = graph.Folding(ONES, ZEROS, layers, ONES, ZEROS, 0.0, None)
    graph.write(model, whole, tmp_path / "whole.onnx", small=False, early_output=True)
    late, spans, early = outputs(tmp_path / "whole.onnx", texts)
    below = float(np.sort(early.max(axis=1))[1:3].mean())
    graph.write(model, graph.Folding(ONES, ZEROS, layers, ONES, ZEROS, 0.0, below), tmp_path / "leaving.onnx", small=False)
    leaves = early.max(axis=1) < below
    assert leaves.sum() == 2
    together = outputs(tmp_path / "leaving.onnx", texts)
    for row, text in enumerate(texts):
        alone = outputs(tmp_path / "leaving.onnx", [text])
        expected = early[row] if leaves[row] else late[row]
        assert alone[0][0] == pytest.approx(expected, abs=1e-4)
        assert together[0][row] == pytest.approx(expected, abs=1e-4)
        words = np.full(len(text), graph.UNMARKED_LOGIT) if leaves[row] else spans[row, : len(text)]
        assert alone[1][0] == pytest.approx(words, abs=1e-4)
        assert together[1][row, : len(text)] == pytest.approx(words, abs=1e-4)


def test_batches_hold_like_lengths(tokenizer):
    rows = [Row("word " * length, (0.0,) * 6, "jigsaw") for length in (1, 2, 50, 51, 300)]
    encoded = encode(tokenizer, rows)
    assert len(encoded[-1].ids) == 192 and encoded[-1].ids[-1] == tokenizer.token_to_id("[SEP]")
    for found in group(encoded, 256):
        assert len(found) == 1 or len(found) * max(len(one.ids) for one in found) <= 256


def test_marked_characters_become_marked_tokens(tokenizer):
    row = Row("you stupid idiot", (1.0,) * 6, "toxic_spans", spans=list(range(4, 10)))
    assert encode(tokenizer, [row])[0].spans == [-1.0, 0.0, 1.0, 0.0, -1.0]


def test_one_command_makes_a_folder_that_a_server_loads(data, tmp_path):
    feedback = tmp_path / "feedback.jsonl"
    feedback.write_text('{"text": "you absolute spoon", "decision": "reject"}\n')
    run = Run(data, tmp_path / "work", tmp_path / "model", [feedback], None, smoke=True)
    for step in ("prepare", "train", "export", "evaluate", "install"):
        getattr(run, step)()
    assert {path.name for path in (tmp_path / "model").iterdir()} == set(MODEL_FILES)
    thresholds = json.loads((tmp_path / "model/thresholds.json").read_text())
    assert len(thresholds) == 6 and all(0 < value <= 1 for value in thresholds.values())
    reference = json.loads((tmp_path / "model/reference.json").read_text())
    figures = json.loads((tmp_path / "model/evaluation.json").read_text())
    rows = next(iter(figures["files"].values()))["rows"]
    assert all(sum(counts) == rows and len(counts) == 10 for counts in reference.values())
    assert "{{" not in (tmp_path / "model/README.md").read_text()
