"""The command `skinkit`, also `python -m skinkit`."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from skinkit import __version__
from skinkit.papers.recipe import PROFILES, PROTOCOLS
from skinkit.papers.registry import matching_recipes
from skinkit.papers.several import count, numbers, protocols, shard, share

_NOT_CLINICAL = "Research and teaching only. Not for clinical use."
# Columns that a list takes on any terminal.
_NARROW = 110
# Libraries read these when they are loaded.
_THREADS = (
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("OPENCV_FOR_THREADS_NUM", "LOKY_MAX_CPU_COUNT"),
)


def main(arguments=None):
    """Runs the command line and returns its exit code.

    0 done, 1 failed, 2 a command or option is wrong, 75 another process carries out the run, 130 stopped.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.action(options) or 0
    except BrokenPipeError:
        # `skinkit ... | head` has read enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, RuntimeError, FloatingPointError) as error:
        print(f"skinkit: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
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
        _add_table,
        _add_figure,
        _add_run,
        _add_evaluate,
        _add_explain,
        _add_report,
        _add_export,
        _add_card,
        _add_submit,
        _add_serve,
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
    _add_profile(show, "full")
    # The last that the recipe has: `corrected`, but for a recipe that is a flaw itself.
    show.add_argument("--protocol", choices=PROTOCOLS, help="default: corrected")
    show.add_argument("--json", action="store_true", help="print the settings alone, as JSON")
    published = _command(
        commands,
        "published",
        _published,
        "print a document's tables with what code finds wrong in them",
    )
    published.add_argument("document", help="e.g. koefler2023")


def _add_profile(command, profile):
    command.add_argument("--profile", choices=PROFILES, default=profile, help="default: %(default)s")


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


def _add_table(commands):
    table = _command(commands, "table", _table, "print a document's table with our runs beside it")
    table.add_argument("document", help="e.g. gessert2019")
    table.add_argument("number", nargs="?", help="e.g. II (default: list the document's tables)")
    form = table.add_mutually_exclusive_group()
    for name in ("markdown", "csv", "latex"):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=f"as {name}")
    table.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")


def _table(options):
    from skinkit.experiments.results.printed_table import FORMS, list_tables, printed_table

    if options.number is None:
        print(list_tables(options.document).to_string(index=False))
        return
    table, form = printed_table(options.document, options.number, options.runs), options.form or "text"
    said = table.attrs
    notes = [f"[{number}] {text}" for number, text in enumerate(said["notes"], 1)]
    # Files of numbers stay free of words.
    words = sys.stdout if form in ("text", "markdown") else sys.stderr
    print(f"{options.document}, {said['place']}", *said["stand_ins"], "", sep="\n", file=words)
    print(FORMS[form](table))
    if notes:
        print("", *notes, sep="\n", file=words)


def _add_figure(commands):
    figure = _command(commands, "figure", _figure, "draw a document's figure, or list them all")
    figure.add_argument("document", help="e.g. bermeo2023")
    figure.add_argument("number", nargs="?", help="e.g. 8.13 (default: list the document's figures)")
    figure.add_argument("--out", type=Path, help="image to write (default: DOCUMENT-figure-NUMBER.png)")
    text = "run folders to draw, in the place of those in --runs"
    figure.add_argument("--run", nargs="+", default=(), metavar="RUN", type=Path, help=text)
    figure.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    text = "image files of your own, in the place of drawn ones"
    figure.add_argument("--images", nargs="+", default=(), metavar="FILE", type=Path, help=text)
    _add_data_dir(figure)


def _figure(options):
    from skinkit.experiments.document_figures import draw_figure, figure_list

    if options.number is None:
        print(figure_list(options.document, options.runs))
        return
    out = options.out or Path(f"{options.document}-figure-{options.number}.png")
    given = {"runs": options.runs, "given": options.run, "files": options.images}
    text = draw_figure(options.document, options.number, out, **given, data_dir=options.data_dir)
    print(f"{text}\nOpen {out}\n{_NOT_CLINICAL}")


