import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import classification_report

from skinkit.evaluation import (
    bootstrap_intervals,
    classification_table,
    confusion_table,
    score,
    stamp,
    subgroup_table,
    table_metrics,
    to_markdown,
)


def test_the_classification_table_equals_that_of_scikit_learn(predictions, labels):
    y_true, probabilities = predictions(250, seed=0)
    table = classification_table(y_true, probabilities, labels)
    y_pred = np.array(labels)[probabilities.argmax(axis=1)]
    report = classification_report(y_true, y_pred, labels=labels, output_dict=True, zero_division=0)
    assert list(table.index) == [*labels, "accuracy", "macro", "weighted"]
    for row, name in [*zip(labels, labels, strict=True), ("macro", "macro avg")]:
        for column, key in (("precision",) * 2, ("recall",) * 2, ("f1", "f1-score")):
            assert table.loc[row, column] == pytest.approx(report[name][key])
        assert table.loc[row, "support"] == report[name]["support"]
    weighted = report["weighted avg"]
    assert table.loc["weighted", "f1"] == pytest.approx(weighted["f1-score"])
    assert table.loc["weighted", "recall"] == pytest.approx(report["accuracy"])
    assert table.loc["accuracy", "f1"] == pytest.approx(report["accuracy"])
    assert table.loc["accuracy"].drop(["f1", "support"]).isna().all()
    assert table.loc["macro", "auc"] == score("macro_auc", y_true, probabilities, labels)


def test_intervals_stand_beside_the_scores_they_belong_to(predictions, labels):
    y_true, probabilities = predictions(250, seed=1)
    intervals = bootstrap_intervals(
        y_true, probabilities, labels, metrics=table_metrics(labels), resamples=50
    )
    table = classification_table(y_true, probabilities, labels, intervals)
    assert list(table)[:3] == ["precision", "precision_low", "precision_high"]
    assert "auc_low" not in table
    low, high = intervals.loc["recall:df", ["low", "high"]]
    assert table.loc["df", ["recall_low", "recall_high"]].tolist() == [low, high]
    assert table.loc["macro", "f1_high"] == intervals.loc["macro_f1", "high"]
    assert table.loc["accuracy", "f1_low"] == intervals.loc["accuracy", "low"]
    assert table.loc["accuracy", ["recall_low", "recall_high"]].isna().all()


def test_absent_classes_stay_in_the_table_and_out_of_its_means():
    table = classification_table(["mel", "nv"], [[0.9, 0.1, 0], [0.6, 0.4, 0]], ["mel", "nv", "df"])
    assert table.loc["df", "support"] == 0 and np.isnan(table.loc["df", "recall"])
    assert table.loc["macro", "recall"] == 0.5 and table.loc["weighted", "recall"] == 0.5


def test_the_confusion_table_names_truth_and_prediction():
    table = confusion_table(["mel", "nv", "nv"], [[0.9, 0.1], [0.8, 0.2], [0, 1]], ["mel", "nv"])
    assert table.index.name == "truth" and table.columns.name == "prediction"
    assert table.loc["nv", "mel"] == 1 and table.loc["mel", "nv"] == 0


@pytest.fixture
def saved():
    return pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "label": ["mel", "nv", "nv", "mel", "nv", "nv"],
            "p_mel": [0.9, 0.2, 0.7, 0.1, 0.2, 0.3],
            "p_nv": [0.1, 0.8, 0.3, 0.9, 0.8, 0.7],
            "lesion_id": ["1", "2", "2", "3", "4", "5"],
        }
    )


@pytest.fixture
def manifest():
    return pd.DataFrame(
        {
            "image_id": pd.array(list("fedcba"), dtype="string"),
            "sex": pd.array(["male", "male", pd.NA, "female", "male", "female"], dtype="string"),
            "age": pd.array([80, 20, pd.NA, 39.5, 19, 85], dtype="Float64"),
        }
    )


def test_subgroups_are_scored_by_the_metadata_of_their_images(saved, manifest):
    table = subgroup_table(saved, "sex", manifest)
    assert list(table.index) == ["all", "female", "male", "unknown"]
    assert table["n"].tolist() == [6, 2, 3, 1]
    assert table["n_mel"].tolist() == [2, 1, 0, 1]
    # female: images a (found) and c (false alarm); male: b, e, f, all right.
    assert table["accuracy"].tolist() == pytest.approx([4 / 6, 0.5, 1, 0])
    assert table["recall:mel"].tolist()[:2] == [0.5, 1] and np.isnan(table.loc["male", "recall:mel"])


def test_ages_fall_into_bands_of_twenty_years(saved, manifest):
    table = subgroup_table(saved, "age", manifest, metrics=["accuracy"])
    assert table["n"].to_dict() == {"all": 6, "0-19": 1, "20-39": 2, "80+": 2, "unknown": 1}


def test_a_column_of_the_predictions_needs_no_metadata(saved):
    table = subgroup_table(saved.assign(device=["x"] * 4 + ["y"] * 2), "device")
    assert list(table.index) == ["all", "x", "y"] and table.index.name == "device"


def test_subgroups_can_have_intervals_unless_they_are_one_lesion(saved):
    rows = saved.assign(site=["back", "face", "face", "back", "back", "back"])
    table = subgroup_table(rows, "site", metrics=["accuracy"], resamples=50, groups="lesion_id")
    assert list(table) == ["n", "n_mel", "accuracy", "accuracy_low", "accuracy_high"]
    assert table.loc["back", "accuracy_low"] < table.loc["back", "accuracy_high"]
    assert table.loc["face", ["accuracy_low", "accuracy_high"]].isna().all()


def test_subgroups_without_their_column_or_images_are_refused(saved, manifest):
    with pytest.raises(ValueError, match="'site'.*manifest"):
        subgroup_table(saved, "site", manifest)
    with pytest.raises(ValueError, match="no row for 2 images, first 'a'"):
        subgroup_table(saved, "sex", manifest[:4])


@pytest.mark.parametrize(
    ("line", "caption"), [("LEAKY: 38.6 % of ...", "LEAKY: 38.6 % of ..."), (None, "No leakage found.")]
)
def test_a_stamp_stands_above_the_table(line, caption):
    table = pd.DataFrame({"f1": [0.5]})
    stamped = stamp(table, line)
    assert not table.attrs
    assert to_markdown(stamped).startswith(f"**{caption}**\n\n|")


def test_markdown_shows_names_numbers_and_gaps():
    table = pd.DataFrame(
        {"f1": [0.12345, np.nan], "n": [3, 4], "note": ["a|b", None]},
        index=pd.Index(["mel", "nv"], name="class"),
    )
    assert to_markdown(table, digits=2) == (
        "| class | f1 | n | note |\n"
        "| --- | ---: | ---: | --- |\n"
        "| mel | 0.12 | 3 | a\\|b |\n"
        "| nv | – | 4 | – |\n"
    )


def test_markdown_leaves_out_an_index_that_only_counts():
    assert to_markdown(pd.DataFrame({"x": [1]})) == "| x |\n| ---: |\n| 1 |\n"
    assert to_markdown(pd.DataFrame({"x": [1]}, index=["a"])).splitlines()[2] == "| a | 1 |"
