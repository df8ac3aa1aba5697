import importlib
import re
from pathlib import Path

import pandas as pd

import write_how_fast
from write_how_fast import PAGE, RATIOS, Ratio, fill, measured, read_tables

ROOT = Path(__file__).parents[2]
MACHINE = {
    **{"processor": "Chip 9", "features": "X86_V4", "cores": 2, "device": "CPU"},
    **{"versions": "keras 3", "commit": "abc", "date": "2026-01-02"},
}


def table(**ratios):
    rows = {
        name: {"ratio": values[1], "quartile 1": values[0], "quartile 3": values[2]}
        for name, values in ratios.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").assign(**MACHINE)


def test_page_shows_the_committed_tables():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert "<!-- measured: " in page
    # Else: python tools/write_how_fast.py
    assert fill(page, read_tables(ROOT / "results/benchmarks")) == page


def test_every_ratio_is_one_of_a_script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    names = {
        "training_step": importlib.import_module("training_step").PAIRS,
        "pipeline": importlib.import_module("pipeline").WAYS,
    }
    for ratio in RATIOS:
        source = (ROOT / f"benchmarks/{ratio.table}.py").read_text(encoding="utf-8")
        known = names.get(ratio.table, source.split('"'))
        assert any(name.startswith(ratio.row) for name in known), ratio


def test_every_table_and_every_pair_has_a_part(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    parts = re.findall("measured: (.+) -->", (ROOT / "docs/how_fast.md").read_text(encoding="utf-8"))
    shown = {part.partition(": ")[0] for part in parts}
    assert [path.stem for path in (ROOT / "results/benchmarks").glob("*.csv") if path.stem not in shown] == []
    rows = [part.partition(": ")[2] for part in parts if part.startswith("training_step")]
    for name in importlib.import_module("training_step").PAIRS:
        assert sum(bool(re.search(row, name)) for row in rows) == 1, name


def test_aims_are_met_or_missed_with_the_cause():
    least = Ratio("x", "views", "x", low=1.5, cause="slow")
    assert (least.aim, least.verdict(1.5), least.verdict(1.49)) == ("at least 1.5", "met", "missed: slow")
    most = Ratio("x", "views", "x", high=4.2, cause="slow")
    assert (most.aim, most.verdict(4.2), most.verdict(4.3)) == ("at most 4.2", "met", "missed: slow")
    assert Ratio("x", "views", "x").verdict(0.1) == ""


def test_a_row_of_that_name_goes_before_the_least_of_those_that_begin_so():
    tables = {"views": table(**{"two": (1, 5, 6), "two of": (1, 2, 3), "two on": (1, 3, 4)})}
    assert write_how_fast.value_of(Ratio("x", "views", "two"), tables) == 5
    assert write_how_fast.value_of(Ratio("x", "views", "two o"), tables) == 2
    assert write_how_fast.value_of(Ratio("x", "views", "three"), tables) is None
    assert write_how_fast.value_of(Ratio("x", "crops", "two"), tables) is None


def test_bfloat16_pays_where_the_quartiles_lie_above_one():
    start = "float32 / bfloat16: "
    rows = {f"{start}a": (1.1, 1.2, 1.3), f"{start}b": (0.9, 1.1, 1.2), f"{start}c": (0.7, 0.8, 0.9)}
    page = fill(
        "<!-- measured: t: float32 -->\n<!-- end of measured -->", {"t": table(**rows, other=(1, 1, 1))}
    )
    assert [line.split(" | ")[-1] for line in page.splitlines()[3:6]] == ["pays |", "open |", "costs |"]
    assert "other" not in page and "- Chip 9; X86_V4; 2; keras 3; 2026-01-02\n" in page
    assert measured("nothing", {}) == "Not measured.\n"
