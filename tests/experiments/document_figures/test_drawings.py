"""What the figures show: numbers of the documents, and several runs in one figure."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinkit.experiments.document_figures import images, numbers, runs
from skinkit.experiments.document_figures.material import Material


class Run:
    """A run of which only the numbers are left."""

    folder = Path("nowhere")
    leakage_line = "No leakage found."

    def __init__(self, recipe, dataset="ham10000", **history):
        self.manifest = {"recipe": recipe, "profile": "quick", "protocol": "corrected", "fold": 0, "seed": 1}
        self.manifest["dataset"] = dataset
        self.history = pd.DataFrame({"epoch": [1, 2], **history})


def test_numbers_are_those_of_the_documents():
    figure, _ = numbers.printed_matrices(Material("butskova2021/figure6"))
    assert figure.axes[0].get_title().startswith("90.5% of 2003 images right")
    figure, _ = numbers.parameters(Material("bermeo2023/figure7.8"))
    assert figure.axes[0].get_title() == "11,689,512 parameters in all"
    figure, _ = numbers.class_counts(Material("bermeo2023/released/filtered"))
    assert [bar.get_height() for bar in figure.axes[0].patches][:3] == [18031, 5090, 3320]


def test_a_learning_rate_is_that_of_the_recipe_in_each_epoch():
    figure, words = numbers.learning_rate(Material("bermeo2023/table8.2/m5"))
    (line,) = figure.axes[0].lines
    rates = dict(zip(*line.get_data(), strict=True))
    # 40 epochs, and a fifth of the rate after 15 and after 30 of them.
    found = [rates[epoch] for epoch in (1, 15, 16, 30, 31, 40)]
    np.testing.assert_allclose(found, [1e-3, 1e-3, 2e-4, 2e-4, 4e-5, 4e-5], rtol=1e-6)
    assert words == "step(after=(0.375, 0.75), factor=0.2) of bermeo2023/table8.2/m5"


def test_our_curves_stand_beside_the_printed_ones_where_there_are_runs():
    alone, words = numbers.schedule_curves(Material("8.10"))
    assert [ax.get_title() for ax in alone.axes] == ["Figure 8.10"] and "our" not in words
    ours = Run("bermeo2023/schedules/lite0-m3", auc=[0.6, 0.7], **{"val_auc:mel": [0.5, 0.6]})
    both, words = numbers.schedule_curves(Material("8.10", [ours]))
    assert [ax.get_title() for ax in both.axes] == ["Figure 8.10", "ours beside 8.10"]
    drawn = [list(line.get_ydata()) for line in both.axes[1].lines if len(line.get_ydata())]
    assert drawn == [[0.6, 0.7], [0.5, 0.6]]
    assert "our run bermeo2023/schedules/lite0-m3 (quick, corrected, fold 0, seed 1; ham10000)" in words


@pytest.mark.parametrize(
    ("of", "ours", "printed"),
    [
        ("all", "2 patients, 3 images; median 1.5, most 2", "2,056 patients, at most 114 images of one"),
        ("malignant", "1 patients, 1 images; median 1, most 1", "428 patients, 584 images"),
    ],
)
def test_patients_are_counted_in_the_largest_table_beside_the_printed_numbers(of, ours, printed, tmp_path):
    (folder := tmp_path / "isic2020").mkdir()
    rows = ["image_name,patient_id,target", "ISIC_1,a,0", "ISIC_2,b,1", "ISIC_3,b,0"]
    for name, count in (("subset_with_images.csv", 2), ("ISIC_2020_Training_GroundTruth.csv", 4)):
        (folder / name).write_text("\n".join(rows[:count]) + "\n")
    _, words = numbers.images_per_patient(Material(of, data_dir=tmp_path))
    assert words.startswith("3 of the 33,126 images") and words.endswith(f"{ours}; printed: {printed}")


def test_released_numbers_are_not_told_as_printed_ones():
    assert "released notebooks (curves.csv)" in numbers.schedule_curves(Material("8.10"))[1]
    assert numbers.printed_matrices(Material("bermeo2023/released-m0"))[1].endswith("released notebooks")
    assert numbers.printed_matrices(Material("butskova2021/figure6"))[1] == "numbers of the document"


def test_matrices_of_a_run_without_its_model_are_of_the_test_images_and_say_so():
    run = Run("hernandez2020/controls/lite0-base")
    truth = {"image_id": ["a", "b"], "label": ["benign", "malignant"]}
    run.predictions = pd.DataFrame({**truth, "p_benign": [0.9, 0.2], "p_malignant": [0.1, 0.8]})
    figure, words = runs.matrices(Material("train validation", [run]))
    assert len([ax for ax in figure.axes if ax.get_title().startswith("test: ")]) == 1
    assert words.endswith("; of its test images alone, as its model is not there")


def test_each_recipe_has_its_curves_and_only_its_first_run():
    gate, rest = (Run(f"d/t/{name}", loss=losses) for name, losses in (("gate", [3, 2]), ("rest", [5, 4])))
    figure, words = runs.learning_curves(Material("loss", [gate, Run("d/t/gate", loss=[9, 9]), rest]))
    assert [ax.get_title() for ax in figure.axes] == ["gate: loss", "rest: loss"]
    assert [list(ax.lines[0].get_ydata()) for ax in figure.axes] == [[3, 2], [5, 4]]
    assert words.startswith("2 runs of ours: d/t/gate, d/t/rest (quick")


def test_a_history_without_the_score_is_refused():
    with pytest.raises(ValueError, match="No such metric in history"):
        runs.learning_curves(Material("accuracy", [Run("d/t/gate", loss=[3, 2])]))


def test_images_are_changed_as_the_title_says():
    material = Material("flip")
    (image,), _ = material.images(1)
    figure, _ = images.change(material)
    before, after = (ax.images[0].get_array() for ax in figure.axes)
    np.testing.assert_array_equal(before, image)
    np.testing.assert_array_equal(after, image[:, ::-1])
    figure, _ = images.mixture(Material())
    first, second, mean = (ax.images[0].get_array().astype(float) for ax in figure.axes)
    assert np.abs((first + second) / 2 - mean).max() <= 0.5


def test_cells_trade_places_and_none_is_lost():
    figure, _ = images.disorder(Material())
    before, after = (ax.images[0].get_array().reshape(16, 8, 16, 8, 3) for ax in figure.axes)
    cells = [sorted(map(bytes, each.swapaxes(1, 2).reshape(256, -1))) for each in (before, after)]
    assert cells[0] == cells[1] and not np.array_equal(before, after)
