"""The images with the largest losses, and what is said of their maps."""

import base64

import cv2
import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import error_pairs
from skinkit.experiments import SavedRun
from skinkit.experiments.report import looks


@pytest.fixture(scope="module")
def found(whole):
    return SavedRun(whole), looks.looks(SavedRun(whole))


def test_four_images_of_a_class_and_the_hardest_of_each_wrong_answer_are_shown_the_worst_first(found):
    run, shown = found
    losses = [look.of_truth for look in shown]
    assert losses == sorted(losses) and len({look.image_id for look in shown}) == len(shown)
    hardest = {*error_pairs(run.predictions).head(8)["hardest"]}
    assert hardest <= {look.image_id for look in shown}
    for label, rows in run.predictions.groupby("label"):
        of_class = [look.image_id for look in shown if look.truth == label]
        worst = {*rows.nsmallest(4, f"p_{label}", keep="all")["image_id"]}
        assert min(4, len(rows)) <= len(of_class) and {*of_class} <= worst | hardest


def test_the_hardest_image_of_a_wrong_answer_is_shown_beyond_the_fourth_of_its_class():
    wrong = [f"w{i}" for i in range(5)]
    table = pd.DataFrame({"image_id": [*wrong, "other"], "lesion_id": [*wrong, "other"], "label": "mel"})
    table["p_mel"], table["p_nv"] = [0.0, 0.01, 0.02, 0.03, 0.04, 0.3], [1.0, 0.99, 0.98, 0.97, 0.96, 0.0]
    table["p_df"] = [0.0] * 5 + [0.7]
    chosen, *_ = looks._largest_losses(table)
    assert chosen["image_id"].tolist() == ["w0", "w1", "w2", "w3", "other"]


def test_an_image_stands_beside_its_own_numbers(found):
    run, shown = found
    predictions = run.predictions.set_index("image_id")
    for look in shown:
        row = predictions.loc[look.image_id]
        assert row["label"] == look.truth and row[f"p_{look.truth}"] == look.of_truth
        assert row.filter(like="p_").max() == look.of_called == row[f"p_{look.called}"]


def test_copies_of_an_image_are_shown_once():
    twice = pd.DataFrame(
        {"image_id": ["a", "a", "b"], "lesion_id": "x", "label": "mel", "p_mel": 0.1, "p_nv": 0.9}
    )
    chosen, truth, probabilities = looks._largest_losses(twice)
    assert chosen["image_id"].tolist() == ["a", "b"]
    assert truth.tolist() == [0, 0] and probabilities.shape == (2, 2)


def test_of_equal_losses_the_surer_answer_comes_first():
    p = {"p_mel": [0.0, 0.0, 0.3], "p_nv": [0.6, 0.9, 0.4], "p_bcc": [0.4, 0.1, 0.3]}
    chosen, _, _ = looks._largest_losses(
        pd.DataFrame({"image_id": [*"abc"], "lesion_id": [*"abc"], "label": "mel", **p})
    )
    assert chosen["image_id"].tolist() == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("row", "column", "place"), [(0, 0, "top left"), (1, 1, "middle"), (2, 1, "bottom"), (1, 2, "right")]
)
def test_words_say_where_a_map_is_strongest(row, column, place):
    heatmap = np.zeros((3, 3))
    heatmap[row, column] = 1
    assert looks._where("Grad-CAM", heatmap) == f"Grad-CAM, strongest at the {place}"
    assert looks._where("Grad-CAM", heatmap + 9) == "Grad-CAM, nearly even over the image"
    assert looks._where("Grad-CAM", np.kron(heatmap, np.ones((3, 5)))).endswith(f"at the {place}")


def test_images_keep_their_shape_and_colours_and_stay_small():
    image = np.full((300, 400, 3), (200, 30, 30), np.uint8)
    content = base64.b64decode(looks._jpeg(image).partition(",")[2])
    again = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert again.shape == (150, 200, 3) and np.abs(again.mean(axis=(0, 1)) - (200, 30, 30)).max() < 4
    noise = np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8)
    # Nine classes, and three images each: nothing compresses worse, and it leaves a megabyte for the rest.
    assert 9 * looks._OF_A_CLASS * 3 * len(looks._jpeg(noise)) < 4_000_000
    assert len(looks._jpeg(image)) < 5_000
