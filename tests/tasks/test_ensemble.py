"""Ensembles through the real command: members first, one answer, and what does not fit."""

import dataclasses
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from skinkit import data
from skinkit.cli import main
from skinkit.evaluation import choose_weights, join_members, unpack_predictions
from skinkit.experiments import evaluate, run, write_card
from skinkit.experiments.deciding.subgroups import read_subgroups
from skinkit.experiments.many_runs.run_list import list_runs
from skinkit.experiments.plan import Plan
from skinkit.experiments.predictions import prediction_groups
from skinkit.experiments.recipe_check import check_recipe
from skinkit.experiments.report import write_report
from skinkit.experiments.results.comparisons import _difference
from skinkit.experiments.run_folder import SavedRun
from skinkit.explain import grad_cam, resize_map
from skinkit.papers import Phase, Recipe, choose
from skinkit.papers.members import ensemble

# Untrained, which takes no time: another seed is another network all the same.
PLAIN = Recipe(
    name="skinkit/test/plain",
    title="The smallest member",
    published="",
    image_size=(32, 32),
    subset=90,
    model=choose("small_cnn"),
    model_size={"width": 4},
    selection="last",
    phases=(),
)
# Of another size, other pixels and several views.
OTHER = dataclasses.replace(
    PLAIN, name="skinkit/test/other", image_size=(36, 40), scaling="raw", tta=choose("flips")
)
MALIGNANT = dataclasses.replace(
    PLAIN, name="skinkit/test/malignant", target=choose("one_against_rest", label="mel")
)
FOREST = dataclasses.replace(
    PLAIN, name="skinkit/test/forest", classifier=choose("logistic_regression", features="pooled")
)
NAMES = (PLAIN.name, OTHER.name)
SEEDS = ensemble(PLAIN, "skinkit/test/seeds", "Two seeds", seeds=2)
BOTH = ensemble(
    PLAIN, "skinkit/test/both", "Two networks", "geometric_mean", recipes=NAMES, weights="validation"
)
RANKS = ensemble(PLAIN, "skinkit/test/ranks", "The ranks of two", "rank_mean", recipes=NAMES)


@pytest.fixture(scope="module")
def known():
    """The recipes that have a name."""
    with pytest.MonkeyPatch.context() as patch:
        found = {each.name: each for each in (PLAIN, OTHER, MALIGNANT, FOREST, SEEDS)}
        patch.setattr("skinkit.experiments.plan.find_recipe", found.__getitem__)
        # The command knows what is registered.
        patch.setitem(run.__globals__, "find_recipe", found.__getitem__)
        patch.setattr(
            "skinkit.cli.runs.matching_recipes", lambda patterns: [found[name] for name in patterns]
        )
        yield found


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def carry_out(known, out):
    return lambda recipe, **options: SavedRun(run(recipe, "smoke", out=out, verbose=0, **options))


@pytest.fixture(scope="module")
def seeds(known, out):
    assert main(["run", SEEDS.name, "--profile", "smoke", "--out", str(out)]) == 0
    return run_of(out, SEEDS)


@pytest.fixture(scope="module")
def both(carry_out):
    return carry_out(BOTH)


def run_of(out, recipe, seed=0):
    return SavedRun(Plan(recipe, "smoke", "corrected", 0, seed).folder(out))


def probabilities(found):
    return found.filter(like="p_").to_numpy()


def joined(runs, *rule):
    return probabilities(join_members({run.folder.as_posix(): run.predictions for run in runs}, *rule))


def test_members_that_miss_are_run_first_and_their_mean_is_the_answer(seeds, out):
    members = [run_of(out, PLAIN, seed) for seed in (0, 1)]
    first, second = (probabilities(member.predictions) for member in members)
    assert not np.allclose(first, second)
    np.testing.assert_allclose(probabilities(seeds.predictions), (first + second) / 2, atol=1e-6)
    assert seeds.predictions["image_id"].tolist() == members[0].predictions["image_id"].tolist()
    built_on = [(each["recipe"], each["fold"], each["seed"]) for each in seeds.manifest["built_on"]]
    assert built_on == [(PLAIN.name, 0, 0), (PLAIN.name, 0, 1)]
    assert seeds.history.empty and seeds.manifest["stamp"] is None
    assert seeds.manifest["trained_on"] == members[0].manifest["trained_on"]
    assert seeds.recipe.hash == SEEDS.resolve("smoke").hash
    check_recipe(seeds.recipe)


