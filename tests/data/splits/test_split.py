import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinkit.data import (
    Split,
    bermeo2023_split,
    butskova2021_split,
    datta2021_split,
    derm7pt_split,
    gessert2019_split,
    group_folds,
    hernandez2020_split,
    leakage_report,
    leakage_stamp,
    load,
    merge_bermeo2023,
    out_of_fold_split,
    read_split,
    split_from_file,
    stratified_group_split,
    with_validation,
)
from skinkit.data.splits import splits_of_documents
from skinkit.data.splits.grouping import group_keys
from skinkit.data.tables.index_file import read_index_file

THREE = {"train": 0.7, "validation": 0.15, "test": 0.15}

CLASSES = ("nv", "mel", "bkl")
# A random table is drawn by NumPy from these few numbers, which Hypothesis can shrink quickly.
numbers = st.fixed_dictionaries(
    {
        "n": st.integers(60, 150),
        "lesions": st.integers(20, 80),
        "patients": st.integers(10, 40),
        "missing": st.sampled_from([0.0, 0.3, 0.9]),
        "draw": st.integers(0, 10**6),
    }
)
seeds = st.integers(0, 10**6)
checked = settings(max_examples=40)


def random_table(make_table, n, lesions, patients, missing, draw):
    rng = np.random.default_rng(draw)

    def ids(letter, size):
        drawn = [f"{letter}{i}" for i in rng.integers(0, size, n)]
        gone = rng.random(n) < missing
        gone[0] = False
        return [None if lost else name for name, lost in zip(drawn, gone, strict=True)]

    labels = [CLASSES[i] for i in rng.integers(0, 3, n)]
    return make_table(label=labels, lesion_id=ids("L", lesions), patient_id=ids("P", patients))


def counts(table, split, part):
    labels = table.set_index("image_id")["label"]
    return labels[split.ids(part)].value_counts().to_dict()


def built_table(make_table):
    """100 images, 60 lesions, fixed for ever: the hash of its split must never change."""
    return make_table(
        label=[("nv", "nv", "mel", "bkl", "nv")[(i * 7) % 60 % 5] for i in range(100)],
        lesion_id=[f"L{(i * 7) % 60}" for i in range(100)],
    )


