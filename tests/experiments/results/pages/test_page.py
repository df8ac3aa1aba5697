"""The pages of the results, from ledgers of a few lines; and those of the repository, from its own."""

import functools
import re
from pathlib import Path

import pandas as pd
import pytest

from skinkit.experiments.results.comparisons import COLUMNS
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.ledger import COLUMNS as LEDGER
from skinkit.experiments.results.ledger import read_table
from skinkit.experiments.results.pages.document_page import Tables, differences_text, document_page
from skinkit.experiments.results.pages.page import results_pages
from skinkit.experiments.results.run_times import run_times

RESULTS = Path(__file__).parents[4] / "results"
PAGES = ("README", "hernandez2020", "butskova2021", "koefler2023", "bermeo2023", "gessert2019", "skinkit")
DIFFERENCE = {
    **{"first": "koefler2023/table4b/cnn-sa", "second": "koefler2023/controls/cnn-sa-released"},
    **{"weights": "", "precision": "float32", "dataset": "ham10000", "lacking": "", "protocol": "corrected"},
    **{"profile": "quick", "metric": "macro_recall", "runs": 3, "n": 199, "difference": -0.01},
    **{"low": -0.02, "high": -0.005, "run_sd": 0.004, "pooled_sd": 0.004, "df": 4, "low_of_both": -0.03},
    **{"high_of_both": 0.01, "leakage_lesion": 0.0, "printed": None, "printed_low": None},
    **{"printed_high": None, "networks": None, "holds": ""},
}


def tables(*differences, ledger=()):
    differences = pd.DataFrame([DIFFERENCE | row for row in differences], columns=COLUMNS)
    ledger = pd.DataFrame(ledger, columns=LEDGER).fillna({"stale": "", "verdict": ""})
    return Tables(ledger, differences, run_times([]), Path("results"))


@functools.cache
def committed():
    """The pages made again from the tables and run folders of the repository."""
    ledger, differences = (read_table(RESULTS / name) for name in ("ledger.csv", "comparisons.csv"))
    times = run_times(finished_runs(RESULTS / "runs", verbose=False))
    return results_pages(Tables(ledger, differences, times, RESULTS))


def without_figures(text):
    return re.sub(r"!\[.*\]\(figures/.*\.png\)\n\n", "", text)


