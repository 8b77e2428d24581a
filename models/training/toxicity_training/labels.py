"""The six labels of the Jigsaw Toxic Comment Classification Challenge, in the order of the model's outputs."""

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")

# Label names that other models and the feedback of other clients use, with ours.
ALIASES = {
    "toxicity": "toxic",
    "severe_toxicity": "severe_toxic",
    "identity_attack": "identity_hate",
    "profanity": "obscene",
}


def label_of(name: str) -> str | None:
    """The label that a name means, whatever its case; None for an unknown one."""
    lower = name.strip().lower()
    lower = ALIASES.get(lower, lower)
    return lower if lower in LABELS else None
