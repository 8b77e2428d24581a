"""The tokenizer: BERT's word pieces, with emoji where BERT left its vocabulary empty.

BERT reads every emoji as `[UNK]`, so that "I would love to 🔪 them" and "I would love to 🦊 them" look alike. Nearly a
thousand places of its vocabulary were never used; emoji take them, and each begins as the mean of the words of its
Unicode name.
"""

import json
import unicodedata
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

# Blocks that hold emoji: faces, people, animals, food, places, signs, hands, flags' letters, skin tones.
BLOCKS = (
    (0x1F600, 0x1F64F),
    (0x1F300, 0x1F5FF),
    (0x1F900, 0x1F9FF),
    (0x1F680, 0x1F6FF),
    (0x1FA70, 0x1FAFF),
    (0x2600, 0x27BF),
    (0x1F1E6, 0x1F1FF),
)


def is_emoji(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in BLOCKS) and bool(unicodedata.name(character, ""))


def choose_emoji(texts: list[str], places: int) -> list[str]:
    """The emoji of the texts, the commonest first, then those of the blocks in order, as many as there are places."""
    seen = Counter(character for text in texts for character in text if ord(character) > 0x2500 and is_emoji(character))
    listed = [chr(code) for first, last in BLOCKS for code in range(first, last + 1) if is_emoji(chr(code))]
    ordered = [character for character, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))]
    return (ordered + [character for character in listed if character not in seen])[:places]


def with_emoji(tokenizer_file: Path, texts: list[str]) -> tuple[dict, dict[int, list[int]]]:
    """The tokenizer with emoji in its unused places, and for each such id the ids of the words of its name."""
    tokenizer = json.loads(tokenizer_file.read_text(encoding="utf-8"))
    tokenizer["truncation"] = tokenizer["padding"] = None
    plain = Tokenizer.from_str(json.dumps(tokenizer))
    vocabulary = tokenizer["model"]["vocab"]
    unused = sorted((index, token) for token, index in vocabulary.items() if token.startswith("[unused"))
    begins: dict[int, list[int]] = {}
    added = []
    for (index, token), emoji in zip(unused, choose_emoji(texts, len(unused)), strict=False):
        name = unicodedata.name(emoji).lower().replace("-", " ")
        del vocabulary[token]
        vocabulary[emoji] = index
        begins[index] = plain.encode(name, add_special_tokens=False).ids
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
        added.append({"id": index, "content": emoji, **flags})
    tokenizer["added_tokens"] = sorted(tokenizer["added_tokens"] + added, key=lambda token: token["id"])
    tokenizer["model"]["vocab"] = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    return tokenizer, begins
