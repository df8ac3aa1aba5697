"""Submissions of a run to a challenge."""

from pathlib import Path

import numpy as np
import pandas as pd

from skinkit import data, evaluation
from skinkit.evaluation.submission import check_isic2018_labels
from skinkit.experiments.run_folder import SavedRun
from skinkit.experiments.run_folder.seen_images import without_seen
from skinkit.names import check_name

# Data sets with a challenge, and the images that it asks for and gives no weight, which `load` leaves out.
CHALLENGES = {
    "isic2018_validation": (),
    "isic2018_test": ("ISIC_0035068",),
    "isic2018_test_dataverse": ("ISIC_0035068",),
}


def submit(folder, on, data_dir=None):
    """Writes a run's predictions of a challenge's images as the file that the challenge asks for.

    Args:
        folder: Run folder.
        on: Name of the data set, one of `CHALLENGES`.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Returns:
        Tuple of the `pathlib.Path` of `evaluations/<on>/submission.csv` in the run folder, and of the notes,
        a list of strings: which images the run has seen, and which have equal probabilities because nobody
        scores them.

    Raises:
        FileNotFoundError: when the run, its model or the images are missing.
        ValueError: for images without a challenge, or a run with other classes than those it asks for.
    """
    check_name("Data sets with a challenge", on, CHALLENGES)
    run = SavedRun(Path(folder))
    check_isic2018_labels(run.labels)
    predict = run.predictor(data_dir)
    table = data.load(on, root=data_dir)
    table, notes = without_seen(run.target.relabel(table), run.seen(data_dir), run.labels, overlap="keep")
    found = predict(table)
    _, probabilities, labels = evaluation.unpack_predictions(found)
    rows = pd.DataFrame(probabilities, found["image_id"].astype(str), labels)
    for image in CHALLENGES[on]:
        rows.loc[image] = np.full(len(labels), 1 / len(labels))
        notes.append(f"{image} has equal probabilities: the challenge asks for it, and gives it no weight")
    rows, path = rows.sort_index(), run.folder / "evaluations" / on / "submission.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    evaluation.write_isic2018_submission(path, rows.index, rows.to_numpy(), labels)
    return path, notes
