"""The commands about a finished run, and the ledger of all."""

from pathlib import Path

from skinkit.cli.options import NOT_CLINICAL, add_command, add_data_dir, add_import
from skinkit.papers.several import count, share


def add_commands(commands):
    """Adds these commands to the subparsers of `skinkit`."""
    _add_evaluate(commands)
    _add_explain(commands)
    _add_report(commands)
    _add_export(commands)
    _add_card(commands)
    _add_submit(commands)
    _add_serve(commands)


def _add_evaluate(commands):
    evaluate = add_command(commands, "evaluate", _evaluate, "score a run, on its test images or on others")
    evaluate.add_argument("run", type=Path, help="run folder")
    add_import(evaluate)
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
    add_data_dir(evaluate)


def _evaluate(options):
    from skinkit.experiments import evaluate

    asked = {"sensitivity": options.sensitivity, "specificity": options.specificity}
    wanted = {name: value for name, value in asked.items() if value is not None}
    if options.overlap == "keep" and options.on is None:
        raise ValueError("`--overlap` is about other images: give these with `--on`")
    which = {"on": options.on, "data_dir": options.data_dir, "overlap": options.overlap}
    further = {"balanced": options.balanced, "subgroups": options.subgroups}
    text = evaluate(options.run, **which, **further, **wanted)
    print(f"{text}\n{NOT_CLINICAL}")


def _add_explain(commands):
    explain = add_command(commands, "explain", _explain, "draw Grad-CAM and attention maps over images")
    explain.add_argument("run", type=Path, help="run folder")
    add_import(explain)
    explain.add_argument("images", nargs="*", help="image ids or files (default: one of each class)")
    text = "instead: the N test images that the model is furthest from the truth on"
    explain.add_argument("--largest-losses", metavar="N", type=count, default=0, help=text)
    text = "instead, or before these: the N test images that it is right about and surest of"
    explain.add_argument("--surest", metavar="N", type=count, default=0, help=text)
    add_data_dir(explain)


def _explain(options):
    from skinkit.experiments import explain

    how_many = {"largest_losses": options.largest_losses, "surest": options.surest}
    figure = explain(options.run, options.images or None, options.data_dir, **how_many)
    print(f"Open {figure}\n{NOT_CLINICAL}")


def _add_report(commands):
    report = add_command(commands, "report", _report, "make the ledger, or the page of one run")
    add_import(report)
    report.add_argument("run", nargs="?", type=Path, help="run folder (default: the ledger of all runs)")
    report.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    report.add_argument("--out", default="results", help="folder of the ledger (default: %(default)s)")
    add_data_dir(report)


def _report(options):
    if options.run:
        if (options.runs, options.out) != ("results/runs", "results"):
            raise ValueError("--runs and --out are for the ledger: give them without a run folder")
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
    export = add_command(commands, "export", _export, "write a run's model as a file for other programs")
    export.add_argument("run", type=Path, help="run folder")
    add_import(export)
    formats = ("keras", "savedmodel", "onnx", "litert")
    export.add_argument("--format", choices=formats, default="keras", help="default: %(default)s")
    text = "the file scales values from 0 to 255 and orders the channels itself"
    export.add_argument("--with-preprocessing", action="store_true", help=text)


def _export(options):
    from skinkit.experiments import export

    print(f"Written: {export(options.run, options.format, options.with_preprocessing)}\n{NOT_CLINICAL}")


def _add_card(commands):
    card = add_command(commands, "card", _card, "write the model card of a run, MODEL_CARD.md")
    card.add_argument("run", type=Path, help="run folder")
    add_import(card)


def _card(options):
    from skinkit.experiments import write_card

    print(f"Written: {write_card(options.run)}\n{NOT_CLINICAL}")


def _add_submit(commands):
    command = add_command(commands, "submit", _submit, "write a challenge's CSV of a run's predictions")
    command.add_argument("run", type=Path, help="run folder")
    add_import(command)
    command.add_argument("--on", required=True, help="a data set with a challenge, e.g. isic2018_test")
    add_data_dir(command)


def _submit(options):
    from skinkit.experiments import submit

    path, notes = submit(options.run, options.on, options.data_dir)
    print("\n".join([f"Written: {path}", *notes, NOT_CLINICAL]))


def _add_serve(commands):
    from skinkit.serve.command import add_options, carry_out

    serve = add_command(commands, "serve", carry_out, "serve runs: an API and a page on this machine")
    add_options(serve)
    # The workers import; the web process loads nothing heavy.
    add_import(serve, dest="own_modules")
    add_data_dir(serve)
