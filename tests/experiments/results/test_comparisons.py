import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from skinkit.data import target_of
from skinkit.evaluation import summary, unpack_predictions
from skinkit.experiments.plan import Plan
from skinkit.experiments.results.comparisons import COLUMNS, METRICS, compare_runs
from skinkit.papers import Phase, Recipe, choose
from skinkit.papers.published import load_published
from skinkit.papers.registry import recipe as find_recipe

TINY = Recipe("skinkit/test/tiny", "A recipe", choose("small_cnn"), (Phase(1, choose("adam")),))
PAIR = ("skinkit/test/first", "skinkit/test/second")


@pytest.fixture
def write_predictions(tmp_path):
    """Writes a run folder with predictions that are right with a given chance."""

    def write(recipe, accuracy, seed=0, images=60, protocol="corrected", settings=TINY, **more):
        random = np.random.default_rng(seed + int(1000 * accuracy))
        first, second, *others = target_of(settings.classes, settings.target).labels
        labels = np.array([first, second] * (images // 2))
        right = random.random(images) < accuracy
        p_first = np.where((labels == first) == right, 0.8, 0.2)
        predictions = pd.DataFrame(
            {
                "image_id": [f"I{i}" for i in range(images)],
                "lesion_id": [f"L{i // 2}" for i in range(images)],
                "patient_id": pd.NA,
                "label": labels,
                f"p_{first}": p_first,
                f"p_{second}": 1 - p_first,
                **dict.fromkeys([f"p_{label}" for label in others], 0.0),
            }
        ).sample(frac=1.0, random_state=seed)
        m = {"recipe": recipe, "profile": "quick", "protocol": protocol, "fold": 0, "seed": seed, **more}
        hashes = {"split_hash": "s", "data_hash": f"{recipe} {protocol}"}
        plan = Plan(settings, "quick", "corrected", 0, seed)
        m |= {**hashes, "key": plan.key_of(m.get("weights"), **hashes), "dataset": "ham10000"}
        m |= {"leakage": {"lesion": 0.0}, "settings": dataclasses.asdict(settings)}
        folder = tmp_path / recipe / m["key"]
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(m))
        predictions.to_csv(folder / "predictions.csv.gz", index=False)
        return predictions

    return write


def test_the_difference_is_that_of_the_scores_in_any_order_of_the_rows(write_predictions, tmp_path):
    scores = [
        summary(*unpack_predictions(write_predictions(name, accuracy)), positive="mel")
        for name, accuracy in zip(PAIR, (0.9, 0.6), strict=True)
    ]
    table = compare_runs(tmp_path, [PAIR])
    assert list(table.columns) == list(COLUMNS)
    found = table.set_index("metric")
    for metric in METRICS[:-1]:
        assert found.loc[metric, "difference"] == pytest.approx(scores[0][metric] - scores[1][metric])
        assert found.loc[metric, "low"] < found.loc[metric, "difference"] < found.loc[metric, "high"]
    assert (found["runs"].unique().tolist(), found["n"].unique().tolist()) == ([1], [60])
    # No document prints any of them, and they can be calculated with all the same.
    assert not (found[["printed", "networks"]] > 1).any(axis=None)


def test_seeds_are_paired_and_averaged(write_predictions, tmp_path):
    accuracies = np.array(
        [
            [np.mean(_right(write_predictions(name, accuracy, seed))) for seed in (0, 1)]
            for name, accuracy in zip(PAIR, (0.9, 0.6), strict=True)
        ]
    )
    write_predictions(PAIR[0], 0.9, seed=2)
    row = compare_runs(tmp_path, [PAIR]).query("metric == 'accuracy'").iloc[0]
    differences = accuracies[0] - accuracies[1]
    assert row["runs"] == 2
    assert row["difference"] == pytest.approx(differences.mean())
    assert row["run_sd"] == pytest.approx(differences.std(ddof=1))


def _right(predictions):
    return (predictions["p_mel"] > 0.5) == (predictions["label"] == "mel")


def test_protocols_are_kept_apart_and_lonely_runs_left_out(write_predictions, tmp_path):
    write_predictions(PAIR[0], 0.9)
    write_predictions(PAIR[1], 0.6, protocol="as_published")
    assert compare_runs(tmp_path, [PAIR]).empty


def test_a_run_from_other_weights_is_compared_with_its_like(write_predictions, tmp_path):
    for name, accuracy in zip(PAIR, (0.9, 0.6), strict=True):
        write_predictions(name, accuracy)
    write_predictions(PAIR[0], 0.3, weights="none")
    assert compare_runs(tmp_path, [PAIR])["weights"].unique().tolist() == [""]
    write_predictions(PAIR[1], 0.5, weights="none")
    table = compare_runs(tmp_path, [PAIR]).query("metric == 'accuracy'").set_index("weights")
    assert table["runs"].to_dict() == {"": 1, "none": 1}
    assert table.loc["", "difference"] > 0 > table.loc["none", "difference"]


def test_a_run_of_a_recipe_that_has_changed_is_not_compared(write_predictions, tmp_path):
    pair = [f"gessert2019/table2/mobilenet-{arm}" for arm in ("initial", "multi-crop")]
    first, second = (find_recipe(name) for name in pair)
    write_predictions(pair[0], 0.9, settings=first)
    write_predictions(pair[1], 0.6, settings=dataclasses.replace(second, resize="bilinear"))
    assert compare_runs(tmp_path, [pair]).empty
    write_predictions(pair[1], 0.6, settings=second)
    assert len(compare_runs(tmp_path, [pair])) == len(METRICS)


def test_runs_on_other_images_are_not_compared(write_predictions, tmp_path):
    write_predictions(PAIR[0], 0.9)
    write_predictions(PAIR[1], 0.6, images=40)
    with pytest.raises(ValueError, match="not tested on the same images"):
        compare_runs(tmp_path, [PAIR])


@pytest.mark.parametrize(
    ("arms", "accuracies", "seeds", "holds"),
    [
        (("initial", "multi-crop"), (0.95, 0.4), 3, "yes"),
        (("initial", "multi-crop"), (0.4, 0.95), 3, "no"),
        (("initial", "multi-crop"), (0.7, 0.7), 3, "open"),
        # Printed: 73.3 < 74.0 with DenseNet121, 73.7 > 73.2 with SE-ResNeXt50.
        (("end", "initial"), (0.95, 0.4), 3, "open"),
        # So few runs may owe their order to luck.
        (("initial", "multi-crop"), (0.95, 0.4), 2, "open"),
    ],
)
def test_what_all_networks_of_a_document_print_stands_beside_a_difference(
    write_predictions, tmp_path, arms, accuracies, seeds, holds
):
    pair = [f"gessert2019/table2/mobilenet-{arm}" for arm in arms]
    for name, accuracy in zip(pair, accuracies, strict=True):
        for seed in range(seeds):
            write_predictions(name, accuracy, seed, settings=find_recipe(name))
    table = compare_runs(tmp_path, [pair]).set_index("metric")
    row = table.loc["macro_recall"]
    printed = {"initial": (72.4, 74.8, 73.2), "multi-crop": (68.4, 71.1, 70.2), "end": (73.3, 74.0, 73.7)}
    differences = np.subtract(*(printed[arm] for arm in arms)) / 100
    assert row["networks"] == 3
    assert row["printed"] == pytest.approx(differences.mean())
    assert (row["printed_low"], row["printed_high"]) == pytest.approx((differences.min(), differences.max()))
    assert row["holds"] == holds
    assert pd.isna(table.loc["macro_auc", "printed"]) and table.loc["macro_auc", "holds"] == ""


def test_differences_on_which_all_resamples_agree_have_no_interval_and_are_open(write_predictions, tmp_path):
    pair = [f"gessert2019/table2/mobilenet-{arm}" for arm in ("initial", "multi-crop")]
    for name, accuracy in zip(pair, (1.0, 0.0), strict=True):
        write_predictions(name, accuracy, images=12, settings=find_recipe(name))
    row = compare_runs(tmp_path, [pair]).set_index("metric").loc["macro_recall"]
    assert row["difference"] == 1 and row["printed"] > 0
    assert pd.isna(row["low"]) and pd.isna(row["high"]) and row["holds"] == "open"
    # Another seed has an interval; the mean over both has none.
    for name, accuracy in zip(pair, (0.9, 0.4), strict=True):
        write_predictions(name, accuracy, seed=1, images=12, settings=find_recipe(name))
    row = compare_runs(tmp_path, [pair]).set_index("metric").loc["macro_recall"]
    assert row["runs"] == 2 and pd.isna(row["low"]) and row["holds"] == "open"


def test_a_row_that_is_printed_stands_beside_its_own_numbers_alone(write_predictions, tmp_path):
    pair = [f"hernandez2020/table4/{row}" for row in ("attention-em", "wrs")]
    for name, accuracy in zip(pair, (0.8, 0.7), strict=True):
        write_predictions(name, accuracy, settings=find_recipe(name))
    row = compare_runs(tmp_path, [pair]).set_index("metric").loc["macro_auc"]
    scores = load_published("hernandez2020").query("table == 'table4' and metric == 'auc'").set_index("row")
    assert row["networks"] == 1
    assert row["printed"] == pytest.approx(np.subtract(*scores["value"][["attention-em", "wrs"]]) / 100)


def test_a_difference_counts_the_luck_of_the_trainings_of_its_table(write_predictions, tmp_path):
    pairs = [
        tuple(f"gessert2019/table2/mobilenet-{arm}" for arm in arms)
        for arms in (("initial", "multi-crop"), ("end", "multi-crop"))
    ]
    for name, accuracy in {pairs[0][0]: 0.95, pairs[1][0]: 0.7, pairs[0][1]: 0.4}.items():
        for seed in range(3):
            write_predictions(name, accuracy, seed, settings=find_recipe(name))
    rows = compare_runs(tmp_path, pairs).query("metric == 'accuracy'")
    assert rows["df"].tolist() == [4, 4]
    assert rows["pooled_sd"].tolist() == pytest.approx([np.sqrt((rows["run_sd"] ** 2).mean())] * 2)
    for row in rows.itertuples():
        # t of 4 degrees of freedom is 2.7764.
        luck = 2.7764 * row.pooled_sd / np.sqrt(3)
        assert row.low_of_both == pytest.approx(
            row.difference - np.hypot(row.difference - row.low, luck), abs=1e-4
        )
        assert row.high_of_both == pytest.approx(
            row.difference + np.hypot(row.high - row.difference, luck), abs=1e-4
        )


def test_an_order_is_open_where_trainings_differ_too_much(write_predictions, tmp_path):
    pair = [f"gessert2019/table2/mobilenet-{arm}" for arm in ("initial", "multi-crop")]
    for seed, accuracy in enumerate((0.95, 0.6, 0.5)):
        write_predictions(pair[0], accuracy, seed, settings=find_recipe(pair[0]))
        write_predictions(pair[1], 0.4, seed, settings=find_recipe(pair[1]))
    row = compare_runs(tmp_path, [pair]).set_index("metric").loc["macro_recall"]
    assert row["low"] > 0 > row["low_of_both"] and row["holds"] == "open"


@pytest.mark.parametrize(
    ("pair", "printed"),
    [
        (("gamma/mobilenet-gamma1.5", "gamma/mobilenet-gamma0"), 0.560 - 0.422),
        # EfficientNet has no gamma 0.
        (("stages/lite0-gamma1", "stages/lite0-gamma0"), 0.727 - 0.753),
        (("stages/lite0-two-stage-hard", "stages/lite0-gamma1-mixup"), 0.806 - 0.800),
        (("pretext/mobilenet-restoration", "pretext/mobilenet-rotation"), 0.541 - 0.452),
        (("pretext/mobilenet-rotation", "pretext/mobilenet-scratch"), 0.452 - 0.561),
    ],
)
def test_a_table_of_small_networks_stands_beside_the_printed_one(write_predictions, tmp_path, pair, printed):
    names = [f"butskova2021/{name}" for name in pair]
    for name, accuracy in zip(names, (0.8, 0.7), strict=True):
        write_predictions(name, accuracy, settings=find_recipe(name))
    row = compare_runs(tmp_path, [names]).set_index("metric").loc["macro_recall"]
    assert row["networks"] == 1 and row["printed"] == pytest.approx(printed)


def test_small_networks_of_hernandez2020_stand_beside_table_4(write_predictions, tmp_path):
    names = [f"hernandez2020/controls/lite0-{row}" for row in ("attention", "base")]
    for name, accuracy in zip(names, (0.8, 0.7), strict=True):
        write_predictions(name, accuracy, settings=find_recipe(name))
    row = compare_runs(tmp_path, [names]).set_index("metric").loc["macro_auc"]
    assert row["printed"] == pytest.approx(0.922 - 0.915) and row["holds"] == "open"


def test_the_area_of_melanoma_stands_beside_that_of_table_8_2(write_predictions, tmp_path):
    names = [f"bermeo2023/schedules/lite0-{row}" for row in ("m4", "m0")]
    for name, accuracy in zip(names, (0.7, 0.8), strict=True):
        write_predictions(name, accuracy, settings=find_recipe(name))
    row = compare_runs(tmp_path, [names]).set_index("metric").loc["auc:mel"]
    assert row["printed"] == pytest.approx(0.858 - 0.892) and row["difference"] < 0


def test_two_forms_of_one_printed_row_have_no_printed_difference(write_predictions, tmp_path):
    pair = [f"butskova2021/stages/lite0-two-stage-{rule}" for rule in ("hard", "soft")]
    for name, accuracy in zip(pair, (0.8, 0.7), strict=True):
        write_predictions(name, accuracy, settings=find_recipe(name))
    row = compare_runs(tmp_path, [pair]).set_index("metric").loc["macro_recall"]
    assert pd.isna(row["printed"]) and row["holds"] == ""


def test_the_spread_of_scores_of_other_labels_is_not_shared(write_predictions, tmp_path):
    names = ("gate-discount0.25", "gate-discount1", "scratch-256", "scratch-equal-steps")
    gates, classes = ([f"butskova2021/controls/{name}" for name in pair] for pair in (names[:2], names[2:]))
    for name, accuracy in zip((*gates, *classes), (0.9, 0.6, 0.8, 0.4), strict=True):
        for seed in range(3):
            write_predictions(name, accuracy, seed, settings=find_recipe(name))
    table = compare_runs(tmp_path, [gates, classes])
    assert table["df"].unique().tolist() == [2]
