"""Leakage: the share of evaluation images whose photograph, lesion or patient is also in training."""

import pandas as pd

from skinkit.data.overlap import KINDS, overlap
from skinkit.data.tables.missing import known_ids


def leakage_report(table, split, part="test", against="train"):
    """Counts, per class, the images of one part whose photograph, lesion or patient is in another.

    Args:
        table: Manifest table that holds all images of the split.
        split: `Split`.
        part: String, the part that is evaluated on; parts may be joined by `+`.
        against: String, the part that was learned from; parts may be joined by `+`.

    Returns:
        DataFrame as of `leakage_between`.

    Raises:
        ValueError: if a part is empty or the table lacks images of the split.

    Example:
        >>> leakage_report(table, butskova2021_split(table), part="validation")
    """
    rows, seen = (split.rows(table, name) for name in (part, against))
    if empty := [name for name, found in ((part, rows), (against, seen)) if found.empty]:
        raise ValueError(
            f"Split {split.name!r} has no images in {' or '.join(empty)}, where some are needed. "
            f"Received: {split.sizes}"
        )
    return leakage_between(rows, seen, table["label"].unique(), one_table=True)


def leakage_between(rows, seen, labels=None, one_table=False):
    """Counts, per class, the images whose photograph, lesion or patient is among others (see `overlap`).

    A rate is known if all these images have an id that can be compared with those of all others. Where ids
    lack, a rate above 0 is a lower bound, and a rate of 0 would be a false claim: it is `<NA>`.

    Args:
        rows: Manifest rows that are evaluated on.
        seen: Manifest rows that were learned from, or what `fingerprint` saved of them.
        labels: Strings, classes of the report; default: those of `rows`.
        one_table: Boolean, whether both are rows of one table: see `overlap`.

    Returns:
        DataFrame, index `all` and then the labels in alphabetical order; `n` images and the rates
        `photograph`, `lesion`, `patient` from 0 to 1, or `<NA>`. `attrs["doubts"]` tells for each kind, in
        words, what is not known.

    Example:
        >>> leakage_stamp(leakage_between(load("isic2019"), load("ham10000")))
    """
    shared = overlap(rows, seen, one_table)
    groups = {"all": slice(None)}
    for label in sorted(set(rows["label"] if labels is None else labels)):
        groups[label] = (rows["label"] == label).to_numpy(bool)
    gaps = {kind: _ids(seen, kind).isna().any() for kind in KINDS}
    report = pd.DataFrame({name: _rates(shared[chosen], gaps) for name, chosen in groups.items()}).T
    report = report[["n", *KINDS]].astype({"n": "int64", **dict.fromkeys(KINDS, "Float64")})
    report.index.name = "label"
    report.attrs["doubts"] = {kind: _doubt(kind, rows, seen, shared[kind]) for kind in KINDS}
    return report


def pool_reports(reports):
    """Returns the leakage report of several evaluations together, each image by the training of its own.

    Args:
        reports: Sequence of DataFrames as of `leakage_between`, of equal labels.

    Returns:
        DataFrame as of `leakage_between`: a rate is known where it is in all reports that have such images.
    """
    counts = sum(report["n"] for report in reports)
    # Where a report has no image, its rate is not known and does not count.
    shared = sum(
        report[list(KINDS)].mul(report["n"], axis=0).mask(report["n"] == 0, 0.0) for report in reports
    )
    pooled = shared.div(counts.where(counts > 0), axis=0).astype("Float64")
    pooled.insert(0, "n", counts)
    return pooled


def _ids(rows, kind):
    # Every image has a photograph.
    return known_ids(rows[f"{kind}_id"]) if kind != "photograph" else pd.Series(True, index=rows.index)


def _rates(shared, gaps):
    rates = {"n": len(shared)}
    for kind in KINDS:
        found, unknown = shared[kind].sum(), gaps[kind] or shared[kind].isna().any()
        rates[kind] = pd.NA if shared.empty or (unknown and not found) else found / len(shared)
    return rates


def _doubt(kind, rows, seen, shared):
    """Says why the rate of a kind is not known; empty where it is."""
    ids, seen_ids = _ids(rows, kind), _ids(seen, kind)
    if ids.isna().all() and seen_ids.isna().all():
        return f"there are no {kind} ids"
    lacking = [
        f"{missing.sum():,} of {len(missing):,} {word}"
        for missing, word in ((ids.isna(), "evaluation"), (seen_ids.isna(), "seen"))
        if missing.any()
    ]
    doubts = [f"{' and '.join(lacking)} images have no {kind} id"] if lacking else []
    if not seen_ids.isna().all() and (apart := shared.isna() & ids.notna()).any():
        count = f"{apart.sum():,} of {len(apart):,} evaluation images"
        doubts.append(f"{count} have a {kind} id that cannot be compared with all seen ones")
    return " and ".join(doubts)


def leakage_rate(report):
    """Returns the rates over all images as a dictionary, ready for JSON (`None` where not known)."""
    row = report.loc["all", list(KINDS)]
    return {kind: None if pd.isna(rate) else float(rate) for kind, rate in row.items()}


def leakage_stamp(report, seen="training"):
    """Returns what `leakage_line` says of a split that leaks, or may leak, or `None` if nothing is shared.

    That nothing is shared is known only where all ids of one kind, lesion or patient, are there.

    Args:
        report: DataFrame of `leakage_report` or `leakage_between`.
        seen: String, what the images were compared with.

    Example:
        >>> by_image = stratified_group_split(table, group="image")
        >>> leakage_stamp(leakage_report(table, by_image))
        'LEAKY: ... % of evaluation images show a lesion, ... % a patient that is also in training'
    """
    rates, doubts = leakage_rate(report), report.attrs.get("doubts", {})
    leaks = {kind: rate for kind, rate in rates.items() if rate}
    if leaks:
        # A rate of 100 % cannot be a lower bound.
        partial = [kind for kind, rate in leaks.items() if _percent(rate) != _percent(1)]
        return _leaky(leaks, {kind: doubts[kind] for kind in partial if doubts.get(kind)}, seen)
    if rates["lesion"] is not None or rates["patient"] is not None:
        return None
    reasons = "; ".join(doubts[kind] for kind in KINDS if doubts.get(kind))
    return f"LEAKAGE UNKNOWN: {reasons or 'it is not known whose lesions the images show'}"


def leakage_line(stamp, rates):
    """Returns the line over every metric: the stamp, or that none was found and what is UNKNOWN.

    Args:
        stamp: String of `leakage_stamp`, or `None`.
        rates: Dictionary of `leakage_rate`.

    Example:
        >>> leakage_line(None, {"photograph": 0.0, "lesion": 0.0, "patient": None})
        'No leakage found. Shared patients: UNKNOWN.'
    """
    unknown = " and ".join(f"{kind}s" for kind, rate in rates.items() if rate is None)
    return stamp or "No leakage found." + (f" Shared {unknown}: UNKNOWN." if unknown else "")


def _leaky(leaks, doubts, seen):
    least = {kind: "at least " if kind in doubts else "" for kind in leaks}
    (kind, rate), *others = leaks.items()
    also = "".join(f", {least[kind]}{_percent(rate)} a {kind}" for kind, rate in others)
    why = f" ({'; '.join(doubts.values())})" if doubts else ""
    found = f"{least[kind]}{_percent(rate)} of evaluation images show a {kind}{also}"
    return f"LEAKY: {found} that is also in {seen}{why}"


def _percent(rate):
    return f"{100 * rate:.1f} %" if rate >= 0.0005 else "less than 0.1 %"
