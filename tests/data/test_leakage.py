import math
import re

import pandas as pd
import pytest

from skinkit.data import (
    Split,
    augment_offline,
    butskova2021_split,
    fingerprint,
    koefler2023_split,
    leakage_between,
    leakage_line,
    leakage_rate,
    leakage_report,
    leakage_stamp,
    load,
    pool_reports,
    stratified_group_split,
)

CLASSES = ("all", "mel", "bcc", "df", "bkl", "vasc", "akiec", "nv")
# Share of test images whose lesion is in training, in %, means of 50 repeats.
IMAGE_LEVEL = {
    0.20: (38.6, 68.5, 56.4, 56.2, 51.7, 48.6, 46.3, 29.2),
    0.33: (33.9, 59.6, 48.3, 48.4, 45.1, 41.4, 40.7, 26.0),
    0.25: (37.1, 65.3, 54.8, 52.3, 50.0, 46.4, 43.7, 28.2),
    0.10: (42.3, 75.2, 61.0, 60.5, 57.2, 50.7, 50.6, 32.0),
}
PHOTOGRAPHS = (74.4, 99.5, 99.5, 99.7, 99.5, 99.7, 99.7, 0.0)
LESIONS = (81.2, 99.9, 99.9, 99.9, 99.8, 99.8, 100.0, 25.8)


def sampling_error(share, images, repeats):
    """Four standard deviations of the difference of our mean and the mean of 50 repeats."""
    # Images of one lesion leak together, which widens a binomial a little; printed to 0.1 %.
    deviation = 1.4 * math.sqrt(share * (1 - share) / images)
    return 4 * deviation * math.sqrt(1 / repeats + 1 / 50) + 0.001


def assert_shares(reports, kind, published):
    mean = sum(report[kind].astype(float) for report in reports) / len(reports)
    sizes = reports[0]["n"]
    for label, percent in zip(CLASSES, published, strict=True):
        # A share printed as 100.0 % has a spread too: that of 99.9 %.
        share = percent / 100
        spread = min(max(share, 0.001), 0.999) if share else 0.0
        tolerance = sampling_error(spread, sizes[label], len(reports))
        assert mean[label] == pytest.approx(share, abs=tolerance), (kind, label)


@pytest.mark.parametrize("share", IMAGE_LEVEL)
def test_image_level_splits_leak_as_in_the_facts(real_ham, share):
    fractions = {"train": 1 - share, "test": share}
    splits = (stratified_group_split(real_ham, fractions, "image", seed) for seed in range(3))
    reports = [leakage_report(real_ham, split) for split in splits]
    assert_shares(reports, "lesion", IMAGE_LEVEL[share])
    # Two pairs of the release are one file under two names.
    assert all(report.loc["all", "photograph"] * report.loc["all", "n"] < 2.5 for report in reports)
    assert all(report["patient"].isna().all() for report in reports)


def test_augmenting_before_the_split_leaks_as_in_the_facts(real_ham):
    table = augment_offline(real_ham)
    reports = [leakage_report(table, koefler2023_split(table, seed)) for seed in (50, 51, 52)]
    assert_shares(reports, "photograph", PHOTOGRAPHS)
    assert_shares(reports, "lesion", LESIONS)


def test_the_missing_lesions_of_isic_2019_are_said(real_root):
    table = load("isic2019", real_root, missing_images="keep", verbose=False)
    report = leakage_report(table, stratified_group_split(table, group="lesion"))
    assert leakage_rate(report) == {"photograph": 0, "lesion": None, "patient": None}
    lacking = table["lesion_id"].isna()
    assert lacking.sum() == 2084
    stamp = leakage_stamp(report)
    assert re.search(
        r"^LEAKAGE UNKNOWN: \d+ of 3,\d+ evaluation and 1,\d+ of 17,\d+ seen images have no", stamp
    )
    leaky = leakage_stamp(leakage_report(table, stratified_group_split(table, group="image")))
    assert leaky.startswith("LEAKY: at least ") and "have no lesion id" in leaky


