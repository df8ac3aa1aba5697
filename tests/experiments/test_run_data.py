import contextlib
import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from skinkit import data
from skinkit.experiments.run_data import (
    RunData,
    available_profile,
    build_run_data,
    find_images,
    table_hash,
    together,
)
from skinkit.experiments.run_folder.seen_images import seen_images
from skinkit.papers import choose
from skinkit.tasks.batches import sample_weights


@pytest.fixture(scope="module")
def run_data(tiny):
    return build_run_data(tiny.resolve("smoke"), "smoke")


def test_the_parts_share_no_lesion(run_data):
    lesions = [set(run_data.rows(part)["lesion_id"]) for part in ("train", "validation", "test")]
    assert lesions[0].isdisjoint(lesions[1] | lesions[2])
    assert lesions[1].isdisjoint(lesions[2])


def test_copies_made_after_the_split_stay_in_training(tiny):
    grown = build_run_data(tiny.resolve("smoke", "as_described"), "smoke")
    assert set(grown.rows("train")["transform"]) > {"identity"}
    assert set(grown.rows("test")["transform"]) == {"identity"}
    assert grown.leakage.loc["all", "photograph"] == 0


def test_a_run_that_selects_on_its_own_test_images_says_so(tiny, run_data):
    assert run_data.stamp is None or "selected" not in run_data.stamp
    sound = tiny.resolve("smoke")
    selected = "the epoch was selected on images that it is tested on"
    flawed = dataclasses.replace(sound, selection_part="test")
    assert build_run_data(flawed, "smoke").stamp == f"LEAKY: {selected}"
    both = dataclasses.replace(sound, selection_part="validation", test_part="train+validation")
    assert build_run_data(both, "smoke").stamp.startswith("LEAKY: 8")
    assert build_run_data(both, "smoke").stamp.endswith(f"; {selected}")
    last = dataclasses.replace(flawed, selection="last")
    assert build_run_data(last, "smoke").stamp is None
    assert build_run_data(sound, "smoke", needs=[flawed]).stamp == f"LEAKY: {selected}"
    assert build_run_data(sound, "smoke", needs=[last]).stamp == run_data.stamp


def test_a_run_that_selects_on_images_of_its_test_patients_says_so(run_data):
    ids = np.array(run_data.split.ids("test"))
    parts = run_data.split.parts.copy()
    patients = run_data.rows("test")["patient_id"].to_numpy()
    first = pd.Series(patients).duplicated(keep="last").to_numpy()
    parts[ids[first]] = "validation"
    split = dataclasses.replace(run_data.split, parts=parts)
    leaky = dataclasses.replace(run_data, split=split)
    share = np.isin(patients[~first], patients[first]).mean()
    expected = (
        f"{100 * share:.1f} % of evaluation images show a patient that is also in the part that selected"
    )
    assert share > 0 and leaky.stamp == f"LEAKY: {expected} the epoch"
    assert dataclasses.replace(leaky, selection_part="").stamp is None


def test_a_fold_changes_the_split(tiny, run_data):
    assert build_run_data(tiny.resolve("smoke"), "smoke", fold=1).split.hash != run_data.split.hash


def test_weights_count_the_training_images_alone_unless_told(tiny, run_data):
    weights = sample_weights(tiny, run_data)
    counts = run_data.rows("train")["label"].value_counts()
    by_label = dict(zip(run_data.rows("train")["label"], weights, strict=True))
    assert by_label["nv"] == pytest.approx((counts.sum() / counts["nv"]) ** 0.5, rel=1e-5)
    over_all = dataclasses.replace(tiny, balancing=choose("class_weights", power=0.5, over="all"))
    assert not np.allclose(sample_weights(over_all, run_data), weights)
    assert sample_weights(dataclasses.replace(tiny, balancing=choose("none")), run_data) is None


def test_the_data_hash_does_not_see_the_folder(run_data):
    table = run_data.table
    assert table_hash(table.assign(path="elsewhere")) == table_hash(table)
    assert table_hash(table.assign(label="nv")) != table_hash(table)


