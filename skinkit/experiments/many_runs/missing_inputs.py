"""Data and weights that runs need and that are not there."""

import json
import os
import subprocess
import sys

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
