"""The documents' tables as data: every published number, with its source and what a check found.

`<document>/published.csv` holds one row a number. `value` and `sd` are the printed digits, without thousands
separators and unit signs; `metric` is a name of `skinkit.evaluation` where it is a score, and `class`
the label it is about, or `all`. Numbers of the running text have the table `text`, numbers known only
from the authors' released code the table `released`. `python tools/check_published.py --write` fills
the column `check`.
"""

import functools

import pandas as pd

from skinkit.names import check_name, did_you_mean
from skinkit.papers.places import DOCUMENTS, FOLDER, find_place

COLUMNS = (
    "document",
    "table",
    "row",
    "model",
    "condition",
    "split",
    "class",
    "metric",
    "value",
    "sd",
    "unit",
    "n",
    "source",
    "check",
)

# Units that the name of a metric does not say.
_SIGNS = ("%", "$", "million", "thousand", "cm", "points")


def read_cells(document: str) -> pd.DataFrame:
    """Returns a document's table exactly as stored: text in every column, `""` where empty.

    Args:
        document: String, key such as `"gessert2019"`.

    Raises:
        ValueError: for an unknown document.
    """
    check_name("Documents", document, DOCUMENTS)
    return pd.read_csv(FOLDER / document / "published.csv", dtype=str, keep_default_na=False)


def load_published(document: str | None = None) -> pd.DataFrame:
    """Returns the published numbers of one document, or of all.

    Args:
        document: String, key such as `"gessert2019"`, or `None`.

    Returns:
        One row a number: `COLUMNS` as "string" (empty = missing), but `value` and `sd` as "Float64"
        in the printed `unit` (missing where a cell is a word or lost) and `n` as "Int64" images;
        further `printed`, the cell as it stands in the document.

    Raises:
        ValueError: for an unknown document.

    Example:
        >>> table = load_published("gessert2019")
        >>> table[table["check"].str.startswith("lost").fillna(False)]["row"].unique().tolist()
        ['densenet121-multi-crop-5', 'seresnext50-multi-crop-5']
    """
    return _load(document).copy()


@functools.cache
def _load(document):
    keys = DOCUMENTS if document is None else [document]
    table = pd.concat([read_cells(key) for key in keys], ignore_index=True).astype("string")
    table = table.mask(table == "", pd.NA)
    table["printed"] = table["value"]
    for column, dtype in (("value", "Float64"), ("sd", "Float64"), ("n", "Int64")):
        table[column] = pd.to_numeric(table[column], errors="coerce").astype(dtype)
    return table


def published_row(name: str) -> pd.DataFrame:
    """Returns the numbers of one published row.

    Args:
        name: String, `document/table/row`, e.g. `"gessert2019/table2/densenet121-dual"`.

    Raises:
        ValueError: for an unknown name, with the nearest ones.
    """
    return _row(load_published(name.split("/")[0]), name)


def _row(table, name):
    names = table["document"] + "/" + table["table"] + "/" + table["row"]
    if not (names == name).any():
        near = did_you_mean(name, names.unique())
        raise ValueError(f"No published row is called {name!r}.{near} `skinkit published` shows all.")
    return table[names == name].reset_index(drop=True)


def printed_arms(document: str, table: str, metric: str) -> dict[str, pd.DataFrame]:
    """Returns a printed table whose rows are named network-arm, network by network, as a figure wants it.

    Args:
        document: String, key such as `"gessert2019"`.
        table: String, its table, e.g. `"table2"`.
        metric: String, a score that is printed in %.

    Returns:
        Dictionary from the network to a DataFrame, index arm, in fractions: `value`, and `low` and `high`,
        one printed standard deviation below and above it (missing where none is printed).

    Raises:
        ValueError: for an unknown document, or when the table has no such score.

    Example:
        >>> skinkit.plots.score_intervals(printed_arms("gessert2019", "table2", "macro_recall"))
    """
    rows = load_published(document)
    rows = rows[(rows["table"] == table) & (rows["metric"] == metric)]
    if rows.empty:
        raise ValueError(f"{document} prints no such score. Received: table={table!r}, metric={metric!r}")
    value, sd = (rows[name].astype(float) / 100 for name in ("value", "sd"))
    names = rows["row"].str.split("-", n=1, expand=True)
    scores = pd.DataFrame({"value": value, "low": value - sd, "high": value + sd}).set_index(names[1])
    networks = dict.fromkeys(names[0].tolist())
    return {name: scores[names[0].eq(name).to_numpy(bool)].rename_axis("arm") for name in networks}


