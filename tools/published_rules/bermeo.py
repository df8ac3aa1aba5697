"""Bermeo Quito 2023."""

import math
import re
import statistics

from published_rules.cells import adds_up, decimals, notebook_shares, number, one, pick, verdict
from published_rules.rounding import possible_hits, printed

GROUPS = {"m0-m3": ["m0", "m1", "m2", "m3"], "m4-m7": ["m4", "m5", "m6", "m7"]}
MODELS = sum(GROUPS.values(), [])


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
                    # A fourth digit shows what the document cuts off, or rounds to the other side.
                    said = f"{value:.3f}" if f"{value:.3f}" == cell["value"] else f"{value:.4f}".rstrip("0")
                    yield cell.name, verdict(good, f"recomputed {said}, over four schedules")
    for index, cell in pick(cells, table="table8.3").iterrows():
        other = one(cells, table="table8.2", row=cell["row"], metric="auc", split="test")
        yield index, verdict(cell["value"] == other["value"], f"Table 8.2 has {other['value']}")


def recalls(cells):
    """Melanoma recalls as whole numbers of the melanomas of a stratified 80/10/10 split.

    Three digits leave several numbers of 4,072 melanomas; the six of the notebooks leave one.
    """
    melanomas = int(one(cells, table="released", row="filtered", class_="mel")["value"])
    support = {"train": melanomas * 8 // 10, "validation": melanomas // 10, "test": melanomas // 10}
    recall = pick(cells, metric="recall", row=MODELS)
    for index, cell in pick(recall, table=["table8.2", "released"]).iterrows():
        count = support[cell["split"]]
        exact = one(recall, table="released", row=cell["row"], split=cell["split"])["value"]
        hits, near = (possible_hits(value, count, decimals(value)) for value in (exact, cell["value"]))
        if not near or not hits:
            yield index, f"impossible for {count} melanomas"
        else:
            yield index, f"{'ok' if hits[0] in near else 'note'}: {hits[0]} of {count}"


def notebook_scores(cells):
    """Table 8.2 against the scores that the released notebooks print; three cells are cut."""
    for index, cell in pick(cells, table="table8.2", row=MODELS).iterrows():
        same = {name: cell[name] for name in ("row", "metric", "split")}
        exact = one(cells, table="released", **same)["value"]
        rounded, text = printed(cell["value"], 3).holds(float(exact)), f"the notebook has {exact}"
        cut = exact.startswith(cell["value"]) and not rounded
        yield index, f"note: cut, not rounded: {text}" if cut else verdict(rounded, text)


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


def wages(cells):
    """The hourly wages of the text against hours and costs of Table 6.2."""
    for _, wage in pick(cells, metric="hourly_wage").iterrows():
        rows = pick(cells, table="table6.2", metric="cost", condition=wage["condition"])
        hours = [number(one(cells, table="table6.2", row=row, metric="hours")) for row in rows["row"]]
        found = {f"{float(cost) / h:g}" for cost, h in zip(rows["value"], hours, strict=True)}
        said = " or ".join(sorted(found))
        yield wage.name, verdict(found == {wage["value"]}, f"Table 6.2 reckons with {said} an hour")


def parameters(cells):
    """The layers of Figures 7.8, 7.12 and 7.14 add up, those of 7.8 to the millions of Table 4.1."""
    totals = {}
    for figure in ("figure7.8", "figure7.12", "figure7.14"):
        rows = pick(cells, table=figure)
        totals[figure] = sum(rows["value"].astype(int))
        for index in rows.index:
            yield index, f"implies: {totals[figure]} parameters in all"
    for index, cell in pick(cells, row="resnet18", metric="parameters").iterrows():
        good = printed(cell["value"], 1).holds(totals["figure7.8"] / 1e6)
        yield index, verdict(good, f"Figure 7.8 adds up to {totals['figure7.8']}")


def trainings(cells):
    """Table 7.2 against the released notebooks, and the number of updates it implies."""
    images = int(one(cells, table="text", row="filtered", split="train", metric="images")["value"])
    notebooks = pick(cells, table="released", metric=["architecture", "gpu"])
    for _, released in notebooks.iterrows():
        told = one(cells, table="table7.2", row=released["row"], metric=released["metric"])
        verb = {"architecture": "builds", "gpu": "ran on"}[released["metric"]]
        text = f"the training notebook {verb} {released['value']}"
        yield told.name, verdict(told["value"] == released["value"], text)
    for row in MODELS:
        epochs, batch = (one(cells, table="table7.2", row=row, metric=m) for m in ("epochs", "batch_size"))
        steps = math.ceil(images / int(batch["value"]))
        updates = f"{int(epochs['value']) * steps} updates ({epochs['value']} x {steps})"
        yield epochs.name, f"implies: {updates}"


def counts(cells):
    """The three parts of the text are one image short of the filtered set: the test part is."""
    images = pick(cells, row="filtered", metric="images")
    told, released = pick(images, table="text"), pick(images, table="released")
    whole, parts = one(told, split="all"), told[told["split"] != "all"]
    yield from adds_up(parts, whole)
    total = sum(pick(released, split="all")["value"].astype(int))
    text = f"classes in the released notebooks add up to {total}"
    yield whole.name, verdict(total == int(whole["value"]), text)
    for index, part in parts.iterrows():
        size = one(released, split=part["split"])["value"]
        yield index, verdict(part["value"] == size, f"the released split has {size}")


def answers(cells):
    """The probabilities of each answer of Section 8.5.4 add up to 1."""
    for _, rows in pick(cells, metric="probability").groupby("row"):
        total = sum(rows["value"].astype(float))
        for index in rows.index:
            yield index, verdict(abs(total - 1) < 1e-6, f"the eight add up to {total:.6f}")


def pairs(cells):
    """Section 8.2 says which models share a scheduler; Table 7.2 says which do."""
    schedulers = pick(cells, table="table7.2", metric="scheduler").set_index("model")["value"]
    for index, cell in pick(cells, metric="pair").iterrows():
        found = [schedulers.get(m, "no such model") for m in re.findall(r"M\d", cell["value"])]
        yield (
            index,
            verdict(found[0] == found[1], f"schedulers in Table 7.2: {found[0]}, {found[1]}"),
        )


RULES = (
    means,
    notebook_scores,
    notebook_shares,
    recalls,
    costs,
    wages,
    parameters,
    trainings,
    counts,
    pairs,
    answers,
)