def test_without_images_the_profile_becomes_smoke(tmp_path, capsys):
    assert available_profile("quick", "ham10000", data_dir=tmp_path) == "smoke"
    assert "synthetic" in capsys.readouterr().out
    assert available_profile("smoke", "ham10000") == "smoke"


def test_a_table_without_images_becomes_smoke_unless_the_table_alone_will_do(tmp_path, capsys):
    data.synthetic(12, folder=tmp_path / "ham10000", size=(24, 32))
    assert available_profile("quick", "ham10000", data_dir=tmp_path) == "quick"
    shutil.rmtree(tmp_path / "ham10000" / "images")
    shutil.rmtree(tmp_path / "ham10000" / "masks")
    assert available_profile("quick", "ham10000", data_dir=tmp_path) == "smoke"
    assert "HAM10000_metadata.csv has no images beside it" in capsys.readouterr().out
    assert available_profile("quick", "ham10000", data_dir=tmp_path, table_alone=True) == "quick"


@pytest.mark.parametrize(
    ("name", "found"), [("a.jpg", True), ("train-image.hdf5", True), ("a_segmentation.png", False)]
)
def test_a_release_needs_an_image_or_a_file_of_them(tiny, tmp_path, name, found):
    place = tmp_path / "ham10000" / "part" / name
    place.parent.mkdir(parents=True)
    place.touch()
    with contextlib.nullcontext() if found else pytest.raises(FileNotFoundError, match="has no images"):
        find_images(tiny, "quick", tmp_path)
    for profile, table_alone in (("smoke", False), ("quick", True)):
        find_images(tiny, profile, tmp_path, table_alone)


def test_drawn_images_have_the_parameters_of_the_recipe(tiny):
    drawing = {"layout": "isic2020", "context": 1.0, "size": (24, 24)}
    recipe = dataclasses.replace(
        tiny,
        dataset="synthetic",
        classes="isic2020",
        subset=40,
        drawing=drawing,
        split=choose("hernandez2020_split"),
    )
    found = build_run_data(recipe, "full")
    assert found.labels == ("benign", "malignant")
    expected = data.synthetic(40, seed=0, **drawing)
    assert found.table["path"].tolist() == expected["path"].tolist()
    assert found.lacking == ""


def test_a_part_of_a_release_says_so(tiny, tmp_path):
    data.synthetic(60, layout="isic2020", size=(24, 24), folder=tmp_path / "isic2020")
    recipe = dataclasses.replace(
        tiny, dataset="isic2020", classes="isic2020", split=choose("hernandez2020_split"), subset=None
    )
    found = build_run_data(recipe, "quick", data_dir=tmp_path)
    assert found.lacking == "subset: 60 of the 33,126 images of isic2020"


def test_the_data_set_of_a_recipe_may_be_the_path_of_a_table_or_folder(tiny, tmp_path):
    table = data.synthetic(60, seed=0).assign(dataset="mine")
    table.to_csv(tmp_path / "manifest.csv", index=False)
    recipe = dataclasses.replace(tiny, split=choose("stratified_group_split"), profiles={})
    for name in (tmp_path, tmp_path / "manifest.csv"):
        mine = dataclasses.replace(recipe, dataset=str(name))
        find_images(mine, "quick")
        assert set(build_run_data(mine.resolve("quick"), "quick").table["dataset"]) == {"mine"}
    gone = dataclasses.replace(recipe, dataset=str(tmp_path / "manifes.csv"))
    with pytest.raises(FileNotFoundError, match="no such table file or folder. Did you mean manifest.csv"):
        find_images(gone, "quick")


