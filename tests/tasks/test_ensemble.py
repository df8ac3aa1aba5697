import dataclasses

import numpy as np
import pytest

from skinkit.evaluation import join_members
from skinkit.experiments import run
from skinkit.experiments.plan import Plan
from skinkit.experiments.run_folder import SavedRun
from skinkit.papers import Phase, Recipe, choose
from skinkit.papers.members import ensemble

PLAIN = Recipe(
    name="skinkit/test/plain",
    title="The smallest member",
    published="",
    image_size=(32, 32),
    subset=120,
    model=choose("small_cnn"),
    model_size={"width": 4},
    selection="last",
    phases=(Phase(1, choose("adam", learning_rate=2e-3)),),
)
# Of another size, other pixels and several views.
OTHER = dataclasses.replace(
    PLAIN,
    name="skinkit/test/other",
    image_size=(36, 40),
    scaling="raw",
    tta=choose("flips"),
)
SEEDS = ensemble(PLAIN, "skinkit/test/seeds", "Two seeds", seeds=2)
BOTH = ensemble(
    PLAIN,
    "skinkit/test/both",
    "Two networks",
    "geometric_mean",
    recipes=(PLAIN.name, OTHER.name),
    weights="validation",
)
RANKS = ensemble(
    PLAIN, "skinkit/test/ranks", "The ranks of two", "rank_mean", recipes=(PLAIN.name, OTHER.name)
)

# One worker makes the runs that these tests share.
pytestmark = pytest.mark.xdist_group("ensemble-runs")


@pytest.fixture(scope="module")
def known():
    """The recipes that may be named as members."""
    with pytest.MonkeyPatch.context() as patch:
        found = {each.name: each for each in (PLAIN, OTHER)}
        patch.setattr("skinkit.experiments.plan.find_recipe", found.__getitem__)
        yield found


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def carry_out(known, out):
    return lambda recipe, **options: SavedRun(run(recipe, "smoke", out=out, verbose=0, **options))


@pytest.fixture(scope="module")
def seeds(carry_out):
    return carry_out(SEEDS)


@pytest.fixture(scope="module")
def both(carry_out):
    return carry_out(BOTH)


def member(out, recipe, seed=0):
    return SavedRun(Plan(recipe, "smoke", "corrected", 0, seed).folder(out))


def probabilities(found):
    return found.filter(like="p_").to_numpy()


def test_members_that_miss_are_run_first_and_their_mean_is_the_answer(seeds, out):
    first, second = (member(out, PLAIN, seed) for seed in (0, 1))
    expected = join_members({"first": first.predictions, "second": second.predictions})
    assert seeds.predictions["image_id"].tolist() == expected["image_id"].tolist()
    np.testing.assert_allclose(probabilities(seeds.predictions), probabilities(expected), atol=1e-6)
    assert not np.allclose(probabilities(first.predictions), probabilities(second.predictions))
    assert [(each["recipe"], each["seed"]) for each in seeds.manifest["built_on"]] == [
        (PLAIN.name, 0),
        (PLAIN.name, 1),
    ]
    assert seeds.history.empty and seeds.manifest["stamp"] is None


def test_both(both):
    print((both.folder / "weights.json").read_text())
