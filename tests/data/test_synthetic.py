import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from skinkit.data import (
    CLASS_MAPS,
    COLUMNS,
    check_images,
    draw_lesion,
    load,
    stratified_group_split,
    synthetic,
)
from skinkit.data.synthetic.patients import sample_ham10000, sample_isic2020

LABELS = CLASS_MAPS["alphabetical"].labels
SMALL = (75, 100)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """600 small images with their features; drawn once for all tests that only look."""
    table = synthetic(600, seed=1, folder=tmp_path_factory.mktemp("drawn") / "set", size=SMALL)
    return table, features(table)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    names = "".join(str(path.relative_to(folder)) for path in files)
    return hashlib.sha256(names.encode() + b"".join(path.read_bytes() for path in files)).hexdigest()


def features(table):
    return np.array([image_features(cv2.imread(path)) for path in table["path"]])


def image_features(image):
    """Size and colours of what is darker than the skin around it, all in optical density."""
    density = -np.log((cv2.GaussianBlur(image, (0, 0), 1).astype(float) + 8) / 255)
    height, width = density.shape[:2]
    y, x = np.ogrid[:height, :width]
    away = np.hypot(y - height / 2, x - width / 2) / height
    above = density - np.median(density[(away > 0.42) & (away < 0.55)], axis=0)
    lesion = (above.sum(2) > 0.35) & (away < 0.5)
    lesion = lesion if lesion.sum() > 40 else away < 0.12
    values, fine = above[lesion], density.sum(2)
    fine = (fine - cv2.GaussianBlur(fine, (0, 0), 2))[lesion]
    found = [lesion.mean(), *values.mean(0), *values.std(0), *above[away < 0.1].mean(0)]
    found += [*np.percentile(values, [5, 50, 95], axis=0).ravel(), fine.std()]
    return [*found, *np.percentile(fine, [2, 98]), (values[:, 1] - values[:, 0]).mean()]


