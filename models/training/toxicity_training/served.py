"""The exported file as the model server runs it: ONNX Runtime, one thread to a session, one text at a time."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from .windows import windows


@dataclass
class Scored:
    """Highest logit per label over the windows, those after the first layers where the file gives them, and the logit
    and offsets of each token."""

    logits: np.ndarray
    early_logits: np.ndarray | None
    span_logits: np.ndarray | None
    offsets: list[tuple[int, int]]


class Served:
    """A model folder's weights, with the tokenizer."""

    def __init__(self, file: Path, tokenizer: Tokenizer, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The model server leaves this fusion out as well: its kernel is slower than its parts.
        options.add_session_config_entry("optimization.disable_specified_optimizers", "SkipLayerNormFusion")
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.inputs = {found.name for found in self.session.get_inputs()}

    def run(self, ids: list[int]) -> list[np.ndarray]:
        """Outputs of one sequence."""
        sequence = np.array([ids], dtype=np.int64)
        feed = {"input_ids": sequence, "attention_mask": np.ones_like(sequence), "token_type_ids": np.zeros_like(sequence)}
        return self.session.run(None, {name: values for name, values in feed.items() if name in self.inputs})

    def score(self, text: str) -> Scored:
        """Scores one text in as many windows as it takes."""
        encoding = self.tokenizer.encode(text)
        first, *ids, last = encoding.ids
        spans = np.full(len(ids), -np.inf) if "span_logits" in self.outputs else None
        found, early = [], []
        for begin, end in windows(len(ids)):
            outputs = dict(zip(self.outputs, self.run([first, *ids[begin:end], last]), strict=True))
            found.append(outputs["logits"][0])
            if "early_logits" in outputs:
                early.append(outputs["early_logits"][0])
            if spans is not None:
                spans[begin:end] = np.maximum(spans[begin:end], outputs["span_logits"][0, 1:-1])
        return Scored(np.max(found, axis=0), np.max(early, axis=0) if early else None, spans, encoding.offsets[1:-1])

    def score_all(self, texts: list[str], workers: int = 2) -> list[Scored]:
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self.score, texts, chunksize=64))


def tokens_per_second(models: dict[str, Served], texts: list[str], rounds: int = 3) -> dict[str, float]:
    """Tokens that one thread scores in a second with each model, taking turns so that none has the better minute: the
    median over the rounds."""
    encoded = {name: [model.tokenizer.encode(text).ids[:192] for text in texts] for name, model in models.items()}
    found: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            began = time.perf_counter()
            for ids in encoded[name]:
                model.run(ids)
            found[name].append(sum(map(len, encoded[name])) / (time.perf_counter() - began))
    return {name: float(np.median(speeds)) for name, speeds in found.items()}
