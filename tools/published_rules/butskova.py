"""Butskova 2021."""

import pandas as pd

from published_rules.cells import confusions, matrix_classes, number, one, pick, verdict
from published_rules.rounding import printed
from skinkit.evaluation import confusion_scores

HAM10000 = {"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142}
BEST = "two-stage-efficientnet-gamma1"


def matrix(cells):
    """Figure 6 against the table of pretrained models."""
    counts = confusions(cells, "figure6")
    scores, total = confusion_scores(counts), counts.to_numpy().sum()
    for metric in ("accuracy", "macro_recall"):
        cell = one(cells, table="pretrained", row=BEST, metric=metric)
        good = printed(cell["value"], 3).holds(scores[metric])
        yield cell.name, verdict(good, f"Figure 6 gives {scores[metric]:.4f} on {total} images")
    images = one(cells, table="text", row="ham10000", metric="images")
    good = abs(total - number(images) / 5) < 1
    yield images.name, verdict(good, f"Figure 6 has {total}, a fifth")


def classes(cells):
    """Rows of Figure 6 against a fifth of HAM10000, and the scores they imply."""
    yield from matrix_classes(cells, "figure6", HAM10000, ("a fifth", 5))


def smallest_step(cells):
    """The gain of the second stage beside the weight of one image of the rarest class."""
    count = confusions(cells, "figure6").sum(axis=1).min()
    best, other = (
        one(cells, table="pretrained", row=row, metric="macro_recall")
        for row in (BEST, "efficientnet-gamma1")
    )
    points = 100 * (number(best) - number(other))
    step = 100 / count / len(HAM10000)
    yield best.name, f"note: {points:.1f} points over one stage; one of {count} df images is {step:.1f}"
    chosen, next_best = (_unpretrained(cells, gamma, "macro_recall") for gamma in ("1", "1.5"))
    gap, step = number(chosen) - number(next_best), step / 100
    yield chosen.name, f"note: {gap:.3f} over gamma = 1.5; one of {count} df images is {step:.4f}"


def gate(cells):
    """What the first stage of the best model lets pass, and what the second makes of it."""
    counts = confusions(cells, "figure6")
    lost = counts["nv"].drop("nv")
    supports = counts.sum(axis=1)
    nevi, others = supports["nv"], supports.drop("nv")
    astray = nevi - counts.loc["nv", "nv"]
    second = confusion_scores(counts.drop(index="nv", columns="nv"))
    accuracy = one(cells, table="pretrained", row=BEST, metric="accuracy")
    first = f"the gate calls {lost.sum()} of {others.sum()} other lesions nv and loses {astray} of {nevi} nv"
    right, recall = (f"{second[metric]:.3f}" for metric in ("accuracy", "macro_recall"))
    then = f"the second stage is right about {right} of the {(others - lost).sum()} that pass"
    yield accuracy.name, f"implies: {first}; {then}, macro recall {recall}"
    melanomas = one(cells, table="figure6", row="mel", class_="nv")
    missed, all_of_them = lost["mel"], others["mel"]
    text = f"{missed} of {all_of_them} melanomas ({_percent(missed / all_of_them)}) end at the gate"
    yield melanomas.name, f"implies: {text}"


def false_positives(cells):
    """The rate that the text blames for the low AUC of the seventh class, beside those of the others."""
    counts = confusions(cells, "figure6")
    wrong = counts.sum() - pd.Series({label: counts.loc[label, label] for label in counts})
    rates = (wrong / (counts.to_numpy().sum() - counts.sum(axis=1))).sort_values(ascending=False)
    claim = one(cells, table="text", metric="false_positive_rate")
    place = list(rates.index).index("vasc") + 1
    listed = ", ".join(f"{label} {_percent(rate)}" for label, rate in rates.items())
    yield claim.name, verdict(place == 1, f"place {place} of {len(rates)}: {listed}")


def pretext(cells):
    """Both pretext tasks beside the un-pretrained network with the loss of their classifier."""
    for metric in ("accuracy", "macro_recall"):
        alone = _unpretrained(cells, "1", metric)
        for index, cell in pick(cells, table="self-supervised", metric=metric).iterrows():
            word = "above" if number(cell) > number(alone) else "below"
            yield index, f"note: {word} the un-pretrained gamma = 1, {alone['value']}"


def mixup(cells):
    """The conclusion calls mixup beneficial, and no two rows differ in it alone."""
    claim = one(cells, table="text", metric="effect")
    text = "both EfficientNet rows have mixup and no other has: its gain and the network's are one"
    yield claim.name, f"note: {text}"


def focal(cells):
    """A positive gamma is called beneficial; with pretrained weights it lowers both scores."""
    for metric in ("accuracy", "macro_recall"):
        without, with_gamma = (
            one(cells, table="pretrained", row=f"resnet50-gamma{g}", metric=metric) for g in "01"
        )
        good = number(with_gamma) >= number(without)
        text = f"gamma = 0 has {without['value']}; the conclusion calls a positive gamma beneficial"
        yield with_gamma.name, verdict(good, text)


def told(cells):
    """The base model's recall in the text against its table, and the weights that nobody distributes."""
    recall = one(cells, table="text", metric="macro_recall")
    table = one(cells, table="unpretrained", row="resnet50-gamma0", metric="macro_recall")
    good = printed(recall["value"], 0).holds(100 * number(table))
    yield recall.name, verdict(good, f"the table has {table['value']}")
    weights = one(cells, table="text", metric="weights")
    text = "ten classes of ImageNet; no such weights of EfficientNet-B7 are distributed, read as ImageNet"
    yield weights.name, f"note: {text}"


def _percent(share):
    return f"{100 * share:.1f} %"


def _unpretrained(cells, gamma, metric):
    return one(cells, table="unpretrained", row=f"resnet50-gamma{gamma}", metric=metric)


RULES = (matrix, classes, smallest_step, gate, false_positives, focal, pretext, mixup, told)
