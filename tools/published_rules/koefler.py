"""Köfler 2023."""

from published_rules import rounding
from published_rules.cells import (
    adds_up,
    claimed_gain,
    decimals,
    notebook_shares,
    number,
    one,
    pick,
    verdict,
)

REPORTS = ("table4a", "table4b", "table4c", "table5a", "table5b")


def reports(cells):
    """The five classification reports against themselves."""
    for table in REPORTS:
        report = pick(cells, table=table)
        overall = pick(report, class_="all")
        classes = report.drop(overall.index).pivot(index="class", columns="metric", values="value")
        found = rounding.check_report(classes, overall.set_index("metric")["value"])
        for index, cell in report.iterrows():
            if (cell["class"], cell["metric"]) in found:
                yield index, found[cell["class"], cell["metric"]]


def counts(cells):
    """Totals of Tables 1 and 2, the six copies, and the split."""
    for table, row, metric in (
        ("table1", "isic2018", "images"),
        ("table1", "isic2019", "images"),
        ("table2", "augmentation", "images"),
        ("table2", "augmentation", "augmented_images"),
    ):
        rows = pick(cells, table=table, row=row, metric=metric)
        total = one(rows, class_="all")
        yield from adds_up(rows[rows["value"] != "-"].drop(total.name), total)
    augmented = pick(cells, table="table2").set_index(["class", "metric"])["value"]
    for index, cell in pick(cells, metric="augmented_images").iterrows():
        factor = augmented.get((cell["class"], "factor"))
        if factor is not None:
            images = int(augmented[cell["class"], "images"])
            copies = 1 if factor == "None" else int(factor)
            good = images * copies == int(cell["value"])
            yield index, verdict(good, f"{images} x {copies} = {images * copies}")
    split = pick(cells, table="text", row="split")
    total = one(cells, table="table2", metric="augmented_images", class_="all")
    summed = sum(split["value"].astype(int))
    for index in split.index:
        yield index, verdict(summed == int(total["value"]), f"train and test add up to {summed}")


def weights(cells):
    """Class weights are n / (7 n_i) of the augmented images, test images included."""
    augmented = pick(cells, table="table2", metric="augmented_images").set_index("class")["value"]
    for index, cell in pick(cells, metric="class_weight").iterrows():
        expected = int(augmented["all"]) / 7 / int(augmented[cell["class"]])
        good = rounding.printed(cell["value"], decimals(cell["value"])).holds(expected)
        yield index, verdict(good, f"all augmented images, test included, give {expected:.3f}")


def notebook_tables(cells):
    """Notebook outputs against the rounded values of Tables 4a and 4b."""
    tables = {"cnn": "table4a", "cnn-sa": "table4b", "cnn-sa-epoch100": "table4b"}
    for index, cell in pick(cells, table="released", row=list(tables)).iterrows():
        for _, shown in pick(cells, table=tables[cell["row"]], metric=cell["metric"]).iterrows():
            good = rounding.printed(shown["value"]).holds(number(cell))
            name = tables[cell["row"]].replace("table", "Table ")
            yield index, verdict(good, f"{name} prints {shown['value']}")


def gains(cells):
    """The text's gains by attention against the weighted F1 of the tables."""
    for row, before, after in (
        ("attention-gain-ham10000", "table4a", "table4b"),
        ("attention-gain-isic2019", "table5a", "table5b"),
    ):
        pair = tuple(one(cells, table=t, metric="weighted_f1") for t in (before, after))
        yield from claimed_gain(pick(cells, table="text", row=row), [pair])


RULES = (reports, counts, weights, notebook_tables, notebook_shares, gains)
