"""The hand-written findings cite generated numbers only."""

import re
from pathlib import Path

import pytest

from skinkit.experiments.results.ledger import read_table

RESULTS = Path(__file__).parents[3] / "results"
TEXT = (RESULTS / "FINDINGS.md").read_text(encoding="utf-8")
PERCENT = re.compile(r"\d+\.\d+(?= %)")
NUMBER = re.compile(r"(?<![\w.-])[+-]?\d+\.\d+\b(?! %)")


@pytest.fixture(scope="module")
def known():
    """All numbers of the ledger and of the comparisons, as the pages write them."""
    tables = [read_table(RESULTS / name) for name in ("ledger.csv", "comparisons.csv")]
    values = [value for table in tables for value in table.select_dtypes("number").to_numpy().ravel()]
    return {f"{value:.3f}" for value in values} | {f"{value:+.3f}" for value in values}


def test_each_number_is_in_the_ledger_or_the_comparisons(known):
    names = re.sub(r"MobileNet-0\.25", "", TEXT)
    found = NUMBER.findall(names)
    assert len(found) > 20
    assert [number for number in found if number not in known] == []


def test_each_share_is_a_leakage_of_the_ledger():
    ledger = read_table(RESULTS / "ledger.csv")
    rates = {f"{100 * rate:.1f}" for rate in ledger.filter(like="leakage_").to_numpy().ravel()}
    assert set(PERCENT.findall(TEXT)) and set(PERCENT.findall(TEXT)) <= rates


def test_it_is_two_screens_at_most():
    assert len(TEXT.splitlines()) <= 60
    assert max(map(len, TEXT.splitlines())) <= 120
