"""A run: a recipe is trained, predicts and is scored, and leaves a folder that says how."""

import contextlib
import datetime
import time
from pathlib import Path

import pandas as pd

from skinkit import data
from skinkit.experiments.plan import PRECISIONS, Plan
from skinkit.experiments.plan_data import plan_data
from skinkit.experiments.predictions import (
    predict_parts,
    predictor,
    save_scored,
    write_predictions,
)
from skinkit.experiments.run_folder import SavedRun, resume
from skinkit.experiments.run_folder.changed_images import check_unchanged, note_images
from skinkit.experiments.run_folder.repair import mend
from skinkit.experiments.run_folder.seen_images import seen_images
from skinkit.files import is_locked, locked, write_json, writing
from skinkit.papers.registry import recipe as find_recipe
from skinkit.papers.registry import same_method


class BusyError(RuntimeError):
    """Another process carries out the run."""

    # "Temporary failure, try again" among the exit codes of sysexits.h.
    exit_code = 75


def run(
    recipe,
    profile="quick",
    protocol="corrected",
    fold=0,
    seed=0,
    out=None,
    weights=None,
    data_dir=None,
    folder=None,
    verbose=1,
    again=False,
    precision="float32",
    wait=False,
    writer="csv",
    split=None,
):
    """Carries out a recipe and returns its run folder.

    A finished run is not repeated, and neither is that of a recipe which is the same experiment; predictions
    and scores that it lacks are made from its model. A run that was killed goes on after its last complete
    epoch and, on one CPU, ends with the predictions of an undisturbed one.

    Args:
        recipe: A `Recipe`, or the name of one.
        profile: `smoke`, `quick` or `full`.
        protocol: `as_published`, `as_described` or `corrected`.
        fold: Integer, fold of the split.
        seed: Integer, seed of weights, order and augmentation.
        out: Folder of all runs; the run's own folder is made below it. `results/runs` by default, and
            `results/smoke` for the `smoke` profile, whose runs no ledger counts.
        weights: File of weights, `"imagenet"`, or `"none"` to train from nothing, instead of the recipe's
            own.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
        folder: The run's own folder, instead of one named after recipe, protocol, profile, fold and seed.
        verbose: As in `keras.Model.fit`.
        again: Whether to train again, whatever the folder holds. What it holds is replaced, and evaluations
            and figures of the old model are removed, when the new run is complete.
        precision: `"float32"`; `"bfloat16"` or `"float16"`, in which the network then computes (Keras' mixed
            policies). Another precision than float32 is another run, in a folder of its own.
        wait: Whether to wait for another process that carries out the same run, and not to raise an error.
        writer: `"csv"`, whose `history.csv` each run has; or besides it `"tensorboard"` (event files in the
            folder), `"mlflow"` or `"wandb"`: see `skinkit.training.writers`. It changes nothing in the run.
        split: Path of a CSV file `image_id, part`, as `Split.save` writes it, instead of the recipe's split.
            It is another run, in a folder of its own.

    Returns:
        `pathlib.Path` of the run folder.

    Raises:
        FileNotFoundError: when the images are not there, or a file of a finished run.
        BusyError: when another process carries out the same run. A run that this one needs is waited for.
        RuntimeError: when the package of the writer is not installed, or it cannot begin.
        ValueError: for a name, option or fold that is not known; when the folder holds files of others, a run
            of another recipe, split or data, or a damaged file; for an image that cannot be read, or that has
            changed since the run was begun.
    """
    from skinkit import training
    from skinkit.experiments.recipe_check import check_plan

    training.check_writer(writer)
    plan = Plan(_first_alike(recipe, verbose), profile, protocol, fold, seed, precision, split and str(split))
    folder = Path(folder) if folder else plan.folder(out)
    check_plan(plan)
    plan.check(weights, data_dir, table_alone=not again and (folder / resume.MANIFEST).exists())
    resume.check_folder(folder, damaged=again)
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder, wait, verbose):
        # One that was killed when it was complete is not trained once more.
        again = not resume.replace_by_again(folder) and again
        _carry_out(plan, folder, again, out, weights, data_dir, verbose, writer)
        resume.replace_by_again(folder)
    return folder


def _first_alike(recipe, verbose):
    """The first recipe that is the same experiment."""
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    first = same_method(recipe)[0]
    if verbose and first != recipe:
        print(f"{recipe.name} is the same experiment as {first.name}")
    return first


def _only_one(folder, wait, verbose):
    """The lock of a run folder."""
    lock = folder / resume.LOCK
    if wait:
        if verbose and is_locked(lock):
            print(f"Waiting for another process, which carries out the run in {folder}", flush=True)
        return locked(lock)
    return locked(
        lock,
        busy=BusyError(
            f"Another process is carrying out the run in {folder}. Wait for it, or choose another "
            "`out` folder, fold or seed"
        ),
    )


def _carry_out(plan, folder, again, out, weights, data_dir, verbose, writer):
    run_data = plan_data(plan, data_dir)
    said = plan.decided_by(weights, run_data)
    folder = resume.training_folder(folder, said["key"], again)
    folder.mkdir(exist_ok=True)
    where = {"out": out, "weights": weights, "data_dir": data_dir, "writer": writer, "verbose": verbose}
    if resume.begin(folder, said):
        return _finished(SavedRun(folder), plan, run_data, where)
    try:
        handed, folds = (_carried_out_before(plans, **where) for plans in (plan.handed, plan.folds))
        _say(plan, run_data, verbose)
        if resume.has_epochs(folder):
            check_unchanged(run_data.table, folder)
        else:
            note_images(run_data.table, folder)
        _train(plan, run_data, folder, said, weights, handed, folds, verbose, writer)
    except Exception:
        # Such as weights that do not fit.
        if not resume.has_epochs(folder):
            resume.tidy(folder)
        raise
    return resume.tidy(folder)


