"""The command `skinkit`, also `python -m skinkit`."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from skinkit import __version__
from skinkit.papers.recipe import PROFILES, PROTOCOLS

_NOT_CLINICAL = "Research and teaching only. Not for clinical use."
# Columns that a list takes on any terminal.
_NARROW = 110


def main(arguments=None):
    """Runs the command line and returns its exit code: 0 done, 1 failed, 2 a command or option is wrong."""
    options = _parser().parse_args(arguments)
    try:
        return options.action(options) or 0
    except BrokenPipeError:
        # `skinkit ... | head` has read enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"skinkit: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("skinkit: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="skinkit",
        description="Reproduce five documents on skin-lesion classification. " + _NOT_CLINICAL,
        epilog="Start with `skinkit demo`, or `skinkit list` and `skinkit run RECIPE --profile smoke`.",
    )
    parser.add_argument("--version", action="version", version=f"skinkit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _add_demo,
        _add_recipes,
        _add_run,
        _add_evaluate,
        _add_explain,
        _add_report,
        _add_data,
    ):
        add(commands)
    return parser


def _command(commands, name, action, text):
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(action=action)
    return command


def _add_demo(commands):
    demo = _command(commands, "demo", _demo, "the main job: train, evaluate, explain, report")
    demo.add_argument("--out", default="results/demo", help="folder to write to (default: %(default)s)")


def _demo(options):
    from skinkit.experiments.demo import demo

    print(f"Open {demo(options.out, _verbose())}\n{_NOT_CLINICAL}")


def _verbose():
    """A progress bar on a terminal, a line an epoch in a file."""
    return 1 if sys.stdout.isatty() else 2


def _add_recipes(commands):
    every = _command(commands, "list", _list, "list the recipes by table, and what has been run of them")
    every.add_argument("document", nargs="?", help="DOCUMENT or DOCUMENT/TABLE, e.g. gessert2019/table2")
    every.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    show = _command(commands, "show", _show, "show a recipe: where it is written, its settings, its targets")
    show.add_argument("recipe", help="document/table/row")
    _add_profile_and_protocol(show, "full")
    # The last that the recipe has: `corrected`, but for a recipe that is a flaw itself.
    show.set_defaults(protocol=None)
    show.add_argument("--json", action="store_true", help="print the settings alone, as JSON")
    published = _command(
        commands,
        "published",
        _published,
        "print a document's tables with what code finds wrong in them",
    )
    published.add_argument("document", help="e.g. koefler2023")


def _add_profile_and_protocol(command, profile):
    command.add_argument("--profile", choices=PROFILES, default=profile, help="default: %(default)s")
    command.add_argument("--protocol", choices=PROTOCOLS, default="corrected", help="default: corrected")


def _list(options):
    from skinkit.experiments.results.recipe_list import recipe_list

    # On a terminal a row is one line; a file gets whole titles.
    width = max(_NARROW, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
    print(recipe_list(options.document, options.runs, width))


def _show(options):
    from skinkit.papers.recipe_page import recipe_page
    from skinkit.papers.registry import recipe

    found = recipe(options.recipe)
    which = (options.profile, options.protocol or found.known_protocols[-1])
    print(found.resolve(*which).to_json() if options.json else recipe_page(found, *which))


def _published(options):
    from skinkit.papers.published import show

    print(show(options.document))


def _add_run(commands):
    run = _command(commands, "run", _run, "carry a recipe out, or go on where it was stopped")
    run.add_argument("recipe", help="document/table/row")
    _add_profile_and_protocol(run, "quick")
    run.add_argument("--fold", type=int, default=0, help="fold, or another draw of the split (default: 0)")
    run.add_argument("--seed", type=int, default=0, help="seed of the training (default: %(default)s)")
    run.add_argument("--out", help="folder of all runs (default: results/runs, for smoke results/smoke)")
    run.add_argument(
        "--weights", help="a file of weights, 'imagenet', or 'none', instead of the recipe's own"
    )
    run.add_argument("--again", action="store_true", help="train again, then replace what the folder holds")
    _add_data_dir(run)


def _add_data_dir(command):
    command.add_argument("--data", help="folder of the releases (default: $SKINKIT_DATA, else ./datasets)")


def _run(options):
    from skinkit.experiments import run, summarise

    folder = run(
        options.recipe,
        profile=options.profile,
        protocol=options.protocol,
        fold=options.fold,
        seed=options.seed,
        out=options.out,
        weights=options.weights,
        data_dir=options.data,
        verbose=_verbose(),
        again=options.again,
    )
    print(f"{summarise(folder)}\n{_NOT_CLINICAL}")


def _add_evaluate(commands):
    evaluate = _command(commands, "evaluate", _evaluate, "score a run, on its test images or on others")
    evaluate.add_argument("run", type=Path, help="run folder")
    evaluate.add_argument("--on", help="a release's name, or the path of a table or folder")
    evaluate.add_argument(
        "--overlap",
        choices=("drop", "keep"),
        default="drop",
        help="leave out (default) or keep images of photographs, lesions or patients of the training",
    )
    _add_data_dir(evaluate)


def _evaluate(options):
    from skinkit.experiments import evaluate

    text = evaluate(options.run, on=options.on, data_dir=options.data, overlap=options.overlap)
    print(f"{text}\n{_NOT_CLINICAL}")


def _add_explain(commands):
    explain = _command(commands, "explain", _explain, "draw Grad-CAM and attention maps over images")
    explain.add_argument("run", type=Path, help="run folder")
    explain.add_argument("images", nargs="*", help="image ids or files (default: one of each class)")
    _add_data_dir(explain)


def _explain(options):
    from skinkit.experiments import explain

    print(f"Open {explain(options.run, options.images or None, options.data)}\n{_NOT_CLINICAL}")


def _add_report(commands):
    report = _command(commands, "report", _report, "make the ledger, or the page of one run")
    report.add_argument("run", nargs="?", type=Path, help="run folder (default: the ledger of all runs)")
    report.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    report.add_argument("--out", default="results", help="folder of the ledger (default: %(default)s)")


def _report(options):
    if options.run:
        from skinkit.experiments import SavedRun
        from skinkit.experiments.report import write_report

        print(f"Open {write_report(SavedRun(options.run).folder)}")
        return
    from skinkit.experiments.results.ledger import write_ledger

    table = write_ledger(options.runs, options.out)
    print(
        f"{len(table)} rows, {table['measured'].notna().sum()} measured: {options.out}/ledger.csv, README.md"
    )


def _add_data(commands):
    data = commands.add_parser("data", help="list, describe, fetch and check the image sets")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    _command(actions, "list", _data_list, "list the image sets")
    info = _command(actions, "info", _data_info, "describe an image set: source, licence, files, counts")
    info.add_argument("name")
    fetch = _command(actions, "fetch", _data_fetch, "download an image set, or go on where it broke off")
    fetch.add_argument("name")
    fetch.add_argument("--to", help="folder of the releases (default: $SKINKIT_DATA, else ./datasets)")
    fetch.add_argument("--base-url", help="a mirror that holds the same files")
    check = _command(actions, "check", _data_check, "count and open every image; exit code 1 on errors")
    check.add_argument("name")
    _add_data_dir(check)
    leakage = _command(actions, "leakage", _data_leakage, "leakage of the documents' ways to split a set")
    leakage.add_argument("name", nargs="?", default="ham10000", help="default: %(default)s")
    leakage.add_argument("--out", help="a CSV to write the table to")
    _add_data_dir(leakage)


def _data_list(options):
    from skinkit.data import list_releases

    print(list_releases().to_string(index=False))


def _data_info(options):
    from skinkit.data import describe

    print(describe(options.name))


def _data_fetch(options):
    from skinkit.data import fetch

    print(f"Ready: {fetch(options.name, to=options.to, base_url=options.base_url)}")


def _data_check(options):
    from skinkit.data import check_images

    report = check_images(options.name, root=options.data)
    print(report.to_text())
    return 0 if report.ok else 1


def _data_leakage(options):
    from skinkit.data import load
    from skinkit.experiments.split_comparison import compare_splits

    table = compare_splits(load(options.name, root=options.data, missing_images="keep"))
    if options.out:
        table.to_csv(options.out, index=False, float_format="%.4f", lineterminator="\n")
    print(
        "shares of the n evaluation images whose photograph, lesion, patient is in training; <NA>: not known"
    )
    for split, rows in table.groupby("split", sort=False):
        print(f"\n{split}\n{rows.drop(columns='split').round(3).to_string(index=False)}")
    for split, why in table.attrs["not_made"].items():
        print(f"\n{split}\nnot made: {why}")
