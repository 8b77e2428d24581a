"""The model card: written from the figures of the run, so that it says nothing that was not measured."""

from pathlib import Path

import numpy as np

from .calibration import PRECISION
from .evaluation import Bias, Figures
from .labels import LABELS
from .sources import SOURCES


def percent(number: float, digits: int = 1) -> str:
    return "–" if number != number else f"{100 * number:.{digits}f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def label_table(figures: dict[str, Figures]) -> str:
    rows = []
    for label, found in figures.items():
        precision = found.rightly_flagged / found.flagged if found.flagged else float("nan")
        recall = found.rightly_flagged / found.positives if found.positives else float("nan")
        rows.append(
            [
                f"`{label}`",
                f"{found.positives:,} of {found.known:,}",
                f"**{percent(found.auc, 2)}** ({percent(found.low, 2)} to {percent(found.high, 2)})",
                percent(found.average_precision),
                percent(found.calibration_error, 2),
                f"{found.threshold:g}",
                f"{percent(precision)} / {percent(recall)}",
            ]
        )
    return table(
        ["label", "positive", "ROC AUC (95 % interval)", "average precision", "calibration error", "threshold", "precision / recall there"],
        rows,
    )


def confusion_table(figures: dict[str, Figures]) -> str:
    rows = []
    for label, found in figures.items():
        wrongly, missed = found.flagged - found.rightly_flagged, found.positives - found.rightly_flagged
        rows.append(
            [f"`{label}`", *(f"{number:,}" for number in (found.rightly_flagged, wrongly, missed, found.known - found.flagged - missed))]
        )
    return table(["label", "rightly flagged", "wrongly flagged", "missed", "rightly passed"], rows)


def source_table(figures: dict[str, dict[str, Figures]]) -> str:
    rows = []
    sites = {source.name: source.site for source in SOURCES}
    for name, found in figures.items():
        cells = []
        for label in LABELS:
            figure = found.get(label)
            if figure is None or figure.auc != figure.auc or min(figure.positives, figure.known - figure.positives) < 5:
                cells.append("")
            else:
                cells.append(f"{percent(figure.auc)} ({percent(figure.low)}–{percent(figure.high)})")
        rows.append([f"`{name}`", sites.get(name, ""), f"{max(figure.known for figure in found.values()):,}", *cells])
    return table(["set", "site", "rows", *(f"`{label}`" for label in LABELS)], rows)


def bias_tables(bias: Bias, before: Bias | None) -> str:
    kinds = []
    for kind, (seen, unseen) in bias.flagged.items():
        row = [kind, percent(seen), percent(unseen)]
        if before:
            row.append(percent(float(np.mean(before.flagged[kind]))))
        kinds.append(row)
    head = ["kind of sentence", "flagged, groups named in training", "flagged, other groups"] + (
        ["first model, mean of both"] if before else []
    )
    areas = [[name, percent(area, 2), *([percent(before.areas[name], 2)] if before else [])] for name, area in bias.areas.items()]
    worst = []
    for place, name in enumerate(("subgroup", "BPSN", "BNSP")):
        group, least = min(((group, found[place]) for group, found in bias.groups.items()), key=lambda item: item[1])
        mean = float(np.mean([found[place] for found in bias.groups.values()]))
        row = [name, percent(mean, 2), f"{percent(least, 2)} ({group})"]
        if before:
            row.append(percent(float(np.mean([found[place] for found in before.groups.values()])), 2))
        worst.append(row)
    return "\n\n".join(
        (
            table(head, kinds),
            table(["AUC over all sentences", "this model", *(["first model"] if before else [])], areas),
            table(["AUC of `toxic` by group", "mean", "worst group", *(["first model, mean"] if before else [])], worst),
        )
    )


def data_table(counts: dict[str, int]) -> str:
    rows = []
    for source in SOURCES:
        if counts.get(source.name):
            rows.append(
                [
                    f"`{source.name}`",
                    source.site,
                    f"{counts[source.name]:,}",
                    f"{source.weight:g}",
                    f"{3 * source.share:.2g}",
                    source.licence,
                ]
            )
    return table(["set", "site", "texts a pass", "weight", "times seen", "licence"], rows)


def precision_sentence() -> str:
    return ", ".join(f"`{label}` {100 * wanted:.0f} %" for label, wanted in PRECISION.items())


def write(template: Path, target: Path, values: dict[str, str]) -> None:
    """The card from its template, in which `{{name}}` stands for a value."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    if "{{" in text:
        raise ValueError(f'"{template}" names a value that is not there: {text[text.index("{{") :][:60]}')
    target.write_text(text, encoding="utf-8")