class TestGroupedSplit:
    @checked
    @given(numbers=numbers, seed=seeds, group=st.sampled_from(["lesion", "patient"]))
    def test_every_image_is_in_one_part_and_no_group_in_two(self, make_table, numbers, seed, group):
        table = random_table(make_table, **numbers)
        split = stratified_group_split(table, THREE, group=group, seed=seed)
        assert split.parts.index.tolist() == table["image_id"].tolist()
        parts = split.parts.groupby(table[f"{group}_id"].to_numpy()).nunique()
        assert (parts == 1).all()

    @checked
    @given(numbers=numbers, seed=seeds)
    def test_the_union_shares_neither_lesion_nor_patient(self, make_table, numbers, seed):
        # Pairs of images of one lesion, and patients of pairs: many small unions.
        table = random_table(make_table, **{**numbers, "lesions": 300, "patients": 300})
        split = stratified_group_split(table, THREE, seed=seed)
        for column in ("lesion_id", "patient_id"):
            assert (split.parts.groupby(table[column].to_numpy()).nunique() == 1).all()

    @checked
    @given(numbers=numbers, seed=seeds)
    def test_shares_of_classes_are_off_by_less_than_two_groups(self, make_table, numbers, seed):
        table = random_table(make_table, **{**numbers, "missing": 0})
        # Each lesion has one class here, as in HAM10000.
        table["label"] = [CLASSES[int(lesion[1:]) % 3] for lesion in table["lesion_id"]]
        split = stratified_group_split(table, THREE, group="lesion", seed=seed)
        largest = table["lesion_id"].value_counts().max()
        for part, share in THREE.items():
            found = counts(table, split, part)
            for label, n in table["label"].value_counts().items():
                # Filling the emptiest part overshoots by less than a group; two others lack that.
                assert abs(found.get(label, 0) - share * n) < 2 * largest

    @checked
    @given(numbers=numbers, seed=seeds, group=st.sampled_from(["image", "lesion"]))
    def test_the_order_of_the_rows_does_not_matter(self, make_table, numbers, seed, group):
        table = random_table(make_table, **numbers)
        shuffled = table.sample(frac=1, random_state=seed)
        first, second = (
            stratified_group_split(rows, THREE, group=group, seed=seed) for rows in (table, shuffled)
        )
        assert first.hash == second.hash

    @checked
    @given(numbers=numbers, seed=seeds)
    def test_folds_cover_every_image_once(self, make_table, numbers, seed):
        table = random_table(make_table, **numbers)
        folds = group_folds(table, 3, group="lesion", seed=seed)
        held = [image for fold in folds for image in fold.ids("validation")]
        assert sorted(held) == sorted(table["image_id"])
        assert all(fold.ids("test") == [] for fold in folds)
        assert all(len(fold.parts) == len(table) for fold in folds)

        one_by_one = [out_of_fold_split(table, k, group="lesion", seed=seed) for k in range(3)]
        for fold, split in zip(folds, one_by_one, strict=True):
            assert split.ids("test") == fold.ids("validation") and split.ids("train") == fold.ids("train")

    def test_one_seed_gives_one_split_on_every_platform(self, make_table):
        table = built_table(make_table)
        split = stratified_group_split(table, THREE, group="lesion", seed=0)
        assert split.hash == "d8fb9a322e30f0f9bb8d2806d2f8b7a9aacfe4cd4f4fff8e90dc2105d35e545f"
        folds = group_folds(table, 3, group="lesion", seed=7)
        assert folds[1].hash == "f63e52c3d845ff98f5d856dab0d8c49c83ff324c1dde176513ec2c4130d44b73"

    def test_the_order_of_the_fractions_does_not_matter(self, make_table):
        table = built_table(make_table)
        turned = dict(reversed(THREE.items()))
        first, second = (stratified_group_split(table, shares) for shares in (THREE, turned))
        assert first.hash == second.hash and first.name == second.name

    def test_another_seed_gives_another_split(self, histogram_table):
        first, second = (
            stratified_group_split(histogram_table, group="lesion", seed=seed) for seed in (0, 1)
        )
        shared = set(first.ids("test")) & set(second.ids("test"))
        assert len(shared) / len(first.ids("test")) == pytest.approx(0.15, abs=0.04)

    def test_lesions_with_many_images_are_spread_over_the_parts(self, histogram_table):
        # Or the test part would hold the easier lesions, as in datta2021.
        split = stratified_group_split(histogram_table, group="lesion")
        lesion = histogram_table["lesion_id"]
        single = ~lesion.duplicated(keep=False)
        shares = single.groupby(split.parts.to_numpy()).mean()
        assert shares.to_numpy() == pytest.approx(single.mean(), abs=0.01)

    def test_lesions_chained_by_patients_stay_together(self, make_table):
        chain = make_table(
            label=["nv"] * 12,
            lesion_id=["A", "A", None, "B", *"CDEFGHIJ"],
            patient_id=["1", "2", "2", "1", *[None] * 8],
        )
        split = stratified_group_split(chain, {"train": 0.5, "test": 0.5})
        assert split.grouped_by == "lesion+patient"
        assert split.parts.iloc[:4].nunique() == 1

    def test_ids_in_other_spellings_and_the_names_of_one_photograph_stay_together(self, make_table):
        table = make_table(
            image_id=["I_1", "I_2", "I_3", "I_3_downsampled", "I_4", "I_5"],
            label=["nv"] * 6,
            lesion_id=["HAM_1", "ham_1", "HAM_2", None, "unknown", "-1"],
        )
        keys, grouped_by = group_keys(table, "lesion")
        assert keys == ["I_1", "I_1", "I_3", "I_3", "I_4", "I_5"] and grouped_by == "lesion"
        assert group_keys(table, "photograph")[0] == ["I_1", "I_2", "I_3", "I_3", "I_4", "I_5"]

    def test_a_missing_id_is_a_group_of_its_own_and_counted(self, make_table):
        table = make_table(label=["nv"] * 40, lesion_id=["A", *[None] * 39])
        split = stratified_group_split(table, {"train": 0.5, "test": 0.5}, group="lesion")
        assert len(split.ids("test")) == 20
        assert split.note == "39 images without lesion id are groups of their own."

    def test_the_union_uses_the_ids_there_are(self, histogram_table):
        union = stratified_group_split(histogram_table, group="lesion+patient")
        lesion = stratified_group_split(histogram_table, group="lesion")
        assert union.grouped_by == "lesion" and union.hash == lesion.hash

    def test_ids_that_are_not_there_are_an_error(self, histogram_table):
        with pytest.raises(ValueError, match="no patient ids"):
            stratified_group_split(histogram_table, group="patient")

    @pytest.mark.parametrize(
        ("fractions", "says"),
        [
            ({"train": 0.7, "test": 0.2}, "sum to 1"),
            ({"train": 1.2, "test": -0.2}, "above 0"),
            ({"train": 0.5, "val": 0.5}, "Parts are train, validation, test"),
            ({}, "Parts are"),
        ],
    )
    def test_wrong_fractions_are_refused(self, make_table, fractions, says):
        with pytest.raises(ValueError, match=says):
            stratified_group_split(built_table(make_table), fractions)

    def test_wrong_groups_folds_and_tiny_tables_are_refused(self, make_table):
        table = built_table(make_table)
        with pytest.raises(ValueError, match="Values of `group` are image"):
            stratified_group_split(table, group="site")
        with pytest.raises(ValueError, match="at least 2"):
            group_folds(table, 1)
        with pytest.raises(ValueError, match="Fold is 0 to 2. Received: fold=3"):
            out_of_fold_split(table, 3)
        with pytest.raises(ValueError, match="2 groups are too few for 3 parts"):
            stratified_group_split(make_table(label=["nv", "nv"]), group="image")


