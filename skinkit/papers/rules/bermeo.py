"""Bermeo Quito 2023."""

import math
import re
import statistics

from skinkit.papers.consistency import possible_hits
from skinkit.papers.rules.cells import adds_up, number, one, pick, verdict

GROUPS = {"m0-m3": ["m0", "m1", "m2", "m3"], "m4-m7": ["m4", "m5", "m6", "m7"]}


def means(cells):
    """Means and sample standard deviations of Tables 8.2 and 8.3."""
    for table in ("table8.2", "table8.3"):
        rows = pick(cells, table=table)
        for group, members in GROUPS.items():
            for (metric, split), part in pick(rows, row=members).groupby(["metric", "split"]):
                percent = [100 * float(v) for v in part["value"]]
                found = statistics.fmean(percent), statistics.stdev(percent)
                for name, value in zip(("mean", "sd"), found, strict=True):
                    cell = one(rows, row=f"{name}-{group}", metric=metric, split=split)
                    # Rounding the values to 0.1 % moves their sd by up to 0.05 * sqrt(4 / 3).
                    good = abs(number(cell) - value) < 0.06
                    yield cell.name, verdict(good, f"recomputed {value:.3f}, over four schedules")
    for index, cell in pick(cells, table="table8.3").iterrows():
        other = one(cells, table="table8.2", row=cell["row"], metric="auc", split="test")
        yield index, verdict(cell["value"] == other["value"], f"Table 8.2 has {other['value']}")


def recalls(cells):
    """Melanoma recalls as whole numbers of the melanomas of a stratified 80/10/10 split."""
    melanomas = int(one(cells, table="released", row="filtered", class_="mel")["value"])
    support = {"train": melanomas * 8 // 10, "validation": melanomas // 10, "test": melanomas // 10}
    models = [model for group in GROUPS.values() for model in group]
    for index, cell in pick(cells, table="table8.2", metric="recall", row=models).iterrows():
        count = support[cell["split"]]
        hits = possible_hits(cell["value"], count, 3)
        text = f"ok: {hits[0]} of {count}" if hits else f"impossible for {count} melanomas"
        yield index, text


def costs(cells):
    """Units x price, hours x wage, and the totals of Tables 6.1 to 6.3."""
    for index, cell in pick(cells, table="table6.1", metric="cost").iterrows():
        units, price = (
            number(one(cells, table="table6.1", row=cell["row"], metric=m)) for m in ("units", "unit_price")
        )
        yield index, verdict(units * price == number(cell), f"{units:g} x {price:g}")
    wages = pick(cells, metric="hourly_wage").set_index("condition")["value"]
    for index, cell in pick(cells, table="table6.2", metric="cost").iterrows():
        if cell["condition"]:
            hours = number(one(cells, table="table6.2", row=cell["row"], metric="hours"))
            cost = hours * float(wages[cell["condition"]])
            good = abs(cost - number(cell)) < 0.05
            yield index, verdict(good, f"{hours:g} h at {wages[cell['condition']]} are {cost:.2f}")
    for table, metric in (("table6.2", "hours"), ("table6.2", "cost"), ("table6.3", "hours")):
        column = pick(cells, table=table, metric=metric)
        total = one(column, row="total")
        yield from adds_up(column.drop(total.name), total)


def parameters(cells):
    """The layers of Figure 7.12 add up to the parameters of R18M."""
    rows = pick(cells, table="figure7.12")
    total = sum(rows["value"].astype(int))
    for index in rows.index:
        yield index, f"implies: {total} parameters in all"


def trainings(cells):
    """Table 7.2 against the released notebooks, and the number of updates it implies."""
    images = int(one(cells, table="text", row="filtered", split="train")["value"])
    for row in [model for group in GROUPS.values() for model in group]:
        told, released = (
            one(cells, table=t, row=row, metric="architecture") for t in ("table7.2", "released")
        )
        same = told["value"] == released["value"]
        yield told.name, verdict(same, f"the training notebook builds {released['value']}")
        epochs, batch = (one(cells, table="table7.2", row=row, metric=m) for m in ("epochs", "batch_size"))
        steps = math.ceil(images / int(batch["value"]))
        updates = f"{int(epochs['value']) * steps} updates ({epochs['value']} x {steps})"
        yield epochs.name, f"implies: {updates}"


def counts(cells):
    """The three parts of the text are one image short of the filtered set."""
    parts = pick(cells, table="text", row="filtered", split=["train", "validation", "test"])
    whole = one(cells, table="text", row="filtered", split="all")
    yield from adds_up(parts, whole)
    released = sum(pick(cells, table="released", metric="images")["value"].astype(int))
    text = f"classes in the released notebooks add up to {released}"
    yield whole.name, verdict(released == int(whole["value"]), text)


def pairs(cells):
    """Section 8.2 says which models share a scheduler; Table 7.2 says which do."""
    schedulers = pick(cells, table="table7.2", metric="scheduler").set_index("model")["value"]
    for index, cell in pick(cells, metric="pair").iterrows():
        found = [schedulers.get(m, "no such model") for m in re.findall(r"M\d", cell["value"])]
        yield (
            index,
            verdict(found[0] == found[1], f"schedulers in Table 7.2: {found[0]}, {found[1]}"),
        )


RULES = (means, recalls, costs, parameters, trainings, counts, pairs)
