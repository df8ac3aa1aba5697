"""Differences between subgroups, counted by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import TOO_FEW, choose_threshold, compare_subgroups, unpack_predictions

# Sex, label, probability of melanoma, images.
ROWS = [
    ("female", "mel", 0.9, 20),
    ("female", "mel", 0.2, 5),
    ("female", "nv", 0.1, 27),
    ("female", "nv", 0.6, 3),
    ("male", "mel", 0.8, 15),
    ("male", "mel", 0.3, 15),
    ("male", "nv", 0.1, 40),
    (None, "mel", 0.9, 3),
]


@pytest.fixture
def saved():
    rows = [row[:3] for row in ROWS for _ in range(row[3])]
    table = pd.DataFrame(rows, columns=["sex", "label", "p_mel"])
    return table.assign(p_nv=1 - table["p_mel"], image_id=[f"i{i}" for i in table.index])


def test_shares_and_differences_are_those_counted_by_hand(saved):
    found = compare_subgroups(saved, "sex", resamples=200)
    assert [*found.index.unique("sex")] == ["female", "male", "unknown"]
    female, male = found.loc["female"], found.loc["male"]
    assert female[["n", "independent"]].to_numpy().tolist() == [[25, 25], [30, 30], [25, 25], [55, 55]]
    assert female.loc["sensitivity", "value"] == 20 / 25 and male.loc["sensitivity", "value"] == 15 / 30
    assert female.loc["specificity", "value"] == 27 / 30 and male.loc["specificity", "value"] == 1
    # The others hold the three of unknown sex, too.
    assert female.loc["sensitivity", "difference"] == pytest.approx(20 / 25 - 18 / 33)
    assert male.loc["specificity", "difference"] == pytest.approx(1 - 27 / 30)
    # Of 25 x 30 pairs, 5 x 30 with 0.2 win against the 27 at 0.1 and lose against the 3 at 0.6.
    assert female.loc["auc", "value"] == pytest.approx((20 * 30 + 5 * 27) / (25 * 30))
    # Sure of 0.9 in 47 of which all are right, of 0.8 in five wrong ones, of 0.6 in three wrong ones.
    assert female.loc["ece", "value"] == pytest.approx((47 * 0.1 + 5 * 0.8 + 3 * 0.6) / 55)
    ends = female.loc["sensitivity", ["difference_low", "difference_high"]].astype(float)
    assert ends.iloc[0] < female.loc["sensitivity", "difference"] < ends.iloc[1]
    assert np.isnan(female.loc["ece", "difference"]) and (found.loc[["female", "male"], "note"] == "").all()


def test_a_share_that_few_lesions_decide_is_compared_by_the_ends_of_both_sides(saved):
    found = compare_subgroups(saved, "sex", resamples=50).loc["male"].loc["specificity"]
    # Wilson: 40 of 40, 0.9124 to 1, and 27 of 30, 0.7438 to 0.9654.
    low = 0.1 - math.hypot(1 - 0.9124, 0.9654 - 0.9)
    high = 0.1 + math.hypot(0, 0.9 - 0.7438)
    assert found["method"] == "wilson" and low < 0
    assert found[["difference_low", "difference_high"]].tolist() == pytest.approx([low, high], abs=1e-4)


def test_of_few_lesions_nothing_is_said(saved):
    found = compare_subgroups(saved, "sex", resamples=50).loc["unknown"]
    assert found["note"].eq(TOO_FEW).all() and found["n"].tolist() == [3, 0, 3, 3]
    assert found[["value", "low", "high", "difference"]].isna().all(axis=None)
    # 25 images of 19 lesions are few, 30 others are enough.
    lesions = np.arange(len(saved))
    lesions[:7] = 0
    female = compare_subgroups(saved, "sex", groups=lesions, resamples=50).loc["female"]
    assert female["independent"].tolist() == [19, 30, 19, 49]
    assert female["note"].tolist() == [TOO_FEW, "", TOO_FEW, ""]


def test_a_difference_needs_enough_others(saved):
    found = compare_subgroups(saved[saved["sex"].notna()].head(60), "sex", resamples=50)
    # Five men with melanoma are the others of the women.
    female = found.loc["female"]
    assert female.loc["sensitivity", "value"] == 20 / 25 and np.isnan(female.loc["sensitivity", "difference"])
    alone = compare_subgroups(saved.head(55), "sex", resamples=50).loc["female"]
    assert alone["difference"].isna().all() and alone.loc["auc", "value"] > 0.9 - 0.02


def test_a_threshold_calls_instead_of_the_likeliest_class(saved):
    threshold = choose_threshold(*unpack_predictions(saved), sensitivity=0.9)
    assert threshold.value == 0.3
    found = compare_subgroups(saved, "sex", threshold=threshold, resamples=50)["value"]
    assert found["male", "sensitivity"] == 1 and found["female", "sensitivity"] == 20 / 25


def test_a_missing_column_is_named(saved):
    with pytest.raises(ValueError, match="has the column 'site'"):
        compare_subgroups(saved, "site")


def test_groups_are_as_many_as_images(saved):
    with pytest.raises(
        ValueError, match=rf"groups must hold {len(saved)} ids. Received: shape \({len(saved) - 1},\)"
    ):
        compare_subgroups(saved, "sex", groups=range(len(saved) - 1))


def test_ages_fall_into_bands_of_twenty_years_by_the_metadata_of_their_images(saved):
    few = saved.iloc[[0, 20, 25, 26, 27, 60]].reset_index(drop=True)
    ages = pd.array([85, 19, 39.5, pd.NA, 20, 80], dtype="Float64")
    metadata = pd.DataFrame({"image_id": few["image_id"], "age": ages}).iloc[::-1]
    found = compare_subgroups(few.drop(columns="sex"), "age", metadata, resamples=20)
    counts = found.xs("ece", level="score")["n"].to_dict()
    assert counts == {"0-19": 1, "20-39": 2, "80+": 2, "unknown": 1}
    with pytest.raises(ValueError, match="no row for 2 images, first 'i0'"):
        compare_subgroups(few, "age", metadata[:4], resamples=20)


def test_a_difference_in_specificity_needs_enough_others_without_the_class(saved):
    nevi_of_men = saved["sex"].eq("male") & saved["label"].eq("nv")
    few = saved[saved["sex"].notna() & (~nevi_of_men | (nevi_of_men.cumsum() <= 5))]
    female = compare_subgroups(few, "sex", resamples=50).loc["female"]
    assert female.loc["specificity", "value"] == 27 / 30
    assert np.isnan(female.loc["specificity", "difference"])
    assert female.loc["sensitivity", "difference"] == pytest.approx(20 / 25 - 15 / 30)


def test_each_band_of_ages_begins_with_its_first_year(saved):
    ages = saved.head(5).drop(columns="sex").assign(age=[0, 20, 40, 60, 80])
    counts = compare_subgroups(ages, "age", resamples=2).xs("ece", level="score")["n"].to_dict()
    assert counts == dict.fromkeys(["0-19", "20-39", "40-59", "60-79", "80+"], 1)


def test_a_column_that_the_metadata_lacks_too_is_named(saved):
    with pytest.raises(ValueError, match="has the column 'site'"):
        compare_subgroups(saved, "site", metadata=saved[["image_id"]])


def test_subgroups_stand_in_the_order_of_the_alphabet(saved):
    found = compare_subgroups(saved.iloc[::-1], "sex", resamples=2)
    assert [*found.index.unique("sex")] == ["female", "male", "unknown"]
