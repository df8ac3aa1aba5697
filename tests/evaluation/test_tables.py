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


def test_a_stamp_stands_above_the_table():
    table = pd.DataFrame({"f1": [0.5]})
    stamped = stamp(table, "LEAKY: 38.6 % of ...")
    assert not table.attrs
    assert to_markdown(stamped).startswith("**LEAKY: 38.6 % of ...**\n\n|")


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
    # As older versions of pandas leave it behind a join.
    assert to_markdown(pd.DataFrame({"x": [1]}, index=pd.Index([0]))) == "| x |\n| ---: |\n| 1 |\n"
    counts = pd.DataFrame({"x": [1]}, index=pd.Index([0], name="fold"))
    assert to_markdown(counts).splitlines()[2] == "| 0 | 1 |"
    assert to_markdown(pd.DataFrame({"x": [1]}, index=["a"])).splitlines()[2] == "| a | 1 |"
