import pandas as pd
import pytest

from skinkit.data import (
    Split,
    augment_offline,
    augmented_split,
    external_test,
    leakage_report,
    leakage_stamp,
)


@pytest.fixture
def first(make_table):
    lesions = ["HAM_0000000", "HAM_0000001", "HAM_0000002", "HAM_0000003"]
    table = make_table(label=["nv", "mel", "akiec", "nv"], lesion_id=lesions)
    parts = dict(zip(table["image_id"], ["train", "train", "train", "test"], strict=True))
    return table, Split("images", parts, 0, "image")


@pytest.fixture
def other(make_table):
    # In order of ids: new; the photograph of row 0; a lesion of the first set; AK; SCC; a small new one.
    return make_table(
        image_id=[
            "ISIC_0000001",
            "ISIC_0024306_downsampled",
            "ISIC_0024400",
            "ISIC_0024500",
            "ISIC_0024600",
            "ISIC_0024700_downsampled",
        ],
        label=["nv", "nv", "mel", "ak", "scc", "mel"],
        lesion_id=["HAM_0000011", None, "HAM_0000001", "HAM_0000012", "HAM_0000013", "HAM_0000014"],
    )


def test_what_the_first_set_holds_is_left_out_and_counted(first, other):
    table, split = external_test(*first, other)
    assert split.ids("test") == ["ISIC_0000001", "ISIC_0024500", "ISIC_0024700_downsampled"]
    test = table.set_index("image_id").loc[split.ids("test")]
    assert test["label"].tolist() == ["nv", "akiec", "mel"]
    assert split.note == (
        "Test part: 3 of 6 images of another set; 1 of other classes left out; "
        "2 of a photograph, lesion or patient of the first set left out."
    )
    assert leakage_report(table, split).loc["all", ["photograph", "lesion"]].tolist() == [0, 0]


def test_kept_images_show_in_the_leakage(first, other):
    table, split = external_test(*first, other, overlap="keep")
    assert len(split.ids("test")) == 5
    report = leakage_report(table, split)
    assert report.loc["all", "photograph"] == pytest.approx(1 / 5)
    assert report.loc["all", "lesion"] == pytest.approx(1 / 5)
    assert "first set kept" in split.note


def test_a_sample_is_drawn_by_its_seed(first, other):
    def drawn(seed, sample=4):
        return external_test(*first, other, overlap="keep", sample=sample, seed=seed)[1].ids("test")

    assert drawn(0) == drawn(0) == sorted(drawn(0))
    assert len({tuple(drawn(seed)) for seed in range(5)}) > 1
    assert " of 4 images of another set" in external_test(*first, other, overlap="keep", sample=4)[1].note


def test_an_equal_name_is_made_another(first, make_table):
    same = make_table(image_id=["ISIC_0024306"], label=["nv"])
    table, split = external_test(*first, same, overlap="keep")
    assert split.ids("test") == ["ISIC_0024306+external"]
    assert leakage_report(table, split).loc["all", "photograph"] == 1


def test_the_old_test_part_becomes_validation_only_where_there_is_none(first, other):
    table, split = first
    assert external_test(table, split, other)[1].ids("validation") == split.ids("test")
    parts = split.parts.copy()
    parts.iloc[0] = "validation"
    found, changed = external_test(table, Split("own", parts, 0, "image"), other)
    assert changed.ids("validation") == [parts.index[0]]
    assert split.ids("test")[0] not in found["image_id"].tolist()


@pytest.mark.parametrize("name", ["isic_0024306", "ISIC_0024306.jpg", "ISIC_0024306_Downsampled"])
def test_a_photograph_under_another_name_is_left_out(first, make_table, name):
    other = make_table(image_id=[name, "ISIC_0000001"], label=["nv"] * 2, dataset=["other"] * 2)
    table, split = external_test(*first, other)
    assert split.ids("test") == ["ISIC_0000001"]
    assert split.note.endswith("not known of 1 of them whether their lesion or patient is in the first set.")
    table, split = external_test(*first, other, overlap="keep")
    assert split.ids("test") == ["ISIC_0000001", f"{name}+external"]
    assert leakage_report(table, split).loc["all", "photograph"] == 0.5


