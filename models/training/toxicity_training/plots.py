"""ROC and calibration as SVG."""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.metrics import roc_curve

from .labels import LABELS

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams.update({"svg.hashsalt": "toxic-minilm", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})

from matplotlib import pyplot  # noqa: E402

COLOURS = ("#3f51b5", "#d32f2f", "#00897b", "#f57c00", "#7b1fa2", "#5d4037")


def save(figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def roc(truth: np.ndarray, scores: np.ndarray, path: Path) -> None:
    """The ROC of each label, the false positive rate on a logarithmic axis, where moderation happens."""
    figure, axes = pyplot.subplots(figsize=(5.2, 4.0))
    for index, label in enumerate(LABELS):
        known = ~np.isnan(truth[:, index])
        false, true, _ = roc_curve(truth[known, index] >= 0.5, scores[known, index])
        axes.plot(np.maximum(false, 2e-4), true, label=label, color=COLOURS[index], linewidth=1.4)
    axes.set(xscale="log", xlim=(2e-4, 1), ylim=(0, 1.01), xlabel="false positive rate", ylabel="true positive rate")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    save(figure, path)


def calibration(truth: np.ndarray, scores: np.ndarray, path: Path) -> None:
    """Share of positives against the mean score, in ten bins of like many rows among those above one percent."""
    figure, axes = pyplot.subplots(figsize=(4.2, 4.0))
    axes.plot((0, 1), (0, 1), color="#9e9e9e", linewidth=1, linestyle="--")
    for index, label in enumerate(LABELS):
        known = ~np.isnan(truth[:, index]) & (scores[:, index] > 0.01)
        order = np.flatnonzero(known)[np.argsort(scores[known, index])]
        bins = [part for part in np.array_split(order, 10) if len(part) >= 5]
        axes.plot(
            [scores[part, index].mean() for part in bins],
            [(truth[part, index] >= 0.5).mean() for part in bins],
            label=label,
            color=COLOURS[index],
            linewidth=1.2,
            marker="o",
            markersize=3,
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share of positives")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="upper left")
    save(figure, path)