def test_gate_and_rest_have_the_split_of_the_classes(tiny, run_data):
    gate, rest = (
        build_run_data(dataclasses.replace(tiny, target=choose(name, label="nv")).resolve("smoke"), "smoke")
        for name in ("one_against_rest", "without")
    )
    classes = run_data.rows("test")
    assert gate.labels == ("nv", "rest") and gate.split.hash == run_data.split.hash
    assert (gate.rows("test")["label"] == "nv").tolist() == (classes["label"] == "nv").tolist()
    assert "nv" not in rest.labels and "nv" not in set(rest.table["label"])
    others = classes[classes["label"] != "nv"]
    assert rest.rows("test")["image_id"].tolist() == others["image_id"].tolist()
    assert rest.leakage.loc["all", "n"] == len(others) and list(gate.leakage.index) == ["all", "nv", "rest"]
    weights = dict(zip(gate.rows("train")["label"], sample_weights(tiny, gate), strict=True))
    share = (gate.rows("train")["label"] == "rest").mean()
    assert weights["rest"] == pytest.approx(share**-0.5, rel=1e-5)


def six_images(tested, **parts):
    """Images a to f, of which b and e show one lesion; those of no part train."""
    ids = list("abcdef")
    lesions = {"lesion_id": list("abcdbf"), "patient_id": pd.NA, "label": "nv", "dataset": "by hand"}
    table = pd.DataFrame({"image_id": ids, "path": ids, **lesions})
    split = data.Split("by hand", pd.Series({**dict.fromkeys(ids, "train"), **parts}), None, "image")
    return RunData(table, split, ("mel", "nv"), "synthetic", tested)


def test_an_ensemble_has_learned_from_the_images_of_all_its_members(tiny):
    first = six_images("test", a="test", b="test", e="validation", f="validation")
    assert first.rows("train")["image_id"].tolist() == ["c", "d"]
    second = six_images("test", b="test", c="test", d="test", f="validation")
    alone = dataclasses.replace(first, members=(first,))
    assert alone.stamp is None and alone.learned["image_id"].tolist() == ["c", "d"]
    both = dataclasses.replace(first, members=(first, second))
    assert sorted(both.learned["image_id"]) == list("acde")
    # The second was trained on a itself, and on e, another image of the lesion of b.
    assert data.leakage_rate(both.leakage) == {"photograph": 0.5, "lesion": 1.0, "patient": None}
    said = "50.0 % of evaluation images show a photograph, 100.0 % a lesion that is also in the training of a"
    assert both.stamp == f"LEAKY: {said} member"
    copy = first.table.assign(image_id="copy_" + first.table["image_id"], source_id=first.table["image_id"])
    grown = together([first.table, copy])
    assert grown["source_id"].tolist() == 2 * list("abcdef")
    # Of the validation images e and f, the second was trained on e.
    assert data.leakage_rate(both.validation_leakage)["photograph"] == 0.5
    assert sorted(seen_images(both, tiny)["photograph"]) == list("acdef")


def test_an_ensemble_whose_members_selected_on_its_test_images_says_so():
    first = six_images("test", a="test", b="test", f="validation")
    other = six_images("test", c="test", a="validation", b="validation", e="test")
    chosen = dataclasses.replace(other, selection_part="validation")
    found = dataclasses.replace(first, members=(first, chosen)).stamp
    assert "100.0 % of evaluation images show a photograph" in found
    assert found.endswith("that is also in the part that selected the epoch")


def test_scores_out_of_fold_have_the_leakage_of_their_folds():
    whole = six_images("train")
    folds = [six_images("test", a="test"), six_images("test", **dict.fromkeys("bcdef", "test"))]
    found = dataclasses.replace(whole, folds=tuple(folds))
    assert whole.stamp.startswith("LEAKY: 100.0 %")
    assert found.stamp.startswith("OUT OF FOLD: scored are the runs of 2 folds")
    assert "none of synthetic can score them" in found.stamp and "LEAKY" not in found.stamp
    assert data.leakage_rate(found.leakage) == {"photograph": 0.0, "lesion": 0.0, "patient": None}
    # Without its other image, the lesion of b is in the training of the second fold.
    leaky = six_images("test", **dict.fromkeys("bcdf", "test"))
    found = dataclasses.replace(whole, folds=(folds[0], leaky))
    assert found.leakage.loc["all", "n"] == 5 and found.leakage.loc["all", "lesion"] == pytest.approx(1 / 5)
    assert found.stamp.startswith("LEAKY: 25.0 % of evaluation images show a lesion")
    assert "; OUT OF FOLD: " in found.stamp