class TestSplitFile:
    def test_parts_are_joined_by_a_plus(self):
        parts = pd.Series({"A": "test", "B": "train", "C": "validation", "D": "train"})
        split = Split("mine", parts, None, "image")
        assert split.ids("train+validation") == split.ids("validation+train") == ["B", "C", "D"]
        with pytest.raises(ValueError, match="train, validation, test.*'all'"):
            split.ids("train+all")

    def test_its_rows_are_those_of_the_table_in_its_own_order(self, make_table):
        table = make_table(label=["mel", "nv", "bcc"], image_id=["A", "B", "C"])
        split = Split("mine", pd.Series({"C": "test", "B": "train", "A": "test"}), None, "image")
        rows = split.rows(table, "test")
        assert rows["image_id"].tolist() == ["C", "A"] and rows.index.tolist() == [0, 1]
        assert rows["label"].tolist() == ["bcc", "mel"]
        assert split.rows(table, "validation").empty

    def test_rows_of_another_table_are_refused(self, make_table):
        split = Split("mine", pd.Series({"A": "test", "nobody": "test"}), None, "image")
        table = make_table(label=["mel", "nv"], image_id=["A", "B"])
        with pytest.raises(ValueError, match="1 of its 2 test images not in the table, first 'nobody'"):
            split.rows(table, "test")
        twice = pd.concat([table, table[:1]], ignore_index=True)
        with pytest.raises(ValueError, match="each image once. Received: 'A' twice"):
            split.rows(twice, "test")

    def test_a_json_file_of_others_beside_it_is_not_replaced(self, make_table, tmp_path):
        split = stratified_group_split(built_table(make_table))
        (tmp_path / "settings.json").write_text("{}")
        with pytest.raises(ValueError, match=r"settings.json is not a split's"):
            split.save(tmp_path / "settings.csv")
        assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]
        split.save(split.save(tmp_path / "mine.csv"))

    def test_it_is_read_back_as_saved(self, make_table, tmp_path):
        split = stratified_group_split(built_table(make_table), group="lesion", seed=3)
        path = split.save(tmp_path / "new" / "mine.csv")
        again = Split.load(path)
        assert path.read_bytes().startswith(b"image_id,part\n") and b"\r" not in path.read_bytes()
        pd.testing.assert_series_equal(again.parts, split.parts)
        same = ("name", "seed", "grouped_by", "note", "hash")
        assert [getattr(again, key) for key in same] == [getattr(split, key) for key in same]
        assert sorted(file.name for file in path.parent.iterdir()) == ["mine.csv", "mine.json"]

    @pytest.mark.parametrize(
        ("name", "says"),
        [("mine.csv", ": expected a header"), ("mine.json", " is damaged.*save the split again")],
    )
    def test_a_damaged_file_is_named(self, make_table, tmp_path, name, says):
        path = stratified_group_split(built_table(make_table)).save(tmp_path / "mine.csv")
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ValueError, match=f"{name}{says}"):
            Split.load(path)

    def test_other_columns_are_named(self, make_table, tmp_path):
        path = stratified_group_split(built_table(make_table)).save(tmp_path / "mine.csv")
        path.write_text(path.read_text().replace("image_id", "image", 1))
        with pytest.raises(ValueError, match="expected the columns image_id, part, .* Received: image, part"):
            Split.load(path)

    def test_the_hash_is_that_of_the_sorted_lines(self):
        split = Split("x", pd.Series({"B": "test", "A": "train"}), None, "image")
        assert split.hash == hashlib.sha256(b"A,train\nB,test").hexdigest()
        assert split.ids("train") == ["A"] and split.ids("validation") == []

    def test_a_changed_file_is_refused(self, make_table, tmp_path):
        path = stratified_group_split(built_table(make_table)).save(tmp_path / "mine.csv")
        path.write_text(path.read_text().replace(",test", ",train", 1))
        with pytest.raises(ValueError, match="was changed after it was saved"):
            Split.load(path)

    def test_a_missing_json_file_is_named(self, make_table, tmp_path):
        path = stratified_group_split(built_table(make_table)).save(tmp_path / "mine.csv")
        path.with_suffix(".json").unlink()
        with pytest.raises(FileNotFoundError, match="mine.json is missing. A split is two files"):
            Split.load(path)

    @pytest.mark.parametrize(
        ("ids", "parts", "group", "says"),
        [
            (["A", "B", "A"], ["train", "test", "test"], "image", "each once. Received: 'A' twice"),
            ([], [], "image", "Split 'x' has images, each once. Received: none"),
            (["A"], ["dev"], "image", "Parts are train, validation, test. Received: 'dev'"),
            (["A"], ["train"], "site", "Values of `grouped_by` are image"),
        ],
    )
    def test_wrong_parts_are_refused(self, ids, parts, group, says):
        with pytest.raises(ValueError, match=says):
            Split("x", pd.Series(parts, index=ids, dtype="string"), 0, group)

    def test_unknown_parts_have_no_ids(self):
        with pytest.raises(ValueError, match="Parts are .*Received: 'dev'"):
            Split("x", pd.Series({"A": "train"}), 0, "image").ids("dev")


