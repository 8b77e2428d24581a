"""Texts as tensors: batches of like length and about the same number of tokens, so that little is padding."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer

from .obfuscation import respell
from .rows import Row
from .sources import SOURCE_INDEX, SOURCES
from .templates import learned

# Tokens of the model's window; longer texts are scored in several.
WINDOW = 192
UNMARKED = -1.0
MASK_TOKEN = "[MASK]"


@dataclass
class Batch:
    """Texts side by side. Shapes: `ids`, `mask` and `spans` [texts, tokens], `labels` [texts, labels], NaN where
    unknown; `spans` is -1 where no token was judged; `sources` and `weights` [texts]."""

    ids: torch.Tensor
    mask: torch.Tensor
    labels: torch.Tensor
    spans: torch.Tensor
    sources: torch.Tensor
    weights: torch.Tensor


@dataclass
class Encoded:
    ids: list[int]
    spans: list[float] | None
    row: Row


def encode(tokenizer: Tokenizer, rows: list[Row], window: int = WINDOW) -> list[Encoded]:
    """Tokens of each text, cut to the window, with the tokens that people marked."""
    encoded = []
    for row, encoding in zip(rows, tokenizer.encode_batch([row.text for row in rows]), strict=True):
        ids = encoding.ids
        if len(ids) > window:
            ids = ids[: window - 1] + ids[-1:]
        spans = None
        if row.spans is not None:
            marked = set(row.spans)
            offsets = encoding.offsets[: len(ids)]
            spans = [float(any(place in marked for place in range(*offset))) if offset[1] > offset[0] else UNMARKED for offset in offsets]
            spans[-1] = UNMARKED
        encoded.append(Encoded(ids, spans, row))
    return encoded


def schedule(rows: list[Row], passed: int, seed: int, respelled: float) -> list[Row]:
    """What one pass over the data shows: a share of each set, other rows in the next pass, fresh written sentences, and
    a part of all texts respelled."""
    random_source = random.Random(f"{seed}/{passed}")
    by_source: dict[str, list[Row]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    shown: list[Row] = []
    for name, found in by_source.items():
        share = SOURCES[SOURCE_INDEX[name]].share
        order = list(range(len(found)))
        random.Random(f"{seed}/{name}").shuffle(order)
        # Passes take one slice after the other, round and round.
        take = round(share * len(order))
        start = passed * take
        shown += [found[order[(start + place) % len(order)]] for place in range(take)]
    shown += learned.sentences(seed * 1000 + passed)
    return [
        Row(respell(row.text, random_source), row.labels, row.source, kind=row.kind)
        if row.spans is None and random_source.random() < respelled
        else row
        for row in shown
    ]


def batch_of(encoded: list[Encoded], mask_share: float = 0.0, mask_id: int = 0, generator: np.random.Generator | None = None) -> Batch:
    """One batch; `mask_share` of its tokens is hidden, so that no verdict hangs on one word."""
    longest = max(len(one.ids) for one in encoded)
    ids = np.zeros((len(encoded), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    spans = np.full(ids.shape, UNMARKED, dtype=np.float32)
    for index, one in enumerate(encoded):
        length = len(one.ids)
        ids[index, :length] = one.ids
        mask[index, :length] = 1
        if one.spans is not None:
            spans[index, :length] = one.spans
        if generator is not None and mask_share and one.spans is None and length > 6:
            hidden = generator.random(length) < mask_share
            hidden[[0, -1]] = False
            ids[index, :length][hidden] = mask_id
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.tensor([one.row.labels for one in encoded], dtype=torch.float32),
        torch.from_numpy(spans),
        torch.tensor([SOURCE_INDEX[one.row.source] for one in encoded]),
        torch.tensor([SOURCES[SOURCE_INDEX[one.row.source]].weight for one in encoded]),
    )


def group(encoded: list[Encoded], tokens: int, random_source: random.Random | None = None) -> Iterator[list[Encoded]]:
    """Groups of like length, each of about `tokens` tokens with padding; shuffled when a source of chance is given.

    A group that is half full does not take a longer text: without padding there is no mask, and attention without one
    is faster.
    """
    order = sorted(range(len(encoded)), key=lambda index: (len(encoded[index].ids), random_source.random() if random_source else index))
    groups: list[list[Encoded]] = []
    current: list[Encoded] = []
    for one in (encoded[index] for index in order):
        length = len(one.ids)
        full = (len(current) + 1) * length > tokens
        longer = current and length > len(current[-1].ids) and len(current) * length > tokens // 2
        if current and (full or longer):
            groups.append(current)
            current = []
        current.append(one)
    if current:
        groups.append(current)
    if random_source:
        random_source.shuffle(groups)
    yield from groups