def forest_recall(table, values, group):
    """Macro recall of a forest on the features, mean over three splits of that grouping."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.metrics import recall_score

    labels, scores = table["label"].to_numpy(str), []
    for seed in range(3):
        split = stratified_group_split(table, {"train": 0.7, "test": 0.3}, group=group, seed=seed)
        train = table["image_id"].isin(split.ids("train")).to_numpy(bool)
        forest = ExtraTreesClassifier(200, class_weight="balanced", min_samples_leaf=3, random_state=seed)
        forest.fit(values[train], labels[train])
        guesses = forest.predict(values[~train])
        scores.append(recall_score(labels[~train], guesses, average="macro"))
    return np.mean(scores)


def test_same_parameters_give_the_same_bytes_whatever_the_threads(tmp_path):
    synthetic(20, seed=3, folder=tmp_path / "one", size=SMALL, workers=1)
    synthetic(20, seed=3, folder=tmp_path / "two", size=SMALL, workers=4)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_a_fresh_process_gives_the_same_bytes(tmp_path):
    synthetic(8, seed=3, folder=tmp_path / "here", size=SMALL)
    code = (
        "from skinkit.data import synthetic; "
        f"synthetic(8, seed=3, folder={str(tmp_path / 'there')!r}, size={SMALL})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert digest(tmp_path / "here") == digest(tmp_path / "there")


def test_another_seed_gives_other_images(tmp_path):
    first, second = (synthetic(5, seed, tmp_path / str(seed), SMALL) for seed in (0, 1))
    assert not set(map(file_hash, first["path"])) & set(map(file_hash, second["path"]))


def file_hash(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_table_is_a_manifest_with_usable_images(drawn):
    table, _ = drawn
    assert tuple(table.columns) == COLUMNS and len(table) == 600
    assert set(table["label"]) == set(LABELS) and set(table["dataset"]) == {"synthetic"}
    assert (table["image_id"] == [f"SYN_{i:07d}" for i in range(1, 601)]).all()
    report = check_images(table, progress=False)
    assert report.ok and list(report.sizes.index) == ["100 x 75"]
    assert report.duplicates.empty


def test_ham10000_layout_is_read_by_the_release_reader(tmp_path):
    table = synthetic(30, folder=tmp_path / "ham10000", size=SMALL)
    again = load("ham10000", tmp_path, verbose=False)
    pd.testing.assert_frame_equal(again.assign(dataset="synthetic").astype(table.dtypes), table)


def test_isic2020_layout_is_read_by_the_release_reader(tmp_path):
    table = synthetic(60, folder=tmp_path / "isic2020", size=SMALL, layout="isic2020")
    assert set(table["label"]) == {"benign", "malignant"} and table["lesion_id"].isna().all()
    by_diagnosis = load("isic2020", tmp_path, labels="diagnosis", verbose=False)
    melanoma = (by_diagnosis["label"] == "mel").to_numpy(bool)
    assert (melanoma == (table["label"] == "malignant").to_numpy(bool)).all()


def test_a_lesion_has_one_patient_one_label_and_one_confirmation(drawn):
    table, _ = drawn
    per_lesion = table.groupby("lesion_id")[["patient_id", "label", "dx_type"]].nunique()
    per_patient = table.groupby("patient_id")[["age", "sex"]].nunique(dropna=False)
    assert set(per_lesion.to_numpy().ravel()) == set(per_patient.to_numpy().ravel()) == {1}
    lesions = table.groupby("patient_id")["lesion_id"].nunique()
    assert lesions.min() == 1 and 2 <= lesions.max() <= 4


def test_confirmation_tells_the_class_as_in_ham10000():
    people = sample_ham10000(5000)
    ways = people.groupby("dx")["dx_type"].agg(set)
    assert all(ways[label] == {"histo"} for label in ("mel", "bcc", "akiec"))
    assert set(people.loc[people["dx_type"] == "follow_up", "dx"]) == {"nv"}
    assert set(people.loc[people["dx_type"] == "confocal", "dx"]) == {"bkl"}


def test_repeats_and_shares_are_those_of_ham10000_without_balance():
    people = sample_ham10000(10015, balance=0)
    assert people["dx"].value_counts().to_dict() == {
        **{"nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514},
        **{"akiec": 327, "vasc": 142, "df": 115},
    }
    found = people.groupby("lesion").size().value_counts(normalize=True)
    real = pd.Series({1: 5514, 2: 1423, 3: 490, 4: 34}) / 7470
    assert abs(found.reindex(real.index) - real).max() < 0.02
    singles = people.groupby("lesion").agg(label=("dx", "first"), images=("dx", "size"))
    share = (singles["images"] == 1).groupby(singles["label"]).mean()
    assert share["nv"] == pytest.approx(4415 / 5403, abs=0.03)
    assert share["mel"] == pytest.approx(230 / 614, abs=0.06)


@pytest.mark.parametrize("n", [126, 240, 600])
def test_each_class_has_six_lesions_even_when_there_are_few_images(n):
    people = sample_ham10000(n, balance=0)
    assert len(people) == n and people.groupby("dx")["lesion"].nunique().reindex(LABELS).min() >= 6


@pytest.mark.parametrize("n", [1, 7, 25])
@pytest.mark.parametrize("people", [sample_ham10000, sample_isic2020])
def test_very_few_images_are_planned_exactly(people, n):
    assert len(people(n)) == n


def test_balance_evens_the_classes_out():
    counts = sample_ham10000(700, balance=1)["dx"].value_counts()
    assert set(counts) == {100}


def test_ages_and_sites_lean_as_in_ham10000():
    people = sample_ham10000(6000, balance=0.5)
    age, site = people.groupby("dx")["age"].mean(), pd.crosstab(people["dx"], people["site"])
    assert age["nv"] < age["mel"] < age["bcc"]
    assert site.idxmax(axis=1)["df"] == "lower extremity"
    assert 0 < people["age"].isna().mean() < 0.03 and 0 < (people["sex"] == "unknown").mean() < 0.03


def test_isic2020_patients_have_many_images_and_some_have_a_melanoma():
    people = sample_isic2020(8000, balance=0)
    sizes = people.groupby("patient").size()
    assert 8 < sizes.median() < 16 and 12 < sizes.mean() < 20 and sizes.max() <= 115
    ill = (people["dx"] == "mel").groupby(people["patient"]).any()
    assert ill.mean() == pytest.approx(428 / 2056, abs=0.01)
    assert (people["dx"] == "mel").mean() == pytest.approx(584 / 33126, abs=0.006)


def test_masks_cover_a_sensible_area_which_is_darker_than_the_skin(drawn):
    table, _ = drawn
    for path in table["path"].head(60):
        mask = cv2.imread(path.replace("images", "masks").replace(".jpg", "_segmentation.png"), 0)
        image = cv2.imread(path, 0)
        assert mask.shape == SMALL and set(np.unique(mask)) == {0, 255}
        assert 0.005 < (mask > 0).mean() < 0.75
    outside = (mask == 0) & (cv2.dilate(mask, np.ones((25, 25))) > 0)
    assert image[mask > 0].mean() < image[outside].mean()


@pytest.mark.parametrize("label", LABELS)
def test_draw_lesion_gives_an_image_and_a_mask(label):
    image, mask = draw_lesion(label, seed=2)
    assert image.shape == (225, 300, 3) and image.dtype == mask.dtype == np.uint8
    assert mask.shape == (225, 300) and 0 < (mask == 255).sum() < mask.size
    again = draw_lesion(label, seed=np.random.default_rng(2))
    assert (again[0] == image).all() and (again[1] == mask).all()


@pytest.mark.parametrize("size", [(32, 40), (450, 600), (300, 225), (1000, 900)])
def test_any_size_can_be_drawn(size):
    image, mask = draw_lesion("nv", size=size)
    assert image.shape == (*size, 3) and mask.any()


def test_draw_lesion_names_the_labels_it_knows():
    with pytest.raises(ValueError, match="akiec, bcc.*Received: 'melanoma'"):
        draw_lesion("melanoma")


def test_classes_can_be_learnt_but_not_perfectly_and_leakage_pays(drawn):
    table, values = drawn
    honest, leaky = (forest_recall(table, values, group) for group in ("lesion", "image"))
    assert 0.4 < honest < 0.8
    assert leaky > honest + 0.04


def test_photographs_of_a_lesion_look_alike_but_are_not_equal(drawn):
    table, values = drawn
    scaled = (values - values.mean(0)) / values.std(0)
    nevi = (table["label"] == "nv").to_numpy(bool)
    rows, lesions = scaled[nevi], table.loc[nevi, "lesion_id"].to_numpy(str)
    apart = np.linalg.norm(rows[:, None] - rows, axis=2)
    same = (lesions[:, None] == lesions) & ~np.eye(len(rows), dtype=bool)
    assert apart[same].min() > 0 and np.median(apart[same]) < 0.7 * np.median(apart[~same])


def corner_auc(tmp_path, artefact):
    """How well the brightness of a corner tells malignant from benign."""
    from sklearn.metrics import roc_auc_score

    folder = tmp_path / str(artefact)
    table = synthetic(150, seed=4, folder=folder, size=(48, 64), source_artefact=artefact)
    corners = [cv2.imread(path)[:4, :4].mean() for path in table["path"]]
    return roc_auc_score(table["label"].isin(["mel", "bcc", "akiec"]), -np.array(corners))


def test_source_artefact_makes_the_corners_tell_the_class(tmp_path):
    without, half, full = (corner_auc(tmp_path, artefact) for artefact in (0, 0.5, 1))
    assert 0.35 < without < 0.65
    assert without < half < full and full > 0.95


def context_auc(tmp_path, context):
    """AUC of melanoma from an image by itself, and with the patient's median taken off."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.metrics import roc_auc_score

    options = {"layout": "isic2020", "context": context, "balance": 1.0}
    table = synthetic(500, seed=3, folder=tmp_path / str(context), size=SMALL, **options)
    own = features(table)
    patients = pd.DataFrame(own).groupby(table["patient_id"].to_numpy(str))
    relative = own - patients.transform("median").to_numpy()
    split = stratified_group_split(table, {"train": 0.6, "test": 0.4}, group="patient", seed=0)
    train = table["image_id"].isin(split.ids("train")).to_numpy(bool)
    malignant = (table["label"] == "malignant").to_numpy(bool)
    aucs = []
    for values in (own, relative):
        forest = ExtraTreesClassifier(200, class_weight="balanced", min_samples_leaf=3, random_state=0)
        forest.fit(values[train], malignant[train])
        aucs.append(roc_auc_score(malignant[~train], forest.predict_proba(values[~train])[:, 1]))
    return aucs


