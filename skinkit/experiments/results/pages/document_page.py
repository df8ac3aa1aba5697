"""The page of a document: its claims, its tables with ours beside them, what was found, and what is open."""

import functools
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinkit.evaluation import to_markdown
from skinkit.experiments.results.beside import is_repeated, runs_beside, score_cells, table_beside
from skinkit.experiments.results.claims import claim_verdicts, difference_in_words, judge_claims
from skinkit.experiments.results.comparisons import SHARED
from skinkit.experiments.results.pages.page_text import figure_line, folded, short, wrapped
from skinkit.experiments.results.pages.split_text import split_text
from skinkit.experiments.results.pages.table_text import matrices_text, show_lines, table_text
from skinkit.experiments.results.run_times import open_runs, open_text, runs_text
from skinkit.papers.published import DOCUMENTS, FOLDER, read_cells
from skinkit.papers.recipe_page import chosen_settings
from skinkit.papers.registry import choices, recipes

# Not printed, or no table: `skinkit published` shows these numbers.
_ELSEWHERE = ("text", "released")
# A confusion matrix that nobody printed.
_MATRIX = "released-"
# What a difference is told by: all of it that the document prints, or else the first that was measured.
_MAIN = ("macro_recall", "macro_auc", "macro_f1", "accuracy")
_ORDERS = {"yes": "the order holds", "no": "the order does not hold", "open": "the order is open"}


@dataclass(frozen=True)
class Tables:
    """What all pages are made of.

    Args:
        ledger: DataFrame of `skinkit.experiments.ledger`.
        differences: DataFrame of `compare_runs`.
        times: DataFrame of `run_times`.
        folder: Folder that the pages are written to.
    """

    ledger: pd.DataFrame
    differences: pd.DataFrame
    times: pd.DataFrame
    folder: Path

    @functools.cached_property
    def beside(self):
        """The result of `runs_beside`."""
        return runs_beside(self.ledger)

    @functools.cached_property
    def cells(self):
        """The result of `score_cells`."""
        return score_cells()

    @functools.cached_property
    def claims(self):
        """The result of `judge_claims` for all documents."""
        return judge_claims(self.differences)

    @functools.cached_property
    def verdicts(self):
        """The result of `claim_verdicts` for all documents."""
        return claim_verdicts(self.claims)

    @functools.cached_property
    def left(self):
        """The result of `open_runs` for each document."""
        return {key: open_runs(self.times, key) for key in dict.fromkeys(each.document for each in recipes())}


def documents_of(page):
    """Returns the keys of the documents that a page is about: its own, and those that stand beside it."""
    return [page, *(key for key, about in DOCUMENTS.items() if about.beside == page)]


def document_page(document, tables, figures=None):
    """Returns the text of `results/<document>.md`.

    Args:
        document: String, its key, or that of our own recipes, `"skinkit"`.
        tables: `Tables` of all documents.
        figures: Dictionary from the names of its figures to what they show.
    """
    keys = documents_of(document)
    parts = [_head(document)]
    if document in DOCUMENTS:
        parts += ["## Claims", _claims_text(document, tables)]
    parts += [figure_line(name, text) for name, text in (figures or {}).items()]
    parts += [text for key in keys if key in DOCUMENTS for text in _tables_text(key, tables)]
    differences = tables.differences[belongs_to(tables.differences["first"], keys)]
    if not differences.empty:
        parts += ["## Differences", differences_text(differences, tables)]
    parts += _split_parts(tables.ledger[belongs_to(tables.ledger["recipe"], keys)])
    times = tables.times[belongs_to(tables.times["recipe"], keys)]
    if not times.empty:
        parts += ["## Runs", runs_text(times, tables.ledger, tables.folder)]
    if document in DOCUMENTS:
        parts += ["## Where the document is silent, and what was chosen"]
        parts += [text for key in keys for text in (*choices(key), _chosen_text(key))] + [_notes(document)]
    left = pd.concat([tables.left[key] for key in keys], ignore_index=True)
    return "\n\n".join(filter(None, [*parts, "## Open", open_text(left)])) + "\n"


def _split_parts(ledger):
    text = split_text(ledger)
    return ["## What the protocol is worth", text] if text else []


def _head(document):
    about = DOCUMENTS.get(document)
    if about is None:
        return f"# {document}\n\nRecipes of ours that belong to no document. [All results](README.md)."
    title = about.title.rstrip(".")
    said = f"{about.authors} ({about.year}): *{title}*. {about.about} [All results](README.md)."
    return f"# {document}\n\n{wrapped(said)}"


def belongs_to(names, documents):
    """Returns which names of recipes are those of documents, as a Series of booleans."""
    return names.map(lambda name: name.split("/")[0]).isin(documents)


