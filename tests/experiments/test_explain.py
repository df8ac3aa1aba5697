"""The images of an explanation: chosen by the saved predictions of a run."""

import numpy as np
import pandas as pd
import pytest

from skinkit.experiments import SavedRun, explain
from skinkit.experiments.predictions import write_predictions
from skinkit.tasks import Explanation

# Of the truth; the other six classes share what is left: the second is no hit, either.
OF_TRUTH = [0.9, 0.1, 0.0, 0.6, 0.0]


class Chosen(Exception):
    """Ends an explanation before anything is drawn."""


@pytest.fixture
def chosen(folder, monkeypatch):
    """Returns the function that explains a run with five known predictions, and says which it chose."""
    run = SavedRun(folder)
    predictions = run.predictions.head(len(OF_TRUTH)).copy()
    truth = np.array(run.labels) == predictions["label"].to_numpy()[:, None]
    p = np.array(OF_TRUTH)[:, None]
    predictions[[f"p_{label}" for label in run.labels]] = np.where(truth, p, (1 - p) / (len(run.labels) - 1))
    write_predictions(predictions, folder / "predictions.csv.gz")

    def rows(run, images, data_dir):
        raise Chosen(*images)

    # `skinkit.experiments.explain` is the function, and not its module.
    monkeypatch.setitem(explain.__globals__, "image_rows", rows)

    def ask(**options):
        with pytest.raises(Chosen) as found:
            explain(folder, **options)
        return [predictions["image_id"].tolist().index(image) for image in found.value.args]

    return ask


def test_images_are_chosen_by_their_losses(chosen):
    # A loss may be infinite, and equal to another.
    assert set(chosen(largest_losses=2)) == {2, 4}
    assert chosen(largest_losses=4)[2:] == [1, 3]
    assert chosen(surest=2) == [0, 3], "the others are no hits"
    assert chosen(surest=1, largest_losses=3)[::3] == [0, 1]
    # An image comes once, whatever it is chosen for.
    assert sorted(chosen(surest=2, largest_losses=5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"largest_losses": 6}, "5 losses among its 5 test images. Received: 6"),
        ({"surest": 3}, "2 right answers among its 5 test images. Received: 3"),
        ({"surest": -1}, "Received: -1"),
        ({"surest": 1, "images": ["SYN_0000001"]}, "not both. Received: SYN_0000001"),
    ],
)
def test_more_images_than_there_are_are_refused(chosen, options, message):
    with pytest.raises(ValueError, match=message):
        chosen(**options)


def test_a_map_that_is_empty_says_so_and_one_of_a_stage_what_it_answers():
    maps = {"Grad-CAM": np.array([[[0.0, 0.0]], [[0.0, 1.0]]])}
    answers = {"Grad-CAM": (("nv", "rest"), np.array([[0.9, 0.1], [0.4, 0.6]]))}
    titles = explain.__globals__["_map_titles"]
    assert titles(Explanation(None, None, maps), "Grad-CAM") == ["Grad-CAM (empty)", "Grad-CAM"]
    with_stage = titles(Explanation(None, None, maps, answers), "Grad-CAM")
    assert with_stage == ["Grad-CAM (empty)\nnv 0.90", "Grad-CAM\nrest 0.60"]


def test_a_title_has_the_probability_of_the_truth_where_it_was_missed():
    rows = pd.DataFrame({"image_id": ["a", "b", "c", "d"], "label": ["mel", "nv", pd.NA, "scc"]})
    probabilities = np.array([[0.25, 0.75], [0.25, 0.75], [0.9, 0.1], [0.9, 0.1]])
    titles = explain.__globals__["_titles"]
    assert titles(rows, probabilities, ("mel", "nv")) == [
        *("a (truth: mel 0.25)\nnv 0.75", "b (truth: nv)\nnv 0.75"),
        *("c\nmel 0.90", "d (truth: scc)\nmel 0.90"),
    ]
