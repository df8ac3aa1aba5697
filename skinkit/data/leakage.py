"""Leakage: how many evaluation images show a photograph, lesion or patient seen in training."""

import pandas as pd

KINDS = ("photograph", "lesion", "patient")


def leakage_report(table, split, part="test", against="train"):
    """Counts, per class, the images of one part whose photograph, lesion or patient is in another.

    An image without lesion (patient) id counts as not shared,
    so with missing ids a rate is a lower bound.

    Args:
        table: manifest table that holds all images of the split.
        split: `Split`.
        part: the part that is evaluated on.
        against: the part that was learned from.

    Returns:
        Data frame, index `all` and then the labels of the table; `n` images of the part and the
        rates `photograph`, `lesion`, `patient` from 0 to 1, `<NA>` where there is no such id.

    Raises:
        ValueError: if a part is empty or the table lacks images of the split.

    Example:
        >>> leakage_report(table, butskova2021_split(table), part="validation")
    """
    known = table.set_index("image_id", drop=False)
    held, seen = (_rows(known, split, name) for name in (part, against))
    shared = pd.DataFrame({kind: _shared(held, seen, kind) for kind in KINDS})
    shared["n"] = 1
    labels = held["label"].to_numpy()
    groups = {"all": shared}
    groups |= {label: shared[labels == label] for label in sorted(table["label"].unique())}
    report = pd.DataFrame({name: _rates(rows) for name, rows in groups.items()}).T
    report = report[["n", *KINDS]].astype({"n": "int64", **dict.fromkeys(KINDS, "Float64")})
    report.index.name = "label"
    return report


def _rows(known, split, part):
    ids = split.ids(part)
    if not ids:
        there = ", ".join(split.parts.unique())
        raise ValueError(f"Split {split.name!r} has the parts {there}. Received: {part!r}")
    lost = sum(image not in known.index for image in ids)
    if lost:
        raise ValueError(f"The table lacks {lost} images of the part {part!r} of {split.name!r}.")
    return known.loc[ids]


def _ids(rows, kind):
    if kind == "photograph":
        return rows["source_id"] if "source_id" in rows else rows["image_id"]
    return rows[f"{kind}_id"]


def _shared(held, seen, kind):
    ids, seen_ids = _ids(held, kind), _ids(seen, kind).dropna()
    return ids.isin(seen_ids).astype("Float64").mask(ids.isna())


def _rates(rows):
    rates = {"n": len(rows)}
    for kind in KINDS:
        values = rows[kind]
        rates[kind] = values.sum() / len(rows) if values.notna().any() else pd.NA
    return rates


def leakage_rate(report):
    """The rates over all images as a plain dict, ready for JSON (`None` where not known)."""
    row = report.loc["all", list(KINDS)]
    return {kind: None if pd.isna(rate) else float(rate) for kind, rate in row.items()}


def leakage_stamp(report):
    """The line to print over every metric of this split, or `None` if nothing is shared.

    Example:
        >>> leakage_stamp(report)
        'LEAKY: 38.6 % of evaluation images show a lesion that is also in training'
    """
    rates = leakage_rate(report)
    if rates["lesion"] is None and rates["patient"] is None and not rates["photograph"]:
        return "LEAKAGE UNKNOWN: the table has neither lesion nor patient ids"
    leaks = [(kind, rate) for kind, rate in rates.items() if rate]
    if not leaks:
        return None
    (kind, rate), *others = leaks
    also = "".join(f", {_percent(rate)} a {kind}" for kind, rate in others)
    return f"LEAKY: {_percent(rate)} of evaluation images show a {kind}{also} that is also in training"


def _percent(rate):
    return f"{100 * rate:.1f} %" if rate >= 0.0005 else "less than 0.1 %"