def printed_matrix(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns a confusion matrix as counts: rows truth, columns prediction, both in its own order.

    Args:
        rows: DataFrame, its cells, of `read_cells` or `load_published`.
    """
    labels = rows["row"].unique().tolist()
    return rows.pivot(index="row", columns="class", values="value").loc[labels, labels].astype(int)


def published_scores() -> pd.DataFrame:
    """Returns the published scores as fractions, without counts, costs, prose and released outputs.

    Returns:
        One row a score: `target`, the name `document/table/row` of what a recipe reproduces; `metric`,
        `class` (`all` for a score of all classes), `on` (the part it was scored on), `published` and
        `published_sd` from 0 to 1, `check` where it found something, and `answered`: whether a run's score,
        of which there is one, stands beside this one.
    """
    table = load_published()
    table = table[table["unit"].isin(["%", "fraction"]) & ~table["table"].isin(["text", "released"])].copy()
    percent = table["unit"].eq("%")
    for column in ("value", "sd"):
        table[column] = table[column].mask(percent, table[column] / 100)
    table["target"] = table["document"] + "/" + table["table"] + "/" + table["row"]
    table["class"] = table["class"].fillna("all")
    table["on"] = table["split"].fillna("test")
    table["check"] = table["check"].where(flagged(table["check"]))
    # A run has one score; where a row is published on several parts, it answers the test part.
    several = table.groupby(["target", "metric", "class"])["on"].transform("nunique") > 1
    table["answered"] = ~several | table["on"].eq("test")
    return table.rename(columns={"value": "published", "sd": "published_sd"})[
        ["target", "metric", "class", "on", "answered", "published", "published_sd", "check"]
    ]


def show(document: str) -> str:
    """Returns a document's tables as text, with marks at what the checks found and notes below.

    Args:
        document: As in `find_place`: `"gessert2019"`, or `"gessert2019/II"` for one of its tables.

    Raises:
        ValueError: for an unknown document or table.
    """
    key, table = find_place(document)
    about, cells = DOCUMENTS[key], read_cells(key)
    if table:
        cells = cells[cells["table"] == table]
    blocks = [f"{about.authors} ({about.year}): {about.title}\n{about.about}"]
    blocks += [show_table(rows) for _, rows in cells.groupby("table", sort=False)]
    if about.left_out and not table:
        blocks.append(f"Left out: {about.left_out}.")
    return "\n\n".join(blocks)


def show_row(name: str) -> str:
    """Returns one published row as `show` does its table.

    Args:
        name: String, `document/table/row`.

    Raises:
        ValueError: for an unknown name, with the nearest ones.
    """
    return show_table(_row(read_cells(name.split("/")[0]), name))


def flagged(check: pd.Series) -> pd.Series:
    """Returns which checks found something to tell: those that are neither empty nor `ok`."""
    return ~check.fillna("").str.match(r"(ok\b.*)?$")


def show_table(rows: pd.DataFrame) -> str:
    """Returns the rows of one table as `show` does.

    Args:
        rows: DataFrame, of `read_cells`.
    """
    body = table_body(rows)
    place = "the text" if "place" in body else rows["source"].iloc[0].split(", ", 1)[1]
    lines = [f"{rows['source'].iloc[0].split(', ')[0]}, {place}", body.to_string(index=False)]
    lines += [f"[{number}] {text}" for number, text in enumerate(body.attrs["notes"], 1)]
    return "\n".join([*lines, *meanings(rows)])


def meanings(rows: pd.DataFrame) -> list[str]:
    """Returns a line that says what the abbreviations in a table mean, in a list, empty where it has none.

    Args:
        rows: DataFrame, of `read_cells`.
    """
    cells = " ".join(rows[["model", "condition", "value"]].to_numpy().ravel())
    known = DOCUMENTS[rows["document"].iloc[0]].abbreviations
    found = [f"{short} = {words}" for short, words in known.items() if short in cells]
    return [f"Abbreviations: {'; '.join(found)}"] if found else []


def table_body(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows of one table as a table of text, laid out as the document does.

    Args:
        rows: DataFrame, of `read_cells`.

    Returns:
        DataFrame whose `attrs["notes"]` are the texts of the marks `[1]`, `[2]` in it.
    """
    notes = list(dict.fromkeys(rows["check"][flagged(rows["check"])]))
    marks = {text: f" [{number}]" for number, text in enumerate(notes, 1)}
    value = rows["value"] + rows["sd"].map(lambda sd: f" ± {sd}" if sd else "")
    value = value.replace("", "lost") + rows["unit"].map(lambda unit: f" {unit}" if unit in _SIGNS else "")
    places = rows["source"].str.split(", ", n=1).str[1]
    rows = rows.assign(cell=value + rows["check"].map(lambda text: marks.get(text, "")), place=places)
    body = _as_list(rows) if rows["table"].iloc[0] in ("text", "released") else _as_grid(rows)
    if (body == "").to_numpy().mean() > 0.5:
        body = _as_list(rows)
    body.attrs["notes"] = notes
    return body


def _as_list(rows: pd.DataFrame) -> pd.DataFrame:
    columns = ["row", "model", "condition", "split", "class", "metric", "cell"]
    several = rows["place"].nunique() > 1
    return rows[[c for c in columns if (rows[c] != "").any()] + ["place"] * several]


def _as_grid(rows: pd.DataFrame) -> pd.DataFrame:
    # Averages of a report stand below its classes, as they are printed.
    average = rows["metric"].str.extract("^(macro|weighted)_(precision|recall|f1)$")
    below = average[1].isin(rows["metric"])
    rows = rows.assign(
        column=rows["metric"].mask(below, average[1]), **{"class": rows["class"].mask(below, average[0])}
    )
    index = ["row"]
    if rows["metric"].nunique() == 1 and rows["class"].nunique() > 1:
        rows["column"] = rows["class"]
    elif rows.groupby("column")["class"].nunique().max() > 1:
        index.append("class")
    if rows["split"].nunique() > 2:
        rows["column"] = rows["column"] + " " + rows["split"]
    wide = rows.set_index([*index, "column"])["cell"].unstack().fillna("")
    # What is the sum of the others stands behind them.
    columns = sorted(rows["column"].unique(), key=lambda name: name == "all")
    wide = wide.reindex(rows.set_index(index).index.unique())[columns]
    return wide.rename_axis(columns=None).reset_index()
