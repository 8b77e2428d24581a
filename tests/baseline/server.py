"""The server that most people would write for a classifier: Flask, tokenizers and ONNX Runtime.

It is what `cargo xtask bench server` measures the model server beside: one text per request, a batch of one, the
sessions' default options, a sigmoid and a threshold. Run it by `waitress-serve server:app` with MODEL_FOLDER set.
"""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
from flask import Flask, jsonify, request
from tokenizers import Tokenizer

folder = Path(os.environ["MODEL_FOLDER"])
config = json.loads((folder / "config.json").read_text())
labels = [config["id2label"][str(index)] for index in range(len(config["id2label"]))]
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(max_length=config["max_position_embeddings"])
session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="ok")


@app.post("/predict")
def predict():
    encoding = tokenizer.encode(request.get_json()["text"])
    inputs = {
        "input_ids": np.array([encoding.ids], dtype=np.int64),
        "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
        "token_type_ids": np.array([encoding.type_ids], dtype=np.int64),
    }
    [logits] = session.run(["logits"], inputs)
    scores = 1 / (1 + np.exp(-logits[0]))
    return jsonify(
        scores={label: float(score) for label, score in zip(labels, scores)},
        flags=[label for label, score in zip(labels, scores) if score >= 0.5],
    )