def test_what_nobody_could_look_for_is_said_beside_what_was_not_found():
    rates = {"photograph": 0.0, "lesion": None, "patient": None}
    assert leakage_line(None, rates) == "No leakage found. Shared lesions and patients: UNKNOWN."
    assert leakage_line(None, dict.fromkeys(rates, 0.0)) == "No leakage found."
    assert leakage_line("LEAKY: 3 %", rates) == "LEAKY: 3 %"


def test_the_validation_part_of_butskova_leaks(real_ham):
    report = leakage_report(real_ham, butskova2021_split(real_ham), part="validation")
    assert report.loc["all", "n"] == 2003
    assert_shares([report], "lesion", IMAGE_LEVEL[0.20])


@pytest.mark.parametrize("seed", range(3))
def test_a_lesion_split_leaks_exactly_nothing(histogram_table, seed):
    split = stratified_group_split(histogram_table, group="lesion", seed=seed)
    for part in ("validation", "test"):
        report = leakage_report(histogram_table, split, part=part)
        assert report.loc["all", "lesion"] == 0 and report["lesion"].max() == 0
        assert leakage_stamp(report) is None


@pytest.fixture
def small(make_table):
    return make_table(
        image_id=list("ABCDEFG"),
        label=["mel", "mel", "nv", "nv", "nv", "mel", "bkl"],
        lesion_id=["1", "1", "2", "2", "3", None, "5"],
        patient_id=["p", "p", "q", "p", "q", None, "r"],
    )


def split_of(small, train, test):
    parts = dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
    return Split("hand", pd.Series(parts), 0, "image")


def test_rates_are_those_counted_by_hand(small):
    report = leakage_report(small, split_of(small, train="ACG", test="BDEF"))
    assert report.index.tolist() == ["all", "bkl", "mel", "nv"]
    assert report["n"].tolist() == [4, 0, 2, 2]
    # B shares lesion 1, D lesion 2; E and F (no id) share none.
    assert report.loc["all", "lesion"] == 0.5 and report.loc["mel", "lesion"] == 0.5
    # B and D share patient p, E shares q.
    assert report.loc["all", "patient"] == 0.75 and report.loc["nv", "patient"] == 1
    assert report.loc["bkl"].drop("n").isna().all()
    assert leakage_rate(report) == {"photograph": 0.0, "lesion": 0.5, "patient": 0.75}


def test_the_stamp_names_every_kind_that_leaks(small):
    report = leakage_report(small, split_of(small, train="ACG", test="BDEF"))
    assert leakage_stamp(report) == (
        "LEAKY: at least 50.0 % of evaluation images show a lesion, at least 75.0 % a patient that is also "
        "in training (1 of 4 evaluation images have no lesion id; 1 of 4 evaluation images have no "
        "patient id)"
    )
    known = small[small["image_id"] != "F"]
    report = leakage_report(known, split_of(known, train="ACG", test="BDE"))
    assert leakage_stamp(report) == (
        "LEAKY: 66.7 % of evaluation images show a lesion, 100.0 % a patient that is also in training"
    )


def test_the_stamp_of_one_kind_is_the_sentence_of_the_contract(make_table):
    table = make_table(image_id=list("ABCD"), label=["nv"] * 4, lesion_id=["1", "1", "2", "3"])
    report = leakage_report(table, split_of(table, train="A", test="BCD"))
    assert leakage_stamp(report) == (
        "LEAKY: 33.3 % of evaluation images show a lesion that is also in training"
    )


def test_a_very_small_leak_is_not_printed_as_zero(small):
    report = leakage_report(small, split_of(small, train="ACG", test="BDEF"))
    report.loc["all", ["photograph", "lesion", "patient"]] = [0.0, 0.0001, pd.NA]
    assert "less than 0.1 % of evaluation images" in leakage_stamp(report)


def test_without_ids_the_leak_is_unknown_not_zero(make_table):
    table = make_table(image_id=list("ABC"), label=["nv"] * 3)
    report = leakage_report(table, split_of(table, train="A", test="BC"))
    assert leakage_rate(report) == {"photograph": 0.0, "lesion": None, "patient": None}
    assert leakage_stamp(report) == "LEAKAGE UNKNOWN: there are no lesion ids; there are no patient ids"