class TestGessert2019:
    # Sizes and counts (mel, nv, bcc, akiec, bkl, df, vasc) of the released division.
    labels = ("mel", "nv", "bcc", "akiec", "bkl", "df", "vasc")
    released = {
        (0, "test"): (280, 1677, 129, 84, 275, 30, 36),
        (0, "train"): (554, 3350, 256, 161, 549, 55, 68),
        (0, "validation"): (279, 1678, 129, 82, 275, 30, 38),
        (1, "train"): (553, 3351, 256, 161, 549, 56, 70),
        (1, "validation"): (280, 1677, 129, 82, 275, 29, 36),
        (2, "train"): (559, 3355, 258, 164, 550, 59, 74),
        (2, "validation"): (274, 1673, 127, 79, 274, 26, 32),
    }

    @pytest.mark.parametrize(("fold", "part"), released)
    def test_the_released_division_has_the_published_counts(self, real_ham, gessert2019_csv, fold, part):
        split = gessert2019_split(real_ham, fold, gessert2019_csv)
        expected = dict(zip(self.labels, self.released[fold, part], strict=True))
        assert counts(real_ham, split, part) == expected
        assert split.note.startswith("The released division")

    def test_pickle_and_csv_of_the_division_agree(self, real_ham, gessert2019_csv, tmp_path):
        numbers = pd.read_csv(gessert2019_csv).assign(
            index=lambda rows: rows["image_id"].str[5:].astype(int) - 24306
        )
        parts = {name: rows["index"].to_numpy() for name, rows in numbers.groupby("part")}
        folds = [parts[f"fold{i}"] for i in range(3)]
        indices = {"testInd": parts["test"], "valIndCV": folds, "trainIndCV": folds}
        path = tmp_path / "indices_tbe.pkl"
        path.write_bytes(pickle.dumps(indices, protocol=2))
        split = gessert2019_split(real_ham, 1, path)
        assert split.hash == gessert2019_split(real_ham, 1, gessert2019_csv).hash

    def test_another_division_is_refused_by_its_hash(self, make_table, tmp_path):
        table = make_table(label=["nv"] * 8)
        parts = ["test", "fold0", "fold1", "fold2"] * 2
        rows = [f"{image},{part}" for image, part in zip(table["image_id"], parts, strict=True)]
        path = tmp_path / "mine.csv"
        path.write_text("\n".join(["image_id,part", *rows]))
        with pytest.raises(ValueError, match="its 2 test ids do not have the known hash"):
            gessert2019_split(table, 0, path)

    def test_a_division_of_other_images_is_refused(self, make_table, tmp_path, monkeypatch):
        test_ids = "ISIC_0024306\nISIC_0024310"
        digest = hashlib.sha256(test_ids.encode()).hexdigest()
        monkeypatch.setattr(splits_of_documents, "GESSERT2019_TEST", digest)
        indices = {"testInd": np.array([0, 4]), "valIndCV": [np.array([1]), [2], np.array([3])]}
        path = tmp_path / "indices.pkl"
        path.write_bytes(pickle.dumps(indices))
        split = gessert2019_split(make_table(label=["nv"] * 5), 2, path)
        assert split.parts.tolist() == ["test", "train", "train", "validation", "test"]
        with pytest.raises(ValueError, match="Not among them: 1 image of the table"):
            gessert2019_split(make_table(label=["nv"] * 6), 2, path)

    def test_without_a_file_four_own_parts_share_no_lesion(self, histogram_table):
        folds = [gessert2019_split(histogram_table, fold) for fold in range(3)]
        assert all("Own lesion-disjoint" in split.note for split in folds)
        assert len({tuple(split.ids("test")) for split in folds}) == 1
        lesions = histogram_table.set_index("image_id")["lesion_id"]
        parts = [folds[0].ids("test"), *(split.ids("validation") for split in folds)]
        assert sorted(image for part in parts for image in part) == sorted(lesions.index)
        assert sum(lesions[part].nunique() for part in parts) == lesions.nunique()
        assert max(len(part) for part in parts) - min(len(part) for part in parts) <= 5

    def test_wrong_folds_and_files_are_refused(self, make_table, tmp_path):
        table = make_table(label=["nv"] * 8, lesion_id=list("abcdefgh"))
        with pytest.raises(ValueError, match="folds 0, 1 and 2"):
            gessert2019_split(table, 3)
        with pytest.raises(FileNotFoundError, match="index_file=None"):
            gessert2019_split(table, 0, tmp_path / "none.pkl")
        path = tmp_path / "indices.pkl"
        path.write_bytes(pickle.dumps({"testInd": np.arange(3)}))
        with pytest.raises(ValueError, match="Expected are the keys testInd and valIndCV"):
            gessert2019_split(table, 0, path)


