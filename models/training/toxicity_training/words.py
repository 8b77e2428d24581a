"""Marked words: from one logit per token to characters, and how well they fit what people marked."""

import re

import numpy as np

WORD = re.compile(r"[^\W_](?:[\w'’*@$#!+-]*\w)?|\S")


def marked_characters(text: str, offsets: list[tuple[int, int]], logits: np.ndarray, threshold: float = 0.0) -> set[int]:
    """Characters of the words of which a token reaches the threshold; the blanks between two such words count as well,
    for people mark phrases in one stroke."""
    strongest: list[tuple[int, int, float]] = []
    tokens = [(begin, end, logit) for (begin, end), logit in zip(offsets, logits, strict=False) if end > begin]
    place = 0
    for match in WORD.finditer(text):
        while place < len(tokens) and tokens[place][1] <= match.start():
            place += 1
        inside = [logit for begin, _, logit in tokens[place : place + len(match.group()) + 1] if begin < match.end()]
        strongest.append((match.start(), match.end(), max(inside, default=-np.inf)))
    marked: set[int] = set()
    before = None
    for begin, end, logit in strongest:
        if logit < threshold:
            before = None
            continue
        if before is not None and not text[before:begin].strip():
            marked.update(range(before, begin))
        marked.update(range(begin, end))
        before = end
    return marked


def character_f1(predicted: set[int], gold: set[int]) -> float:
    """F1 of one text as SemEval-2021 task 5 counts it: 1 when both are empty, 0 when only one is."""
    if not gold or not predicted:
        return float(not gold and not predicted)
    common = len(predicted & gold)
    return 2 * common / (len(predicted) + len(gold))
