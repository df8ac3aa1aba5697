"""A published table as a section of a page: as it is printed, or with ours beside it, notes and commands."""

import numpy as np
import pandas as pd

from skinkit import data
from skinkit.evaluation import confusion_scores, to_markdown
from skinkit.experiments.results.beside import STAND_IN, on_training
from skinkit.experiments.results.pages.page_text import SHARED, folded, shared_words, wrapped
from skinkit.names import counted
from skinkit.papers.places import DOCUMENTS
from skinkit.papers.published import printed_matrix, show_table
from skinkit.papers.registry import recipes


def show_lines(cells):
    """Returns a table without scores as `skinkit published` shows it, in lines of a page's width."""
    lines = show_table(cells).splitlines()[1:]
    notes = ("[", "Abbreviations: ")
    return "\n".join(wrapped(line, "    ") if line.startswith(notes) else line.rstrip() for line in lines)


def matrices_text(tables):
    """Returns what confusion matrices say as Markdown, a line each: hits, recall, classes never predicted.

    Args:
        tables: List of DataFrames, the cells of one matrix each.
    """
    lines = []
    for cells in tables:
        counts, first = printed_matrix(cells), cells.iloc[0]
        never = ", ".join(counts.columns[counts.sum() == 0])
        recall = float(confusion_scores(counts)["macro_recall"])
        what = first["source"].rpartition(", ")[2].partition(" (")[0]
        line = {"matrix": what, f"{first['split']} images": counts.to_numpy().sum()}
        line |= {"right": np.trace(counts), "macro recall": recall}
        lines.append(line | {"classes that are never predicted": never or "none"})
    return to_markdown(pd.DataFrame(lines)).rstrip()


def table_text(table, cells):
    """Returns a table of `table_beside` as Markdown: with its stand-ins above, notes and commands below.

    Args:
        table: DataFrame of `table_beside`.
        cells: DataFrame, what it was made of.
    """
    runs = table.attrs["runs"]
    parts = [wrapped(said) for said in stand_ins_text(runs)]
    # What is the same in all lines is said once.
    same = [name for name in table.columns[3:] if len(table) > 1 and table[name].nunique() == 1]
    parts.append(" ".join(f"{name[0].upper()}{name[1:]}: {table[name].iloc[0]}." for name in same))
    parts.append(to_markdown(table.drop(columns=same)).rstrip())
    notes = [wrapped(f"- [{number}] {text}", "  ") for number, text in enumerate(table.attrs["notes"], 1)]
    commands = _commands(cells, runs)
    parts += ["\n".join(notes), commands and folded("Commands", f"```sh\n{commands}\n```")]
    return "\n\n".join(filter(None, parts))


def stand_ins_text(runs):
    """Returns sentences that name the stand-ins of a table, one for each way they were run.

    Args:
        runs: DataFrame, `attrs["runs"]` of `table_beside`.
    """
    said = []
    for shared, rows in runs[runs["kind"] == STAND_IN].groupby(SHARED):
        names = dict.fromkeys(_networks(rows))
        words = shared_words(dict(zip(SHARED, shared, strict=True))).rstrip(":")
        least, most = int(rows["runs"].min()), int(rows["runs"].max())
        count = counted(most, "run") if least == most else f"{least}-{most} runs"
        said.append(f"Stand-ins: {', '.join(names)}. {words}, {count}.")
    return said


def _networks(stand_ins):
    """The recipes of stand-ins, those of one network and table as one."""
    for name, target in zip(stand_ins["recipe"], stand_ins["target"], strict=True):
        table, _, row = name.rpartition("/")
        yield "the rows themselves, smaller" if name == target else f"`{table}/{row.partition('-')[0]}-…`"


def _options(recipe, on):
    """The protocol whose test images are those of a printed score, with its folds or else three seeds."""
    resolved = {protocol: recipe.resolve("full", protocol) for protocol in reversed(recipe.known_protocols)}
    alike = [p for p, each in resolved.items() if on_training(each.test_part) == on_training(on)]
    protocol = (alike or list(resolved))[0]
    split = resolved[protocol].split
    several = "--fold all" if (data.split_folds(split.name, **split.options) or 0) > 1 else "--seed 0-2"
    return several if protocol == "corrected" else f"--protocol {protocol} {several}"


def _aims(cells):
    """The recipe of each row that has one, and the options that run it at `full`."""
    known = {recipe.published_row: recipe for recipe in reversed(recipes())}
    for target, on in cells.drop_duplicates("target")[["target", "on"]].itertuples(index=False):
        if target in known:
            yield known[target], f"--profile full {_options(known[target], on)}"


def _commands(cells, runs):
    """How each row is run at `full`, and how what stands beside it was."""
    lines = []
    for recipe, options in _aims(cells):
        target = recipe.published_row
        beside = runs.loc[runs["target"] == target, "command"].drop_duplicates()
        ours = [one for said in beside for one in said.split("; ")]
        lines += [f"# {target}", f"skinkit run {recipe.name} {options}"]
        lines += [one.replace(" --weights", " \\\n  --weights") for one in ours]
    return "\n".join(lines)


def how_to_run(cells):
    """Returns the command that runs a table at `full`, and where those of each row are, as text.

    Args:
        cells: DataFrame, the rows of one table of `score_cells`, one of which a recipe repeats.
    """
    (recipe, options), *others = _aims(cells)
    table, page = recipe.name.rpartition("/")[0], DOCUMENTS[recipe.document].beside or recipe.document
    more = ", which runs other recipes of it, too" if len(recipes(table)) > 1 + len(others) else ""
    command = f"`skinkit run {table} {options}`{more}"
    return f"To fill `not run`: {command}. By row, with hours: results/{page}.md, by `skinkit report`."