def _add_run(commands):
    run = _command(commands, "run", _run, "carry recipes out, or go on where they were stopped")
    run.add_argument("patterns", nargs="+", metavar="PATTERN", help="a recipe, table, document, or a glob")
    _add_profile(run, "quick")
    _add_several(run, "--protocol", "protocols", protocols, "corrected", "a protocol, several as A,B, or all")
    _add_several(run, "--fold", "folds", numbers, "0", "folds, or other draws: 0, 0-2, 0,2 or all")
    _add_several(run, "--seed", "seeds", numbers, "0", "seeds of the training: 0, 0-2 or 0,2")
    run.add_argument("--out", help="folder of all runs (default: results/runs, for smoke results/smoke)")
    run.add_argument("--weights", help="a file, 'imagenet', or 'none', instead of the recipe's own")
    text = "train again, then replace what the folder holds (many runs: where that is of another recipe)"
    run.add_argument("--again", action="store_true", help=text)
    _add_data_dir(run)
    run.add_argument("--threads", type=count, help="threads of a run (default: all cores, divided by --jobs)")
    text = "numbers that the network computes with (default: %(default)s)"
    run.add_argument("--precision", choices=("float32", "bfloat16", "float16"), default="float32", help=text)
    text = "where the numbers of the epochs go besides history.csv (default: %(default)s)"
    run.add_argument("--writer", choices=("csv", "tensorboard", "mlflow", "wandb"), default="csv", help=text)
    many = run.add_argument_group("many runs")
    many.add_argument("--jobs", type=count, help="runs at a time (default: 1; with Ray, all that have room)")
    _add_several(many, "--shard", "shard", shard, "1/1", "I/N: the I-th of N parts, counted from 1")
    many.add_argument("--engine", choices=("local", "ray"), default="local", help="default: %(default)s")
    many.add_argument("--address", help="of the Ray cluster (default: the one this machine belongs to)")
    many.add_argument("--gpus", type=float, default=0, help="GPUs of a run, for Ray (default: %(default)s)")
    many.add_argument("--dry-run", action="store_true", help="list the runs, their times, what is missing")


def _add_several(command, option, dest, kind, default, text):
    told = {"help": f"{text} (default: {default})", "metavar": option[2:].upper()}
    command.add_argument(option, dest=dest, type=kind, default=default, **told)


def _add_data_dir(command):
    command.add_argument("--data", dest="data_dir", help="releases (default: $SKINKIT_DATA, else ./datasets)")


def _run(options):
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
    how = {"verbose": _verbose(), "again": options.again, "precision": options.precision}
    how["writer"] = options.writer
    folder = run(*which, **where, **how)
    print(f"{summarise(folder)}\n{_NOT_CLINICAL}")


def _asks_for_many(options):
    names = [recipe.name for recipe in matching_recipes(options.patterns)]
    lists = (options.protocols, options.folds, options.seeds)
    several = names != options.patterns or any(each is None or len(each) > 1 for each in (names, *lists))
    return several or options.jobs or options.shard != (1, 1) or options.engine != "local" or options.dry_run


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
    text = "also: ages, sexes, sites and ways of confirmation, each against all other images"
    evaluate.add_argument("--subgroups", action="store_true", help=text)
    point = evaluate.add_mutually_exclusive_group()
    for name in ("sensitivity", "specificity"):
        text = f"also: the threshold that has this {name} on validation, and what it is worth on the others"
        point.add_argument(f"--{name}", type=share, metavar="SHARE", help=text)
    text = "also: decisions for macro recall by the classes' shares in training, chosen on validation"
    evaluate.add_argument("--balanced", action="store_true", help=text)
    _add_data_dir(evaluate)


def _evaluate(options):
    from skinkit.experiments import evaluate

    asked = {"sensitivity": options.sensitivity, "specificity": options.specificity}
    wanted = {name: value for name, value in asked.items() if value is not None}
    which = {"on": options.on, "data_dir": options.data_dir, "overlap": options.overlap}
    which["balanced"] = options.balanced
    which["subgroups"] = options.subgroups
    text = evaluate(options.run, **which, **wanted)
    print(f"{text}\n{_NOT_CLINICAL}")


