"""The commands that carry recipes out."""

import os

from skinkit.cli.options import (
    NOT_CLINICAL,
    add_command,
    add_data_dir,
    add_import,
    add_profile,
    add_several,
    verbose,
)
from skinkit.papers.registry import matching_recipes
from skinkit.papers.several import count, numbers, protocols, shard

# Libraries read these when they are loaded.
_THREADS = (
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("OPENCV_FOR_THREADS_NUM", "LOKY_MAX_CPU_COUNT"),
)


def add_commands(commands):
    """Adds these commands to the subparsers of `skinkit`."""
    _add_demo(commands)
    _add_run(commands)


def _add_demo(commands):
    demo = add_command(commands, "demo", _demo, "the main job: train, evaluate, explain, report")
    demo.add_argument("--out", default="results/demo", help="folder to write to (default: %(default)s)")


def _demo(options):
    from skinkit.experiments.demo import demo

    print(f"Open {demo(options.out, verbose())}\n{NOT_CLINICAL}")


def _add_run(commands):
    run = add_command(commands, "run", _run, "carry recipes out, or go on where they were stopped")
    run.add_argument("patterns", nargs="+", metavar="PATTERN", help="a recipe, table, document, or a glob")
    add_profile(run, "quick")
    add_several(run, "--protocol", "protocols", protocols, "corrected", "a protocol, several as A,B, or all")
    add_several(run, "--fold", "folds", numbers, "0", "folds, or other random splits: 0, 0-2, 0,2 or all")
    add_several(run, "--seed", "seeds", numbers, "0", "seeds of the training: 0, 0-2 or 0,2")
    run.add_argument("--out", help="folder of all runs (default: results/runs, for smoke results/smoke)")
    add_import(run)
    run.add_argument("--split", metavar="FILE", help="a CSV image_id,part instead of the recipe's own split")
    run.add_argument("--weights", help="a file, 'imagenet', or 'none', instead of the recipe's own")
    text = "train again, then replace what the folder holds (many runs: where that is of another recipe)"
    run.add_argument("--again", action="store_true", help=text)
    add_data_dir(run)
    run.add_argument("--threads", type=count, help="threads of a run (default: all cores, divided by --jobs)")
    text = "numbers that the network computes with (default: %(default)s)"
    run.add_argument("--precision", choices=("float32", "bfloat16", "float16"), default="float32", help=text)
    text = "where the numbers of the epochs go besides history.csv (default: %(default)s)"
    run.add_argument("--writer", choices=("csv", "tensorboard", "mlflow", "wandb"), default="csv", help=text)
    many = run.add_argument_group("many runs")
    many.add_argument("--jobs", type=count, help="runs at a time (default: 1; with Ray, all that have room)")
    add_several(many, "--shard", "shard", shard, "1/1", "I/N: the I-th of N parts, counted from 1")
    many.add_argument("--engine", choices=("local", "ray"), default="local", help="default: %(default)s")
    many.add_argument("--address", help="of the Ray cluster (default: the one this machine belongs to)")
    many.add_argument("--gpus", type=float, default=0, help="GPUs of a run, for Ray (default: %(default)s)")
    many.add_argument("--dry-run", action="store_true", help="list the runs, their times, what is missing")


def _run(options):
    if options.engine != "ray" and (options.address or options.gpus):
        raise ValueError("`--address` and `--gpus` are for machines of a Ray cluster: `--engine ray`")
    if not _asks_for_many(options):
        return _run_one(options)
    from skinkit.experiments.many_runs.sweep import sweep

    asked = {name: value for name, value in vars(options).items() if name != "action"}
    return 0 if sweep(**asked) else 1


def _run_one(options):
    if options.threads:
        os.environ |= dict.fromkeys(_THREADS, str(options.threads))
    from skinkit.experiments import run, summarise

    which = (options.patterns[0], options.profile, options.protocols[0], options.folds[0], options.seeds[0])
    where = {"out": options.out, "weights": options.weights, "data_dir": options.data_dir}
    how = {"verbose": verbose(), "again": options.again, "precision": options.precision}
    how |= {"writer": options.writer, "split": options.split}
    folder = run(*which, **where, **how)
    print(f"{summarise(folder)}\n{NOT_CLINICAL}")


def _asks_for_many(options):
    names = [recipe.name for recipe in matching_recipes(options.patterns)]
    lists = (options.protocols, options.folds, options.seeds)
    several = names != options.patterns or any(each is None or len(each) > 1 for each in (names, *lists))
    return several or options.jobs or options.shard != (1, 1) or options.engine != "local" or options.dry_run
