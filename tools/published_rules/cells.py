"""Finding cells in a stored table, and wording what was found."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from published_rules.rounding import possible_hits
from skinkit.evaluation import class_confusion_scores
from skinkit.papers.published import printed_matrix


def pick(cells: pd.DataFrame, **where) -> pd.DataFrame:
    """Returns the cells whose columns have these values; a list stands for any of its values.

    `class_` stands for the column `class`.
    """
    chosen = np.ones(len(cells), bool)
    for column, value in where.items():
        found = cells[column.rstrip("_")].to_numpy(object)
        chosen &= np.isin(found, [*value]) if isinstance(value, (list, tuple, set)) else found == value
    return cells[chosen]


def one(cells: pd.DataFrame, **where) -> pd.Series:
    """Returns the only cell with these values.

    Raises:
        ValueError: if there is none, or more than one.
    """
    found = pick(cells, **where)
    if len(found) != 1:
        raise ValueError(f"Expected one published cell, found {len(found)}. Received: {where}")
    return found.iloc[0]


def decimals(text: str) -> int:
    """Returns the digits after the point of a printed number."""
    return len(text.partition(".")[2])


def number(cell: pd.Series) -> float:
    """Returns a cell's value as a float in its printed unit."""
    return float(cell["value"])


def verdict(good: bool, text: str) -> str:
    """Returns the text behind `ok: ` or `disagrees: `."""
    return f"{'ok' if good else 'disagrees'}: {text}"


def adds_up(parts: pd.DataFrame, total: pd.Series) -> Iterator[tuple[int, str]]:
    """Yields for the cell `total` whether the cells `parts` add up to it."""
    value = sum(float(v) for v in parts["value"])
    yield total.name, verdict(abs(value - number(total)) < 1e-6, f"the parts add up to {value:g}")


def notebook_shares(cells: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Accuracies of the notebooks as whole numbers of images."""
    for index, cell in pick(cells, table="released", metric="accuracy").iterrows():
        share, digits = number(cell), decimals(cell["value"])
        if cell["unit"] == "%":
            share, digits = share / 100, digits + 2
        hits = possible_hits(share, int(cell["n"]), digits)
        text = f"ok: {_span(hits)} of {cell['n']}" if hits else f"impossible for {cell['n']} images"
        yield index, text


def confusions(cells: pd.DataFrame, table: str) -> pd.DataFrame:
    """Returns a printed confusion matrix, rows truth, columns prediction."""
    return printed_matrix(pick(cells, table=table))


def matrix_classes(cells: pd.DataFrame, table: str, images: dict[str, int], share: tuple[str, int]):
    """Yields for the diagonal of a confusion matrix its row against a part of all, and the scores it implies.

    Args:
        cells: The document's cells.
        table: Name of the matrix.
        images: Images of each class in all.
        share: Word for the part, and its divisor, such as `("a fifth", 5)`.
    """
    counts, (word, divisor) = confusions(cells, table), share
    scores = pd.DataFrame(class_confusion_scores(counts), index=counts.index)
    for label, row in scores.iterrows():
        index, part = one(cells, table=table, row=label, class_=label).name, images[label] / divisor
        text = f"{row['support']:.0f} images, {word} of {images[label]} is {part:g}"
        yield index, verdict(abs(row["support"] - part) < 1, text)
        implied = f"implies: recall {row['recall']:.3f}, precision {row['precision']:.3f}"
        yield index, implied if row["predicted"] else "note: never predicted"


def claimed_gain(claim: pd.DataFrame, pairs: list[tuple[pd.Series, pd.Series]]) -> Iterator[tuple[int, str]]:
    """Yields whether a gain told in the text is found in the tables, in points or relative.

    Args:
        claim: The cell of the gain, or its two cells `..._from` and `..._to`.
        pairs: Cells before and after, one pair a model.
    """
    told = [number(cell) for _, cell in claim.iterrows()]
    places = max(decimals(v) for v in claim["value"])
    before, after = ([_percent(pair[i]) for pair in pairs] for i in (0, 1))
    points = [b - a for a, b in zip(before, after, strict=True)]
    relative = [100 * p / a for p, a in zip(points, before, strict=True)]
    text = f"{_signed(points)} points, relative {_signed(relative)} %"
    if _covers(points, told, places):
        text = f"ok: {text}"
    elif set(claim["unit"]) == {"%"} and _covers(relative, told, places):
        text = f"note: holds only as a relative gain: {text}"
    else:
        text = f"disagrees: {text}"
    for index in claim.index:
        yield index, text


def _percent(cell: pd.Series) -> float:
    return number(cell) * (100 if cell["unit"] == "fraction" else 1)


def _covers(gains: list[float], told: list[float], places: int) -> bool:
    low, high = (round(g, places) for g in (min(gains), max(gains)))
    return low <= told[0] <= high if len(told) == 1 else [low, high] == told


def _signed(values: list[float]) -> str:
    return ", ".join(f"{v:+.1f}" for v in values)


def _span(hits: range) -> str:
    return str(hits[0]) if len(hits) == 1 else f"{hits[0]} to {hits[-1]}"
