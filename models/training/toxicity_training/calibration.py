"""From logits to probabilities that mean something, and from these to verdicts."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from .labels import LABELS
from .metrics import auc, threshold_for_precision

# Of the comments that a label flags, so many shall be rightly flagged, at the natural prevalence of Wikipedia's talk
# pages. Raters agree less on the rare labels, so less can be asked of them.
PRECISION = {"toxic": 0.8, "severe_toxic": 0.5, "obscene": 0.8, "threat": 0.6, "insult": 0.75, "identity_hate": 0.6}
# With few positives the wanted precision is met by chance far out; thresholds stay within these.
LOWEST_THRESHOLD, HIGHEST_THRESHOLD = 0.2, 0.8

# What leaving early may cost, in points of AUC: in the mean over the labels of the main set, and for any label of any set.
MEAN_COST, ANY_COST = 0.04, 0.4
# Where fewer rows are positive or negative, one comment decides what it costs.
FEWEST_OF_A_CLASS = 20


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


def platt(logits: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of each label's logit (Platt 1999) by maximum likelihood; the scale is positive, so no order
    changes. `truth` has a share of votes per row and label, NaN where unknown."""
    scales, offsets = np.ones(len(LABELS)), np.zeros(len(LABELS))
    for label in range(len(LABELS)):
        known = ~np.isnan(truth[:, label])
        fitted = LogisticRegression(C=10.0).fit(logits[known, label : label + 1], truth[known, label] >= 0.5)
        if fitted.coef_[0, 0] > 0:
            scales[label], offsets[label] = fitted.coef_[0, 0], fitted.intercept_[0]
    return scales, offsets


def thresholds(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """The threshold of each label for its precision."""
    found = {}
    for index, label in enumerate(LABELS):
        known = ~np.isnan(truth[:, index])
        value = threshold_for_precision(truth[known, index], scores[known, index], PRECISION[label])
        found[label] = round(float(np.clip(value, LOWEST_THRESHOLD, HIGHEST_THRESHOLD)), 3)
    return found


@dataclass(frozen=True)
class Measured:
    """Calibrated logits of one set's texts [texts, labels], after all layers and after the first, with the truth."""

    name: str
    late: np.ndarray
    early: np.ndarray
    truth: np.ndarray

    def areas(self, leave_below: float | None) -> np.ndarray:
        """AUC of each label, in points, when texts leave early under a logit; NaN where too few rows say."""
        logits = self.late
        if leave_below is not None:
            leaves = self.early.max(axis=1, keepdims=True) < leave_below
            logits = np.where(leaves, self.early, self.late)
        found = np.full(len(LABELS), np.nan)
        for label in range(len(LABELS)):
            truth = self.truth[:, label]
            if min((truth >= 0.5).sum(), (truth < 0.5).sum()) >= FEWEST_OF_A_CLASS:
                known = ~np.isnan(truth)
                found[label] = 100 * auc(truth[known], logits[known, label])
        return found

    def leaving(self, leave_below: float) -> float:
        return float((self.early.max(axis=1) < leave_below).mean())


def choose_leaving(main: Measured, others: list[Measured]) -> float | None:
    """The highest calibrated logit under which texts may leave early at the cost that is allowed, on the main set and on
    every other; None when it pays nowhere."""
    whole = {measured.name: measured.areas(None) for measured in (main, *others)}
    for score in (0.05, 0.04, 0.03, 0.025, 0.02, 0.015, 0.0125, 0.01, 0.0075, 0.005, 0.003, 0.002):
        below = float(np.log(score / (1 - score)))
        if np.nanmean(whole[main.name] - main.areas(below)) > MEAN_COST:
            continue
        if all(not (whole[other.name] - other.areas(below) > ANY_COST).any() for other in others):
            return below if main.leaving(below) > 0.2 else None
    return None
