"""The main job, once through: images, split, training, scores, pictures, page."""

import os
import shutil
from pathlib import Path

from skinkit.experiments.explain import explain
from skinkit.experiments.run import run
from skinkit.papers.baselines import DEMO, DEMO_SYNTHETIC


def demo(out="results/demo", verbose=1):
    """Trains a small CNN with soft attention, evaluates and explains it, and writes a page about it.

    Takes the real HAM10000 when the environment variable `SKINKIT_DATA` names its folder, else drawn
    images.

    Args:
        out: Folder to write to. A finished demo of the same images is not trained again.
        verbose: As in `keras.Model.fit`.

    Returns:
        `pathlib.Path` of the page.
    """
    from skinkit.report import write_report

    recipe = DEMO if os.environ.get("SKINKIT_DATA") else DEMO_SYNTHETIC
    folder = _run(recipe, Path(out), verbose)
    print("Drawing Grad-CAM and attention maps ...", flush=True)
    explain(folder)
    return write_report(folder)


def _run(recipe, folder, verbose):
    try:
        return run(recipe, profile="quick", folder=folder, verbose=verbose)
    except ValueError:
        if not (folder / "plan.json").exists():
            raise
        # The folder holds a demo of other images or of an older version: a demo can be made again.
        shutil.rmtree(folder)
        return run(recipe, profile="quick", folder=folder, verbose=verbose)