class TestIndexFiles:
    @pytest.mark.parametrize("protocol", range(6))
    def test_arrays_are_read_in_every_protocol(self, tmp_path, protocol):
        indices = {"testInd": np.arange(5), "valIndCV": [np.arange(3, dtype="int32")] * 3}
        path = tmp_path / "indices.pkl"
        path.write_bytes(pickle.dumps(indices, protocol=protocol))
        read = read_index_file(path)
        assert read["testInd"].tolist() == [0, 1, 2, 3, 4]
        assert read["valIndCV"][2].dtype == np.int32

    @pytest.mark.parametrize(
        "code",
        [
            b"cos\nsystem\n(S'touch ran'\ntR.",
            b"cnumpy\nload\n(S'x'\ntR.",
            b"c__builtin__\neval\n(S'1'\ntR.",
            b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.",
            b"not a pickle",
        ],
    )
    def test_anything_else_is_refused_and_not_run(self, tmp_path, code, monkeypatch):
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "indices.pkl"
        path.write_bytes(code)
        with pytest.raises(ValueError, match="refused as an index file"):
            read_index_file(path)
        assert [file.name for file in tmp_path.iterdir()] == ["indices.pkl"]


class TestOtherDocuments:
    def test_butskova_has_2003_validation_images_with_the_published_supports(self, real_ham):
        split = butskova2021_split(real_ham)
        found = counts(real_ham, split, "validation")
        assert dict(sorted(found.items())) == {
            **{"akiec": 65, "bcc": 103, "bkl": 220, "df": 23, "mel": 223, "nv": 1341, "vasc": 28}
        }
        assert len(split.ids("train")) == 10015 - 2003

    def test_datta_has_828_test_images_of_single_image_lesions(self, real_ham):
        split = datta2021_split(real_ham)
        assert counts(real_ham, split, "test") == {
            **{"nv": 663, "mel": 34, "bkl": 66, "bcc": 26, "akiec": 23, "vasc": 10, "df": 6}
        }
        lesions = real_ham.set_index("image_id")["lesion_id"]
        assert not set(lesions[split.ids("test")]) & set(lesions[split.ids("train")])

    def test_datta_needs_lesions_with_one_image(self, make_table):
        table = make_table(label=["nv"] * 4, lesion_id=["A", "A", "B", "B"])
        with pytest.raises(ValueError, match="single image"):
            datta2021_split(table)

    def test_bermeo_divides_the_31265_images_as_published(self, real_root, real_isic2020):
        if not (real_root / "isic2019").is_dir():
            pytest.skip("needs isic2019/")
        old = load("isic2019", real_root, missing_images="keep", verbose=False)
        # The re-pack of 2019 marks 59 images as duplicates; their classes follow from the merged counts,
        # which of them does not matter for the sizes.
        marked = {"nv": 35, "mel": 13, "bkl": 8, "bcc": 3}
        gone = [image for label, n in marked.items() for image in _first(old, label, n)]
        merged = merge_bermeo2023(old[~old["image_id"].isin(gone)], real_isic2020("diagnosis"))
        assert merged["label"].value_counts().to_dict() == {
            **{"nv": 18031, "mel": 5090, "bcc": 3320, "bkl": 2837},
            **{"ak": 867, "scc": 628, "vasc": 253, "df": 239},
        }
        split = bermeo2023_split(merged)
        sizes = [len(split.ids(part)) for part in ("train", "validation", "test")]
        assert len(merged) == 31265 and sizes == [25012, 3126, 3127]
        grouped = bermeo2023_split(merged, grouped=True)
        assert grouped.grouped_by == "lesion+patient"
        for column in ("lesion_id", "patient_id"):
            parts = grouped.parts.groupby(merged[column].to_numpy()).nunique()
            assert (parts == 1).all()
        sizes = [len(grouped.ids(part)) for part in ("train", "validation", "test")]
        assert sizes == pytest.approx([25012, 3126, 3127], abs=5)

    def test_hernandez_folds_keep_patients_whole_and_melanoma_patients_even(self, real_isic2020):
        table = real_isic2020()
        patient = table.set_index("image_id")["patient_id"]
        ill = set(table.loc[table["label"] == "malignant", "patient_id"])
        shares, held = [], []
        for fold in range(5):
            split = hernandez2020_split(table, fold)
            patients = set(patient[split.ids("validation")])
            assert not patients & set(patient[split.ids("train")])
            shares.append(len(patients & ill) / len(patients))
            held += split.ids("validation")
        assert sorted(held) == sorted(table["image_id"])
        assert max(shares) - min(shares) < 0.08

    def test_hernandez_refuses_folds_that_do_not_exist(self, make_table):
        table = make_table(label=["benign"] * 8, patient_id=list("abcdefgh"))
        with pytest.raises(ValueError, match="fold=5, folds=5"):
            hernandez2020_split(table, 5)
        with pytest.raises(ValueError, match="at least 2"):
            hernandez2020_split(table, 0, folds=1)

    @pytest.mark.parametrize("maker", [butskova2021_split, datta2021_split, bermeo2023_split])
    def test_tables_with_tiny_classes_are_divided_too(self, make_table, maker):
        labels = ["nv"] * 30 + ["mel"] * 6 + ["df"]
        table = make_table(label=labels, lesion_id=[f"L{i}" for i in range(37)])
        split = maker(table)
        assert "own stratification" in split.note and len(split.parts) == 37

    @pytest.mark.parametrize("maker", [butskova2021_split, datta2021_split, bermeo2023_split])
    def test_the_order_of_the_rows_does_not_matter(self, histogram_table, maker):
        shuffled = histogram_table.sample(frac=1, random_state=0)
        assert maker(shuffled).hash == maker(histogram_table).hash

    def test_dattas_own_validation_part_leaves_the_test_part_alone(self, histogram_table):
        plain = datta2021_split(histogram_table)
        split = datta2021_split(histogram_table, validation=0.1)
        assert split.ids("test") == plain.ids("test")
        assert len(split.ids("validation")) == pytest.approx(0.1 * len(plain.ids("train")), rel=0.1)
        assert leakage_report(histogram_table, split, against="validation").loc["all", "lesion"] == 0

    def test_an_own_validation_part_leaves_the_test_part(self, histogram_table):
        split = datta2021_split(histogram_table)
        more = with_validation(split, histogram_table, fraction=0.2)
        assert more.ids("test") == split.ids("test")
        share = len(more.ids("validation")) / len(split.ids("train"))
        assert share == pytest.approx(0.2, abs=0.001)
        lesions = histogram_table.set_index("image_id")["lesion_id"]
        assert not set(lesions[more.ids("train")]) & set(lesions[more.ids("validation")])
        with pytest.raises(ValueError, match="has a validation part already"):
            with_validation(more, histogram_table)


