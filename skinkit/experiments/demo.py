"""The demo: images, split, training, scores, maps and the page of one small run."""

import os
from pathlib import Path

from skinkit.experiments.run import run
from skinkit.experiments.run_folder import SavedRun
from skinkit.experiments.run_folder.resume import OtherRun
from skinkit.papers.baselines import DEMO, DEMO_SYNTHETIC


def demo(out="results/demo", verbose=1):
    """Trains a small CNN with soft attention, evaluates and explains it, and writes a page about it.

    Takes the real HAM10000 when the environment variable `SKINKIT_DATA` names its folder, else drawn
    images.

    Args:
        out: Folder to write to. A finished demo of the same images is not trained again; one of other images
            or of an older version is replaced.
        verbose: As in `keras.Model.fit`.

    Returns:
        `pathlib.Path` of the page.

    Raises:
        ValueError: when the folder holds anything but a demo; it is left as it is.
    """
    from skinkit.experiments.report import write_report

    recipe = DEMO if os.environ.get("SKINKIT_DATA") else DEMO_SYNTHETIC
    folder = run_demo(recipe, Path(out), verbose)
    print("Drawing Grad-CAM and attention maps ...", flush=True)
    return write_report(folder)


def run_demo(recipe, folder, verbose=1, wait=False):
    """Carries out a recipe of the demo, and returns its folder; replaces a demo of other images.

    Args:
        recipe: `DEMO` or `DEMO_SYNTHETIC`.
        folder: `pathlib.Path` of the run folder.
        verbose: As in `demo`.
        wait: As in `skinkit.experiments.run`.
    """
    asked = {"profile": "quick", "folder": folder, "verbose": verbose, "wait": wait}
    try:
        return run(recipe, **asked)
    except OtherRun:
        if not _is_demo(folder):
            raise
        # A demo of other images or of an older version: it can be made again.
        return run(recipe, **asked, again=True)


def _is_demo(folder):
    """Whether a finished run is what `demo` itself makes."""
    if not (folder / "manifest.json").exists():
        return False
    made = SavedRun(folder).manifest
    expected = {"profile": "quick", "protocol": "corrected", "fold": 0, "seed": 0, "weights": None}
    return made["recipe"] in (DEMO.name, DEMO_SYNTHETIC.name) and expected.items() <= made.items()
