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


def test_the_values_are_those_of_the_released_notebooks():
    """Sums over the epochs, which an altered or a missing value changes."""
    sums = load_curves().groupby("row")[["auc", "loss", "val_auc", "val_loss", "val_accuracy"]].sum()
    assert sums.round(4).to_numpy().tolist() == [
        [18.4564, 10.8753, 17.6290, 13.9621, 15.0136],
        [18.4277, 11.0895, 17.6254, 13.9356, 14.9978],
        [18.2205, 12.0537, 17.5567, 14.1573, 14.8531],
        [18.0371, 12.7491, 17.4665, 14.4946, 14.7377],
        [32.5656, 35.5954, 34.0375, 31.9119, 28.4899],
        [32.2886, 36.6394, 33.8028, 33.1140, 28.0608],
        [32.3813, 36.2943, 33.8881, 32.7025, 28.1957],
        [32.4641, 36.3335, 33.6594, 33.4161, 27.9589],
    ]
