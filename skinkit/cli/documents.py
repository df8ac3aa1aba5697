"""The commands about documents: lists, recipes, printed tables and figures."""

import shutil
import sys
from pathlib import Path

from skinkit.cli.options import NOT_CLINICAL, add_command, add_data_dir, add_import, add_profile
from skinkit.papers.recipe import PROTOCOLS
from skinkit.registration import own_names

# Columns that a list takes on any terminal.
_NARROW = 110


def add_commands(commands):
    """Adds these commands to the subparsers of `skinkit`."""
    _add_recipes(commands)
    _add_table(commands)
    _add_figure(commands)


def _add_recipes(commands):
    every = add_command(commands, "list", _list, "list the recipes by table, and what has been run of them")
    _add_place(every, "e.g. table2 (default: all)", nargs="?")
    add_import(every)
    every.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    show = add_command(
        commands, "show", _show, "show a recipe: where it is written, its settings, its targets"
    )
    show.add_argument("recipe", help="document/table/row")
    add_import(show)
    add_profile(show, "full")
    # The last that the recipe has: `corrected`, but for a recipe that is a flaw itself.
    show.add_argument("--protocol", choices=PROTOCOLS, help="default: corrected, or the recipe's last")
    show.add_argument("--json", action="store_true", help="print the settings alone, as JSON")
    published = add_command(
        commands,
        "published",
        _published,
        "print a document's tables with what code finds wrong in them",
    )
    _add_place(published, "e.g. II (default: all)")


def _add_place(command, number, **options):
    """Adds a document, and the number of its table or figure behind it or behind a slash."""
    command.add_argument("document", help="e.g. gessert2019; also with the number, gessert2019/II", **options)
    command.add_argument("number", nargs="?", help=number)


def _place(options):
    return "/".join(filter(None, (options.document, options.number)))


def _list(options):
    from skinkit.experiments.results.recipe_list import recipe_list

    # On a terminal a row is one line; a file gets whole titles.
    width = max(_NARROW, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
    print(recipe_list(_place(options), options.runs, width))


def _show(options):
    from skinkit.papers.recipe_page import recipe_page
    from skinkit.papers.registry import recipe

    found = recipe(options.recipe)
    which = (options.profile, options.protocol or found.known_protocols[-1])
    if own_names({found.name}):
        _check_own(found, *which)
    print(found.resolve(*which).to_json() if options.json else recipe_page(found, *which))


def _check_own(recipe, profile, protocol):
    """Checks a recipe of one's own as a run does, which loads TensorFlow; the kit's are known to be right."""
    from skinkit.experiments.plan import Plan
    from skinkit.experiments.recipe_check import check_plan

    check_plan(Plan(recipe, profile, protocol, fold=0, seed=0))


def _published(options):
    from skinkit.papers.published import show

    print(show(_place(options)))


def _add_table(commands):
    table = add_command(commands, "table", _table, "print a document's table with our runs beside it")
    _add_place(table, "e.g. II (default: list the document's tables)")
    form = table.add_mutually_exclusive_group()
    for name in ("markdown", "csv", "latex"):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=f"as {name}")
    table.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")


def _table(options):
    from skinkit.experiments.results.pages.printed_table import FORMS, list_tables, printed_table
    from skinkit.papers.places import find_place

    document, number = find_place(_place(options))
    if not number:
        print(list_tables(document).to_string(index=False))
        return
    table, form = printed_table(document, number, options.runs), options.form or "text"
    said = table.attrs
    notes = [f"[{number}] {text}" for number, text in enumerate(said["notes"], 1)]
    # Files of numbers stay free of words.
    words = sys.stdout if form in ("text", "markdown") else sys.stderr
    print(f"{document}, {said['place']}", *said["stand_ins"], "", sep="\n", file=words)
    print(FORMS[form](table))
    if below := notes + said["below"]:
        print("", *below, sep="\n", file=words)


def _add_figure(commands):
    figure = add_command(commands, "figure", _figure, "draw a document's figure, or list them all")
    _add_place(figure, "e.g. 5 (default: list the document's figures)")
    figure.add_argument("--out", type=Path, help="image to write (default: DOCUMENT-figure-NUMBER.png)")
    text = "run folders to draw, in the place of those in --runs"
    figure.add_argument("--run", nargs="+", action="extend", default=[], metavar="RUN", type=Path, help=text)
    figure.add_argument("--runs", default="results/runs", help="folder of all runs (default: %(default)s)")
    text = "image files of your own, in the place of drawn ones"
    figure.add_argument(
        "--images", nargs="+", action="extend", default=[], metavar="FILE", type=Path, help=text
    )
    add_data_dir(figure)


def _figure(options):
    from skinkit.experiments.document_figures import draw_figure, figure_list
    from skinkit.papers.places import find_place

    document, number = find_place(_place(options), "figure")
    if not number:
        if options.out or options.run or options.images:
            raise ValueError("Give the number of a figure, too: without one, only the list is printed")
        print(figure_list(document, options.runs))
        return
    out = options.out or Path(f"{document}-figure-{number}.png")
    given = {"runs": options.runs, "given": options.run, "files": options.images}
    text = draw_figure(document, number, out, **given, data_dir=options.data_dir)
    print(f"{text}\nOpen {out}\n{NOT_CLINICAL}")
