import pytest

from check_published import fill_checks
from published_rules import bermeo, bermeo_released
from published_rules.cells import confusions, one, pick
from skinkit.papers.published import flagged, read_cells


@pytest.fixture(scope="module")
def cells():
    return fill_checks("bermeo2023")


def after(rule, new_value, **where):
    """What a rule says of the cells that hold something else once one cell holds another value."""
    cells = read_cells("bermeo2023")
    before = dict(rule(cells))
    cells.loc[one(cells, **where).name, "value"] = new_value
    return [text for index, text in rule(cells) if before[index] != text]


def test_every_matrix_has_the_classes_of_the_test_part(cells):
    for row in bermeo.MODELS:
        counts = confusions(cells, f"released-{row}").sum(axis=1)
        assert counts.to_dict() == {
            **{"ak": 87, "bcc": 332, "bkl": 284, "df": 24},
            **{"scc": 63, "vasc": 25, "mel": 509, "nv": 1803},
        }
    diagonal = cells[cells["table"].str.startswith("released-") & cells["row"].eq(cells["class"])]
    assert len(diagonal) == 64 and diagonal["check"].str.contains("ok: .* a tenth of ").all()


def test_a_wrong_count_of_a_matrix_is_found():
    cells = read_cells("bermeo2023")
    cells.loc[one(cells, table="released-m3", row="df", class_="bcc").name, "value"] = "9"
    index = one(cells, table="released-m3", row="df", class_="df").name
    texts = [text for i, text in bermeo_released.matrices(cells) if i == index]
    assert texts == ["disagrees: 26 images, a tenth of 239 is 23.9", "note: never predicted"]


def test_macro_recalls_that_nobody_printed_and_classes_that_are_never_predicted(cells):
    test = pick(cells, table="released", metric="accuracy", split="test").set_index("row")["check"]
    found = test.str.extract(r"one view gets (\d+) images right, macro recall ([\d.]+)(.*); ok")
    assert found[0].tolist() == ["2414", "2436", "2396", "2401", "2295", "2228", "2252", "2255"]
    assert found[1].tolist() == ["0.496", "0.506", "0.450", "0.456", "0.412", "0.322", "0.336", "0.351"]
    df, vasc = ", no df predicted", ", no vasc predicted"
    assert found[2].tolist() == ["", "", df, df, df, df + vasc, df + vasc, df]
    recall = one(cells, table="released", row="m1", metric="recall", split="test")["check"]
    assert recall == "implies: one view finds 311 of 509, with a specificity 0.929; ok: 305 of 509"


def test_four_views_help_validation_and_not_always_test(cells):
    assert one(cells, table="text", row="test-time-augmentation")["check"] == (
        "disagrees: images right with four views less one, M0 to M7: +32, +47, +40, +38, +20, +12, +0, +12 "
        "in validation and +1, -26, -13, -13, +23, +9, +5, +5 in test; training accuracy of M0 -0.0873"
    )


def test_two_machines_lie_apart_and_one_does_not(cells):
    assert one(cells, table="released", row="m1", metric="gpu")["check"] == (
        "note: up to epoch 15, before the rate drops, validation lies at most this far apart: M0 on TT4 and "
        "M1 on NA100 0.0006 in AUC and 0.0025 in accuracy; M4 on NA100 and M5 on NA100 0.0000 in AUC and "
        "0.0000 in accuracy"
    )


def test_the_kept_epochs_are_the_highest_and_no_training_was_stopped(cells):
    epochs = pick(cells, table="released", metric=["best_epoch", "patience"])
    assert len(epochs) == 16 and not flagged(epochs["check"]).any()
    found = after(bermeo_released.best_epochs, "20", table="released", row="m0", metric="best_epoch")
    assert found == ["disagrees: the curve is highest in epoch 18, with 0.9027"]


def test_kept_weights_score_nearly_as_in_their_epoch(cells):
    again = pick(cells, table="released", row=bermeo.MODELS, metric=["auc", "accuracy"], split="validation")
    differing = again[again["check"].str.startswith("note: in epoch")]
    assert list(zip(differing["row"], differing["metric"], strict=True)) == [
        *(("m1", "auc"), ("m1", "accuracy"), ("m4", "accuracy"), ("m6", "accuracy")),
    ]
    told = differing["check"].str.extract(r"it was ([\d.]+)")[0].astype(float)
    assert (told - differing["value"].astype(float)).abs().max() < 3 / 3126, "two images"


def test_dropout_of_m7_is_in_the_table_alone(cells):
    dropout = pick(cells, table="table7.2", metric="dropout").set_index("row")["check"]
    assert dropout.index[flagged(dropout)].tolist() == ["m7"]
    assert dropout["m7"] == "disagrees: R18M, which the training notebook builds, has dropout: No"


def test_what_a_training_took_was_a_matter_of_its_loader(cells):
    times = pick(cells, table="table7.2", metric="training_time").set_index("row")["check"]
    speeds = times.str.extract(r"implies: ([\d.]+) images/s")[0].astype(float)
    # 20 x 28,138 images in 1 h 45, and 40 x 28,138 in 36 h 55.
    assert (speeds["m0"], speeds["m7"]) == (89.3, 8.5)
    assert speeds[["m4", "m5", "m6"]].between(9.9, 10.1).all()
    assert "with 0 worker processes" in one(cells, row="vicorob-machine", metric="cause")["check"]


def test_models_without_regularisation_are_far_better_on_training_images(cells):
    text = one(cells, row="overfitting", metric="cause")["check"]
    # M0: 0.952 less 0.903 and 0.892; M6: 0.874 less 0.868; M7: 0.877 less 0.849.
    assert text == (
        "ok: training area less that of other images: 0.038 to 0.049 in M0-M3 (validation), "
        "0.006 to 0.009 in M4-M7 (validation), 0.048 to 0.060 in M0-M3 (test), "
        "0.024 to 0.028 in M4-M7 (test); "
        "validation losses end at most 0.007 above their lowest"
    )


def test_claims_about_more_epochs_stand_beside_what_was_trained(cells):
    text = one(cells, row="more-epochs", metric="effect")["check"]
    assert text == "note: 1260 updates of M0-M3 and 1000 updates of M4-M7 were compared"
    text = one(cells, row="deviation", metric="cause")["check"]
    assert text.startswith("note: larger in 4 of the 9 columns of Table 8.2: validation auc, test auc, ")
    text = one(cells, table="text", metric="update_after")["check"]
    assert text == "disagrees: Table 7.2 has batches of 400, 1024, and the notebooks a momentum of 0.9"


def test_a_share_of_few_digits_leaves_several_counts(cells):
    text = one(cells, table="released", row="m0-one-view", metric="accuracy")["check"]
    assert text == "ok: 23055 to 23057 of 25012"
