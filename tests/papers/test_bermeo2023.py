"""The recipes of bermeo2023 say what the document and its code say, and what our own leave apart."""

import dataclasses

import pandas as pd
import pytest

from skinkit.experiments import SavedRun, run
from skinkit.experiments.recipe_check import check_recipe
from skinkit.papers import Recipe, choose, recipe
from skinkit.papers.bermeo2023 import controls, recipes
from skinkit.papers.published import load_published
from skinkit.papers.registry import printed_table

TABLES = load_published("bermeo2023")
SETTINGS = TABLES[TABLES["table"] == "table7.2"].pivot(index="row", columns="metric", values="printed")


def get(name, profile="full", protocol="corrected"):
    return recipe(f"bermeo2023/{name}").resolve(profile, protocol)


def differing(first, second, **which):
    one, other = get(first, **which), get(second, **which)
    fields = [f.name for f in dataclasses.fields(Recipe) if f.name not in ("name", "title", "published")]
    return {field for field in fields if getattr(one, field) != getattr(other, field)}


def test_each_row_of_the_table_has_a_recipe_that_no_run_can_be_compared_with():
    assert [r.name for r in recipes.RECIPES] == [f"bermeo2023/table8.2/m{n}" for n in range(8)]
    for found in recipes.RECIPES:
        assert found.published_row == found.name and "merged" in found.not_comparable
        assert found.known_protocols == ("as_published", "as_described", "corrected")


@pytest.mark.parametrize("row", SETTINGS.index)
def test_the_settings_are_those_of_table_7_2(row):
    said, found = SETTINGS.loc[row], get(f"table8.2/{row}", protocol="as_described")
    (phase,) = found.phases
    assert (phase.epochs, found.batch_size) == (int(said["epochs"]), int(said["batch_size"]))
    names = {"none": "constant", "SLR": "step", "CALR": "cosine", "CAWR": "cosine_restarts"}
    assert phase.schedule.name == names[said["scheduler"]]
    assert phase.schedule.options.get("parts", phase.epochs) == phase.epochs
    assert bool(found.augmentation) == (said["augmentation"] == "Yes")
    assert found.model.options == (recipes.DROPOUTS if said["dropout"] == "Yes" else recipes.PLAIN)
    assert phase.optimiser.options == {"learning_rate": 1e-3, "momentum": 0.9}
    assert phase.patience == {20: 5, 40: 10}[phase.epochs]
    assert (found.monitor, found.selection, found.tta.options) == ("auc:mel", "best", {"of": "logits"})


@pytest.mark.parametrize("number", range(8))
def test_the_protocols_differ_in_the_split_and_in_the_dropout_of_m7(number):
    published, described, sound = (
        get(f"table8.2/m{number}", protocol=protocol)
        for protocol in ("as_published", "as_described", "corrected")
    )
    assert published.split == described.split and sound.split.options == {"grouped": True}
    assert (published.model != described.model) == (number == 7)
    assert ("dropout" in published.title) == (number > 3)
    assert published.title.endswith("five dropouts (published: none)") == (number == 7)
    assert described.model == sound.model and described.phases == published.phases == sound.phases
    elastic = [each.augmentation.get("distortions") for each in (published, described, sound)]
    assert elastic == (["as_published", "described", "described"] if number > 3 else [None] * 3)


@pytest.mark.parametrize("protocol", ["as_described", "corrected"])
@pytest.mark.parametrize(
    ("first", "second", "fields"),
    [
        ("schedules/lite0-m1", "schedules/lite0-m0", {"phases"}),
        ("schedules/lite0-m6", "schedules/lite0-m4", {"phases"}),
        ("schedules/lite0-m4-equal-updates", "schedules/lite0-m4", {"phases"}),
        ("schedules/lite0-m4-no-dropout", "schedules/lite0-m4", {"model"}),
        ("schedules/lite0-m4-no-augmentation", "schedules/lite0-m4", {"augmentation"}),
        ("schedules/lite0-m4-twice", "schedules/lite0-m4", {"phases"}),
        ("schedules/lite0-m7-four-times", "schedules/lite0-m7", {"phases"}),
        ("schedules/lite0-m4", "schedules/lite0-m0", {"phases", "model", "augmentation", "batch_size"}),
        ("scratch/resnet18-m4", "scratch/resnet18-m0", {"phases", "model", "augmentation", "batch_size"}),
        ("table8.2/m5", "table8.2/m1", {"phases", "model", "augmentation", "batch_size"}),
        (
            "schedules/lite0-m0-one-view",
            "schedules/lite0-m0",
            {"tta", "phases", "start_from", "selection"},
        ),
    ],
)
def test_a_control_differs_from_its_row_in_what_its_title_says(first, second, fields, protocol):
    assert differing(first, second, protocol=protocol) == fields


def steps(name, images=8012):
    found = get(name, "quick")
    return sum(phase.epochs for phase in found.phases) * -(-images // found.batch_size)


def test_the_stand_ins_keep_the_ratio_of_updates_and_the_control_makes_up_for_it():
    m0, m4 = (steps(f"schedules/lite0-m{n}") for n in (0, 4))
    assert (m0, m4) == (805, 630)
    assert m4 / m0 == pytest.approx(40 * 25 / (20 * 63), abs=0.02)
    assert steps("schedules/lite0-m4-equal-updates") == pytest.approx(m0, rel=0.02)
    assert steps("schedules/lite0-m7-four-times") == 4 * m4


def test_longer_rows_restart_as_often_and_fewer_epochs_see_the_same_rates():
    for name, cycles in (("m7", 8), ("m7-twice", 16), ("m7-four-times", 32)):
        for profile in ("quick", "full"):
            (phase,) = get(f"schedules/lite0-{name}", profile).phases
            assert phase.schedule.options == {"cycles": cycles, "end": 0.1, "parts": 5 * cycles}


def test_our_rows_stand_for_the_printed_ones():
    assert printed_table("bermeo2023/scratch/resnet18-m4") == "bermeo2023/table8.2/m4"
    for found in controls.RECIPES:
        assert found.published == "" and found.known_protocols == ("as_described", "corrected")
        for profile in ("smoke", "quick", "full"):
            for protocol in found.known_protocols:
                check_recipe(found.resolve(profile, protocol))


def test_equal_seeds_give_equal_predictions_with_augmentation_dropouts_and_restarts(tmp_path):
    # As M7 in `smoke`, but for the size of its network.
    small = {"model": choose("small_cnn", **recipes.DROPOUTS), "model_size": {"width": 4}}
    asked = dataclasses.replace(recipes.RECIPES[7], **small, protocols={})
    one, twin = (SavedRun(run(asked, "smoke", folder=tmp_path / name, verbose=0)) for name in ("one", "twin"))
    pd.testing.assert_frame_equal(one.predictions, twin.predictions)
    history = pd.read_csv(tmp_path / "one" / "history.csv")
    # All that Figures 8.1 to 8.12 show, of training and of validation.
    shown = {"accuracy", "loss", "auc:mel", "val_accuracy", "val_log_loss", "val_auc:mel"}
    assert history[[*shown]].notna().all(axis=None)
    # Few steps, and the last of them at the rate before a restart.
    assert history["learning_rate"].item() == pytest.approx(1.859423525e-4, abs=1e-9)