def _carried_out_before(plans, **where):
    """The `SavedRun`s of plans that another one needs."""
    return [SavedRun(run(**plan.asked, **where, wait=True)) for plan in plans]


def _finished(saved, plan, run_data, where):
    def predict():
        folds = _carried_out_before(plan.folds, **where)
        return _predictions(lambda: saved.predictor(where["data_dir"]), run_data, folds)

    made = mend(saved, run_data, predict)
    resume.tidy(saved.folder)
    if where["verbose"]:
        print(f"Already finished: {saved.folder}" + (f"; made again: {', '.join(made)}" if made else ""))
        if resume.has_epochs(again := saved.folder / resume.AGAIN):
            print(f"{again} holds an unfinished training: the same command with --again goes on with it")
        if not (saved.folder / "model.keras").exists():
            print("Its model is not there: models are not kept with the results. Another --out trains one")


def _predictions(predictor, run_data, folds):
    """The predictions of the test part, by the folds that stand for the run where there are any."""
    if folds:
        return pd.concat([fold.predictions for fold in folds], ignore_index=True)
    return predict_parts(predictor(), run_data)


def _say(plan, run_data, verbose):
    if not verbose:
        return
    split = run_data.split
    print(f"{plan.recipe.name}: {plan.profile} profile, {plan.protocol} protocol, {run_data.source} images")
    print(f"split {split.name}: {split.sizes}. {split.note}".rstrip())
    print(run_data.leakage_line, flush=True)


def _train(plan, run_data, folder, said, weights, handed, folds, verbose, writer):
    """Trains, predicts, and writes the run folder."""
    import keras

    from skinkit import tasks, training

    seconds = _clock(folder)
    _repeatable(plan.seed)
    task = tasks.of(plan.resolved)
    task.build_on([tasks.of(run.recipe) for run in handed])
    with _policy(PRECISIONS[plan.precision]):
        model = task.model(weights, [run.model_for(plan.recipe.name) for run in handed])
        with training.open_writer(writer, folder / resume.WRITERS, plan.said) as callbacks:
            history = task.train(model, run_data, plan.seed, folder, verbose, callbacks)
        # Without the optimiser: its state is three times the weights and nobody needs it any more.
        model = keras.Model(model.inputs, model.output, name=model.name)
        if task.recipe.score_best:
            _score_best(task, model, run_data, folder)
        predictions = _predictions(lambda: predictor(task, model), run_data, folds)
    _keep_for_other_images(folder, task, model, run_data)
    _save(folder, plan, run_data, said, model, history, predictions, seconds)


def _clock(folder):
    """The function from the history of a run to its seconds, with those of epochs before it was stopped."""
    from skinkit import training

    state, started = training.Checkpoint(folder / "checkpoint").latest(), time.perf_counter()
    done = len(state["history"]) if state else 0
    return lambda history: history["seconds"].iloc[:done].sum() + time.perf_counter() - started


@contextlib.contextmanager
def _policy(name):
    """Has Keras make layers of a dtype policy within the block."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _repeatable(seed):
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    if not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()


def _score_best(task, model, run_data, folder):
    """Scores the epoch that `monitor` selects; the model keeps the weights of the last one."""
    from skinkit import training

    last = model.get_weights()
    epoch = training.Checkpoint(folder / "checkpoint").load_best(model)
    predictions = predict_parts(predictor(task, model), run_data)
    model.set_weights(last)
    save_scored(predictions, task.recipe.positive, folder, "_best", epoch=epoch)


def _keep_for_other_images(folder, task, model, run_data):
    """Saves what it takes to evaluate the model on other images, without the run's own."""
    # Keras saves under this ending alone.
    with writing(folder / "model.keras", ending=".part.keras") as part:
        model.save(part)
    task.save(folder)
    write_predictions(seen_images(run_data, task.recipe), folder / "seen.csv.gz")


def _save(folder, plan, run_data, said, model, history, predictions, seconds):
    """Writes the numbers, and at last the manifest, which says that all is there."""
    save_scored(predictions, plan.resolved.positive, folder, of_ranks=plan.resolved.is_of_ranks)
    run_data.leakage.to_csv(folder / "leakage.csv")
    manifest = {**said, **_say_what(run_data)}
    if (report := run_data.validation_leakage) is not None:
        manifest["validation_leakage"] = data.leakage_rate(report)
    if plan.folds:
        manifest["scored_by"] = [each.said for each in plan.folds]
    made = {"parameters": model.count_params(), "epochs": len(history)}
    made["seconds"] = round(seconds(history), 1)
    write_json(folder / "manifest.json", {**manifest, **made, **_say_how()})


def _say_what(run_data):
    split = run_data.split
    return {
        "dataset": run_data.source,
        "lacking": run_data.lacking,
        "images": {part: int(n) for part, n in split.parts.value_counts().items()},
        "trained_on": {label: int(n) for label, n in run_data.learned["label"].value_counts().items()},
        "source_size": data.typical_size(run_data.table["path"].unique()),
        "split": split.name,
        "split_note": split.note,
        "test_hash": run_data.test_hash,
        "leakage": data.leakage_rate(run_data.leakage),
        "stamp": run_data.stamp,
    }


def _say_how():
    from skinkit.experiments.environment import environment

    finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"finished": finished, "environment": environment()}