def _add_explain(commands):
    explain = _command(commands, "explain", _explain, "draw Grad-CAM and attention maps over images")
    explain.add_argument("run", type=Path, help="run folder")
    explain.add_argument("images", nargs="*", help="image ids or files (default: one of each class)")
    text = "instead: the N test images that the model is furthest from the truth on"
    explain.add_argument("--largest-losses", metavar="N", type=count, default=0, help=text)
    text = "instead, or before these: the N test images that it is right about and surest of"
    explain.add_argument("--surest", metavar="N", type=count, default=0, help=text)
    _add_data_dir(explain)


def _explain(options):
    from skinkit.experiments import explain

    how_many = {"largest_losses": options.largest_losses, "surest": options.surest}
    figure = explain(options.run, options.images or None, options.data_dir, **how_many)
    print(f"Open {figure}\n{_NOT_CLINICAL}")


def _add_report(commands):
    report = _command(commands, "report", _report, "make the ledger, or the page of one run")
    report.add_argument("run", nargs="?", type=Path, help="run folder (default: the ledger of all runs)")
    report.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    report.add_argument("--out", default="results", help="folder of the ledger (default: %(default)s)")
    _add_data_dir(report)


def _report(options):
    if options.run:
        from skinkit.experiments import SavedRun
        from skinkit.experiments.report import write_report

        print(f"Open {write_report(SavedRun(options.run).folder, options.data_dir)}")
        return
    from skinkit.experiments.results.ledger import write_ledger

    table = write_ledger(options.runs, options.out)
    print(
        f"{len(table)} rows, {table['measured'].notna().sum()} measured: {options.out}/ledger.csv, README.md"
    )


def _add_export(commands):
    export = _command(commands, "export", _export, "write a run's model as a file for other programs")
    export.add_argument("run", type=Path, help="run folder")
    formats = ("keras", "savedmodel", "onnx", "litert")
    export.add_argument("--format", choices=formats, default="keras", help="default: %(default)s")
    text = "the file scales values from 0 to 255 and orders the channels itself"
    export.add_argument("--with-preprocessing", action="store_true", help=text)


def _export(options):
    from skinkit.experiments import export

    print(f"Written: {export(options.run, options.format, options.with_preprocessing)}\n{_NOT_CLINICAL}")


def _add_card(commands):
    card = _command(commands, "card", _card, "write the model card of a run, MODEL_CARD.md")
    card.add_argument("run", type=Path, help="run folder")


def _card(options):
    from skinkit.experiments import write_card

    print(f"Written: {write_card(options.run)}\n{_NOT_CLINICAL}")


def _add_submit(commands):
    command = _command(commands, "submit", _submit, "write a challenge's CSV of a run's predictions")
    command.add_argument("run", type=Path, help="run folder")
    command.add_argument("--on", required=True, help="a data set with a challenge, e.g. isic2018_test")
    _add_data_dir(command)


def _submit(options):
    from skinkit.experiments import submit

    path, notes = submit(options.run, options.on, options.data_dir)
    print("\n".join([f"Written: {path}", *notes, _NOT_CLINICAL]))


def _add_serve(commands):
    from skinkit.serve.command import add_options, carry_out

    serve = _command(commands, "serve", carry_out, "serve runs: an API and a page on this machine")
    add_options(serve)
    _add_data_dir(serve)


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

    report = check_images(options.name, root=options.data_dir)
    print(report.to_text())
    return 0 if report.ok else 1


def _data_leakage(options):
    from skinkit.data import load
    from skinkit.experiments.split_comparison import compare_splits

    table = compare_splits(load(options.name, root=options.data_dir, missing_images="keep"))
    if options.out:
        table.to_csv(options.out, index=False, float_format="%.4f", lineterminator="\n")
    print(
        "shares of the n evaluation images whose photograph, lesion, patient is in training; <NA>: not known"
    )
    for split, rows in table.groupby("split", sort=False):
        print(f"\n{split}\n{rows.drop(columns='split').round(3).to_string(index=False)}")
    for split, why in table.attrs["not_made"].items():
        print(f"\n{split}\nnot made: {why}")
