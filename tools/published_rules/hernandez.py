"""Hernandez Perez 2020."""

from published_rules.cells import adds_up, number, one, pick, verdict
from published_rules.rounding import possible_hits, printed
from skinkit.evaluation import harmonic_mean, implied_specificity

RELEASED_IMAGES = 33126
# Of one patient, in the released table.
MOST_RELEASED = 115
SCORES = ("auc", "precision", "recall")


def counts(cells):
    """Images and patients against their sums and the release."""
    images = pick(cells, table="table1", metric="images")
    total = sum(images["value"].astype(int))
    for index in images.index:
        text = f"Table 1 adds up to {total}, the release has {RELEASED_IMAGES}"
        yield index, verdict(total == RELEASED_IMAGES, text)
    patients = pick(cells, table="table2", metric="patients")
    everyone = one(patients, class_="all")
    yield from adds_up(patients.drop(everyone.name), everyone)
    told = one(cells, table="text", metric="patients")
    yield told.name, verdict(told["value"] == everyone["value"], f"Table 2 has {everyone['value']}")
    most = one(cells, table="text", metric="most_images_of_a_patient")
    yield most.name, verdict(int(most["value"]) == MOST_RELEASED, f"the release has {MOST_RELEASED}")


def shares(cells):
    """Percentages of Tables 1 and 2 against the counts beside them."""
    for index, share in pick(cells, metric="share").iterrows():
        column = pick(cells, table=share["table"], metric=["images", "patients"])
        count = int(one(column, class_=share["class"])["value"])
        total = sum(pick(column, class_=["benign", "malignant"])["value"].astype(int))
        percent = 100 * count / total
        good = printed(share["value"], 1).holds(percent)
        yield index, verdict(good, f"{count} of {total} are {percent:.2f} %")


def forests(cells):
    """Table 3's CAE row is Table 4's, which is scored on training and validation together."""
    for metric in SCORES:
        pair = [one(cells, table=t, row="cae-extra-trees", metric=metric) for t in ("table3", "table4")]
        if pair[0]["value"] == pair[1]["value"]:
            yield pair[0].name, "note: as in Table 4, which says on which images"
            yield pair[1].name, "note: as in Table 3"


def implied(cells):
    """What precision, recall and the class counts of Table 4 say that it does not print."""
    images = pick(cells, table="table1", metric="images").set_index("class")["value"].astype(int)
    prevalence = images["malignant"] / images.sum()
    rows = pick(cells, table="table4").pivot(index="row", columns="metric", values="value")
    rows = rows.astype(float) / 100
    pairs = list(zip(rows["precision"], rows["recall"], strict=True))
    rows["specificity"] = [implied_specificity(p, r, prevalence) for p, r in pairs]
    rows["balanced"] = (rows["recall"] + rows["specificity"]) / 2
    rows["f1"] = [harmonic_mean(p, r) for p, r in pairs]
    rows["place"] = rows["auc"].rank(ascending=False)
    for name, row in rows.iterrows():
        specificity, balanced, f1 = (100 * row[s] for s in ("specificity", "balanced", "f1"))
        text = f"specificity {specificity:.1f} %, balanced accuracy {balanced:.1f} %, F1 {f1:.1f} %"
        if row["balanced"] == rows["balanced"].max():
            text += f", the best balanced accuracy of the table at place {row['place']:.0f} by AUC"
        yield one(cells, table="table4", row=name, metric="precision").name, f"implies: {text}"


def recalls(cells):
    """Recalls as whole numbers of the malignant images of Table 1."""
    positives = int(one(cells, table="table1", metric="images", class_="malignant")["value"])
    for index, cell in pick(cells, table=["table3", "table4"], metric="recall").iterrows():
        hits = possible_hits(number(cell) / 100, positives, digits=3)
        below = int(number(cell) / 100 * positives)
        near = " and ".join(f"{k} are {100 * k / positives:.1f} %" for k in (below, below + 1))
        # Table 3 does not say which images it is about.
        start = "impossible" if cell["n"] else "note: impossible"
        if hits:
            yield index, f"ok: {hits[0]} of {positives}"
        else:
            yield index, f"{start} for {positives} malignant images: {near}"


def best_model(cells):
    """The model that the text calls the best by area and recall."""
    for metric in ("auc", "recall"):
        column = pick(cells, table="table4", metric=metric)
        best = one(column, row="static-mean-em")
        most = max(number(cell) for _, cell in column.iterrows())
        yield best.name, verdict(number(best) == most, f"the largest of the table is {most:g}")


RULES = (counts, shares, forests, implied, recalls, best_model)
