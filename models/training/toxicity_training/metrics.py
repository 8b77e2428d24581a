"""How good scores are: areas under curves with their uncertainty, calibration, and thresholds."""

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score


def auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; NaN when one class is missing. `truth` counts as positive from 0.5 on."""
    positive = truth >= 0.5
    if positive.all() or not positive.any():
        return float("nan")
    return float(roc_auc_score(positive, scores))


def average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    positive = truth >= 0.5
    return float(average_precision_score(positive, scores)) if positive.any() else float("nan")


def interval(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """The 95 % confidence interval of the AUC by DeLong et al. 1988, on the scale of log-odds so that it stays below 1."""
    positive, negative = scores[truth >= 0.5], scores[truth < 0.5]
    if len(positive) < 2 or len(negative) < 2:
        return float("nan"), float("nan")
    # What share of the other class each score is above, ties counted as half.
    ranks = rankdata(np.concatenate((positive, negative)))
    above = (ranks[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    area = above.mean()
    if area in (0.0, 1.0):
        return float(area), float(area)
    error = np.sqrt(above.var(ddof=1) / len(positive) + below.var(ddof=1) / len(negative)) / (area * (1 - area))
    ends = np.log(area / (1 - area)) + np.array((-1.96, 1.96)) * error
    low, high = 1 / (1 + np.exp(-ends))
    return float(low), float(high)


def expected_calibration_error(truth: np.ndarray, scores: np.ndarray, bins: int = 15) -> float:
    """Mean distance between score and share of positives, over bins of equal width, weighted by their rows."""
    places = np.minimum((scores * bins).astype(int), bins - 1)
    error = 0.0
    for place in range(bins):
        chosen = places == place
        if chosen.any():
            error += chosen.mean() * abs(scores[chosen].mean() - truth[chosen].mean())
    return float(error)


def threshold_for_precision(truth: np.ndarray, scores: np.ndarray, precision: float) -> float:
    """The lowest score from which at least `precision` of the flagged rows are positive."""
    order = np.argsort(-scores, kind="stable")
    positive = (truth >= 0.5)[order]
    reached = np.cumsum(positive) / np.arange(1, len(order) + 1)
    # The last place of equal scores only: a threshold cannot part them.
    sorted_scores = scores[order]
    last = np.append(sorted_scores[1:] != sorted_scores[:-1], True)
    good = np.flatnonzero((reached >= precision) & last)
    return float(sorted_scores[good[-1]]) if len(good) else 0.5


def borkan(scores: np.ndarray, hateful: np.ndarray, subgroup: np.ndarray) -> tuple[float, float, float]:
    """Subgroup, BPSN and BNSP AUC of one subgroup (Borkan et al. 2019): within it; its harmless against the others'
    hateful rows; its hateful against the others' harmless rows."""
    truth = hateful.astype(float)
    within = subgroup
    bpsn = (subgroup & ~hateful) | (~subgroup & hateful)
    bnsp = (subgroup & hateful) | (~subgroup & ~hateful)
    return tuple(auc(truth[rows], scores[rows]) for rows in (within, bpsn, bnsp))
