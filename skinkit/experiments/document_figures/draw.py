"""The figures of a document: listed with what each needs, and drawn by number."""

import fnmatch
import importlib
import shlex
import textwrap
from pathlib import Path

import pandas as pd

from skinkit.experiments.document_figures.material import Material
from skinkit.experiments.document_figures.serving import BROWSER, has_browser
from skinkit.experiments.results.finished_runs import finished_runs, staleness
from skinkit.experiments.run_folder import SavedRun
from skinkit.files import writing
from skinkit.papers.figures import figure_row, load_figures
from skinkit.papers.recipe import PROFILES, PROTOCOLS
from skinkit.papers.registry import recipes, same_method

# The module of each drawing.
DRAWINGS = {
    **dict.fromkeys(("learning_rate", "class_counts", "printed_matrices", "parameters"), "numbers"),
    **dict.fromkeys(("schedule_curves", "images_per_patient"), "numbers"),
    **dict.fromkeys(("change", "steps", "sample", "convolution", "disorder", "mixture"), "images"),
    **dict.fromkeys(("layer_sizes", "process"), "networks"),
    **dict.fromkeys(
        ("learning_curves", "matrices", "roc_curves", "roc_of_trainings", "patch_dropout"), "runs"
    ),
    **dict.fromkeys(("where_it_looks", "weights_of_crops", "embedding"), "runs"),
    **dict.fromkeys(("task", "page"), "serving"),
}
# What asks the trained network, and not only the numbers of its run.
WITH_MODEL = ("where_it_looks", "weights_of_crops", "embedding", "page")
WITH_IMAGES = ("where_it_looks", "page")
# What shows how recipes differ, and says nothing of a single one.
OF_SEVERAL = ("patch_dropout",)
_NEEDS = {
    **{"numbers": "printed or released numbers", "images": "images: yours, or drawn ones"},
    **{"networks": "recipes", "images_per_patient": "the table of ISIC 2020, or made-up patients"},
    **{"task": "the routes of `skinkit serve`", "page": f"a run with its model, or the demo; {BROWSER}"},
}


def list_figures(document, runs="results/runs"):
    """Returns the figures of a document, and whether each can be drawn now.

    Args:
        document: String, key such as `"gessert2019"`.
        runs: Path of the folder of all runs.

    Returns:
        DataFrame of text: `figure`; `now`, `yes`, `run` where a run is missing, or `no`; `shows`; and
        `needs`, what it is drawn from, or why it cannot be drawn.

    Raises:
        ValueError: for an unknown document.
    """
    rows, found = load_figures(document).to_dict("records"), _finished(runs)
    lines = [(row["figure"], _now(row, found), row["shows"], _needs(row, found)) for row in rows]
    return pd.DataFrame(lines, columns=["figure", "now", "shows", "needs"])


def figure_list(document, runs="results/runs"):
    """Returns `list_figures` as text, a line a figure, with a legend below."""
    table = list_figures(document, runs)
    width = table["figure"].str.len().max()
    lines = [f"{row.figure:>{width}}  {row.now:3}  {row.shows}: {row.needs}" for row in table.itertuples()]
    return "\n".join([*lines, "", "yes: can be drawn; run: when a run is there; no: why not"])


def draw_figure(document, number, out, runs="results/runs", given=(), files=(), data_dir=None):
    """Draws one figure of a document, and says below it where it comes from.

    Args:
        document: String, key such as `"gessert2019"`.
        number: String, as in `skinkit.papers.places.find_place`.
        out: Path of the image to write; its ending says in which format.
        runs: Path of the folder of all runs.
        given: Run folders, in the place of those in `runs`.
        files: Image files, in the place of drawn images.
        data_dir: Folder of the releases, for images and tables.

    Returns:
        String, the text below the figure.

    Raises:
        ValueError: for an unknown document or figure, or one that cannot be drawn.
        FileNotFoundError: when there is no run that it needs.
    """
    row = figure_row(document, number)
    document, number = row["document"], row["figure"]
    if not row["drawing"]:
        raise ValueError(f"{_called(number)} of {document} cannot be drawn: {row['why']} ({row['shows']})")
    _check_given(row, number, given, files)
    finished = [] if given else _finished(runs)
    found = [SavedRun(Path(folder)) for folder in given] or _preferred(row, finished)
    if _kind(row) == "runs" and not found:
        # Stand-ins are named last.
        smallest = shlex.join(row["runs"].split(" | ")[-1].split())
        raise FileNotFoundError(
            f"{_called(number)} of {document} needs {_needs(row, finished)}. {runs} has too little: `skinkit "
            f"run {smallest} --profile quick --out my_runs` makes what to give with --runs my_runs"
        )
    module = importlib.import_module(f"skinkit.experiments.document_figures.{_kind(row)}")
    figure, words = getattr(module, row["drawing"])(Material(row["of"], found, files, data_dir))
    text = f"{document}, {_called(number)}: {row['shows']}. Here: {words}.{_stand_in(row, found)}"
    figure.supxlabel(textwrap.fill(text, int(15 * figure.get_figwidth())), fontsize=8, color="#444444")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    with writing(Path(out)) as part:
        figure.savefig(part, format=Path(out).suffix[1:] or "png", dpi=120, bbox_inches="tight")
    return text


