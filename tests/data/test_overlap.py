import io

import pandas as pd
import pytest

from skinkit.data import fingerprint, overlap


@pytest.fixture
def rows(make_table):
    """Builds rows of one lesion, or patient, id each: `rows("HAM_1", dataset="a")`."""

    def build(*ids, kind="lesion_id", dataset="a", first=1):
        names = [f"ISIC_{first + i}" for i in range(len(ids))]
        n = len(ids)
        return make_table(image_id=names, label=["nv"] * n, dataset=[dataset] * n, **{kind: list(ids)})

    return build


def shared(found, kind):
    return [None if pd.isna(value) else bool(value) for value in found[kind]]


@pytest.mark.parametrize(
    "name",
    [
        "ISIC_0024306",
        "isic_0024306",
        "ISIC_0024306.JPG",
        "ISIC_0024306_downsampled",
        "isic_0024306_DOWNSAMPLED.png",
    ],
)
def test_one_photograph_has_many_names(make_table, name):
    seen = make_table(image_id=["ISIC_0024306"], label=["nv"])
    asked = make_table(image_id=[name, "ISIC_0024307"], label=["nv"] * 2, dataset=["other"] * 2)
    assert shared(overlap(asked, seen), "photograph") == [True, False]
    # And the other way round.
    assert shared(overlap(seen, asked), "photograph") == [True]


def test_a_copy_shows_the_photograph_it_was_made_of(make_table):
    copy = make_table(image_id=["ISIC_1+rot180"], label=["nv"])
    copy = copy.assign(source_id="ISIC_1", transform="rot180")
    assert shared(overlap(copy, make_table(image_id=["isic_1"], label=["nv"])), "photograph") == [True]


@pytest.fixture
def files(tmp_path, make_table):
    """Builds rows with files of the given bytes."""

    def build(dataset="a", **contents):
        paths = [tmp_path / f"{dataset}-{name}.jpg" for name in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
        n = len(paths)
        return make_table(
            image_id=list(contents),
            label=["nv"] * n,
            dataset=[dataset] * n,
            path=[str(path) for path in paths],
        )

    return build


def test_equal_files_show_one_photograph_whatever_their_names(files):
    seen = files(ISIC_1=b"one", ISIC_2=b"two, longer", ISIC_3=b"")
    asked = files("b", x_1=b"one", x_2=b"eno", x_3=b"another length", x_4=b"")
    assert shared(overlap(asked, seen), "photograph") == [True, False, False, False]


def test_files_of_other_sizes_are_not_read(files, monkeypatch):
    seen, asked = files(ISIC_1=b"one"), files("b", x_1=b"three")
    monkeypatch.setattr("pathlib.Path.open", None)
    assert shared(overlap(asked, seen), "photograph") == [False]


def test_a_changed_file_is_read_again(files, tmp_path):
    seen, asked = files(ISIC_1=b"one"), files("b", x_1=b"one")
    assert overlap(asked, seen)["photograph"].all()
    (tmp_path / "b-x_1.jpg").write_bytes(b"longer")
    assert not overlap(asked, seen)["photograph"].any()


def test_a_file_that_is_not_there_is_no_obstacle(files, tmp_path):
    seen, asked = files(ISIC_1=b"one"), files("b", x_1=b"one")
    (tmp_path / "b-x_1.jpg").unlink()
    assert shared(overlap(asked, seen), "photograph") == [False]


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        ("ham_0000118", "HAM_0000118", True),
        ("HAM_0000119", "HAM_0000118", False),
        ("MSK4_0011169", "msk4_0011169", True),
        ("MSK4_0011169", "MSK1_0000001", False),
        ("IL_7000000", "HAM_0000118", None),
        ("BCN_0000001", "HAM_0000118", None),
        (None, "HAM_0000118", None),
        ("HAM_0000118", None, None),
        # Own ids say nothing about those of another source, equal or not.
        ("1", "1", None),
        ("2", "1", None),
        ("L1", "L1", None),
        ("lesion_1", "lesion_1", None),
        ("1", "HAM_0000118", None),
    ],
)
@pytest.mark.parametrize("kind", ["lesion_id", "patient_id"])
def test_ids_of_two_sources_compare_within_one_scheme(rows, asked, seen, expected, kind):
    found = overlap(rows(asked, kind=kind, dataset="b", first=5), rows(seen, kind=kind, dataset="a"))
    assert shared(found, kind.removesuffix("_id")) == [expected]


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        ("1", "1", True),
        ("2", "1", False),
        ("l1", "L1", True),
        # ISIC 2019 names the lesions of three clinics in one column.
        ("BCN_0000001", "HAM_0000118", False),
        # A table put together from a release and the archive, which names the same lesions anew.
        ("IL_7000000", "HAM_0000118", None),
        ("IP_7000000", "12", None),
    ],
)
def test_within_one_source_ids_compare_but_for_the_archives_names(rows, asked, seen, expected):
    assert shared(overlap(rows(asked, first=5), rows(seen)), "lesion") == [expected]


