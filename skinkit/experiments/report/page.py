"""The page of a run: what it tells, laid out by a template."""

from pathlib import Path

import jinja2

from skinkit.experiments.evaluate import intervals_said
from skinkit.experiments.report import figures, numbers, words
from skinkit.experiments.run_folder import SavedRun
from skinkit.files import writing
from skinkit.papers.recipe_page import settings_in_words


def write_report(folder, data_dir=None):
    """Writes `report.html` into a finished run's folder: one file that needs no other and no network.

    Where the model looks is shown when model and images are there; else the page says what is missing.

    Args:
        folder: Run folder with `manifest.json`, `metrics.json`, `history.csv`, `leakage.csv` and
            `predictions.csv.gz`.
        data_dir: Folder of the releases, for the images; the environment variable `SKINKIT_DATA` by default.

    Returns:
        `pathlib.Path` of the page: not for clinical use, and not to be committed when it shows real lesions.

    Raises:
        FileNotFoundError: when a file of the run's numbers is missing.
    """
    run = SavedRun(Path(folder))
    # Figures show calibrated probabilities where validation images, which are predicted first, say how.
    told = numbers.decisions(run, data_dir) | _numbers(run) | _figures(run) | _looks(run, data_dir)
    text = _template().render(run=run, words=words, **told)
    path = run.folder / "report.html"
    with writing(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def _template():
    # What stands in a run's files is text on the page, whoever wrote it.
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html")


def _numbers(run):
    return {
        "overall": numbers.overall(run),
        "classes": numbers.by_class(run),
        "means": numbers.means(run),
        "matrix": numbers.confusion(run),
        "intervals": intervals_said(run.metrics),
        "leaks": numbers.leaks(run),
        **numbers.pairs(run),
        **numbers.subgroups(run),
        "settings": settings_in_words(run.recipe),
        "files": {name: said for name, said in words.FILES.items() if (run.folder / name).exists()},
    }


def _figures(run):
    # Ranks are no probabilities.
    return {
        "curves": figures.curves(run) + ([] if run.is_of_ranks else [figures.calibration(run)]),
        "decisions": [] if run.is_of_ranks else figures.decisions(run),
        "training": figures.training(run.history) if len(run.history) else [],
    }


def _looks(run, data_dir):
    from skinkit.experiments.report.looks import looks

    try:
        return {"looks": looks(run, data_dir), "no_looks": ""}
    except (FileNotFoundError, ValueError) as error:
        return {"looks": [], "no_looks": str(error).replace(f"{run.folder.as_posix()}/", "")}