def test_an_equal_file_and_the_lesions_of_training_patients_are_left_out(first, make_table, tmp_path):
    table, split = first
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"the same" if name < "c" else b"another!")
    table = table.assign(
        path=[str(tmp_path / "a"), *[pd.NA] * 3],
        patient_id=["IP_0000001", "IP_0000002", "IP_0000003", "IP_0000004"],
    )
    other = make_table(
        image_id=["x_1", "x_2", "x_3"],
        label=["nv"] * 3,
        dataset=["other"] * 3,
        path=[str(tmp_path / "b"), str(tmp_path / "c"), pd.NA],
        patient_id=["IP_0000008", "IP_0000009", "ip_0000002"],
    )
    assert external_test(table, split, other)[1].ids("test") == ["x_2"]


@pytest.mark.parametrize("dataset", ["b", "a", "A", None])
@pytest.mark.parametrize("first", ["a", None])
def test_own_ids_of_two_sources_are_told_apart(make_table, dataset, first):
    names = ["00001", "00002"]
    table = make_table(image_id=names, label=["nv"] * 2, lesion_id=["1", "2"], dataset=[first] * 2)
    other = make_table(image_id=names, label=["nv"] * 2, lesion_id=["1", "9"], dataset=[dataset] * 2)
    split = Split("images", pd.Series("train", index=names), 0, "image")
    both, changed = external_test(table, split, other)
    assert changed.ids("test") == ["00001+external", "00002+external"]
    assert "not known of 2 of them whether" in changed.note
    report = leakage_report(both, changed)
    assert report.loc["all", ["photograph", "lesion", "patient"]].isna().all()
    assert leakage_stamp(report).startswith("LEAKAGE UNKNOWN: 2 of 2 evaluation images have a photograph id")


def test_the_other_sets_sources_and_copies_stay(first, make_table):
    other = make_table(image_id=["x_1", "x_2"], label=["nv", "mel"], dataset=["other"] * 2)
    other = other.assign(source_id=["ISIC_0024306", "x_2"], transform=["identity", "rot180"])
    table, split = external_test(*first, other, overlap="keep")
    test = table.set_index("image_id").loc[split.ids("test")]
    assert test.index.tolist() == ["x_1+external", "x_2"]
    assert test["source_id"].tolist() == ["ISIC_0024306", "x_2"]
    assert test["transform"].tolist() == ["identity", "rot180"]
    assert leakage_report(table, split).loc["all", "photograph"] == 0.5
    assert external_test(*first, other)[1].ids("test") == ["x_2"]


def test_one_file_is_one_data_set(first, make_table):
    table, split = first
    table.attrs["table"] = "clinic.csv"
    other = make_table(image_id=["x_1"], label=["nv"], lesion_id=["7"])
    table["lesion_id"] = list("1237")
    other.attrs["table"] = "clinic.csv"
    found, split = external_test(table, split, other, overlap="keep")
    assert set(found["dataset"]) == {"built"} and "1 of a photograph, lesion" in split.note


def test_copies_of_the_training_images_stay(first, other):
    table, split = first
    augmented = augment_offline(table)
    found, changed = external_test(augmented, augmented_split(split, augmented), other)
    assert len(changed.ids("train")) == 1 + 6 + 6
    assert set(found["transform"]) > {"identity"}


def test_nothing_left_and_unknown_overlaps_are_errors(first, other):
    table, split = first
    with pytest.raises(ValueError, match="No image of 3 is left"):
        external_test(table, split, table[table["label"] != "akiec"])
    with pytest.raises(ValueError, match="drop, keep"):
        external_test(*first, other, overlap="count")