@pytest.mark.parametrize(
    ("lesions", "stamp"),
    [
        (["1", "1", "2", "3"], None),
        (["1", "1", "unknown", "3"], "1 of 2 evaluation images have no lesion id"),
        (["1", "-1.0", "2", "3"], "1 of 2 seen images have no lesion id"),
        (["1", "n/a", "2", ""], "1 of 2 evaluation and 1 of 2 seen images have no lesion id"),
        (
            ["HAM_0000001", "HAM_0000002", "IL_0000001", "HAM_0000003"],
            "1 of 2 evaluation images have a lesion id that cannot be",
        ),
    ],
)
def test_nothing_found_is_no_leakage_only_where_all_ids_are_known(make_table, lesions, stamp):
    table = make_table(image_id=list("ABCD"), label=["nv"] * 4, lesion_id=lesions)
    report = leakage_report(table, split_of(table, train="AB", test="CD"))
    assert leakage_rate(report)["lesion"] == (None if stamp else 0)
    found = leakage_stamp(report)
    assert found == stamp or found.startswith(f"LEAKAGE UNKNOWN: {stamp}")


def test_complete_ids_of_one_kind_are_enough(make_table):
    ids = {"lesion_id": ["1", None, "2", "3"], "patient_id": ["p", "p", "q", "q"]}
    table = make_table(image_id=list("ABCD"), label=["nv"] * 4, **ids)
    report = leakage_report(table, split_of(table, train="AB", test="CD"))
    assert leakage_rate(report) == {"photograph": 0, "lesion": None, "patient": 0}
    assert leakage_stamp(report) is None


def test_a_lower_bound_is_called_so_for_its_kind_only(make_table):
    ids = {"lesion_id": ["1", None, "1", "3"], "patient_id": ["p", "p", "p", "q"]}
    table = make_table(image_id=list("ABCD"), label=["nv"] * 4, **ids)
    assert leakage_stamp(leakage_report(table, split_of(table, train="AB", test="CD"))) == (
        "LEAKY: at least 50.0 % of evaluation images show a lesion, 50.0 % a patient that is also in "
        "training (1 of 2 seen images have no lesion id)"
    )


def test_ids_of_two_sources_make_the_leakage_unknown(make_table):
    table = make_table(
        image_id=list("ABCD"), label=["nv"] * 4, lesion_id=["1", "2", "1", "3"], dataset=list("aabb")
    )
    stamp = leakage_stamp(leakage_report(table, split_of(table, train="AB", test="CD")))
    assert stamp.startswith("LEAKAGE UNKNOWN: 2 of 2 evaluation images have a photograph id that cannot")
    assert "; 2 of 2 evaluation images have a lesion id that cannot be compared" in stamp


def test_a_class_without_doubt_has_its_rate(make_table):
    table = make_table(
        image_id=list("ABCD"), label=["nv", "nv", "mel", "nv"], lesion_id=["1", "2", None, "3"]
    )
    report = leakage_report(table, split_of(table, train="AB", test="CD"))
    assert report["lesion"].isna().tolist() == [True, True, False]
    assert report.loc["nv", "lesion"] == 0


def test_parts_may_be_joined(small):
    parts = {"A": "train", "C": "validation", "B": "test", "D": "test", "E": "test"}
    split = Split("hand", pd.Series(parts), 0, "image")
    reports = [leakage_report(small, split, against=seen) for seen in ("train", "train+validation")]
    rates = [report.loc["all", "lesion"] for report in reports]
    assert rates == pytest.approx([1 / 3, 2 / 3])