def _called(number):
    return f"Figure {number}" if number[0].isdigit() else f"the {number}"


def _check_given(row, number, runs, files):
    """Raises `ValueError` for runs or images that the figure would not show."""
    if runs and not row["runs"]:
        raise ValueError(f"{_called(number)} shows no run. Received: {runs[0]}. Leave --run out")
    if files and not (_kind(row) == "images" or row["drawing"] in WITH_IMAGES):
        raise ValueError(f"{_called(number)} shows no images. Received: {files[0]}. Leave --images out")


def _kind(row):
    return DRAWINGS.get(row["drawing"], "")


def _now(row, found):
    if not row["drawing"] or (row["drawing"] == "page" and not has_browser()):
        return "no"
    return "yes" if _kind(row) != "runs" or _preferred(row, found) else "run"


def _needs(row, found):
    if _kind(row) != "runs":
        return row["why"] or _NEEDS.get(row["drawing"]) or _NEEDS[_kind(row)]
    choices = row["runs"].replace(" | ", " or ")
    if row["drawing"] in OF_SEVERAL:
        missing = ", ".join(_missing(row, found))
        return f"runs of two recipes or more, of {choices}" + (f"; not run: {missing}" if missing else "")
    return f"a run{' with its model' if row['drawing'] in WITH_MODEL else ''} of {choices}"


def _missing(row, found):
    """The recipes without a run beside those that have one, of the first choice that has any."""
    for pattern in row["runs"].split(" | "):
        names = [recipe.name for recipe in recipes() if fnmatch.fnmatchcase(recipe.name, pattern)]
        missing = [name for name in names if not _alike(name, False, found)]
        if len(missing) < len(names):
            return missing
    return []


def _stand_in(row, runs):
    """What is to be said of runs that are not of the document's own recipe and settings."""
    is_own = [run.manifest["profile"] == "full" and run.recipe.published_row for run in runs]
    said = "a smaller network, or fewer images: its order can be compared, its level cannot"
    return "" if all(is_own) else f" It stands in for the document's own, with {said}."


def _finished(folder):
    """The finished runs in a folder; none where there is none."""
    try:
        return finished_runs(folder, smoke=True, verbose=False)
    except FileNotFoundError:
        return []


def _preferred(row, found):
    """The runs of the first recipes that all have some: of one profile and protocol, the full ones first."""
    for choice in filter(None, row["runs"].split(" | ")):
        each = [_alike(pattern, row["drawing"] in WITH_MODEL, found) for pattern in choice.split()]
        runs = [run for runs in each for run in runs]
        several = len({run.manifest["recipe"] for run in runs}) > 1 or row["drawing"] not in OF_SEVERAL
        if all(each) and several:
            return runs
    return []


def _alike(pattern, with_model, found):
    # One experiment may have several names, and its runs are under the first.
    names = {same_method(each)[0].name for each in recipes() if fnmatch.fnmatchcase(each.name, pattern)}
    runs = [run for run in found if run.manifest["recipe"] in names or _is_named(run, pattern)]
    runs = [run for run in runs if not staleness(run)]
    runs = [run for run in runs if not with_model or (run.folder / "model.keras").exists()]
    runs.sort(key=_rank, reverse=True)
    return [run for run in runs if _rank(run) == _rank(runs[0])]


def _is_named(run, pattern):
    return fnmatch.fnmatchcase(run.manifest["recipe"], pattern)


def _rank(run):
    """Profile and protocol; after these, how it is carried out: as its recipe says first, never mixed."""
    m = run.manifest
    precision = m.get("precision") or "float32"
    changed = [m.get(name) or "" for name in ("split_file", "lacking", "weights")]
    own = precision == "float32", *(not each for each in changed)
    return PROFILES.index(m["profile"]), PROTOCOLS.index(m["protocol"]), own, precision, changed
