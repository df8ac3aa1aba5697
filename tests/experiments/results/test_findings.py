"""The hand-written findings: each number is that of the run or pair of which the sentence speaks."""

import re
from pathlib import Path

import pytest

from skinkit.experiments.results.ledger import read_table

RESULTS = Path(__file__).parents[3] / "results"
TEXT = (RESULTS / "FINDINGS.md").read_text(encoding="utf-8")
LEDGER, COMPARISONS = (read_table(RESULTS / name) for name in ("ledger.csv", "comparisons.csv"))
PERCENT = re.compile(r"\d+\.\d+(?= %)")
NUMBER = re.compile(r"(?<![\w.-])[+-]?\d+\.\d+\b(?! %)")
ENDS = ("difference", "low_of_both", "high_of_both")


def found(table, columns, **which):
    rows = table.loc[(table[list(which)] == which).all(axis=1), list(columns)].drop_duplicates()
    assert len(rows) == 1, which
    return rows.iloc[0]


def score(recipe, protocol="corrected", metric="macro_recall", column="measured"):
    which = {"recipe": recipe, "protocol": protocol, "metric": metric, "class": "all"}
    return [f"{found(LEDGER, [column], **which).item():.3f}"]


def change(first, second, protocol="corrected", metric="macro_recall", columns=("difference",)):
    which = {"first": first, "second": second, "protocol": protocol, "metric": metric}
    return [f"{value:+.3f}" for value in found(COMPARISONS, columns, **which)]


CNN, SA, LITE0 = (
    "koefler2023/table4a/cnn",
    "koefler2023/table4b/cnn-sa",
    "skinkit/baseline/efficientnet-lite0",
)
SPLIT_FIRST = "koefler2023/controls/{}-split-then-augment"
GESSERT = "gessert2019/table{}/mobilenet-{}"
NONE, WEIGHTED, DIAGNOSIS = (GESSERT.format(5, e) for e in ("none", "loss-weighting", "diagnosis-weighting"))
REAL, DRAWN = "hernandez2020/controls/lite0-{}", "hernandez2020/synthetic/informative-{}"
GAMMA, LITE = "butskova2021/gamma/mobilenet-gamma{}", "butskova2021/stages/lite0-{}".format
# In the order of the text.
CITED = {
    "A leak can be worth more than any method": [
        *(score(CNN, "as_published"), score(SPLIT_FIRST.format("cnn"), "as_published"), score(CNN)),
        *(score(SA, "as_published"), score(SPLIT_FIRST.format("cnn-sa"), "as_published"), score(SA)),
        score(CNN, "as_published", "accuracy"),
        score(SPLIT_FIRST.format("cnn"), "as_published", "accuracy"),
        score(CNN, "corrected", "accuracy"),
        *(score(LITE("gamma0"), "as_described"), score(LITE("gamma0"))),
        *(score(LITE("gamma1"), "as_described"), score(LITE("gamma1"))),
        *(score(LITE("gamma1-mixup"), "as_described"), score(LITE("gamma1-mixup"))),
        *(score(LITE("two-stage-hard"), "as_described"), score(LITE("two-stage-hard"))),
    ],
    "Soft attention: undecided": [
        *(change(SA, CNN, "as_published", columns=ENDS), change(SA, CNN, columns=ENDS)),
        change(SA, "koefler2023/controls/cnn-random-map"),
        change(SA, "koefler2023/controls/cnn-doubled"),
        change(f"{LITE0}-plain-sa", f"{LITE0}-plain", columns=ENDS),
        change(f"{LITE0}-sa", LITE0, columns=ENDS),
    ],
    "Balancing works, oversampling too": [
        change(GESSERT.format(5, "balanced-batches"), NONE),
        change(WEIGHTED, NONE),
        change(GESSERT.format(5, "oversampling"), NONE),
        change(WEIGHTED, NONE, metric="accuracy"),
        change(GESSERT.format(5, "oversampling"), NONE, metric="accuracy"),
        change(DIAGNOSIS, WEIGHTED),
        change(DIAGNOSIS, "gessert2019/controls/mobilenet-shuffled"),
    ],
    "Attention across crops, and the patient's other images: open": [
        change(GESSERT.format(2, "end"), GESSERT.format(2, "multi-crop"), columns=ENDS),
        change(GESSERT.format(2, "end"), GESSERT.format(2, "multi-crop"), columns=["printed"]),
        change(REAL.format("attention"), REAL.format("base"), metric="macro_auc", columns=ENDS),
        change(DRAWN.format("attention"), DRAWN.format("base"), metric="macro_auc", columns=ENDS),
        change(DRAWN.format("mean"), DRAWN.format("base"), metric="macro_auc"),
    ],
    "Gamma, on a network that hardly learns: open": [
        change(GAMMA.format(1), GAMMA.format(0), columns=["printed"]),
        change(GAMMA.format(1), GAMMA.format(0), metric="accuracy", columns=["printed"]),
        *(score(GAMMA.format(5)), score(GAMMA.format(0), "as_described")),
        change(GAMMA.format(1), GAMMA.format(0), columns=ENDS),
        change(GAMMA.format(1), GAMMA.format(0), metric="accuracy"),
        change(LITE("gamma1"), LITE("gamma0"), columns=ENDS),
    ],
    "Mixup and a second stage, on a network that has learned": [
        change(LITE("gamma1-mixup"), LITE("gamma1"), columns=ENDS),
        change(LITE("gamma0-mixup"), LITE("gamma0"), columns=ENDS),
        change(LITE("gamma1-mixup"), LITE("gamma1"), "as_described", columns=ENDS),
        change(LITE("gamma0-mixup"), LITE("gamma0"), "as_described", columns=ENDS),
        *(
            change(LITE("two-stage-hard"), LITE("gamma1-mixup"), protocol, metric, ENDS)
            for metric in ("macro_recall", "accuracy")
            for protocol in ("corrected", "as_described")
        ),
        change(LITE("two-stage-hard"), LITE("gamma1-mixup"), columns=["printed"]),
        change(LITE("two-stage-hard"), LITE("gamma1-mixup"), metric="accuracy", columns=["printed"]),
        change(LITE("ensemble"), LITE("gamma1-mixup")),
        change(LITE("ensemble"), LITE("gamma1"), columns=ENDS),
    ],
    "Luck": [
        *(score(CNN, column="seed_sd"), score(SA, column="seed_sd")),
        score(GESSERT.format(2, "dual"), column="seed_sd"),
    ],
}


@pytest.mark.parametrize("part", TEXT.split("\n## ")[1:], ids=lambda part: part.splitlines()[0])
def test_each_number_is_that_of_its_runs(part):
    title, _, text = part.partition("\n")
    expected = [number for numbers in CITED.get(title, ()) for number in numbers]
    assert NUMBER.findall(text.replace("MobileNet-0.25", "")) == expected


def test_each_share_is_a_leakage_of_the_ledger():
    rates = {f"{100 * rate:.1f}" for rate in LEDGER.filter(like="leakage_").to_numpy().ravel()}
    assert set(PERCENT.findall(TEXT)) and set(PERCENT.findall(TEXT)) <= rates


def test_it_is_two_screens_at_most():
    assert len(TEXT.splitlines()) <= 60
    assert max(map(len, TEXT.splitlines())) <= 120
