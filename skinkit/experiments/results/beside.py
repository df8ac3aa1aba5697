"""The documents' tables of scores with our runs beside each number, in the documents' order and words."""

import pandas as pd

from skinkit.experiments.results.pages.page_text import leak_text, leakage, metric_words, score_text
from skinkit.papers.published import flagged, load_published, published_scores
from skinkit.papers.recipe import PROTOCOLS
from skinkit.papers.registry import printed_rows, recipes, same_method
from skinkit.registration import own_names

FULL, STAND_IN = "ours at `full`", "stand-in"
NUMBER = ["target", "on", "metric", "class"]
# The part of a score whose document does not say which images it is of.
UNSTATED = "unstated images"
# What is wrong with a number stands beside it; other notes only below.
_INLINE = ("impossible", "disagrees", "lost")


def score_cells():
    """Returns the printed scores: the columns of `load_published` and of `published_scores`."""
    scores = published_scores().drop(columns="check")
    return load_published().loc[scores.index].assign(**scores)


def is_repeated(cells):
    """Returns whether a recipe aims at one of the rows of `score_cells`."""
    return not {recipe.published_row for recipe in recipes()}.isdisjoint(cells["target"])


def runs_beside(ledger):
    """Returns the runs that stand beside printed scores: those of their own rows, or the nearest stand-ins.

    A run of the row at `full` is `FULL`. A smaller run of the row stands in for it; where there is none, a
    recipe of a smaller network does: one that stands for this row alone before one for the rows of several
    networks, then that with the most runs.

    Args:
        ledger: DataFrame of `skinkit.experiments.ledger`.

    Returns:
        DataFrame, rows of the ledger with `NUMBER` of the printed score and `kind`, `FULL` or `STAND_IN`: one
        row for each score and protocol.
    """
    scores = published_scores().query("answered")
    runs = ledger[ledger["measured"].notna() & (ledger["stale"] == "")]
    # A recipe or split of one's own has its row in the ledger; here it would pass for the document's.
    runs = runs.loc[[not own_names({name}) and "+" not in name for name in runs["recipe"]]]
    name = runs["document"] + "/" + runs["table"] + "/" + runs["row"]
    targets = dict.fromkeys(scores["target"])
    rows = {each: printed_rows(each, targets) for each in name.unique()}
    runs = runs.drop(columns=["on", "published"]).assign(name=name, target=name.map(rows).map(list))
    runs = runs.explode("target")
    found = runs.merge(scores[[*NUMBER, "published"]], on=["target", "metric", "class"])
    own = (found["recipe"] != found["target"]) + 2 * (found["profile"] != "full")
    networks = [rows[each][target] for each, target in zip(found["name"], found["target"], strict=True)]
    stand_in = 4 + pd.Series(networks, found.index, dtype=str).ne("").astype(int)
    found["rank"] = own.where(found["name"] == found["target"], stand_in)
    found["kind"] = found["rank"].lt(2).map({True: FULL, False: STAND_IN})
    nearest = found.groupby([*NUMBER, "kind"])["rank"].transform("min")
    found = found[(found["rank"] < 4) | (found["rank"] == nearest)]
    found = found.sort_values(["rank", "runs"], ascending=[True, False], kind="stable")
    return found.drop_duplicates([*NUMBER, "protocol"])


def on_training(parts):
    """Returns whether parts of a split, joined by +, hold images of the training."""
    return "train" in parts.split("+")