def test_one_incomparable_id_among_the_seen_makes_not_shared_unknown(rows):
    seen = pd.concat([rows("HAM_1", "HAM_2"), rows("IL_1", dataset="b")])
    assert shared(overlap(rows("HAM_2", "HAM_3", "IL_1", "IL_2", first=5), seen), "lesion") == [
        *(True, None, True, None)
    ]


def test_a_missing_id_among_the_seen_leaves_the_others_known(rows):
    assert shared(overlap(rows("HAM_1", "HAM_2", first=5), rows("HAM_2", None)), "lesion") == [False, True]


def test_own_image_ids_of_two_sources_are_neither_shared_nor_disjoint(make_table, files):
    asked = make_table(image_id=["00001", "00002"], label=["nv"] * 2, dataset=["b"] * 2)
    seen = make_table(image_id=["00001"], label=["nv"], dataset=["a"])
    assert shared(overlap(asked, seen), "photograph") == [None, False]
    assert shared(overlap(asked.assign(dataset="a"), seen), "photograph") == [True, False]
    # Equal bytes settle it.
    assert shared(overlap(files("b", **{"1": b"same"}), files("a", **{"1": b"same"})), "photograph") == [True]


def test_words_for_missing_are_no_ids(rows):
    words = rows("HAM_1", "HAM_2").assign(lesion_id=["unknown", "-1.0"])
    assert shared(overlap(words, words), "lesion") == [None, None]


def test_what_a_fingerprint_keeps_is_enough(files, rows, tmp_path):
    seen = files(ISIC_1=b"one", ISIC_2=b"two")
    seen = seen.assign(lesion_id=["HAM_1", pd.NA], patient_id=["007", pd.NA])
    kept = fingerprint(seen)
    assert kept.columns.tolist() == ["photograph", "lesion_id", "patient_id", "dataset", "bytes", "content"]
    # sha256 of b"one"
    assert kept["content"][0] == "7692c3ad3540bb80" and kept["bytes"].tolist() == [3, 3]
    asked = pd.concat([files("b", x_1=b"two", x_2=b"owt"), rows("HAM_1", "HAM_2")])
    asked["patient_id"] = ["007", "7", pd.NA, pd.NA]
    asked["dataset"] = "a"
    found = overlap(asked, seen)
    for path in tmp_path.glob("a-*"):
        path.unlink()
    read = pd.read_csv(io.StringIO(kept.to_csv(index=False)), dtype="string")
    pd.testing.assert_frame_equal(overlap(asked, read), found)
    assert shared(found, "photograph") == [True, False, True, True]
    assert shared(found, "lesion") == [None, None, True, False]
    assert shared(found, "patient") == [True, False, None, None]


def test_the_rows_keep_their_index(rows):
    asked = rows("HAM_1", "HAM_2").set_axis(["p", "q"])
    assert overlap(asked, rows("HAM_2")).index.tolist() == ["p", "q"]
    assert fingerprint(asked).index.tolist() == ["p", "q"]
    assert overlap(asked, asked).dtypes.tolist() == ["boolean"] * 3


def test_isic_2019_contains_ham10000(real_ham, real_root):
    from skinkit.data import load

    found = overlap(real_ham, load("isic2019", real_root, missing_images="keep", verbose=False))
    assert found["photograph"].all() and found["lesion"].all() and found["patient"].isna().all()
