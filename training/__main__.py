"""`python -m training`: read the arguments, train, and say in one line what went wrong."""

import argparse
import os
import sys
from pathlib import Path

from contract.errors import EmotiiError

DESCRIPTION = """\
Train a network on labelled faces and write it as a model folder.

The run is saved after each epoch in --run. Killed and started again with the same arguments, it goes on where it
stood; after the last epoch only the scores and the export are repeated. To start anew, remove the run's folder.
"""

EXAMPLE = """\
example:
  python -m training --data faces-train.npz --valid faces-valid.npz --out models/emotii-5

a dataset is either
  an .npz file with `images` (n, 48, 48) uint8 and `votes` (n, 10) uint8, the FER+ taggers' votes, or
  a folder with one folder of pictures for each emotion: Angry/ Fear/ Happy/ Sad/ Surprise/ (or Suprise/)
"""


def main() -> int:
    """Exit code 0 after a model was written, 1 when something has to be mended first."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="faces to train on")
    parser.add_argument(
        "--valid", type=Path, help="faces to measure the scores on (default: a tenth of --data, set aside)"
    )
    parser.add_argument("--out", type=Path, required=True, help="model folder to write; its name is the model's name")
    parser.add_argument("--recipe", default="seed", help="how to train (default: seed)")
    parser.add_argument("--run", type=Path, help="where the run is saved (default: runs/<name of the model>)")
    parser.add_argument("--version", default="1.0.0", help="version of the model (default: 1.0.0)")
    arguments = parser.parse_args()

    # TensorFlow greets with warnings about what this machine does not have; it reads this when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from training.recipe import find_recipe
    from training.train import train

    try:
        train(
            arguments.data,
            arguments.valid,
            arguments.out,
            find_recipe(arguments.recipe),
            run=arguments.run,
            version=arguments.version,
        )
    except EmotiiError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last whole epoch", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