def table_beside(cells, beside):
    """Returns a printed table with our numbers, in the document's unit, beside its own.

    Args:
        cells: DataFrame, the rows of one table of `score_cells`.
        beside: DataFrame of `runs_beside`.

    Returns:
        DataFrame of text, one row for each printed score: `row`, said once; `score`; `printed`, with the part
        of the images where all are of one that is not the test; a column for each kind and protocol of
        `beside`; `verdict`. Its `attrs["notes"]` are the texts of the marks `[1]`,
        `[2]` in it, and `attrs["runs"]` the rows of `beside` that it shows.
    """
    notes, percent = [], cells["unit"].eq("%").all()
    found = beside.merge(cells[NUMBER].assign(number=cells.index), on=NUMBER)
    found["way"] = _ways(found)
    order = {**{FULL: 0, STAND_IN: 1}, **{protocol: place for place, protocol in enumerate(PROTOCOLS)}}
    ways = found.sort_values(["kind", "protocol"], key=lambda column: column.map(order), kind="stable")
    ways = ways["way"].drop_duplicates().tolist()
    ways = ways if any(way.startswith(FULL) for way in ways) else [FULL, *ways]
    # Why no run can be compared with a row, by the row that recipes aim at.
    whys = {recipe.published_row: recipe.not_comparable for recipe in reversed(recipes())}
    ours, full = {number: {} for number in cells.index}, set(found.loc[found["kind"] == FULL, "target"])
    for row in found.itertuples():
        ours[row.number][row.way] = row
    lines, flags = [], cells["check"].where(flagged(cells["check"]), "")
    cells = cells.rename(columns={"class": "label"}).assign(flag=flags)
    for cell, words in zip(cells.itertuples(), _row_words(cells), strict=True):
        own = ours[cell.Index]
        absent = "not scored" if not cell.answered else "not measured" if cell.target in full else "not run"
        said = [_measured(own.get(way), cell.unit, absent if way.startswith(FULL) else "") for way in ways]
        printed, verdict = _printed(cell, percent, notes), _verdict(own, whys.get(cell.target), notes)
        lines.append([words, _score_words(cell, cells), printed, *said, verdict])
    parts = cells["on"].unique()
    of_part = f" of {parts[0]}" if len(parts) == 1 and parts[0] != "test" else ""
    printed = ("printed (%)" if percent else "printed") + of_part
    table = pd.DataFrame(lines, columns=["row", "score", printed, *ways, "verdict"])
    table.attrs |= {"notes": notes, "runs": found}
    return table


def _ways(found):
    """The heading of the column that a run stands in: what it is, and how much of its test images leaked."""
    way = found["kind"] + ", `" + found["protocol"] + "`"
    return way + ", leak " + way.map(leakage(found).groupby(way).agg(_range))


def _range(rates):
    known = rates.dropna()
    said = " to ".join(dict.fromkeys(map(leak_text, (known.min(), known.max()))))
    return said if known.empty or len(known) == len(rates) else f"{said} or unknown"


def _measured(row, unit, absent):
    if row is None:
        return absent
    return score_text(row, unit == "%")


def _row_words(cells):
    """The document's words for each row, once; and below them the row of the same experiment."""
    known = {recipe.published_row: recipe for recipe in reversed(recipes())}
    lines = {}
    for cell in cells.drop_duplicates("target").itertuples():
        words = ", ".join(text for text in (cell.model, cell.condition) if pd.notna(text)) or cell.row
        others = same_method(known[cell.target])[:1] if cell.target in known else []
        twins = [other.name for other in others if other.published_row != cell.target]
        lines[cell.target] = [words, *(f"same experiment as {twin.split('/', 1)[1]}" for twin in twins)]
    alone = cells["target"].value_counts() == 1
    lines = {target: ["; ".join(said)] if alone[target] else said for target, said in lines.items()}
    return [lines[target].pop(0) if lines[target] else "" for target in cells["target"]]


def _score_words(cell, cells):
    parts = [metric_words(cell.metric), "" if cell.label == "all" else cell.label]
    return ", ".join([*filter(None, parts), *([cell.on] if cells["on"].nunique() > 1 else [])])


def _printed(cell, percent, notes):
    said = "lost" if pd.isna(cell.printed) else cell.printed
    said += f" ± {cell.sd}" if pd.notna(cell.sd) else ""
    said += " %" if cell.unit == "%" and not percent else ""
    if not cell.flag:
        return said
    kinds = [word for word in _INLINE if word in cell.flag and word != said]
    return " ".join([said, *kinds[:1], _mark(cell.flag, notes)])


def _mark(text, notes):
    if text not in notes:
        notes.append(text)
    return f"[{notes.index(text) + 1}]"


def _verdict(ours, why, notes):
    full = [row for row in ours.values() if row.kind == FULL]
    if why is None:
        return "no recipe"
    if not full:
        return f"not comparable {_mark(why, notes)}" if why else "open"
    said = [f"{row.verdict} {_mark(row.reason, notes)}" if row.reason else row.verdict for row in full]
    if len(full) == 1:
        return said[0]
    return "; ".join(f"{row.protocol}: {text}" for row, text in zip(full, said, strict=True))
