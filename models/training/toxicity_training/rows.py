"""Reading the sets: text, labels with gaps, and the characters marked as toxic."""

import ast
import csv
import gzip
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .labels import LABELS, label_of
from .sources import SOURCES

UNKNOWN = float("nan")

csv.field_size_limit(sys.maxsize)


class DataError(Exception):
    """Data that cannot be used; the message names the file, the line and what is expected there."""


@dataclass
class Row:
    """One comment. `labels` holds a share of votes per label, or NaN where nobody judged it; `spans` the offsets of the
    toxic characters where people marked them, `natural` whether the row was drawn without looking at its labels."""

    text: str
    labels: tuple[float, ...]
    source: str
    spans: list[int] | None = None
    natural: bool = False
    kind: str = field(default="")


def read_table(path: Path) -> list[dict[str, str]]:
    """All rows of a CSV file, compressed or not."""
    if not path.is_file():
        raise DataError(f'failed to find "{path}": --data must name the folder that holds it')
    opened = gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else path.open(encoding="utf-8", newline="")
    with opened as file:
        return list(csv.DictReader(file))


def share(row: dict[str, str], label: str, where: str) -> float:
    """The share of votes for a label; NaN for an empty cell."""
    cell = row.get(label, "")
    if cell == "":
        return UNKNOWN
    try:
        value = float(cell)
    except ValueError as error:
        raise DataError(f'{where}: the label "{label}" is "{cell}", expected a number from 0 to 1') from error
    if not 0 <= value <= 1:
        raise DataError(f'{where}: the label "{label}" is {value}, expected a number from 0 to 1')
    return value


def labels(row: dict[str, str], where: str) -> tuple[float, ...]:
    return tuple(share(row, label, where) for label in LABELS)


def read_jigsaw(folder: Path) -> list[Row]:
    """The comments with all six labels. Rows whose text stands in the official test split are left out."""
    path = folder / "jigsaw/train_six_labels.csv.gz"
    rows = []
    for number, row in enumerate(read_table(path), 2):
        if row["text_in_robtest_test"] == "1":
            continue
        source = "jigsaw_cleaned" if row["text_quality"] == "cleaned" else "jigsaw"
        natural = row["natural_slice_first20k"] == "1" and source == "jigsaw"
        rows.append(Row(row["comment_text"], labels(row, f"{path}, row {number}"), source, natural=natural))
    harmless = (0.0,) * len(LABELS)
    for row in read_table(folder / "jigsaw/train_extra_nontoxic.csv.gz"):
        rows.append(Row(row["comment_text"], harmless, "jigsaw_extra"))
    return rows


def read_toxic_spans(path: Path) -> list[Row]:
    """Toxic comments with the offsets of the characters that make them so."""
    toxic = (1.0,) + (UNKNOWN,) * (len(LABELS) - 1)
    return [Row(row["text"], toxic, "toxic_spans", spans=ast.literal_eval(row["spans"])) for row in read_table(path)]


def read_sets(folder: Path) -> list[Row]:
    """Every set of the folder but the one that measures spans."""
    rows = read_jigsaw(folder) + read_toxic_spans(folder / "toxic_spans/tsd_train.csv.gz")
    for source in SOURCES:
        if source.file and "/" not in source.file:
            path = folder / source.file
            for number, row in enumerate(read_table(path), 2):
                rows.append(Row(row["text"], labels(row, f"{path}, row {number}"), source.name, kind=row["source_label"]))
    return rows


def read_feedback(path: Path) -> list[Row]:
    """What moderators said of texts: the JSONL that `GET /v1/feedback/export` gives.

    An approved text has no label, a rejected one is toxic, and labels that were suggested are as suggested.
    """
    rows = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f'"{path}", line {number}: failed to parse JSON: {error}') from error
            text = entry.get("text")
            if not isinstance(text, str) or not text.strip():
                continue
            judged = dict.fromkeys(LABELS, UNKNOWN)
            if entry.get("decision") == "approve":
                judged = dict.fromkeys(LABELS, 0.0)
            elif entry.get("decision") == "reject":
                judged["toxic"] = 1.0
            for name, value in (entry.get("suggested") or {}).items():
                label = label_of(name)
                if label is None:
                    continue
                if not isinstance(value, int | float) or not 0 <= value <= 1:
                    raise DataError(f'"{path}", line {number}: "suggested.{name}" is {value!r}, expected a number from 0 to 1')
                judged[label] = float(value)
            if all(value != value for value in judged.values()):
                continue
            rows.append(Row(text, tuple(judged.values()), "feedback"))
    if not rows:
        raise DataError(f'"{path}" holds no feedback with a text and a judgement')
    return rows