class TestDerm7pt:
    @pytest.fixture
    def folder(self, tmp_path):
        lines = [f"{i},clark nevus,A/Img{i}.jpg" for i in range(5)]
        (tmp_path / "meta.csv").write_text("\n".join(["case_num,diagnosis,derm", *lines]))
        for name, indexes in {"train": (0, 3), "valid": (1,), "test": (2, 4)}.items():
            text = "indexes\n" + "\n".join(map(str, indexes))
            (tmp_path / f"{name}_indexes.csv").write_text(text)
        return tmp_path

    @pytest.mark.parametrize(("merge", "second"), [(True, "train"), (False, "validation")])
    def test_the_index_files_divide_the_cases(self, folder, make_table, merge, second):
        table = make_table(image_id=["Img0", "Img1", "Img2", "Img4"], label=["nv"] * 4)
        split = derm7pt_split(table, folder, merge_validation=merge)
        assert split.parts.tolist() == ["train", second, "test", "test"]
        assert "5 cases, 4 of them in the classes used (left out: 1 of train)" in split.note
        assert all(total in split.note for total in ("1011", "987", "986"))

    def test_missing_files_and_images_are_named(self, folder, make_table):
        with pytest.raises(ValueError, match="in no index file: 1 image of the table"):
            derm7pt_split(make_table(image_id=["Img9"], label=["nv"]), folder)
        (folder / "valid_indexes.csv").unlink()
        with pytest.raises(FileNotFoundError, match="valid_indexes.csv is not there"):
            derm7pt_split(make_table(image_id=["Img0"], label=["nv"]), folder)