def test_one_file_under_two_names_is_one_photograph(make_table, tmp_path):
    paths = [tmp_path / f"{name}.jpg" for name in "ABC"]
    for path, content in zip(paths, (b"same", b"same", b"else"), strict=True):
        path.write_bytes(content)
    table = make_table(image_id=list("ABC"), label=["nv"] * 3, path=list(map(str, paths)))
    report = leakage_report(table, split_of(table, train="A", test="BC"))
    assert leakage_stamp(report) == (
        "LEAKY: 50.0 % of evaluation images show a photograph that is also in training"
    )


def test_two_tables_are_compared_without_a_split(small):
    asked, seen = small[3:4], fingerprint(small[:3])
    report = leakage_between(asked, seen, labels=["nv", "mel"], one_table=True)
    assert report.index.tolist() == ["all", "mel", "nv"]
    assert leakage_rate(report) == {"photograph": 0, "lesion": 1, "patient": 1}
    # Two tables may count their images, lesions and patients alike.
    report = leakage_between(asked, seen)
    assert leakage_rate(report) == dict.fromkeys(["photograph", "lesion", "patient"])
    assert all("cannot be compared" in doubt for doubt in report.attrs["doubts"].values())


def test_all_is_not_at_least_all(make_table):
    table = make_table(image_id=list("ABC"), label=["nv"] * 3, lesion_id=["1", None, "1"])
    report = leakage_report(table, split_of(table, train="AB", test="C"))
    assert (
        leakage_stamp(report) == "LEAKY: 100.0 % of evaluation images show a lesion that is also in training"
    )


def test_a_report_read_from_a_file_has_no_reasons_and_stays_unknown(make_table):
    table = make_table(image_id=list("ABC"), label=["nv"] * 3)
    report = leakage_report(table, split_of(table, train="A", test="BC"))
    report.attrs = {}
    assert leakage_stamp(report).startswith("LEAKAGE UNKNOWN: it is not known")


def test_empty_parts_and_unknown_images_are_refused(small):
    split = split_of(small, train="AC", test="BD")
    with pytest.raises(
        ValueError,
        match="has no images in validation, .*Received: 2 train, 2 test",
    ):
        leakage_report(small, split, part="validation")
    with pytest.raises(ValueError, match="has 1 of its 2 test images not in the table"):
        leakage_report(small[small["image_id"] != "D"], split)


def test_reports_are_pooled_by_their_images():
    def report(n, lesion, patient):
        rates = {"photograph": [0.0] * len(n), "lesion": lesion, "patient": patient}
        index = pd.Index(["all", "bkl", "df", "mel"], name="label")
        return pd.DataFrame({"n": n, **{k: pd.array(v, "Float64") for k, v in rates.items()}}, index=index)

    first = report([4, 0, 1, 3], [0.5, pd.NA, 1.0, 1 / 3], [0.25, pd.NA, 0.0, 1 / 3])
    second = report([12, 0, 0, 12], [0.25, pd.NA, pd.NA, 0.25], [pd.NA] * 4)
    found = pool_reports([first, second])
    assert found["n"].tolist() == [16, 0, 1, 15]
    # 2 of 4 and 3 of 12; where a report has no image, the other's.
    assert found["lesion"].drop("bkl").tolist() == pytest.approx([5 / 16, 1, 4 / 15])
    assert found["lesion"].isna().tolist() == [False, True, False, False]
    # A patient's rate is known of the one report alone that has all images of the class.
    assert found["patient"].isna().tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("lesions", "doubt"),
    [
        (["1", "2", None, None], "2 of 2 evaluation images have no lesion id"),
        (["1", None, None, None], "2 of 2 evaluation and 1 of 2 seen images have no lesion id"),
        ([None, None, "1", "2"], "2 of 2 seen images have no lesion id"),
        ([None, None, "1", None], "1 of 2 evaluation and 2 of 2 seen images have no lesion id"),
    ],
)
def test_ids_of_one_side_alone_are_ids(make_table, lesions, doubt):
    table = make_table(image_id=list("ABCD"), label=["nv"] * 4, lesion_id=lesions)
    stamp = leakage_stamp(leakage_report(table, split_of(table, train="AB", test="CD")))
    assert stamp == f"LEAKAGE UNKNOWN: {doubt}; there are no patient ids"