def read(page):
    return (RESULTS / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_are_those_of_the_tables_and_runs_of_the_repository(page):
    assert without_figures(read(page)) == without_figures(committed()[f"{page}.md"])


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_narrow_and_their_links_lead_somewhere(page):
    text = read(page)
    assert max(map(len, text.splitlines())) <= 160
    heads = re.findall(r"^\|.*\|\n(?=\| -)", text, re.MULTILINE)
    assert all(head.count("|") <= 9 for head in heads)
    links = re.findall(r"\]\(([^)#]+)", text) + re.findall(r"^\[[^]\d][^]]*\]: (\S+)$", text, re.MULTILINE)
    assert links and [link for link in links if not (RESULTS / link).exists()] == []


def test_without_runs_all_is_left_and_the_claims_rest_on_printed_numbers():
    pages = results_pages(tables())
    assert "No run has been carried out yet." in pages["README.md"]
    assert "| [koefler2023](koefler2023.md) | 6 | 0 | 0 | 6 | 0 / 0 | 0 / 0 / 0 |" in pages["README.md"]
    page = pages["koefler2023.md"]
    assert "| Ours at" not in page and "\nOurs at `full`: not run. Verdict: open.\n" in page
    assert "## Runs" not in page and "## Differences" not in page


def test_rows_with_stand_ins_are_counted_and_their_recipes_too():
    alike = dict.fromkeys(("weights", "lacking", "stale", "verdict"), "")
    alike |= {"precision": "float32", "dataset": "ham10000"}
    run = {
        **{"document": "gessert2019", "table": "table2", "row": "mobilenet-dual", "class": "all", **alike},
        **{"recipe": "gessert2019/table2/mobilenet-dual", "metric": "macro_recall", "measured": 0.45},
        **{
            "profile": "quick",
            "protocol": "corrected",
            "runs": 3,
            "command": "skinkit run --fold 0 --seed 0",
        },
    }
    page = results_pages(tables(ledger=[run]))["README.md"]
    # One small network beside Dense121, Inception-v3 and SE-ResNeXt50.
    assert "| [gessert2019](gessert2019.md) | 78 | 0 | 3, by 1 recipe | 75 | 0 / 0 | 0 / 0 / 0 |" in page


def test_the_page_tells_which_classes_released_matrices_never_predict():
    text = document_page("bermeo2023", tables()).partition("## Confusion matrices of the released code")[2]
    rows = dict(re.findall(r"^\| (M\d) with one view \| 3127 \| (.*) \|$", text, re.MULTILINE))
    assert rows == {
        **{"M0": "2414 | 0.496 | none", "M1": "2436 | 0.506 | none", "M2": "2396 | 0.450 | df"},
        **{"M3": "2401 | 0.456 | df", "M4": "2295 | 0.412 | df", "M5": "2228 | 0.322 | df, vasc"},
        **{"M6": "2252 | 0.336 | df, vasc", "M7": "2255 | 0.351 | df"},
    }


def test_what_was_chosen_where_the_document_is_silent_comes_from_the_recipes():
    text = document_page("hernandez2020", tables()).partition("## Where the document is silent")[2]
    assert "\n- batch size: 32\n" in text and "\n- refresh steps: when an epoch begins\n" in text
    wrs = "1 epoch of head, adam(learning_rate=0.001, epsilon=1e-08), constant; then 6 epochs of all, "
    wrs += "adam(learning_rate=0.0001, epsilon=1e-08), cosine (table4/wrs)"
    assert wrs in " ".join(text.split())


def test_a_page_has_claims_tables_choices_notes_and_what_is_left_in_this_order():
    headings = re.findall(r"^## (.*)$", document_page("butskova2021", tables()), re.MULTILINE)
    assert headings == [
        *("Claims", "Section 5, table of unpretrained models", "Section 5, table of pretrained models"),
        *("Section 5, table of self-supervised models", "Figure 6", "Section 5, text (official test set)"),
        *("Where the document is silent, and what was chosen", "What was easy", "What was hard", "Open"),
    ]


def test_a_difference_is_told_by_the_class_that_selects_where_nothing_is_printed():
    pair = {"first": "bermeo2023/schedules/lite0-m4-no-dropout", "second": "bermeo2023/schedules/lite0-m4"}
    rows = tables(pair, pair | {"metric": "auc:mel"})
    assert "macro recall" not in (text := differences_text(rows.differences, rows)) and "AUC" in text
    plain = tables({}, {"metric": "auc:mel"})
    assert "macro recall" in differences_text(plain.differences, plain)


def test_each_pair_of_recipes_is_one_sentence_by_its_printed_score():
    printed = {"second": "koefler2023/table4a/cnn", "metric": "accuracy", "printed": 0.03, "holds": "no"}
    rows = tables({}, {"metric": "macro_f1"}, printed, printed | {"metric": "macro_recall", "holds": ""})
    text = differences_text(rows.differences, rows)
    assert len(re.findall("^- ", text, re.MULTILINE)) == 2
    text = " ".join(text.split())
    numbers = "95 % -0.030 to +0.010, sd over runs 0.004, 3 runs"
    assert (
        "`table4b/cnn-sa` against `controls/cnn-sa-released` did not measurably help: -0.010 macro recall, "
        f"{numbers} (corrected)."
    ) in text
    assert (
        f"Soft attention did not measurably help: -0.010 accuracy, {numbers}; printed +0.030, the order does "
        "not hold (`table4b/cnn-sa` minus `table4a/cnn`, corrected)."
    ) in text