def test_weights_are_chosen_on_validation_and_kept(both, out):
    members = [run_of(out, recipe) for recipe in (PLAIN, OTHER)]
    tables = [member.validation_predictions() for member in members]
    truth, _, labels = unpack_predictions(tables[0])
    p, groups = np.stack([probabilities(table) for table in tables]), prediction_groups(tables[0])[0]
    expected = choose_weights(truth, p, labels, groups, "geometric_mean")
    found = json.loads((both.folder / "weights.json").read_text())["weights"]
    assert found == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(
        probabilities(both.predictions), joined(members, "geometric_mean", found), atol=1e-6
    )
    assert f", with the weights {found[0]:.3g}, {found[1]:.3g}\n" in write_card(both.folder).read_text()


def test_ranks_are_those_among_the_test_images(carry_out, both, out):
    ranks = carry_out(RANKS)
    members = [run_of(out, recipe) for recipe in (PLAIN, OTHER)]
    np.testing.assert_allclose(probabilities(ranks.predictions), joined(members, "rank_mean"), atol=1e-6)
    assert not ranks.task().asks_one_image
    # Their order alone counts.
    with pytest.raises(ValueError, match="neither a temperature nor a threshold.*by `mean`"):
        evaluate(ranks.folder, sensitivity=0.9)
    assert not {"ece", "brier"} & {*ranks.metrics["scores"]}
    evaluate(ranks.folder, subgroups=True)
    assert {*read_subgroups(ranks.folder)["score"]} == {"auc"}
    card = write_card(ranks.folder).read_text()
    assert card.count("ranks are not probabilities") == 2 and '"type": "ece"' not in card
    page = write_report(ranks.folder).read_text()
    assert "ranks are not probabilities" in page and "Calibration (0 is best)" not in page
    # What a page looked for does not change a card.
    assert write_card(ranks.folder).read_text() == card
    compared = _difference(RANKS.name, PLAIN.name, ranks, members[0])
    assert [row["metric"] for row in compared] == ["macro_auc", "auc:mel"]


def test_a_moved_folder_needs_no_other(both, tmp_path, monkeypatch):
    monkeypatch.setattr("skinkit.experiments.plan.find_recipe", None)
    moved = shutil.copytree(both.folder, tmp_path / "moved")
    ids = ["image_id", "lesion_id", "patient_id"]
    other = data.synthetic(8, seed=3, size=(32, 32), folder=tmp_path / "images")
    other.assign(**{name: "NEW_" + other[name] for name in ids}).to_csv(tmp_path / "new.csv", index=False)
    assert "n = 8" in evaluate(moved, on=tmp_path / "new.csv")
    again = SavedRun(moved).predictor()(both.run_data().rows("test"))
    np.testing.assert_allclose(probabilities(again), probabilities(both.predictions), atol=1e-6)
    (moved / "weights.json").write_text('{"weights": [0.5]}')
    with pytest.raises(ValueError, match="weights of 2 members are 2 numbers"):
        SavedRun(moved).predictor()


def test_maps_are_the_mean_of_those_of_the_members(both, out):
    task, model = both.load_task()
    rows = both.run_data().rows("test").head(2)
    found = task.explain(model, rows, "mel")
    maps = []
    for recipe in (PLAIN, OTHER):
        theirs, network = run_of(out, recipe).load_task()
        maps.append(resize_map(grad_cam(network, theirs.inputs(rows), theirs.position("mel")), (32, 32)))
    np.testing.assert_allclose(
        found.maps["Grad-CAM"], np.average(maps, axis=0, weights=task.weights), atol=1e-3
    )
    assert found.images.shape == (2, 32, 32, 3)
    np.testing.assert_allclose(found.probabilities, probabilities(both.predictions)[:2], atol=1e-6)
    # Without a label, each image has the map of what the ensemble calls it.
    called = task.explain(model, rows)
    labels = np.array(task.labels)[found.probabilities.argmax(axis=1)]
    for label in set(labels):
        expected = task.explain(model, rows[labels == label], label).maps["Grad-CAM"]
        np.testing.assert_allclose(called.maps["Grad-CAM"][labels == label], expected, atol=1e-6)


def test_every_command_takes_it_like_any_run(seeds, tmp_path, capsys):
    folder = shutil.copytree(seeds.folder, tmp_path / "run")
    for words in (["evaluate", "--balanced"], ["explain"], ["report"], ["card"]):
        assert main([words[0], str(folder), *words[1:]]) == 0, capsys.readouterr().err
    assert {"overlays.png", "report.html", "MODEL_CARD.md"} <= {path.name for path in folder.iterdir()}
    assert "skinkit export" not in (folder / "MODEL_CARD.md").read_text()
    assert main(["export", str(folder)]) == 1
    assert "do not come from one network" in " ".join(capsys.readouterr().err.split())


