import dataclasses
import json
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from skinkit import models, tasks
from skinkit.data import Split, hernandez2020_split
from skinkit.evaluation import rescore_by_patient
from skinkit.experiments import evaluate, run
from skinkit.experiments.predictions import predict, predict_parts
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, Recipe, choose
from skinkit.tasks.batches import evaluation_images
from skinkit.training import FeatureStore

BASE = Recipe(
    name="skinkit/test/alone",
    title="The smallest network on single images",
    published="",
    dataset="isic2020",
    classes="isic2020",
    positive="malignant",
    split=choose("hernandez2020_split", test=True),
    image_size=(24, 24),
    subset=120,
    drawing={"size": (24, 24)},
    model=choose("small_cnn"),
    model_size={"width": 4},
    balancing=choose("weighted_random"),
    phases=(Phase(1, choose("adam", learning_rate=1e-3)),),
    selection="last",
)
STORED = dataclasses.replace(
    BASE,
    name="skinkit/test/stored",
    title="The same with the stored features of its patients",
    model=choose("patient_network", backbone="small_cnn", context="attention"),
    phases=(Phase(2, choose("adam", learning_rate=1e-3)),),
    start_from=BASE.name,
    refresh_steps=1,
)
Z_SCORE = dataclasses.replace(
    BASE, name="skinkit/test/z", phases=(), start_from=BASE.name, rescoring=choose("patient_z_score")
)


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def carry_out():
    """Runs a recipe in `smoke`; the smallest network can be started from by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skinkit.experiments.plan.find_recipe", {BASE.name: BASE}.__getitem__)
        yield lambda recipe, out, **options: SavedRun(run(recipe, "smoke", out=out, verbose=0, **options))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def stored(carry_out, out):
    return carry_out(STORED, out)


@pytest.fixture(scope="module")
def run_data():
    return build_run_data(STORED.resolve("smoke"), "smoke")


@pytest.fixture(scope="module")
def network(run_data):
    keras.utils.set_random_seed(0)
    return tasks.of(STORED).model()


def probabilities(found):
    return found.set_index("image_id")[["p_benign", "p_malignant"]]


def test_a_run_with_stored_context_starts_from_its_base_and_leaves_a_network(stored, out):
    assert (out / BASE.name / "corrected-smoke-fold0-seed0" / "manifest.json").exists()
    assert len(pd.read_csv(stored.folder / "history.csv")) == 2
    assert not (stored.folder / "checkpoint").exists()
    found, test = stored.predictions, stored.run_data().rows("test")
    assert found["image_id"].tolist() == test["image_id"].tolist()
    again = predict(stored.load_model(), stored.recipe, test)
    np.testing.assert_allclose(probabilities(again), probabilities(found), atol=1e-5)
    assert [tensor.name for tensor in stored.load_model().inputs] == ["image", "context", "mask"]


def test_of_another_set_only_the_evaluated_images_are_context(stored, tmp_path):
    run_data = stored.run_data()
    rows, seen = run_data.rows("test"), run_data.rows("train").head(5)
    # A seen image under the name of an evaluated patient is left out before anybody sees it as context.
    seen = seen.assign(patient_id=rows.loc[0, "patient_id"])
    pd.concat([rows, seen]).to_csv(tmp_path / "other.csv", index=False)
    assert "left out: 5 of" in evaluate(stored.folder, on=tmp_path / "other.csv")
    found = pd.read_csv(stored.folder / "evaluations" / "other" / "predictions.csv.gz")
    np.testing.assert_allclose(probabilities(found), probabilities(stored.predictions), atol=1e-5)


def test_a_run_killed_while_it_refreshes_ends_like_an_undisturbed_one(
    stored, carry_out, out, tmp_path, monkeypatch
):
    (tmp_path / BASE.name).parent.mkdir(parents=True)
    (tmp_path / BASE.name).symlink_to(out / BASE.name)
    append, calls = FeatureStore._append, []

    def killed(self, stream, features):
        calls.append(len(features))
        # Three refreshes of three batches an epoch: the second batch of the second epoch's first one.
        if len(calls) == 11:
            raise Killed
        return append(self, stream, features)

    monkeypatch.setattr(FeatureStore, "_append", killed)
    with pytest.raises(Killed):
        carry_out(STORED, tmp_path)
    again = carry_out(STORED, tmp_path)
    assert len(calls) == 11 + 2 + 6, "it goes on in the second epoch, after the first batch"
    name = "predictions.csv.gz"
    assert (again.folder / name).read_bytes() == (stored.folder / name).read_bytes()


def test_predictions_depend_neither_on_the_batch_size_nor_on_the_order(network, run_data):
    rows = run_data.rows("train")
    expected = probabilities(predict(network, STORED, rows))
    for batch_size in (1, 7):
        recipe = dataclasses.replace(STORED, batch_size=batch_size)
        found = probabilities(predict(network, recipe, rows))
        np.testing.assert_allclose(found, expected, atol=1e-6)
    shuffled = rows.sample(frac=1, random_state=0).reset_index(drop=True)
    found = predict(network, STORED, shuffled)
    assert found["image_id"].tolist() == shuffled["image_id"].tolist()
    pd.testing.assert_frame_equal(probabilities(found).loc[rows["image_id"]], expected, check_exact=True)


def test_other_patients_change_nothing_and_other_images_do(network, run_data):
    rows = run_data.rows("train")
    everyone = probabilities(predict(network, STORED, rows))
    sizes = rows["patient_id"].value_counts()
    own = rows[rows["patient_id"] == sizes[sizes > 1].index[-1]].reset_index(drop=True)
    assert len(own) < sizes.max(), "it is filled up to the largest patient"
    found = probabilities(predict(network, STORED, own))
    np.testing.assert_allclose(found, everyone.loc[found.index], atol=1e-6)
    fewer = probabilities(predict(network, STORED, own[1:]))
    assert not np.allclose(fewer, everyone.loc[fewer.index], atol=1e-5)


def test_a_patient_with_one_image_and_an_image_without_patient_are_seen_alone(network, run_data):
    rows = run_data.rows("train")[:3].assign(patient_id=["a", pd.NA, pd.NA])
    pixels = np.concatenate(list(evaluation_images(STORED, rows)))
    found = probabilities(predict(network, STORED, rows))
    np.testing.assert_allclose(found, models.image_alone(network).predict(pixels, verbose=0), atol=1e-6)


def test_joined_parts_are_no_context_of_each_other(network, run_data):
    # The planted leak: a split by image has most patients in two parts.
    ids = run_data.table["image_id"]
    parts = pd.Series(np.where(np.arange(len(ids)) % 3 == 0, "validation", "train"), index=ids)
    split = Split("by image", parts, None, "image")
    leaky = dataclasses.replace(run_data, split=split, test_part="train+validation")
    found = predict_parts(lambda rows: predict(network, STORED, rows), leaky)
    assert sorted(found["image_id"]) == sorted(ids)
    alone = predict(network, STORED, leaky.rows("train"))
    pd.testing.assert_frame_equal(found[: len(alone)], alone)
    assert leaky.leakage.loc["all", "photograph"] == pytest.approx((parts == "train").mean())
    assert leaky.leakage.loc["all", "patient"] > 0.9
    assert leaky.stamp.startswith("LEAKY: 66.7 % of evaluation images show a photograph")


def test_training_images_see_stored_training_images_of_their_patient(network, run_data, tmp_path):
    trained, batches, (refresh,) = tasks.of(STORED).prepare(network, run_data, 0, tmp_path)
    assert trained is network
    data, _ = batches(0)
    rows = run_data.rows("train")
    others = rows.groupby("patient_id")["image_id"].transform("size") - 1
    data = iter(data)
    inputs, _ = next(data)
    assert not inputs["mask"].numpy().any(), "nothing is stored yet"
    refresh.on_epoch_begin(0)
    inputs, _ = next(data)
    assert set(inputs["mask"].numpy().sum(axis=1)) <= set(others)
    assert inputs["context"].shape[1:] == (others.max() + 1, 24)
    assert np.any(inputs["context"].numpy()[inputs["mask"].numpy()], axis=-1).all()


def test_a_contextual_batch_is_its_own_context(network, run_data, tmp_path):
    recipe = dataclasses.replace(STORED, balancing=choose("contextual"))
    trained, batches, callbacks = tasks.of(recipe).prepare(network, run_data, 0, tmp_path)
    assert (len(callbacks), len(trained.inputs)) == (0, 1)
    trained.compile("sgd", "categorical_crossentropy")
    kernel = np.array(network.get_layer("conv1").kernel)
    images, labels = next(iter(batches(0)[0]))
    trained.train_on_batch(images, labels)
    assert np.any(network.get_layer("conv1").kernel != kernel), "one set of weights"


def test_a_z_score_needs_no_training_and_changes_the_base_s_predictions_alone(carry_out, out):
    found = carry_out(Z_SCORE, out)
    base = SavedRun(out / BASE.name / found.folder.name)
    expected = rescore_by_patient(base.predictions)
    np.testing.assert_allclose(probabilities(found.predictions), probabilities(expected), atol=1e-3)
    assert json.loads((found.folder / "manifest.json").read_text())["settings"]["start_from"] == BASE.name
    assert pd.read_csv(found.folder / "history.csv").empty


def test_a_base_without_its_model_says_what_to_do(carry_out, out, tmp_path):
    base = carry_out(BASE, out).folder
    copy = shutil.copytree(base, tmp_path / BASE.name / base.name)
    (copy / "model.keras").unlink()
    with pytest.raises(FileNotFoundError, match=rf"stored needs .*alone.*not kept.*{tmp_path} --again"):
        carry_out(STORED, tmp_path)


def test_a_base_of_another_split_may_have_seen_the_test_images(carry_out, out):
    other = dataclasses.replace(Z_SCORE, split=choose("hernandez2020_split", test=True, seed=1))
    with pytest.raises(ValueError, match="which has another split"):
        carry_out(dataclasses.replace(other, name="skinkit/test/other"), out)


def test_the_test_part_of_a_fold_is_that_of_no_other(run_data):
    tests = [set(hernandez2020_split(run_data.table, fold, test=True).ids("test")) for fold in range(5)]
    assert sum(map(len, tests)) == len(set.union(*tests)) == len(run_data.table)
    split = hernandez2020_split(run_data.table, 4, test=True)
    assert set(split.ids("validation")) == tests[0]
    with pytest.raises(ValueError, match="at least 3"):
        hernandez2020_split(run_data.table, 0, folds=2, test=True)
