"""Reading, splitting and writing of sentences."""

import itertools
import json
import math
import random

import pytest

from toxicity_training.labels import LABELS
from toxicity_training.obfuscation import WAYS, respell
from toxicity_training.rows import DataError, Row, read_feedback, read_sets, read_toxic_spans
from toxicity_training.split import runs, split
from toxicity_training.templates import learned, measured
from toxicity_training.windows import windows


def test_no_measured_text_nor_a_near_one_is_learned_from(data):
    rows = read_sets(data)
    assert not any(row.text.endswith("judged") for row in rows)
    near = Row(rows[10].text.upper() + "!!!", rows[10].labels, "gab_hate")
    learned_rows, held_back, left_out = split([*rows, near])
    keys = {row.text.lower() for row in held_back}
    assert not any(row.text.lower().rstrip("!") in keys for row in learned_rows)
    known = set().union(*(runs(row.text) for row in held_back))
    for row in learned_rows:
        own = runs(row.text)
        assert len(own) < 3 or len(own & known) / len(own) < 0.6
    assert {row.source for row in held_back} >= {"jigsaw", "gab_hate"}
    assert all(row.natural for row in held_back if row.source == "jigsaw")
    assert sum(left_out.values()) + len(learned_rows) + len(held_back) == len(rows) + 1


def test_the_split_does_not_move_when_a_set_grows(data):
    rows = read_sets(data)
    before = {row.text for row in split(rows)[1] if row.source == "jigsaw"}
    more = [Row(f"another sentence {number} of some length here", (0.0,) * 6, "sbic") for number in range(50)]
    after = {row.text for row in split(rows + more)[1] if row.source == "jigsaw"}
    assert before == after


def test_rows_that_stand_in_the_official_test_are_left_out(data):
    assert sum(row.source.startswith("jigsaw") for row in read_sets(data)) == 6000 - 1 + 20


def test_an_empty_cell_is_unknown(data):
    row = next(row for row in read_sets(data) if row.source == "fox_news")
    assert row.labels[0] in (0.0, 1.0) and all(math.isnan(value) for value in row.labels[1:])


def test_toxic_spans_mark_characters(data):
    row = read_toxic_spans(data / "toxic_spans/tsd_train.csv.gz")[0]
    assert row.text[row.spans[0] : row.spans[-1] + 1] in ("idiot", "moron", "clown")


@pytest.mark.parametrize(
    ("cell", "told"),
    [("2", 'the label "toxic" is 2.0, expected a number from 0 to 1'), ("x", 'the label "toxic" is "x", expected a number from 0 to 1')],
)
def test_a_wrong_label_is_named(data, tmp_path, cell, told):
    import gzip
    import shutil

    shutil.copytree(data, tmp_path / "data")
    with gzip.open(tmp_path / "data/sbic.csv.gz", "wt") as file:
        file.write("text,toxic,severe_toxic,obscene,threat,insult,identity_hate,source_label\nfine,0,,,,,,\n" + f"wrong,{cell},,,,,,\n")
    with pytest.raises(DataError, match=r"sbic\.csv\.gz, row 3") as error:
        read_sets(tmp_path / "data")
    assert told in str(error.value)


def test_a_missing_file_says_what_data_must_be(tmp_path):
    with pytest.raises(DataError, match="--data must name the folder"):
        read_sets(tmp_path)


def test_feedback_becomes_labels(tmp_path):
    path = tmp_path / "feedback.jsonl"
    entries = [
        {"text": "fine by me", "decision": "approve"},
        {"text": "awful", "decision": "reject"},
        {"text": "mixed", "decision": "relabel", "suggested": {"INSULT": 1, "threat": 0, "unheard_of": 1}},
        {"record_id": "1", "decision": "approve"},
        {"text": "nothing said"},
    ]
    path.write_text("\n".join(map(json.dumps, entries)) + "\n\n")
    rows = read_feedback(path)
    assert [row.text for row in rows] == ["fine by me", "awful", "mixed"]
    assert rows[0].labels == (0.0,) * 6
    assert rows[1].labels[0] == 1.0 and all(math.isnan(value) for value in rows[1].labels[1:])
    known = {label: value for label, value in zip(LABELS, rows[2].labels, strict=True) if not math.isnan(value)}
    assert known == {"insult": 1.0, "threat": 0.0}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 1: failed to parse JSON"),
        ('{"text": "a", "suggested": {"toxic": 3}}', '"suggested.toxic" is 3'),
        ('{"text": ""}', "holds no feedback"),
    ],
)
def test_wrong_feedback_is_named(tmp_path, line, told):
    path = tmp_path / "feedback.jsonl"
    path.write_text(line)
    with pytest.raises(DataError, match=told):
        read_feedback(path)


def test_written_sentences_are_the_same_for_a_seed_and_filled_in():
    first, again, other = learned.sentences(1), learned.sentences(1), learned.sentences(2)
    assert first == again or [row.text for row in first] == [row.text for row in again]
    assert [row.text for row in first] != [row.text for row in other]
    assert not any("{" in row.text or "}" in row.text for row in first)
    assert {row.kind for row in first} == set(learned.TEMPLATES) == set(learned.LABELS_OF) == set(learned.SENTENCES)


def test_the_bias_set_is_not_learned_from():
    frames = {frame.lower().rstrip(".!?") for found in measured.FRAMES.values() for frame in found}
    templates = {line.lower().rstrip(".!?") for found in learned.TEMPLATES.values() for line in found}
    assert not frames & templates
    named = " ".join(line.lower() for found in learned.TEMPLATES.values() for line in found)
    for group in measured.UNSEEN:
        assert group.plural.lower() not in named


@pytest.mark.parametrize("way", WAYS)
def test_respelling_keeps_most_letters(way):
    written = way("idiot", random.Random(3))
    assert written and written != "" and len(written) >= 4


def test_respelling_changes_some_texts_and_repeats_itself():
    texts = [respell("you are such a stupid person really", random.Random(seed)) for seed in range(40)]
    assert texts == [respell("you are such a stupid person really", random.Random(seed)) for seed in range(40)]
    assert len(set(texts)) > 20


@pytest.mark.parametrize("length", [0, 1, 190, 191, 400, 1000])
def test_windows_cover_the_text(length):
    found = windows(length)
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(end - begin <= 190 for begin, end in found)
    assert all(before[1] - after[0] >= 48 for before, after in itertools.pairwise(found))
