"""Words respelled as people do to slip past a filter: letters as digits, spaced out, look-alikes, swapped, doubled."""

import random

LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7+", "b": "8", "g": "9"}
# Letters of other alphabets that look like ours.
LOOK_ALIKE = {"a": "а", "c": "с", "e": "е", "i": "і", "o": "о", "p": "р", "x": "х", "y": "у", "s": "ѕ", "j": "ј"}
ZERO_WIDTH = "\u200b"


def leet(word: str, random_source: random.Random) -> str:
    return "".join(random_source.choice(LEET[c.lower()]) if c.lower() in LEET and random_source.random() < 0.6 else c for c in word)


def spaced(word: str, random_source: random.Random) -> str:
    return random_source.choice((" ", ".", "-", "*", "_")).join(word)


def look_alike(word: str, random_source: random.Random) -> str:
    return "".join(LOOK_ALIKE.get(c, c) if random_source.random() < 0.7 else c for c in word)


def starred(word: str, random_source: random.Random) -> str:
    place = random_source.randrange(1, len(word) - 1)
    return word[:place] + random_source.choice("*#@$-") + word[place + 1 :]


def swapped(word: str, random_source: random.Random) -> str:
    place = random_source.randrange(0, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def dropped(word: str, random_source: random.Random) -> str:
    place = random_source.randrange(1, len(word))
    return word[:place] + word[place + 1 :]


def doubled(word: str, random_source: random.Random) -> str:
    place = random_source.randrange(0, len(word))
    return word[:place] + word[place] * random_source.randint(2, 4) + word[place + 1 :]


def zero_width(word: str, random_source: random.Random) -> str:
    place = random_source.randrange(1, len(word))
    return word[:place] + ZERO_WIDTH + word[place:]


WAYS = (leet, spaced, look_alike, starred, swapped, dropped, doubled, zero_width)


def respell(text: str, random_source: random.Random, share: float = 0.3) -> str:
    """The text with some of its longer words respelled, all in one way as one person would, sometimes with the blanks
    between words left out."""
    way = random_source.choice(WAYS)
    words = text.split(" ")
    written = [way(word, random_source) if len(word) >= 3 and word.isalpha() and random_source.random() < share else word for word in words]
    if random_source.random() < 0.1 and len(words) <= 12:
        return "".join(written)
    return " ".join(written)