def test_context_helps_only_where_it_is_there(tmp_path):
    own, relative = context_auc(tmp_path, 0.0)
    assert own > 0.8 and relative < own + 0.05
    own, relative = context_auc(tmp_path, 1.0)
    assert own < 0.7 and relative > own + 0.1


def test_an_interrupted_writing_is_completed_and_leaves_no_half_file(tmp_path, monkeypatch):
    module = sys.modules["skinkit.data.synthetic.dataset"]
    write, written = module._write, []

    def fail_midway(path, content):
        if len(written) == 15:
            path.with_name(f"{path.name}.part").write_bytes(bytes(content)[:100])
            raise OSError("No space left on device")
        written.append(path)
        write(path, content)

    folder = tmp_path / "set"
    monkeypatch.setattr(module, "_write", fail_midway)
    with pytest.raises(OSError, match="No space left"):
        synthetic(20, seed=3, folder=folder, size=SMALL, workers=1)
    assert not (folder / "HAM10000_metadata.csv").exists()
    assert all(cv2.imread(str(path)) is not None for path in folder.rglob("*.jpg"))
    monkeypatch.setattr(module, "_write", write)
    synthetic(20, seed=3, folder=folder, size=SMALL)
    synthetic(20, seed=3, folder=tmp_path / "undisturbed", size=SMALL)
    assert not list(folder.rglob("*.part"))
    assert digest(folder) == digest(tmp_path / "undisturbed")


