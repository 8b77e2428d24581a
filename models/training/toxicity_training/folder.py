"""The model folder around the weights: what the model server and Hugging Face's libraries read."""

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path

import numpy as np

from .batches import WINDOW
from .labels import LABELS
from .rows import Row

# Upper edges of the model server's drift bins (model-server/src/drift.rs).
DRIFT_EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)


def write_json(path: Path, content) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def revision(folder: Path) -> str:
    """The name that the model server gives to exactly these files (model-server/src/model/revision.rs)."""
    names = ("model.onnx", "tokenizer.json", "config.json")
    digests = b"".join(hashlib.sha256((folder / name).read_bytes()).digest() for name in names)
    return hashlib.sha256(digests).hexdigest()[:12]


def write_config(folder: Path, encoder_config: dict) -> None:
    """`config.json` and `tokenizer_config.json`."""
    kept = (
        "hidden_act",
        "hidden_size",
        "intermediate_size",
        "layer_norm_eps",
        "max_position_embeddings",
        "num_attention_heads",
        "num_hidden_layers",
        "pad_token_id",
        "type_vocab_size",
        "vocab_size",
    )
    config = {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "problem_type": "multi_label_classification",
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
        **{name: encoder_config[name] for name in kept},
    }
    write_json(folder / "config.json", config)
    write_json(
        folder / "tokenizer_config.json", {"do_lower_case": True, "model_max_length": WINDOW, "tokenizer_class": "BertTokenizerFast"}
    )


def write_reference(folder: Path, scores: np.ndarray) -> None:
    """How the scores of ordinary comments are spread, for the model server's drift index; `scores` [texts, labels]."""
    places = np.searchsorted(np.array(DRIFT_EDGES), scores, side="right")
    write_json(
        folder / "reference.json",
        {label: np.bincount(places[:, index], minlength=len(DRIFT_EDGES) + 1).tolist() for index, label in enumerate(LABELS)},
    )


def write_rows(path: Path, rows: list[Row]) -> str:
    """Labelled rows as a compressed CSV file, the same bytes for the same rows; gives its SHA-256."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["text", *LABELS])
    for row in rows:
        writer.writerow([row.text, *("" if value != value else f"{value:g}" for value in row.labels)])
    content = gzip.compress(text.getvalue().encode(), mtime=0)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
