"""Data and weights that runs need and that are not there."""

import json
import os
import subprocess
import sys

from skinkit.names import counted

_WEIGHTS = """
import json, sys
from skinkit.models.backbones.imagenet import missing_imagenet
print(json.dumps(missing_imagenet(sys.argv[2:], fetch=sys.argv[1] == "fetch")))
"""


def missing_inputs(plans, weights=None, data_dir=None, fetch=True):
    """Returns sentences about what plans need and what is not there, each once.

    Args:
        plans: Sequence of `Plan`s.
        weights: As in `skinkit.experiments.run`.
        data_dir: As in `skinkit.experiments.run`.
        fetch: Boolean, whether ImageNet weights that Keras downloads are fetched now, once for all runs.

    Raises:
        ValueError: for a fold that a split does not have.
    """
    missing = {}
    for plan in plans:
        try:
            plan.check(weights, data_dir)
        except FileNotFoundError as error:
            missing[str(error)] = None
    backbones = dict.fromkeys(name for plan in plans for name in _imagenet(plan, weights))
    # Where no run can begin nothing is fetched.
    return [*missing, *(_missing_weights(backbones, fetch and not missing) if backbones else ())]


def missing_folders(runs, again=False):
    """Returns sentences about runs that have no folder of their own, or lack the model of another one.

    Args:
        runs: Sequence of `ListedRun`s that are not finished.
        again: Boolean, whether what a folder holds is to be replaced.
    """
    taken = [run.folder for run in runs if run.holds_another() and not again]
    models = {each.folder: run for run in runs for each in run.needs if _lacks_model(each, run)}
    found = []
    if taken:
        found.append(
            f"{_and_more(taken)}: held by a run of another recipe or of other weights. Give another --out, "
            "or --again to replace it"
        )
    if models:
        found.append(
            f"{_and_more(list(models))}: its numbers are there, its model is not, which "
            f"{next(iter(models.values()))} needs. Give another --out, where both are trained"
        )
    return found


def _lacks_model(need, run):
    return need.plan in run.plan.handed and need.is_finished() and not (need.folder / "model.keras").exists()


def _and_more(folders):
    return f"{folders[0]}" + (f" and {counted(len(folders) - 1, 'other')}" if len(folders) > 1 else "")


def _imagenet(plan, weights):
    """The backbone whose ImageNet weights a plan starts from, if it does."""
    model = plan.resolved.model
    if plan.handed or (weights or model.options.get("weights")) != "imagenet":
        return []
    return [model.options.get("backbone", model.name)]


def _missing_weights(backbones, fetch):
    # In a process of its own, without a GPU: TensorFlow would keep all of its memory from the runs.
    done = subprocess.run(
        [sys.executable, "-c", _WEIGHTS, "fetch" if fetch else "look", *backbones],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )
    return json.loads(done.stdout.splitlines()[-1])