def _claims_text(document, tables):
    claims = tables.verdicts[tables.verdicts["document"] == document].copy()
    claims["decided by"] = claims["measured"].map({True: "runs", False: "printed numbers alone"})
    claims.loc[claims["verdict"] == "not tested", "decided by"] = ""
    lines = []
    tests = tables.claims[tables.claims["document"] == document]
    for number, (claim, own) in enumerate(tests.groupby("claim", sort=False), 1):
        lines.append(wrapped(f"{number}. *{claim}* ({own['place'].iloc[0]})", "   "))
        said = dict.fromkeys(zip(own["verdict"], own["words"], strict=True))
        lines += [wrapped(f"   - {verdict}: {words}.", "     ") for verdict, words in said]
    table = to_markdown(claims[["claim", "verdict", "decided by"]])
    return f"{table}\n{folded('Where each claim stands, and its tests', chr(10).join(lines))}"


def _tables_text(document, tables):
    """The section of each published table, in the order of the document."""
    scores = tables.cells[tables.cells["document"] == document]
    prefix = f"{document}: " if DOCUMENTS[document].beside else ""
    own = dict(iter(read_cells(document).groupby("table", sort=False)))
    for table, cells in own.items():
        if not table.startswith(_ELSEWHERE):
            place = cells["source"].iloc[0].split(", ", 1)[1]
            yield f"## {prefix}{place[0].upper()}{place[1:]}"
            yield from _table_text(cells, scores[scores["table"] == table], tables.beside)
    if matrices := [cells for table, cells in own.items() if table.startswith(_MATRIX)]:
        yield f"## {prefix}Confusion matrices of the released code"
        yield matrices_text(matrices)
    if any(table.startswith(_ELSEWHERE) for table in own):
        about = f" Left out there: {DOCUMENTS[document].left_out}." if DOCUMENTS[document].left_out else ""
        yield wrapped(f"Numbers of the text and of released code: `skinkit published {document}`.{about}")


def _table_text(cells, scores, beside):
    """A table as it is printed, or its scores with ours beside them."""
    if not is_repeated(scores):
        yield f"```text\n{show_lines(cells)}\n```"
        return
    yield table_text(table_beside(scores, beside), scores)
    if others := sorted(set(cells["metric"]) - set(scores["metric"])):
        document = cells["document"].iloc[0]
        yield f"Beside these scores: {', '.join(others)}; see `skinkit published {document}`."


def differences_text(differences, tables):
    """Returns sentences for each pair of recipes and way to run them: one for each printed difference.

    Where none is printed, there is one of the main score.

    Args:
        differences: DataFrame, those of the page.
        tables: `Tables`.
    """
    claims = tables.claims.drop_duplicates(["first", "second", "protocol"])
    keys = zip(claims["first"], claims["second"], claims["protocol"], strict=True)
    what = dict(zip(keys, claims["what"], strict=True))
    scores = tables.ledger[tables.ledger["class"] == "all"]
    two = set(scores.loc[scores["metric"] == "auc", "recipe"])
    lines = []
    for _, rows in differences.groupby(["first", "second", *SHARED], sort=False):
        for row in _told(rows, two_classes=rows["first"].iloc[0] in two):
            lines.append(_difference_line(row, what.get((row.first, row.second, row.protocol))))
    return "\n".join(lines)


def _difference_line(row, what):
    pair = [f"`{short(name)}`" for name in (row.first, row.second)]
    said = difference_in_words(row, what or f"{pair[0]} against {pair[1]}")
    where = f"{' minus '.join(pair)}, {row.protocol}" if what else row.protocol
    printed = f"; printed {row.printed:+.3f}, {_ORDERS[row.holds]}" if row.holds else ""
    return wrapped(f"- {said}{printed} ({where}).", "  ")


def _told(rows, two_classes):
    """The rows of the scores with a printed difference, or else that of the main score."""
    printed = rows[rows["holds"] != ""]
    by_metric = {row.metric: row for row in (rows if printed.empty else printed).itertuples()}
    # The class that selects an epoch is what its recipe is about.
    monitors = {recipe.name: recipe.monitor for recipe in recipes() if ":" in recipe.monitor}
    first = monitors.get(rows["first"].iloc[0])
    order = dict.fromkeys([first, *(_MAIN[1:] if two_classes else _MAIN), *by_metric])
    found = [by_metric[metric] for metric in order if metric in by_metric]
    return found[:1] if printed.empty else found


def _chosen_text(document):
    """What its own rows have where a document states nothing."""
    lines = []
    for field, values in chosen_settings(document).items():
        words = field.replace("_", " ")
        if len(values) == 1:
            lines.append(wrapped(f"- {words}: {next(iter(values))}", "  "))
            continue
        lines.append(f"- {words}:")
        lines += [
            wrapped(f"  - {said} ({', '.join(map(short, rows))})", "    ") for said, rows in values.items()
        ]
    said = f"The rows of {document} have, at `full` under `corrected`, where it states nothing:\n"
    return "\n".join([said, *lines]) if lines else ""


def _notes(document):
    path = FOLDER / document / "notes.md"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
