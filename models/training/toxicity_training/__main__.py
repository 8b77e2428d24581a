"""The command line: `python -m toxicity_training all --data FOLDER`."""

import argparse
import sys
import time
from pathlib import Path

from .pipeline import Run
from .rows import DataError

STEPS = ("prepare", "train", "export", "evaluate", "install")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="toxicity_training", description="Makes the bundled model from labelled comments.")
    parser.add_argument("step", choices=("all", *STEPS), help="all steps in order, or one of them on what the work folder holds")
    parser.add_argument("--data", type=Path, required=True, help="folder with jigsaw/, toxic_spans/ and the further sets")
    parser.add_argument(
        "--work", type=Path, default=Path("../../target/training"), help="folder for what the steps leave (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("../toxic-minilm"), help="model folder to write (default: %(default)s)")
    parser.add_argument(
        "--feedback", type=Path, action="append", default=[], help="JSONL export of feedback to learn from as well; may be repeated"
    )
    parser.add_argument("--baseline", type=Path, help="model folder to measure beside the new one")
    parser.add_argument(
        "--smoke", action="store_true", help="a few batches on a few texts, to see that every step works; the model is of no use"
    )
    return parser.parse_args()


def main() -> int:
    given = arguments()
    run = Run(given.data, given.work, given.out, given.feedback, given.baseline, given.smoke)
    began = time.monotonic()
    try:
        for step in STEPS if given.step == "all" else (given.step,):
            run.say(f"{step} …")
            getattr(run, step)()
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    run.say(f"done in {(time.monotonic() - began) / 60:.1f} min")
    return 0


if __name__ == "__main__":
    sys.exit(main())
