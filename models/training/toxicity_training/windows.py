"""How the model server scores a text that is longer than the window: in overlapping windows of even spread, of which the
highest logit of each label counts."""

from math import ceil

from .batches import WINDOW

SPECIAL_TOKENS = 2


def windows(length: int, window: int = WINDOW) -> list[tuple[int, int]]:
    """Begin and end of each window over `length` tokens without special ones; neighbours share a quarter of a window."""
    capacity = window - SPECIAL_TOKENS
    overlap = min(window // 4, capacity - 1)
    if length <= capacity:
        return [(0, length)]
    count = ceil((length - overlap) / (capacity - overlap))
    last = length - capacity
    return [(index * last // (count - 1), index * last // (count - 1) + capacity) for index in range(count)]
