"""The data of a plan, beside that of the runs that it needs."""

import dataclasses

import pandas as pd

from skinkit import data
from skinkit.experiments.run_data import build_run_data
from skinkit.papers.members import members_of

# In what a recipe may differ from that on folds which stands for it.
_OF_THE_SPLIT = {"name", "title", "split", "test_part", "out_of_fold", "published", "not_comparable"}


def plan_data(plan, data_dir=None):
    """Returns the `RunData` of a plan, with that of its members and folds.

    Args:
        plan: `skinkit.experiments.plan.Plan`.
        data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.

    Raises:
        FileNotFoundError: when a release is not there.
        ValueError: for a run that this one needs with another split, folds that do not test each image once,
            or no images to choose weights on.
    """
    recipe = plan.resolved
    first = [] if recipe.members else [each.resolved for each in plan.handed]
    run_data = build_run_data(recipe, plan.profile, plan.fold, data_dir, first)
    handed, folds = _built(plan.handed, data_dir), _built(plan.folds, data_dir)
    if recipe.members:
        run_data = dataclasses.replace(run_data, members=tuple(handed))
        _check_weights(recipe, run_data)
    else:
        for each, theirs in zip(first, handed, strict=True):
            _check_split(recipe.name, run_data, each, theirs.split)
    if folds:
        _check_folds(recipe, run_data, plan.folds[0].resolved, folds)
        run_data = dataclasses.replace(run_data, folds=tuple(folds))
    return run_data


def _built(plans, data_dir):
    """The data of plans; those of other seeds share one."""
    known = {(plan.recipe.name, plan.fold): plan for plan in plans}
    return [plan_data(plan, data_dir) for plan in known.values()]


def _check_split(name, run_data, first, theirs):
    """Raises `ValueError` when a network that this run needs may see images that this one is tested on.

    Its split must be this run's, but for classes that it does without.
    """
    mine, target = run_data.split, data.target_of(first.classes, first.target)
    if {*target.of_class} < {*run_data.labels}:
        _, mine = target.apply(run_data.table, mine)
    if mine.hash != theirs.hash:
        raise ValueError(
            f"{name} needs {first.name}, which has another split: {theirs.name}, {theirs.sizes}. "
            f"Received: {mine.name}, {mine.sizes}"
        )


def _check_weights(recipe, run_data):
    """Raises `ValueError` when weights would be chosen on no images, or on those of training or test."""
    if members_of(recipe).weights != "validation":
        return
    report = run_data.validation_leakage
    leaky = report is not None and any(data.leakage_rate(report).values())
    if report is None or leaky or "validation" in recipe.test_part.split("+"):
        stamp = f"; {data.leakage_stamp(report, 'the training of a member')}" if leaky else ""
        raise ValueError(
            f"{recipe.name}: weights are chosen on validation images that no member was trained on, and that "
            f"are not the test part. Received: {run_data.split.sizes}; test_part={recipe.test_part!r}"
            f"{stamp}"
        )


def _check_folds(recipe, run_data, other, folds):
    """Raises `ValueError` for folds of another training, or that do not test each image once."""
    names = [field.name for field in dataclasses.fields(recipe) if field.name not in _OF_THE_SPLIT]
    names = ["classes", "target"] if recipe.members else names
    if wrong := [name for name in names if getattr(recipe, name) != getattr(other, name)]:
        raise ValueError(
            f"{recipe.name}: `out_of_fold` names a recipe of the same training. Received: {other.name}, with "
            f"{wrong[0]}={getattr(other, wrong[0])!r}, and here {getattr(recipe, wrong[0])!r}"
        )
    tested = pd.Series([image for fold in folds for image in fold.split.ids(fold.test_part)], dtype="string")
    mine = pd.Series(run_data.split.ids(run_data.test_part), dtype="string")
    if sorted(tested) != sorted(mine):
        raise ValueError(
            f"{recipe.name}: the folds of {other.name} test each of its {len(mine)} images once. Received: "
            f"{(~mine.isin(tested)).sum()} in no fold, {tested.duplicated().sum()} in several, "
            f"{(~tested.isin(mine)).sum()} others"
        )