@pytest.mark.skipif(not importlib.util.find_spec("fastapi"), reason="serve is an extra")
def test_it_is_served_but_for_ranks(both, carry_out, tmp_path):
    from skinkit.serve.settings import ModelSettings
    from skinkit.serve.worker.served_model import ServedModel

    folder = shutil.copytree(both.folder, tmp_path / "run")
    served = ServedModel("both", ModelSettings(run=str(folder)))
    rows = both.run_data().rows("test").head(3)
    content = [(row.image_id, Path(row.path).read_bytes()) for row in rows.itertuples()]
    found = [[*json.loads(answer)["probabilities"].values()] for answer in served.answers(content)]
    np.testing.assert_allclose(found, probabilities(both.predictions)[:3], atol=1e-5)
    assert served.overlay(content[0][1], "mel")[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="cannot be served.*Ensemble"):
        ServedModel("ranks", ModelSettings(run=str(carry_out(RANKS).folder)))


def test_a_sweep_lists_the_members_first_and_another_seed_shares_none(seeds, known, out):
    last = list_runs([Plan(SEEDS, "smoke", "corrected", 0, 0)], out)[-1]
    assert [need.plan.seed for need in last.needs] == [0, 1]
    assert last.is_finished() and all(need.is_finished() for need in last.needs)
    assert [plan.seed for plan in Plan(SEEDS, "smoke", "corrected", 0, 1).needs] == [2, 3]


def test_other_members_or_another_method_of_one_are_another_run(known, monkeypatch):
    plan = Plan(SEEDS, "smoke", "corrected", 0, 0)
    before = plan.key_of(None, "", "")
    monkeypatch.setitem(known, PLAIN.name, dataclasses.replace(PLAIN, batch_size=16))
    assert plan.key_of(None, "", "") != before
    assert len({SEEDS.hash, BOTH.hash, RANKS.hash, PLAIN.hash}) == 4


def test_one_that_was_stopped_between_its_members_goes_on(seeds, known, tmp_path, monkeypatch):
    begun = []

    def stop_at_the_second(table, folder):
        begun.append(folder)
        if len(begun) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setitem(run.__globals__, "note_images", stop_at_the_second)
        assert main(["run", SEEDS.name, "--profile", "smoke", "--out", str(tmp_path)]) == 130
    first = run_of(tmp_path, PLAIN)
    made = (first.folder / "model.keras").stat().st_mtime_ns
    with pytest.raises(FileNotFoundError):
        run_of(tmp_path, SEEDS)
    assert main(["run", SEEDS.name, "--profile", "smoke", "--out", str(tmp_path)]) == 0
    assert (first.folder / "model.keras").stat().st_mtime_ns == made
    np.testing.assert_array_equal(
        probabilities(run_of(tmp_path, SEEDS).predictions), probabilities(seeds.predictions)
    )


def members(rule="mean", **options):
    return {"members": choose(rule, **{"recipes": NAMES, **options})}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (members(recipes=()), r"one member or more. Received: recipes=\(\)"),
        (members(recipes=(PLAIN.name, MALIGNANT.name)), "equal classes. Received: target=None, and .*malig"),
        (members(recipes=(PLAIN.name, FOREST.name)), "from its network alone.*Received: .*forest"),
        (members(recipes=(SEEDS.name,)), "is not an ensemble. Received: .*seeds"),
        (members(recipes=(PLAIN.name, PLAIN.name)), "once. Received twice: .*plain fold 0 seed 0"),
        (members(weights=(0.5, 0.6)), r"sum to 1. Received: \[0.5, 0.6\]"),
        (members(weights=(1.5, -0.5)), "`weights` must be .*from 0"),
        (members(weights=(1.0,)), "weights of 2 members are 2 numbers"),
        (
            {**members(weights="validation"), "split": choose("stratified_group_split", seed=1)},
            "; LEAKY: .* in the training of a member",
        ),
        (members(weights="best"), "`weights` must be 'equal' or 'validation'"),
        (members("rank_mean", weights="validation"), "ranks have none"),
        (members("maen"), "Rules of ensembles .*Did you mean mean"),
        (members(seed=2), "Did you mean seeds"),
        (members(seeds=0), "`seeds` must be a whole number from 1"),
        (members(folds=3, weights="validation"), "over folds no image is left"),
        ({"phases": (Phase(1, choose("adam", learning_rate=1e-3)),)}, "nothing is trained.*phases="),
        ({"selection": "best"}, "nothing is trained or selected.*selection='best'"),
        ({"tta": choose("flips")}, "tta="),
        (
            {**members(weights="validation"), "test_part": "validation"},
            "are not the test part. .*'validation'",
        ),
        (
            {**members(weights="validation"), "split": choose("out_of_fold_split")},
            "chosen on validation images that no member was trained on, .* Received: .* train, .* test; t",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(changes, message, known, tmp_path):
    with pytest.raises(ValueError, match=message):
        run(dataclasses.replace(SEEDS, **changes), "smoke", out=tmp_path, verbose=0)
    assert not list(tmp_path.rglob("manifest.json"))
