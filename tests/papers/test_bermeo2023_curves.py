from skinkit.papers.bermeo2023.curves import FIGURES, load_curves


def test_240_epochs_have_six_values_each():
    points = load_curves()
    assert points.shape == (240, 8) and points.notna().all(axis=None)
    assert (
        points.groupby("row")["epoch"].agg(["min", "max"]).to_numpy().tolist()
        == [[1, 20]] * 4 + [[1, 40]] * 4
    )
    scores = points[["auc", "accuracy", "val_auc", "val_accuracy"]]
    assert (scores.ge(0.5) & scores.lt(1)).all(axis=None)


def test_figures_are_those_of_the_document():
    assert list(FIGURES) == [f"8.{number}" for number in range(1, 13)]
    assert FIGURES["8.1"] == ("auc", ("m0", "m4"))
    assert FIGURES["8.6"] == ("accuracy", ("m1", "m5"))
    assert FIGURES["8.11"] == ("loss", ("m3", "m7"))
