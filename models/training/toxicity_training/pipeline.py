"""From data to model folder, step by step; each step leaves what it made in the work folder, so that it can be run
again alone."""

import json
import os
import pickle
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from . import calibration, card, evaluation, folder, graph, network, plots, training
from .batches import schedule
from .labels import LABELS
from .rows import Row, read_feedback, read_sets, read_toxic_spans
from .served import Served, tokens_per_second
from .sources import SOURCES
from .split import split
from .templates import measured
from .vocabulary import with_emoji

PACKAGE = Path(__file__).parent
MODEL_FILES = (
    "model.onnx",
    "tokenizer.json",
    "config.json",
    "tokenizer_config.json",
    "thresholds.json",
    "reference.json",
    "evaluation.json",
    "README.md",
    "roc.svg",
    "calibration.svg",
)


@dataclass
class Run:
    """One making of the model."""

    data: Path
    work: Path
    out: Path
    feedback: list[Path]
    baseline: Path | None
    smoke: bool

    def say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def recipe(self) -> training.Recipe:
        return training.Recipe(passes=1) if self.smoke else training.Recipe()

    # Prepare

    def prepare(self) -> None:
        """Reads the sets, keeps back what measures, and gives the tokenizer its emoji."""
        rows = read_sets(self.data)
        for path in self.feedback:
            rows += read_feedback(path)
        learned, held_back, left_out = split(rows)
        if self.smoke:
            learned, held_back = learned[::60], held_back[::10]
        tokenizer, begins = with_emoji(network.base_folder() / "tokenizer.json", [row.text for row in learned])
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
        with (self.work / "split.pickle").open("wb") as file:
            pickle.dump((learned, held_back, left_out, begins), file)
        near = sum(left_out.values())
        self.say(f"{len(learned):,} texts to learn from, {len(held_back):,} to measure with, {near:,} left out for standing near these")

    def split_rows(self) -> tuple[list[Row], list[Row], Counter[str], dict[int, list[int]]]:
        with (self.work / "split.pickle").open("rb") as file:
            return pickle.load(file)

    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self.work / "tokenizer.json"))

    # Train

    def train(self) -> None:
        """Trains and writes the weights."""
        learned, _, _, begins = self.split_rows()
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        training.seed(self.recipe().seed)
        model = training.train(
            network.pretrained(begins), self.tokenizer(), learned, self.recipe(), self.say, limit=12 if self.smoke else None
        )
        torch.save(model.state_dict(), self.work / "weights.pt")

    def model(self) -> network.Classifier:
        model = network.pretrained({})
        model.load_state_dict(torch.load(self.work / "weights.pt", map_location="cpu"))
        return model.eval()

    # Export

    def export(self) -> None:
        """Calibrates, decides who may leave early, and writes both graphs and the thresholds."""
        _, held_back, _, _ = self.split_rows()
        tokenizer, model = self.tokenizer(), self.model()
        by_source = group_by_source(held_back)
        sentences = measured.sentences()
        texts = {name: [row.text for row in rows] for name, rows in by_source.items()} | {"bias": [sentence.text for sentence in sentences]}
        truth = {name: evaluation.truth_of(rows) for name, rows in by_source.items()}
        truth["bias"] = np.full((len(sentences), len(LABELS)), np.nan)
        truth["bias"][:, [LABELS.index("toxic"), LABELS.index("identity_hate")]] = np.array(
            [[sentence.hateful] for sentence in sentences], dtype=float
        )
        best: tuple[float, graph.Folding, dict[str, float]] | None = None
        span_offset = None
        for layers in network.EARLY_LAYERS:
            # Measured on a file without branch, whose logits are those of both places, windows included.
            ones, zeros = np.ones(len(LABELS)), np.zeros(len(LABELS))
            plain = graph.Folding(ones, zeros, layers, ones, zeros, 0.0, None)
            graph.write(model, plain, self.work / "plain.onnx", small=True, early_output=True)
            served = Served(self.work / "plain.onnx", tokenizer)
            if span_offset is None:
                # The words come after all layers, wherever texts may leave.
                span_offset = self.span_offset(served)
            raw = {name: both_logits(served, found) for name, found in texts.items()}
            scale, offset = calibration.platt(raw["jigsaw"][0], truth["jigsaw"])
            early_scale, early_offset = calibration.platt(raw["jigsaw"][1], truth["jigsaw"])
            sets = {
                name: calibration.Measured(name, late * scale + offset, early * early_scale + early_offset, truth[name])
                for name, (late, early) in raw.items()
            }
            others = [found for name, found in sets.items() if name != "jigsaw"]
            below = calibration.choose_leaving(sets["jigsaw"], others)
            leaving = {name: found.leaving(below) if below is not None else 0.0 for name, found in sets.items()}
            saved = leaving["jigsaw"] * (1 - layers / model.encoder.config.num_hidden_layers)
            at = "nowhere" if below is None else f"under {calibration.sigmoid(np.array(below)):.4f}"
            share = f"{leaving['jigsaw']:.1%} of ordinary comments"
            self.say(f"after {layers} layers texts may leave {at}: {share}, which saves {saved:.1%} of the work")
            if best is None or saved > best[0]:
                best = saved, graph.Folding(scale, offset, layers, early_scale, early_offset, span_offset, below), leaving
        _, folding, leaving = best
        graph.write(model, folding, self.work / "model.onnx", small=True)
        graph.write(model, folding, self.work / "model.fp32.onnx", small=False)
        shipped = Served(self.work / "model.onnx", tokenizer)
        scores = scores_of(shipped, texts["jigsaw"])
        folder.write_json(self.work / "thresholds.json", calibration.thresholds(scores, truth["jigsaw"]))
        folder.write_reference(self.work, scores)
        folder.write_config(self.work, model.encoder.config.to_dict())
        folder.write_json(self.work / "leaving.json", {"layers": folding.early_layers, "below": folding.leave_below, "share": leaving})

    def span_offset(self, served: Served) -> float:
        """What is added to the logits of words so that zero marks best: chosen on a tenth of the texts it learned from,
        for the file that measures is not for choosing."""
        rows = [row for row in read_toxic_spans(self.data / "toxic_spans/tsd_train.csv.gz") if row.spans][::10]
        scored = served.score_all([row.text for row in rows])
        return -max(np.arange(-2.0, 1.01, 0.25), key=lambda threshold: evaluation.span_f1(rows, scored, threshold))

    # Evaluate and report

    def evaluate(self) -> None:
        """Measures the exported file and writes the figures, the plots and the card."""
        learned, held_back, left_out, _ = self.split_rows()
        tokenizer = self.tokenizer()
        thresholds = json.loads((self.work / "thresholds.json").read_text())
        shipped, exact = Served(self.work / "model.onnx", tokenizer), Served(self.work / "model.fp32.onnx", tokenizer)
        before = Served(self.baseline / "model.onnx", Tokenizer.from_file(str(self.baseline / "tokenizer.json"))) if self.baseline else None
        by_source = group_by_source(held_back)
        found, first = {}, {}
        for name, rows in by_source.items():
            truth, texts = evaluation.truth_of(rows), [row.text for row in rows]
            scores = scores_of(shipped, texts)
            found[name] = evaluation.figures(truth, scores, thresholds)
            if before:
                first[name] = evaluation.figures(truth, scores_of(before, texts), dict.fromkeys(LABELS, 0.5))
            if name == "jigsaw":
                plots.roc(truth, scores, self.work / "roc.svg")
                plots.calibration(truth, scores, self.work / "calibration.svg")
                exact_mean = evaluation.mean_auc(evaluation.figures(truth, scores_of(exact, texts), thresholds))
        self.say(f"Jigsaw: mean AUC {100 * evaluation.mean_auc(found['jigsaw']):.2f}, with 32 bits {100 * exact_mean:.2f}")
        bias = evaluation.bias(shipped, thresholds)
        bias_before = evaluation.bias(before, dict.fromkeys(LABELS, 0.5)) if before else None
        trial = read_toxic_spans(self.data / "toxic_spans/tsd_trial.csv.gz")
        spans = evaluation.span_f1(trial, shipped.score_all([row.text for row in trial]))
        self.say(f"words: F1 {100 * spans:.1f}; bias set: {bias.described()['auc']}")
        texts = [row.text for row in by_source["jigsaw"]][:: max(1, len(by_source["jigsaw"]) // 400)]
        speeds = tokens_per_second({"this model": shipped, **({"first model": before} if before else {}), "32 bits": exact}, texts)
        self.say(", ".join(f"{name}: {speed:,.0f} tokens/s" for name, speed in speeds.items()))
        digest = folder.write_rows(self.work / "validation.csv.gz", by_source["jigsaw"])
        leaving = json.loads((self.work / "leaving.json").read_text())
        figures = {
            "model_revision": folder.revision(self.work),
            "files": {
                digest: {
                    "name": "validation.csv.gz",
                    "rows": len(by_source["jigsaw"]),
                    "labels": {label: figure.described() for label, figure in found["jigsaw"].items()},
                }
            },
            "mean_auc": {"int8": round(evaluation.mean_auc(found["jigsaw"]), 5), "fp32": round(exact_mean, 5)},
            "sources": {name: {label: figure.described() for label, figure in labels.items()} for name, labels in found.items()},
            "bias": bias.described(),
            "span_f1": round(spans, 5),
            "tokens_per_second": {name: round(speed) for name, speed in speeds.items()},
            "leaving": leaving,
            "recipe": self.recipe().described(),
        }
        folder.write_json(self.work / "evaluation.json", figures)
        self.report(learned, left_out, found, first, bias, bias_before, spans, speeds, exact_mean, leaving)

    def report(self, learned, left_out, found, first, bias, bias_before, spans, speeds, exact_mean, leaving) -> None:
        shown = Counter(row.source for row in schedule(learned, 0, self.recipe().seed, 0.0))
        size = (self.work / "model.onnx").stat().st_size
        mean = evaluation.mean_auc(found["jigsaw"])
        compared = ""
        if first:
            rows = []
            for name in found:
                for label in LABELS:
                    new, old = found[name].get(label), first[name].get(label)
                    if new and old and new.auc == new.auc and min(new.positives, new.known - new.positives) >= 20:
                        rows.append(
                            [
                                f"`{name}`",
                                f"`{label}`",
                                card.percent(old.auc, 2),
                                card.percent(new.auc, 2),
                                f"{100 * (new.auc - old.auc):+.2f}",
                            ]
                        )
            compared = card.table(["set", "label", "first model", "this model", "difference"], rows)
        values = {
            "revision": folder.revision(self.work),
            "size": f"{size / 1e6:.1f} MB",
            "sentences": f"{sum(shown.values()):,}",
            "left_out": f"{sum(left_out.values()):,}",
            "labels": card.label_table(found["jigsaw"]),
            "confusion": card.confusion_table(found["jigsaw"]),
            "sources": card.source_table(found),
            "compared": compared or "The run had no `--baseline`.",
            "bias": card.bias_tables(bias, bias_before),
            "data": card.data_table(shown),
            "precision": card.precision_sentence(),
            "mean_auc": card.percent(mean, 2),
            "exact_mean_auc": card.percent(exact_mean, 2),
            "span_f1": card.percent(spans),
            "speeds": card.table(["", "tokens/s, one thread"], [[name, f"{speed:,.0f}"] for name, speed in speeds.items()]),
            "leaving": card.percent(leaving["share"]["jigsaw"], 0),
            "leaving_bias": card.percent(leaving["share"]["bias"], 0),
            "tried": (PACKAGE.parent / "tried.md").read_text(encoding="utf-8").strip(),
        }
        card.write(PACKAGE.parent / "card.md", self.work / "README.md", values)

    # Install

    def install(self) -> None:
        """Copies the finished model to where it belongs."""
        self.out.mkdir(parents=True, exist_ok=True)
        for name in MODEL_FILES:
            shutil.copyfile(self.work / name, self.out / name)
        self.say(f'the model is in "{self.out}"')


def group_by_source(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by set, in the order of `SOURCES`."""
    found: dict[str, list[Row]] = {source.name: [] for source in SOURCES}
    for row in rows:
        found[row.source].append(row)
    return {name: rows for name, rows in found.items() if rows}


def scores_of(served: Served, texts: list[str]) -> np.ndarray:
    return calibration.sigmoid(np.array([scored.logits for scored in served.score_all(texts)]))


def both_logits(served: Served, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Highest logits over the windows after all layers and after the first, [texts, labels] each."""
    scored = served.score_all(texts)
    return np.array([found.logits for found in scored]), np.array([found.early_logits for found in scored])