def test_a_complete_folder_is_used_again_and_a_lost_image_is_drawn_again(tmp_path):
    table = synthetic(6, folder=tmp_path / "set", size=SMALL)
    kept, lost = (tmp_path / "set" / "images" / f"SYN_000000{i}.jpg" for i in (1, 2))
    before, content = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    again = synthetic(6, folder=tmp_path / "set", size=SMALL)
    pd.testing.assert_frame_equal(again, table)
    assert kept.stat().st_mtime_ns == before and lost.read_bytes() == content


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path):
    synthetic(6, folder=tmp_path / "set", size=SMALL)
    before = digest(tmp_path / "set")
    with pytest.raises(ValueError, match="was not drawn with these parameters"):
        synthetic(6, seed=9, folder=tmp_path / "set", size=SMALL)
    assert digest(tmp_path / "set") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(ValueError, match="not empty"):
        synthetic(6, folder=tmp_path / "mine", size=SMALL)
    assert [path.name for path in (tmp_path / "mine").iterdir()] in (
        ["thesis.txt"],
        [".lock", "thesis.txt"],
        ["thesis.txt", ".lock"],
    )


def test_without_a_folder_images_go_to_the_cache_by_their_parameters(tmp_path, monkeypatch):
    monkeypatch.setenv("SKINKIT_CACHE", str(tmp_path))
    first = synthetic(3, size=(32, 40))
    other = synthetic(3, size=(32, 40), overlap=0.9)
    folders = sorted(tmp_path.iterdir())
    assert len(folders) == 2 and all(path.name.startswith("synthetic-") for path in folders)
    assert first["path"].iloc[0] != other["path"].iloc[0]
    said = [json.loads((path / "synthetic.json").read_text())["overlap"] for path in folders]
    assert sorted(said) == [0.25, 0.9]


@pytest.mark.parametrize(
    "wrong",
    [{"n": 0}, {"size": (8, 8)}, {"layout": "ham"}, {"context": 1.5}, {"balance": -0.1}],
)
def test_wrong_parameters_are_named_and_nothing_is_made(tmp_path, wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"{name}=") as error:
        synthetic(**{"folder": tmp_path / "set", **wrong})
    assert str(value) in str(error.value) and not (tmp_path / "set").exists()
