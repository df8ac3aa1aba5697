"""Grouping by lesion or patient, and the assignment of whole groups to parts.

The assignment uses SHA-256 and integers only, so one seed gives one split on every platform, with
every library version and in whatever order the rows come.
"""

import hashlib
from collections import Counter, defaultdict

import numpy as np
import pandas as pd

from skinkit.data.overlap import photograph_ids
from skinkit.data.tables.missing import known_ids
from skinkit.names import check_name, counted

GROUPS = ("image", "photograph", "lesion", "patient", "lesion+patient")
# Fractions are made integers of this size so that no rounding of floats decides a tie.
_UNIT = 1_000_000


def group_keys(table, group):
    """One group key a row, and the name of the grouping the table allows.

    A key is the smallest image id of its group: it depends neither on the order of the rows nor on
    how the groups are named.
    """
    check_name("Values of `group`", group, GROUPS)
    if group == "image":
        return table["image_id"].tolist(), group
    wanted = [] if group == "photograph" else group.split("+")
    ids = {name: known_ids(table[f"{name}_id"]).str.lower() for name in wanted}
    having = [name for name in wanted if ids[name].notna().any()]
    if wanted and not having:
        raise ValueError(
            f"The table has no {' or '.join(wanted)} ids to group by. Use group='image' and say "
            "so beside the result: such a split leaks."
        )
    # Two images of one photograph are never apart, whatever ids they lack.
    columns = [*(ids[name] for name in having), photograph_ids(table)]
    return _components(table, columns), "+".join(having) or group


def _components(table, columns):
    """Joins rows that share a value in any of the columns, directly or by way of other rows."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    images = table["image_id"].reset_index(drop=True)
    rows, values, nodes = [], [], len(images)
    for column in (images, *columns):
        codes, names = pd.factorize(column)
        known = np.flatnonzero(codes >= 0)
        rows.append(known)
        values.append(nodes + codes[known])
        nodes += len(names)
    edges = np.concatenate(rows), np.concatenate(values)
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return images.groupby(component[: len(images)]).transform("min").tolist()


def assign(keys, strata, fractions, seed):
    """Assigns each row to one of the fractions, whole groups at a time.

    Args:
        keys: Strings, n group keys.
        strata: Strings, n class names; their shares are kept in every part.
        fractions: Floats, the share of each part.
        seed: Integer.

    Returns:
        List of n positions in `fractions`.

    Raises:
        ValueError: if there are too few groups to fill every part.
    """
    groups = defaultdict(Counter)
    for key, stratum in zip(keys, strata, strict=True):
        groups[key][stratum] += 1
    size = Counter(strata)
    units = [round(share * _UNIT) for share in fractions]
    lack = [{stratum: unit * n for stratum, n in size.items()} for unit in units]
    rest = [unit * sum(size.values()) for unit in units]
    weight = {stratum: 10**12 // n for stratum, n in size.items()}
    place = {}
    for key in sorted(groups, key=lambda key: (-groups[key].total(), _place(seed, key))):
        counts = groups[key]

        def need(part, counts=counts):
            # Relative to the part's size, or the large groups would all go to the largest part;
            # half the group is counted in already, which rounds to the nearest.
            wanted = sum(n * weight[name] * (2 * lack[part][name] - _UNIT * n) for name, n in counts.items())
            return wanted // units[part], rest[part]

        place[key] = best = max(range(len(units)), key=need)
        for name, n in counts.items():
            lack[best][name] -= _UNIT * n
        rest[best] -= _UNIT * counts.total()
    if len(set(place.values())) < len(units):
        raise ValueError(f"{len(place)} groups are too few for {len(units)} parts.")
    return [place[key] for key in keys]


def _place(seed, key):
    return hashlib.sha256(f"{seed}|{key}".encode()).digest()


def missing_note(table, grouped_by):
    """Says how many images have no id to group by."""
    columns = [f"{name}_id" for name in grouped_by.split("+") if name in ("lesion", "patient")]
    lost = int(table[columns].isna().all(axis=1).sum()) if columns else 0
    without = f"without {grouped_by} id"
    said = (f"image {without} is a group of its own.", f"images {without} are groups of their own.")
    return counted(lost, *said) if lost else ""