def test_the_saved_split_of_ham10000_is_the_one_its_seed_gives(real_ham):
    saved = Split.load(Path(__file__).parents[3] / "data" / "splits" / "ham10000_lesion.csv")
    made = stratified_group_split(real_ham, group="lesion", seed=saved.seed)
    assert made.hash == saved.hash and made.name == saved.name
    assert leakage_stamp(leakage_report(real_ham, saved)) is None


def test_the_json_file_holds_what_a_result_must_say(make_table, tmp_path):
    path = stratified_group_split(built_table(make_table), seed=5).save(tmp_path / "mine.csv")
    facts = json.loads(path.with_suffix(".json").read_text())
    assert facts["seed"] == 5 and facts["grouped_by"] == "lesion" and len(facts["hash"]) == 64


def _first(table, label, n):
    return table.loc[table["label"] == label, "image_id"].head(n)


class TestFiles:
    def split(self, parts):
        return Split("mine", pd.Series(parts), 3, "lesion", "a note")

    @pytest.mark.parametrize("name", ["mine", "mine.csv", "fold.1", "mine.v2.csv"])
    def test_saving_and_loading_agree_on_names(self, name, tmp_path):
        split = self.split({"a": "train", "b": "test"})
        path = split.save(tmp_path / name)
        assert (
            path.suffix == ".csv" and Split.load(tmp_path / name).hash == Split.load(path).hash == split.hash
        )

    def test_ids_that_look_like_something_else_survive(self, tmp_path):
        names = ("NA", "a,b", "None", "null", "nan", "007", "a;b", 'say "no"', "N\u00e4vus")
        split = self.split(dict.fromkeys(names, "train") | {"b": "test", "c": "validation"})
        again = Split.load(split.save(tmp_path / "mine"))
        assert again.parts.equals(split.parts)
        for name in ("name", "seed", "grouped_by", "note"):
            assert getattr(again, name) == getattr(split, name)

    def test_a_list_of_ones_own_is_a_split(self, tmp_path):
        (tmp_path / "list.csv").write_text("image_id,part\nNA,train\n7,test\n")
        split = read_split(tmp_path / "list.csv")
        assert (split.name, split.grouped_by, split.ids("train")) == ("list", "image", ["NA"])
        assert "does not say how it was grouped" in split.note

    @pytest.mark.parametrize(
        "text", ["image_id;part\r\nNA;train\r\na,b;test\r\n", "Image ID\tPart\nNA\ttrain\na,b\ttest"]
    )
    def test_a_list_of_ones_own_may_have_any_separator(self, tmp_path, text):
        (tmp_path / "list.csv").write_text(text, encoding="utf-8-sig", newline="")
        assert read_split(tmp_path / "list.csv").parts.to_dict() == {"NA": "train", "a,b": "test"}

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (
                "image_id|part\na|train\n",
                "columns image_id, part, and a comma, semicolon or tab between.* Received: image_id.part$",
            ),
            ("Foto,Teil\na,train\n", "expected the columns image_id, part.* Received: foto, teil$"),
            (
                "image_id,part\na,train\nb,test\na,test\n",
                "list.csv, line 2, column 'image_id': .* once. Received: 'a' .2 such rows: 2, 4.$",
            ),
            ("image_id,part\na,train\n,test\n", "line 3, column 'image_id': expected an image id"),
            ("image_id,part\na,train\nb,\n", "line 3, column 'part': expected a part: train, valid"),
            (
                "image_id,part\nä,train\n",
                "list.csv: not UTF-8 text .invalid .* at byte 14.. Save the table as a CSV file in UTF-8",
            ),
            (
                "image_id,part\na,trian\n",
                "Parts are train, validation, test. Received: 'trian'. Did you mean train",
            ),
        ],
    )
    def test_what_is_wrong_with_a_list_is_said(self, tmp_path, text, says):
        (tmp_path / "list.csv").write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=says):
            read_split(tmp_path / "list.csv")

    def test_only_what_table_and_file_share_is_split_and_the_rest_counted(self, tmp_path):
        path = self.split({"a": "train", "b": "test", "c": "test"}).save(tmp_path / "mine")
        split = split_from_file(pd.DataFrame({"image_id": ["a", "b", "d"]}), path)
        assert split.parts.to_dict() == {"a": "train", "b": "test"}
        assert split.note == "a note Only in the file: 1 image. Only in the data set: 1 image."
        with pytest.raises(
            ValueError, match="holds none of the images of the data set. Received: 'a' .* 'z'"
        ):
            split_from_file(pd.DataFrame({"image_id": ["z"]}), path)

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"No split at .*none\.csv"):
            read_split(tmp_path / "none")


def test_by_image_two_names_of_one_photograph_are_apart(make_table):
    table = make_table(image_id=["I_3", "I_3_downsampled"], label=["nv"] * 2, lesion_id=["L", "L"])
    assert group_keys(table, "image") == (["I_3", "I_3_downsampled"], "image")
