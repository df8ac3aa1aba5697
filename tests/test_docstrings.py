"""Every example in a docstring is executed; where it says what comes out, that is compared."""

import doctest
import importlib
import json
import math
import pkgutil
import shutil
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import skinkit

# Needs Ray, which is not among the tools of `dev`; starts the command.
# Nothing is downloaded, and no release is here.
_STUBS = ("load", "fetch", "get")
_APART = {"skinkit.experiments.many_runs.ray_engine", "skinkit.__main__"}
pytestmark = [pytest.mark.xdist_group("tiny-run"), pytest.mark.usefixtures("registries")]


class AnyOutput(doctest.OutputChecker):
    """What an example does not say may be anything."""

    def check_output(self, want, got, optionflags):
        return not want or super().check_output(want, got, optionflags)


def examples():
    names = [each.name for each in pkgutil.walk_packages(skinkit.__path__, "skinkit.")]
    for name in sorted({*names} - _APART):
        path = Path(skinkit.__file__).parents[1] / name.replace(".", "/")
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if ">>>" in file.read_text(encoding="utf-8"):
            yield name


def public_names():
    """The public names of all rooms, as a reader of the reference has imported them."""
    rooms = (
        "data",
        "pipeline",
        "models",
        "layers",
        "training",
        "evaluation",
        "explain",
        "experiments",
        "papers",
    )
    rooms = [importlib.import_module(f"skinkit.{room}") for room in (*rooms, "plots", "tasks")]
    names = {name: value for room in rooms for name, value in vars(room).items() if not name.startswith("_")}
    return names | {room.__name__.rpartition(".")[2]: room for room in rooms}


def drawn_release(name, **_):
    """Stands in for `load`: no release is here."""
    table = skinkit.data.synthetic(60, seed=sum(name.encode()))
    ids = ["image_id", "lesion_id", "patient_id"]
    # The first letters are the scheme of the ids.
    return table.assign(**{each: table[each] + f"_{name}" for each in ids}, dataset=name)


@pytest.fixture(scope="module")
def things(finished, one_epoch, tmp_path_factory):
    """What examples speak of without making it: a table, a split, predictions, a network, a run."""
    import keras
    import tensorflow as tf

    from skinkit import data, evaluation, pipeline

    folder = shutil.copytree(finished, tmp_path_factory.mktemp("examples") / "run")
    run = skinkit.experiments.SavedRun(folder)
    run_data, labels = run.run_data(), list(run.labels)
    y, p, _ = evaluation.unpack_predictions(run.predictions)
    images = np.random.default_rng(0).random((4, 32, 32, 3)).astype("float32")
    table = data.synthetic(120, seed=0)
    rows, split = run_data.rows("train"), data.stratified_group_split(table)
    spec = pipeline.PipelineSpec(image_size=(32, 32))
    batches = pipeline.build_dataset(rows, spec, labels=labels, batch_size=8)
    model = run.load_model()
    model.compile(loss="categorical_crossentropy")
    return public_names() | {
        **{"np": np, "pd": pd, "keras": keras, "ops": keras.ops, "tf": tf, "math": math, "Path": Path},
        **{
            "skinkit": skinkit,
            "load": drawn_release,
            "fetch": lambda name, to=None: Path(name),
            "get": lambda source, name=None, to=None: Path(source),
            "ham": drawn_release("ham10000"),
        },
        **{"run": run, "folder": folder, "run_data": run_data, "rows": rows, "trained_on": rows},
        **{
            "recipe": one_epoch.resolve("smoke"),
            "labels": labels,
            "classes": labels,
            "comparisons": COMPARISONS,
        },
        **{"y": y, "p": p, "test_y": y, "test_p": p, "predictions": run.predictions, "row": DIFFERENCE},
        **{"lesions": run.predictions["lesion_id"].to_numpy(), "ages": rows[["age"]].to_numpy("float32")},
        **{
            "model": model,
            "dataset": batches,
            "path": folder / "manifest.json",
            "json": json,
            "images": images,
            "image": images[0],
            "photographs": images,
        },
        **{"table": table, "split": split, "report": data.leakage_report(table, split), "batches": batches},
        "batches_from": lambda first: pipeline.build_dataset(rows[first:], spec, batch_size=8),
        "features": np.random.default_rng(0).random((len(rows), 6)),
        "maps": np.ones((1, 5, 7, 7)),
    }


# What `judge_claims` and `difference_in_words` are given.
COMPARISONS = pd.read_csv(Path(__file__).parents[1] / "results/comparisons.csv")
DIFFERENCE = types.SimpleNamespace(
    **{
        "first": "a",
        "second": "b",
        "metric": "macro_recall",
        "difference": -0.022,
        "run_sd": 0.02,
        "runs": 3,
    },
    **{"low": -0.051, "high": 0.007, "low_of_both": -0.051, "high_of_both": 0.007, "holds": "open"},
)


@pytest.mark.parametrize("name", list(examples()))
def test_the_examples_of_a_module_run(name, things, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(AnyOutput(), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    module, said = importlib.import_module(name), []
    for test in doctest.DocTestFinder().find(module, name):
        test.globs = {**things, **test.globs, **{name: things[name] for name in _STUBS}}
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
