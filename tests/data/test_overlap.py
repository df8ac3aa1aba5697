import io

import pandas as pd
import pytest

from skinkit.data import fingerprint, overlap, read_manifest
from skinkit.data.leakage import leakage_between, leakage_stamp


@pytest.fixture
def rows(make_table):
    """Builds rows of one lesion, or patient, id each: `rows("HAM_0000001", dataset="a")`."""

    def build(*ids, kind="lesion_id", dataset="a", first=1):
        names = [f"ISIC_{first + i:07d}" for i in range(len(ids))]
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
        "ISIC_0024306.jpg_downsampled",
        "ISIC_0024306.jpeg.jpg",
        "ISIC_0024306 .jpg",
        " ISIC_0024306.jpg ",
        "ISIC_0024306.dcm",
        "ISIC_0024306.jfif",
        "ISIC_0024306.JPE",
        "images/ISIC_0024306",
        "C:\\images\\ISIC_0024306.jpg",
    ],
)
def test_one_photograph_has_many_names(make_table, name):
    seen = make_table(image_id=["ISIC_0024306"], label=["nv"])
    asked = make_table(image_id=[name, "ISIC_0024307"], label=["nv"] * 2, dataset=["other"] * 2)
    assert shared(overlap(asked, seen), "photograph") == [True, False]
    # And the other way round.
    assert shared(overlap(seen, asked), "photograph") == [True]


def test_own_names_in_two_folders_are_two_photographs(make_table):
    asked = make_table(image_id=["a/01.jpg", "b/01.jpg"], label=["nv"] * 2)
    assert shared(overlap(asked, asked[:1], one_table=True), "photograph") == [True, False]


def test_a_copy_shows_the_photograph_it_was_made_of(make_table):
    copy = make_table(image_id=["ISIC_0000001+rot180"], label=["nv"])
    copy = copy.assign(source_id="ISIC_0000001", transform="rot180")
    assert shared(overlap(copy, make_table(image_id=["isic_0000001"], label=["nv"])), "photograph") == [True]


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
    seen = files(ISIC_0000001=b"one", ISIC_0000002=b"two, longer")
    asked = files("b", x_1=b"one", x_2=b"eno", x_3=b"another length", x_4=b"")
    # An empty file shows nothing, and the ids are of no common scheme.
    assert shared(overlap(asked, seen), "photograph") == [True, False, False, None]


def test_files_of_other_sizes_are_not_read(files, monkeypatch):
    seen, asked = files(ISIC_0000001=b"one"), files("b", x_1=b"three")
    monkeypatch.setattr("pathlib.Path.open", None)
    assert shared(overlap(asked, seen), "photograph") == [False]


def test_a_changed_file_is_read_again(files, tmp_path):
    seen, asked = files(ISIC_0000001=b"one"), files("b", x_1=b"one")
    assert overlap(asked, seen)["photograph"].all()
    (tmp_path / "b-x_1.jpg").write_bytes(b"longer")
    assert not overlap(asked, seen)["photograph"].any()


def test_a_file_that_is_not_there_is_no_obstacle(files, tmp_path):
    seen, asked = files(ISIC_0000001=b"one"), files("b", x_1=b"one")
    (tmp_path / "b-x_1.jpg").unlink()
    assert shared(overlap(asked, seen), "photograph") == [None]


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
        *((name, "subject_1", None) for name in ("subject_1", "subject_2")),
        *((name, "sub-001", None) for name in ("sub-001", "sub-002")),
        *((name, "pt01", None) for name in ("pt01", "pt02", "mole7")),
        ("HAM-7", "HAM-8", None),
        ("hammer_1", "hammer_2", None),
        ("SYNL_0000001", "SYNL_0000002", False),
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
    for dataset, one_table in (("a", True), (None, True), ("isic2019", False)):
        found = overlap(rows(asked, dataset=dataset, first=5), rows(seen, dataset=dataset), one_table)
        assert shared(found, "lesion") == [expected]


@pytest.mark.parametrize("own", ["0003920", "3920", "HAM_3920", "L0", "HAM_0"])
@pytest.mark.parametrize("dataset", ["ham10000", None])
def test_own_spellings_under_the_name_of_a_release_are_not_known_to_be_others(rows, own, dataset):
    """A table that lies in a folder called `ham10000` need not name lesions as HAM10000 does."""
    asked = rows(own, dataset=dataset, first=5)
    seen = rows("HAM_0003920", "HAM_0000118", dataset="ham10000")
    assert shared(overlap(asked, seen), "lesion") == [None]
    assert leakage_stamp(leakage_between(asked, seen)).startswith("LEAKAGE UNKNOWN")


@pytest.mark.parametrize("dataset", ["data", None])
def test_two_tables_that_name_their_data_sets_alike_are_two_sources(rows, dataset):
    asked, seen = rows("1", "2", dataset=dataset), rows("1", dataset=dataset)
    assert shared(overlap(asked, seen), "lesion") == [None, None]
    asked.attrs["table"] = seen.attrs["table"] = "clinic.csv"
    assert shared(overlap(asked, fingerprint(seen)), "lesion") == [True, False]


def test_tables_of_equal_folder_names_are_two_sources_and_a_file_is_one(tmp_path):
    paths = [tmp_path / clinic / "data" / "list.csv" for clinic in "ab"]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_text("image_id,path,label,lesion_id\nA,,nv,1\nB,,nv,2\n")
    a, b, again = (read_manifest(path, missing_images="keep") for path in (*paths, paths[0]))
    assert overlap(a, b)[["photograph", "lesion"]].isna().all(axis=None)
    assert overlap(a, again[:1])[["photograph", "lesion"]].values.tolist() == [[True, True], [False, False]]


