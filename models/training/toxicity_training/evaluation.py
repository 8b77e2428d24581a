"""Measuring an exported model on everything that was kept back."""

from dataclasses import dataclass

import numpy as np

from . import metrics
from .calibration import sigmoid
from .labels import LABELS
from .rows import Row
from .served import Scored, Served
from .templates import measured
from .words import character_f1, marked_characters


@dataclass
class Figures:
    """What is known of one label on one set."""

    known: int
    positives: int
    auc: float
    low: float
    high: float
    average_precision: float
    calibration_error: float
    threshold: float
    flagged: int
    rightly_flagged: int

    def described(self) -> dict[str, float]:
        def plain(number: float) -> float | None:
            return None if number != number else round(number, 5)

        return {
            "known": self.known,
            "positives": self.positives,
            "auc": plain(self.auc),
            "auc_low": plain(self.low),
            "auc_high": plain(self.high),
            "average_precision": plain(self.average_precision),
            "calibration_error": plain(self.calibration_error),
            "threshold": self.threshold,
            "flagged": self.flagged,
            "rightly_flagged": self.rightly_flagged,
        }


def figures(truth: np.ndarray, scores: np.ndarray, thresholds: dict[str, float]) -> dict[str, Figures]:
    """Figures of each label that the set knows. `truth` and `scores` are [texts, labels]."""
    found = {}
    for index, label in enumerate(LABELS):
        known = ~np.isnan(truth[:, index])
        if not known.any():
            continue
        true, given = truth[known, index], scores[known, index]
        positive, flagged = true >= 0.5, given >= thresholds[label]
        low, high = metrics.interval(true, given)
        found[label] = Figures(
            int(known.sum()),
            int(positive.sum()),
            metrics.auc(true, given),
            low,
            high,
            metrics.average_precision(true, given),
            metrics.expected_calibration_error(positive.astype(float), given),
            thresholds[label],
            int(flagged.sum()),
            int((flagged & positive).sum()),
        )
    return found


def mean_auc(found: dict[str, Figures]) -> float:
    areas = [figure.auc for figure in found.values() if figure.auc == figure.auc]
    return float(np.mean(areas)) if areas else float("nan")


def truth_of(rows: list[Row]) -> np.ndarray:
    return np.array([row.labels for row in rows], dtype=float)


@dataclass
class Bias:
    """What the bias set says: AUC over all its sentences, the least of its groups' three AUCs, and how many sentences of
    each kind are flagged at the thresholds, for groups named in training and for others."""

    areas: dict[str, float]
    groups: dict[str, tuple[float, float, float]]
    flagged: dict[str, tuple[float, float]]

    def described(self) -> dict:
        return {
            "auc": {name: round(area, 5) for name, area in self.areas.items()},
            "groups": {
                name: dict(zip(("subgroup", "bpsn", "bnsp"), (round(area, 5) for area in areas), strict=True))
                for name, areas in self.groups.items()
            },
            "flagged": {
                kind: {"named in training": round(seen, 4), "not named": round(unseen, 4)} for kind, (seen, unseen) in self.flagged.items()
            },
        }


def bias(model: Served, thresholds: dict[str, float]) -> Bias:
    sentences = measured.sentences()
    scores = sigmoid(np.array([scored.logits for scored in model.score_all([sentence.text for sentence in sentences])]))
    hateful = np.array([sentence.hateful for sentence in sentences])
    seen = np.array([sentence.seen for sentence in sentences])
    kinds = np.array([sentence.kind for sentence in sentences])
    names = np.array([sentence.group.plural for sentence in sentences])
    toxic = scores[:, LABELS.index("toxic")]
    flagged = (scores >= np.array([thresholds[label] for label in LABELS])).any(axis=1)
    areas = {
        "toxic, groups named in training": metrics.auc(hateful[seen].astype(float), toxic[seen]),
        "toxic, other groups": metrics.auc(hateful[~seen].astype(float), toxic[~seen]),
        "identity_hate, all groups": metrics.auc(hateful.astype(float), scores[:, LABELS.index("identity_hate")]),
    }
    groups = {name: metrics.borkan(toxic, hateful, names == name) for name in dict.fromkeys(names)}
    shares = {
        kind: (float(flagged[(kinds == kind) & seen].mean()), float(flagged[(kinds == kind) & ~seen].mean())) for kind in measured.FRAMES
    }
    return Bias(areas, groups, shares)


def span_f1(rows: list[Row], scored: list[Scored], threshold: float = 0.0) -> float:
    """Mean character F1 over texts in which people marked characters."""
    found = []
    for row, one in zip(rows, scored, strict=True):
        marked = marked_characters(row.text, one.offsets, one.span_logits, threshold)
        found.append(character_f1(marked, set(row.spans or ())))
    return float(np.mean(found))
