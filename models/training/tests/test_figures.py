"""Areas, thresholds, calibration and marked words against values worked out by hand."""

import numpy as np
import pytest

from toxicity_training.calibration import LABELS, Measured, choose_leaving, platt, sigmoid
from toxicity_training.metrics import auc, borkan, expected_calibration_error, interval, threshold_for_precision
from toxicity_training.words import character_f1, marked_characters


def test_area_counts_ties_as_half():
    assert auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])) == pytest.approx(0.75)
    assert auc(np.array([0, 1]), np.array([0.5, 0.5])) == pytest.approx(0.5)
    assert np.isnan(auc(np.array([1, 1]), np.array([0.2, 0.3])))


def test_interval_is_as_wide_as_a_bootstrap_says():
    generator = np.random.default_rng(1)
    truth = (generator.random(400) < 0.3).astype(float)
    scores = truth + generator.normal(size=400)
    low, high = interval(truth, scores)
    drawn = []
    for _ in range(400):
        rows = generator.integers(0, 400, 400)
        drawn.append(auc(truth[rows], scores[rows]))
    assert (low, high) == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=0.015)
    assert interval(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) == (1.0, 1.0)
    assert np.isnan(interval(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.8]))).all()


def test_threshold_is_the_lowest_with_the_precision():
    truth = np.array([1, 1, 0, 1, 0, 0])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert threshold_for_precision(truth, scores, 0.75) == pytest.approx(0.6)
    assert threshold_for_precision(truth, scores, 1.0) == pytest.approx(0.8)
    # Equal scores cannot be parted.
    assert threshold_for_precision(np.array([1, 1, 0]), np.array([0.9, 0.5, 0.5]), 1.0) == pytest.approx(0.9)


def test_calibration_error_of_bins():
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([0.99, 0.01])) == pytest.approx(0.01)


def test_borkan_areas():
    hateful = np.array([True, False, True, False])
    subgroup = np.array([True, True, False, False])
    within, bpsn, bnsp = borkan(np.array([0.9, 0.8, 0.6, 0.1]), hateful, subgroup)
    assert (within, bpsn, bnsp) == (1.0, 0.0, 1.0)


def test_platt_finds_scale_and_offset():
    generator = np.random.default_rng(2)
    logits = generator.normal(scale=2, size=(20000, 6))
    truth = (generator.random((20000, 6)) < sigmoid(1.5 * logits - 1)).astype(float)
    truth[::7, 2] = np.nan
    scale, offset = platt(logits, truth)
    assert scale == pytest.approx(np.full(6, 1.5), abs=0.1) and offset == pytest.approx(np.full(6, -1.0), abs=0.1)


def test_leaving_early_is_allowed_only_where_it_costs_little():
    generator = np.random.default_rng(3)
    truth = (generator.random((4000, len(LABELS))) < 0.1).astype(float)
    late = np.where(truth > 0, 3.0, -6.0) + generator.normal(size=truth.shape)
    good = Measured("main", late, late.copy(), truth)
    assert choose_leaving(good, []) == pytest.approx(np.log(0.05 / 0.95))
    # An early look that knows nothing of another set's abuse must not let it go.
    blind = Measured("other", late, np.full_like(late, -8.0), truth)
    assert choose_leaving(good, [blind]) is None


def test_marked_words_are_whole_and_joined():
    text = "what a stupid, utter idiot."
    offsets = [(0, 4), (5, 6), (7, 9), (9, 13), (13, 14), (15, 20), (21, 26), (26, 27)]
    marked = marked_characters(text, offsets, np.array([-3, -3, 2, -1, -3, 1, 1, -3.0]))
    assert "".join(text[place] for place in sorted(marked)) == "stupidutter idiot"


def test_character_f1_as_the_task_counts_it():
    assert character_f1(set(), set()) == 1.0
    assert character_f1({1}, set()) == 0.0
    assert character_f1({1, 2, 3}, {2, 3, 4, 5}) == pytest.approx(2 * 2 / 7)
