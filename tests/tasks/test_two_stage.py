import dataclasses
import shutil

import numpy as np
import pandas as pd
import pytest

from skinkit import data, tasks
from skinkit.data import CLASS_MAPS
from skinkit.evaluation import combine
from skinkit.experiments import evaluate, explain, run
from skinkit.experiments.explain import draw_overlays
from skinkit.experiments.many_runs.run_list import list_runs
from skinkit.experiments.plan import Plan
from skinkit.experiments.predictions import predict
from skinkit.experiments.recipe_check import check_recipe
from skinkit.experiments.run_data import build_run_data
from skinkit.experiments.run_folder import SavedRun
from skinkit.explain import grad_cam
from skinkit.papers import Phase, Recipe, choose

LABELS = CLASS_MAPS["isic2018"].labels
OTHERS = [label for label in LABELS if label != "nv"]
REST = Recipe(
    name="skinkit/test/rest",
    title="The smallest second stage",
    published="",
    target=choose("without", label="nv"),
    image_size=(32, 32),
    subset=120,
    model=choose("small_cnn"),
    model_size={"width": 4},
    phases=(Phase(1, choose("adam", learning_rate=2e-3)),),
)
GATE = dataclasses.replace(
    REST,
    name="skinkit/test/gate",
    title="The smallest gate",
    target=choose("one_against_rest", label="nv"),
    positive="rest",
)


SOFT = dataclasses.replace(
    REST,
    name="skinkit/test/soft",
    title="Both in a row",
    target=None,
    phases=(),
    stages=choose("soft", gate=GATE.name, rest=REST.name, label="nv"),
)
HARD = dataclasses.replace(
    SOFT,
    name="skinkit/test/hard",
    stages=choose("hard", gate=GATE.name, rest=REST.name, label="nv", threshold=0.6),
)


@pytest.fixture(scope="module")
def known():
    """The recipes that may be named as stages."""
    with pytest.MonkeyPatch.context() as patch:
        found = {GATE.name: GATE, REST.name: REST}
        patch.setattr("skinkit.experiments.plan.find_recipe", found.__getitem__)
        yield found


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def carry_out(known, out):
    return lambda recipe: SavedRun(run(recipe, "smoke", out=out, verbose=0))


@pytest.fixture(scope="module")
def soft(carry_out):
    return carry_out(SOFT)


def probabilities(found):
    return found.filter(like="p_").to_numpy()


def test_both_stages_are_run_first_and_asked_about_every_test_image(soft, carry_out, out):
    gate, rest = (SavedRun(out / name / soft.folder.name) for name in (GATE.name, REST.name))
    found = soft.predictions.set_index("image_id")
    assert found.index.tolist() == gate.predictions["image_id"].tolist()
    assert set(found["label"]) == set(LABELS), "nevi, too"
    p = gate.predictions.set_index("image_id")["p_nv"]
    np.testing.assert_allclose(found["p_nv"], p, atol=1e-6)
    # The second stage was scored on its own classes alone.
    q = rest.predictions.set_index("image_id")[[f"p_{label}" for label in OTHERS]]
    assert q.index.tolist() == found.index[found["label"] != "nv"].tolist()
    q.columns = OTHERS
    both = combine(p[q.index].rename("nv"), q, LABELS, "soft")
    np.testing.assert_allclose(probabilities(found.loc[q.index]), both, atol=1e-6)
    assert soft.history.empty and soft.manifest["epochs"] == 0


def test_the_hard_rule_keeps_what_the_gate_says(soft, carry_out):
    hard = probabilities(carry_out(HARD).predictions)
    gate = probabilities(soft.predictions)[:, LABELS.index("nv")]
    np.testing.assert_array_equal(hard.argmax(axis=1) == LABELS.index("nv"), gate > 0.6)
    np.testing.assert_allclose(hard.sum(axis=1), 1, atol=1e-6)


def test_no_nevus_is_in_the_second_stage(soft, known):
    whole, rest = (build_run_data(recipe.resolve("smoke"), "smoke") for recipe in (SOFT, REST))
    assert "nv" not in rest.labels
    for part in ("train", "validation", "test"):
        rows = whole.rows(part)
        assert (rows["label"] == "nv").any()
        assert rest.rows(part)["image_id"].tolist() == rows.query("label != 'nv'")["image_id"].tolist()


def test_a_moved_folder_needs_no_other(soft, tmp_path, monkeypatch):
    monkeypatch.setattr("skinkit.experiments.plan.find_recipe", None)
    moved = shutil.copytree(soft.folder, tmp_path / "moved")
    ids = ["image_id", "lesion_id", "patient_id"]
    other = data.synthetic(12, seed=3, size=(32, 32), folder=tmp_path / "images")
    other.assign(**{name: "NEW_" + other[name] for name in ids}).to_csv(tmp_path / "new.csv", index=False)
    assert "n = 12" in evaluate(moved, on=tmp_path / "new.csv")
    # Predictions that are lost are made again by the model.
    (moved / "predictions.csv.gz").unlink()
    again = SavedRun(moved).predictor()(soft.run_data().rows("test"))
    np.testing.assert_allclose(probabilities(again), probabilities(soft.predictions), atol=1e-6)