def test_one_incomparable_id_among_the_seen_makes_not_shared_unknown(rows):
    seen = pd.concat([rows("HAM_0000001", "HAM_0000002"), rows("IL_0000001", dataset="b")])
    assert shared(
        overlap(rows("HAM_0000002", "HAM_0000003", "IL_0000001", "IL_0000002", first=5), seen), "lesion"
    ) == [*(True, None, True, None)]


def test_a_missing_id_among_the_seen_leaves_the_others_known(rows):
    assert shared(
        overlap(rows("HAM_0000001", "HAM_0000002", first=5), rows("HAM_0000002", None)), "lesion"
    ) == [False, True]


def test_own_image_ids_of_two_sources_are_neither_shared_nor_disjoint(make_table, files):
    asked = make_table(image_id=["00001", "00002"], label=["nv"] * 2, dataset=["b"] * 2)
    seen = make_table(image_id=["00001"], label=["nv"], dataset=["a"])
    assert shared(overlap(asked, seen), "photograph") == [None, None]
    assert shared(overlap(asked.assign(dataset="a"), seen, one_table=True), "photograph") == [True, False]
    # Other bytes tell apart what is not named alike.
    found = overlap(files("b", **{"1": b"other", "2": b"another"}), files("a", **{"1": b"same"}))
    assert shared(found, "photograph") == [None, False]
    # Equal bytes settle it.
    assert shared(overlap(files("b", **{"1": b"same"}), files("a", **{"1": b"same"})), "photograph") == [True]


@pytest.mark.parametrize("name", ["DSCN000{}", "IMGP000{}", "scan_{}", "WhatsApp Image {}", "mole{}"])
def test_the_names_that_cameras_give_say_nothing_elsewhere(make_table, name):
    asked = make_table(image_id=[name.format(1), name.format(2)], label=["nv"] * 2, dataset=["b"] * 2)
    assert shared(overlap(asked, asked[:1].assign(dataset="a")), "photograph") == [None, None]


def test_words_for_missing_are_no_ids(rows):
    words = rows("HAM_0000001", "HAM_0000002").assign(lesion_id=["unknown", "-1.0"])
    assert shared(overlap(words, words), "lesion") == [None, None]


def test_what_a_fingerprint_keeps_is_enough(files, rows, tmp_path):
    seen = files(ISIC_0000001=b"one", ISIC_0000002=b"two")
    seen = seen.assign(lesion_id=["HAM_0000001", pd.NA], patient_id=["007", pd.NA])
    kept = fingerprint(seen)
    kept.attrs["table"] = None
    assert kept.columns.tolist() == ["photograph", "lesion_id", "patient_id", "dataset", "bytes", "content"]
    # sha256 of b"one"
    assert kept["content"][0] == "7692c3ad3540bb80" and kept["bytes"].tolist() == [3, 3]
    asked = pd.concat([files("b", x_1=b"two", x_2=b"owt"), rows("HAM_0000001", "HAM_0000002")])
    asked["patient_id"] = ["007", "7", pd.NA, pd.NA]
    asked["dataset"] = seen["dataset"] = kept["dataset"] = "derm7pt"
    found = overlap(asked, seen)
    for path in tmp_path.glob("a-*"):
        path.unlink()
    read = pd.read_csv(io.StringIO(kept.to_csv(index=False)), dtype="string")
    pd.testing.assert_frame_equal(overlap(asked, read), found)
    assert shared(found, "photograph") == [True, False, True, True]
    assert shared(found, "lesion") == [None, None, True, False]
    assert shared(found, "patient") == [True, False, None, None]


def test_the_rows_keep_their_index(rows):
    asked = rows("HAM_0000001", "HAM_0000002").set_axis(["p", "q"])
    assert overlap(asked, rows("HAM_0000002")).index.tolist() == ["p", "q"]
    assert fingerprint(asked).index.tolist() == ["p", "q"]
    assert overlap(asked, asked).dtypes.tolist() == ["boolean"] * 3


def test_isic_2019_contains_ham10000(real_ham, real_root):
    from skinkit.data import load

    found = overlap(real_ham, load("isic2019", real_root, missing_images="keep", verbose=False))
    assert found["photograph"].all() and found["lesion"].all() and found["patient"].isna().all()


class TestThroughTheArchive:
    """The archive has named the lesions of all releases anew; its export tells who is who."""

    @pytest.fixture
    def sets(self, tmp_path):
        def build(export):
            for name, row in (
                ("train", "HAM_0000001,ISIC_0000001,nv"),
                ("test", "IL_0000001,ISIC_0000002,nv"),
            ):
                folder = tmp_path / name
                folder.mkdir(exist_ok=True)
                (folder / "list.csv").write_text(f"lesion_id,image_id,dx\n{row}\n")
            if export:
                (tmp_path / "test" / "metadata.csv").write_text("\n".join(["isic_id,lesion_id", *export, ""]))
            tables = (tmp_path / name / "list.csv" for name in ("test", "train"))
            return [read_manifest(table, missing_images="keep") for table in tables]

        return build

    @pytest.mark.parametrize(
        ("export", "expected"),
        [
            ([], None),
            (["ISIC_0000001,IL_0000001", "ISIC_0000002,IL_0000001"], True),
            (["ISIC_0000001,IL_0000009", "ISIC_0000002,IL_0000001"], False),
            (["ISIC_0000002,IL_0000001"], None),
        ],
    )
    def test_lesions_of_two_schemes_are_compared_where_its_table_lies_beside(self, sets, export, expected):
        asked, seen = sets(export)
        assert shared(overlap(asked, seen), "lesion") == [expected]
        assert shared(overlap(asked, fingerprint(seen)), "lesion") == [expected]
