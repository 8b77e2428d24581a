"""Who learns and who is measured: a split in which no text stands, nor nearly stands, on both sides."""

import hashlib
import re
from collections import Counter

from .rows import Row

# Rows of each source that are kept back; Jigsaw's come from the slice with natural prevalence.
HELD_BACK = {"jigsaw": 5000}
HELD_BACK_SHARE = 0.06
HELD_BACK_MOST = 1000

# A text that shares this part of its five-word runs with a held back one is as good as the same.
NEAR = 0.6
RUN = 5

WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def key(text: str) -> bytes:
    """What two texts have in common that differ in case, blanks and punctuation only."""
    return hashlib.sha256(" ".join(words(text)).encode() or text.encode()).digest()


def runs(text: str) -> set[int]:
    """Hashes of the runs of five words."""
    found = words(text)
    # Python's own hash of a tuple of strings changes with each process; this must not.
    return {
        int.from_bytes(hashlib.blake2b(" ".join(found[start : start + RUN]).encode(), digest_size=8).digest())
        for start in range(len(found) - RUN + 1)
    }


def split(rows: list[Row]) -> tuple[list[Row], list[Row], Counter[str]]:
    """Rows to learn from, rows to measure with, and how many of each source were left out for standing near the latter.

    Which rows are kept back depends on their texts alone, so that it stays so when sets are added.
    """
    candidates: dict[str, list[tuple[bytes, int]]] = {}
    sizes = Counter(row.source for row in rows)
    for index, row in enumerate(rows):
        measured = (
            row.natural if row.source == "jigsaw" else row.source not in ("jigsaw_cleaned", "jigsaw_extra", "toxic_spans", "feedback")
        )
        if measured:
            candidates.setdefault(row.source, []).append((key(row.text), index))
    held_back: set[int] = set()
    keys: set[bytes] = set()
    for source, found in candidates.items():
        wanted = HELD_BACK.get(source, min(HELD_BACK_MOST, int(HELD_BACK_SHARE * sizes[source])))
        for digest, index in sorted(found)[:wanted]:
            if digest not in keys:
                held_back.add(index)
                keys.add(digest)
    known_runs = set().union(*(runs(rows[index].text) for index in held_back))
    learned, left_out = [], Counter()
    for index, row in enumerate(rows):
        if index in held_back:
            continue
        own = runs(row.text)
        near = key(row.text) in keys or (len(own) >= 3 and len(own & known_runs) / len(own) >= NEAR)
        if near:
            left_out[row.source] += 1
        else:
            learned.append(row)
    return learned, [rows[index] for index in sorted(held_back)], left_out