def test_maps_of_both_stages_are_drawn(soft, monkeypatch):
    drawn = []

    def draw(explanation, rows, labels):
        figure = draw_overlays(explanation, rows, labels)
        drawn.append((explanation, rows["image_id"].tolist(), [ax.get_title() for ax in figure.axes]))
        return figure

    monkeypatch.setitem(explain.__globals__, "draw_overlays", draw)
    assert explain(soft.folder, surest=1, largest_losses=1).stat().st_size > 10_000
    ((explanation, images, titles),) = drawn
    assert list(explanation.maps) == ["gate: Grad-CAM", "rest: Grad-CAM"]
    expected = soft.predictions.set_index("image_id").loc[images]
    np.testing.assert_allclose(explanation.probabilities, probabilities(expected), atol=1e-6)
    # Each map with what its stage answers: both together are the answer of the run.
    p = probabilities(expected)
    nevi = p[:, soft.labels.index("nv")]
    for row, (said, rest) in enumerate(zip(nevi, np.delete(p, soft.labels.index("nv"), axis=1), strict=True)):
        gate = f"nv {said:.2f}" if said > 0.5 else f"rest {1 - said:.2f}"
        others = f"{OTHERS[rest.argmax()]} {rest.max() / (1 - said):.2f}"
        shown = [title.replace(" (empty)", "") for title in titles[3 * row + 1 : 3 * row + 3]]
        assert shown == [f"gate: Grad-CAM\n{gate}", f"rest: Grad-CAM\n{others}"]


def test_a_sweep_lists_both_stages_first(soft, out):
    last = list_runs([Plan(SOFT, "smoke", "corrected", 0, 0)], out)[-1]
    assert [need.plan.recipe.name for need in last.needs] == [GATE.name, REST.name]
    assert last.is_finished() and all(need.is_finished() for need in last.needs)


def test_other_methods_of_a_stage_are_other_runs(known, monkeypatch):
    plan = Plan(SOFT, "smoke", "corrected", 0, 0)
    before = plan.key_of(None, "", "")
    monkeypatch.setitem(known, GATE.name, dataclasses.replace(GATE, batch_size=16))
    assert plan.key_of(None, "", "") != before
    assert SOFT.hash != HARD.hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phases": GATE.phases}, "nothing is trained.*phases="),
        ({"target": GATE.target, "positive": "rest"}, "nothing is trained.*target="),
        ({"start_from": GATE.name}, "nothing is trained.*start_from="),
        ({"mixing": choose("mixup", weight=0.7)}, "nothing is trained.*mixing="),
        ({"stages": choose("soft", gate=GATE.name, label="nv")}, "`stages` needs rest"),
        ({"stages": choose("sotf", gate=GATE.name, rest=REST.name, label="nv")}, "Did you mean soft"),
        ({"stages": choose("hard", **SOFT.stages.options, threshold=0.4)}, "from 0.5 to 1. Received: thr"),
        ({"stages": choose("soft", **SOFT.stages.options, threshold=0.5)}, "do not exist. Received: 'thr"),
        ({"stages": choose("soft", gate=REST.name, rest=REST.name, label="nv")}, "The gate must .*without"),
        ({"stages": choose("soft", gate=GATE.name, rest=GATE.name, label="nv")}, "The rest must .*one"),
        ({"stages": choose("soft", gate=GATE.name, rest=REST.name, label="mel")}, r"label='mel'.*label='nv'"),
        ({"image_size": (32, 40)}, r"agree in image_size. Received: \(32, 40\), and \(32, 32\) in .*gate"),
        ({"selection": "last"}, "agree in selection. Received: 'last', and 'best'"),
        ({"model": choose("koefler_cnn"), "scaling": "raw", "model_size": {}}, "agree in scaling"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(changes, message, known, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(dataclasses.replace(SOFT, **changes), "smoke", out=tmp_path, verbose=0)
    assert not list(tmp_path.iterdir())


def test_stages_with_other_test_images_are_counted_before_one_is_trained(known, soft, tmp_path):
    half = {"train": 0.5, "validation": 0.1, "test": 0.4}
    other = choose("stratified_group_split", group="lesion+patient", fractions=half)
    counts = soft.manifest["images"]
    message = f"another split: .*{counts['test']} test. Received: .*[0-9]+ test"
    with pytest.raises(ValueError, match=message):
        run(dataclasses.replace(SOFT, split=other), "smoke", out=tmp_path, verbose=0)
    assert not (tmp_path / GATE.name).exists()


def test_an_image_that_a_stage_has_no_answer_for_is_named(soft):
    model, rows = soft.load_model(), soft.run_data().rows("test")
    rest = model.get_layer("rest")
    rest.set_weights([np.full_like(weights, np.nan) for weights in rest.get_weights()])
    with pytest.raises(ValueError, match=f"nan in row {rows['image_id'].iloc[0]} for"):
        predict(model, soft.recipe, rows)


def test_a_recipe_of_stages_is_read_back(soft):
    assert soft.recipe == SOFT.resolve("smoke")
    check_recipe(soft.recipe)
    assert pd.notna(soft.metrics["scores"]["macro_recall"]["value"])


def test_a_label_is_explained_by_the_network_that_decides_about_it(soft):
    task, model, rows = tasks.of(soft.recipe), soft.load_model(), soft.run_data().rows("test").head(2)
    gate, rest = (task.explain(model, rows, label).maps for label in ("nv", "mel"))
    assert [*gate] == ["gate: Grad-CAM"] and [*rest] == ["rest: Grad-CAM"]
    inputs = task.inputs(rows)
    expected = grad_cam(model.get_layer("rest"), inputs, OTHERS.index("mel"))
    np.testing.assert_array_equal(rest["rest: Grad-CAM"], expected)
    np.testing.assert_array_equal(gate["gate: Grad-CAM"], grad_cam(model.get_layer("gate"), inputs, 0))
