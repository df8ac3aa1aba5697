"""A document's tables by number, with our runs beside them."""

import shutil
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from skinkit.experiments.results.beside import runs_beside, score_cells, table_beside
from skinkit.experiments.results.ledger import COLUMNS
from skinkit.experiments.results.pages.printed_table import FORMS, list_tables, printed_table
from skinkit.experiments.results.pages.table_text import _aims
from skinkit.papers.published import DOCUMENTS, show
from skinkit.papers.registry import recipes

NOWHERE = "no/such/runs"
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_listed_table_is_found_by_its_name_and_by_its_place(document):
    tables = list_tables(document)
    assert tables["numbers"].sum() > 0 and tables["table"].is_unique
    for name, place in zip(tables["table"], tables["place"], strict=True):
        by_name = printed_table(document, name, NOWHERE)
        assert by_name.attrs["place"] == place and len(by_name)
        pd.testing.assert_frame_equal(by_name, printed_table(document, place, NOWHERE))


@pytest.mark.parametrize(
    ("document", "number", "name"),
    [("gessert2019", "ii", "table2"), ("koefler2023", "4A", "table4a"), ("bermeo2023", "7.8", "figure7.8")],
)
def test_a_number_is_enough(document, number, name):
    found = printed_table(document, number, NOWHERE)
    pd.testing.assert_frame_equal(found, printed_table(document, name, NOWHERE))


def test_it_is_the_table_of_the_page():
    cells = score_cells().query("document == 'butskova2021' and table == 'pretrained'")
    page = table_beside(cells, runs_beside(pd.DataFrame(columns=COLUMNS)))
    found = printed_table("butskova2021", "pretrained", NOWHERE)
    pd.testing.assert_frame_equal(found, page)
    assert found.attrs["notes"] == page.attrs["notes"] != []


def test_its_numbers_are_rounded_once_as_on_the_page():
    """0.5965 of the ledger is 0.597 there; of all digits it would be 0.596."""
    found = printed_table("koefler2023", "4a", ROOT / "results" / "runs").filter(like="corrected")
    page = (ROOT / "results" / "koefler2023.md").read_text(encoding="utf-8")
    numbers = [text for text in found.iloc[:, 0] if text]
    assert len(numbers) > 20 and all(text in page for text in numbers)


def test_a_table_without_scores_is_as_printed():
    found = printed_table("koefler2023", "2", NOWHERE).set_index("class")
    assert found.loc["mel", ["images", "factor", "augmented_images"]].tolist() == ["1113", "6", "6678"]


def test_forms_are_those_of_pandas():
    table = printed_table("gessert2019", "II", NOWHERE)
    assert pd.read_csv(StringIO(FORMS["csv"](table)), keep_default_na=False).equals(table)
    assert FORMS["latex"](table).startswith("\\begin{tabular}{lllll}")
    assert FORMS["markdown"](table).count("\n") == len(table) + 1
    assert len(FORMS["text"](table).splitlines()) == len(table) + 1


@pytest.mark.parametrize(("document", "number"), [("gessert2019", "tabel2"), ("gesert2019", "table2")])
def test_an_unknown_table_is_refused_with_the_nearest(document, number):
    with pytest.raises(ValueError, match="Received: .* Did you mean .*(table2|gessert2019)"):
        printed_table(document, number)


@pytest.mark.parametrize(("runs", "counted"), [(3, "3 runs"), (1, "1 run")])
def test_stand_ins_are_named_above_the_table(runs, counted, monkeypatch):
    scores = {"document": "gessert2019", "table": "table2", "row": "mobilenet-gru", "metric": "macro_recall"}
    run = {"recipe": "gessert2019/table2/mobilenet-gru", "profile": "quick", "protocol": "corrected"}
    blank = dict.fromkeys(("weights", "lacking", "stale", "verdict", "reason", "command"), "")
    line = {
        **scores,
        **run,
        **blank,
        "class": "all",
        "precision": "float32",
        "dataset": "ham10000",
        "runs": runs,
    }
    ledger = pd.DataFrame([{**line, "measured": 0.5}]).reindex(columns=COLUMNS)
    monkeypatch.setattr("skinkit.experiments.results.pages.printed_table.ledger", lambda runs: ledger)
    found = printed_table("gessert2019", "II")
    (said,) = found.attrs["stand_ins"]
    assert said.startswith("Stand-ins: `gessert2019/table2/mobilenet-…`. Profile `quick`")
    assert said.endswith(f", {counted}.")
    ours = [name for name in found if name.startswith("stand-in")]
    assert found.loc[found[ours[0]] != "", ours[0]].tolist() == ["50.0"] * 3, "one for each network"


@pytest.mark.parametrize(
    ("document", "number", "table", "options", "page"),
    [
        ("gessert2019", "V", "gessert2019/table5", "--fold all", "gessert2019"),
        ("hernandez2020", "4", "hernandez2020/table4", "--protocol as_published --fold all", "hernandez2020"),
        ("datta2021", "abstract", "datta2021/abstract", "--seed 0-2", "koefler2023"),
    ],
)
def test_what_is_not_run_says_how_it_is_run(document, number, table, options, page):
    said = printed_table(document, number, NOWHERE).attrs["below"][-1]
    assert f"`skinkit run {table} --profile full {options}`" in said and f" results/{page}.md" in said
    assert ("runs other recipes of it, too" in said) == (document == "gessert2019")
    # Each row as its page has it.
    text = (ROOT / "results" / f"{page}.md").read_text(encoding="utf-8")
    rows = [recipe.name for recipe in recipes(table) if recipe.published_row]
    assert rows and all(f"\nskinkit run {name} --profile full {options}\n" in text for name in rows)


def test_one_command_runs_a_table():
    for _, cells in score_cells().groupby(["document", "table"]):
        assert len({options for _, options in _aims(cells)}) <= 1


def test_a_table_that_nothing_can_run_says_nothing_of_it():
    assert printed_table("bermeo2023", "4.1", NOWHERE).attrs["below"] == []


def test_abbreviations_are_told_below_a_table():
    (said,) = printed_table("bermeo2023", "7.2", NOWHERE).attrs["below"]
    assert said in show("bermeo2023/7.2") and "CAWR = Cosine Annealing Warm Restarts; TT4 = " in said
    said, _ = printed_table("gessert2019", "4", NOWHERE).attrs["below"]
    assert "SE-RX = SE-Resnext50; GRU = gated recurrent unit" in said and "SPC" not in said


def test_a_run_without_its_scores_is_named(tmp_path):
    row = "koefler2023/table4a/cnn"
    shutil.copytree(ROOT / "results/runs" / row, tmp_path / row)
    (lost, *_) = sorted(tmp_path.rglob("metrics.json"))
    lost.unlink()
    with pytest.raises(FileNotFoundError, match="metrics.json is missing"):
        printed_table("koefler2023", "4a", tmp_path)
