"""A folder of made-up data in the shape of the real one, small enough for a test."""

import csv
import gzip
import random
from pathlib import Path

import pytest

from toxicity_training.labels import LABELS
from toxicity_training.sources import SOURCES

HARMLESS = "the page needs sources|thank you for the photo|see you at the meeting|the match starts at eight|I moved the section up".split(
    "|"
)
ABUSE = "you are a stupid idiot|shut up you moron|what a worthless clown|get lost idiot|nobody likes you moron".split("|")
WORDS = [f"word{number}" for number in range(400)]


def text(source: random.Random, abusive: bool) -> str:
    said = source.choice(ABUSE if abusive else HARMLESS)
    return f"{' '.join(source.sample(WORDS, 6))} {said} {' '.join(source.sample(WORDS, 3))}"


def write(path: Path, head: list[str], rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    source = random.Random(1)
    rows = []
    for number in range(6000):
        abusive = source.random() < 0.3
        labels = [int(abusive), *(int(abusive and source.random() < 0.4) for _ in LABELS[1:])]
        rows.append(
            [
                number,
                text(source, abusive),
                *labels,
                "x",
                "original" if number % 9 else "cleaned",
                "official_train",
                int(number < 5600),
                int(number == 3),
            ]
        )
    head = ["id", "comment_text", *LABELS, "source", "text_quality", "official_split", "natural_slice_first20k", "text_in_robtest_test"]
    write(folder / "jigsaw/train_six_labels.csv.gz", head, rows)
    write(folder / "jigsaw/train_extra_nontoxic.csv.gz", ["comment_text"], [[text(source, False)] for _ in range(20)])
    for name in ("tsd_train", "tsd_trial"):
        spans = []
        for _ in range(40):
            written = text(source, True)
            begin = min(place for place in map(written.find, ("idiot", "moron", "clown")) if place >= 0)
            spans.append([str(list(range(begin, begin + 5))), written])
        write(folder / f"toxic_spans/{name}.csv.gz", ["spans", "text"], spans)
    for found in SOURCES:
        if found.file and "/" not in found.file:
            rows = []
            for number in range(60):
                abusive = number % 2 == 0
                rows.append([text(source, abusive), int(abusive), "", "", "", "", "", "hate" if abusive else "none"])
            write(folder / found.file, ["text", *LABELS, "source_label"], rows)
    return folder
