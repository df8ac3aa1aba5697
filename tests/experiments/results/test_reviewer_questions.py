"""Fifteen questions of a reviewer: the page and the heading that answer each, with the ledger's value."""

import re
from pathlib import Path

import pandas as pd
import pytest

from skinkit.experiments import SavedRun
from skinkit.experiments.results.claims import claim_verdicts, judge_claims
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.ledger import read_table
from skinkit.papers.published import load_published
from skinkit.papers.registry import recipe as find_recipe

RESULTS = Path(__file__).parents[3] / "results"


@pytest.fixture(scope="module")
def ledger():
    return read_table(RESULTS / "ledger.csv")


@pytest.fixture(scope="module")
def differences():
    return read_table(RESULTS / "comparisons.csv")


def section(page, heading):
    """The text below a heading; `""` for what stands above the first."""
    text = (RESULTS / page).read_text(encoding="utf-8")
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))[heading]


def score(ledger, recipe, metric, protocol="corrected", percent=False):
    """A measured score as the pages write it, with its interval."""
    rows = ledger[(ledger["recipe"] == recipe) & (ledger["metric"] == metric) & (ledger["class"] == "all")]
    row = rows[rows["protocol"] == protocol].iloc[0]
    scale, digits = (100, 1) if percent else (1, 3)
    value, low, high = (f"{scale * row[name]:.{digits}f}" for name in ("measured", "low", "high"))
    return f"{value} ({low}-{high})"


def rows_of(page, heading, words):
    """The lines of a table from that with the words to the next that names a row."""
    lines = section(page, heading).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {words} |"))
    end = next((i for i in range(start + 1, len(lines)) if not lines[i].startswith("|  |")), len(lines))
    return lines[start:end]


def test_1_what_table_ii_of_gessert2019_prints_for_dense121_with_dual_attention_and_what_is_ours(ledger):
    first, *_ = rows_of("gessert2019.md", "Table II", "Dense121, Dual Attention")
    printed = load_published("gessert2019").query("row == 'densenet121-dual' and metric == 'macro_recall'")
    value, sd = printed[["printed", "sd"]].iloc[0]
    stand_in = score(ledger, "gessert2019/table2/mobilenet-dual", "macro_recall", percent=True)
    assert f"| macro recall | {value} ± {sd} |" in first and stand_in in first


def test_2_whether_that_row_was_run_with_its_own_settings(ledger):
    full = ledger[(ledger["document"] == "gessert2019") & (ledger["profile"] == "full")]
    said = "Ours at `full`: not run. Verdict: open." in section("gessert2019.md", "Table II")
    assert said == full[full["table"] == "table2"].empty


def test_3_the_command_that_runs_it():
    command = "skinkit run gessert2019/table2/densenet121-dual --profile full --fold all"
    assert f"\n{command}\n" in section("gessert2019.md", "Table II")


def test_4_what_table_4b_of_koefler2023_prints_and_what_is_ours_with_and_without_the_leak(ledger):
    (line,) = (
        line
        for line in section("koefler2023.md", "Table 4b").splitlines()
        if line.startswith("|  | macro recall |")
    )
    assert "| 0.94 |" in line
    for protocol in ("as_published", "corrected"):
        assert score(ledger, "koefler2023/table4b/cnn-sa", "macro_recall", protocol) in line


def test_5_which_printed_numbers_are_impossible():
    text = section("hernandez2020.md", "Table 4")
    assert "| 86.9 impossible [" in text
    check = load_published("hernandez2020").query("row == 'contextual-sampler' and metric == 'recall'")[
        "check"
    ]
    assert check.item() in text


@pytest.mark.parametrize("document", ["koefler2023", "gessert2019"])
def test_6_and_7_which_claims_of_a_document_held(differences, document):
    verdicts = claim_verdicts(judge_claims(differences, document))
    lines = section(f"{document}.md", "Claims").splitlines()
    for claim in verdicts.itertuples():
        assert any(line.startswith(f"| {claim.claim} | {claim.verdict} |") for line in lines), claim.claim


def test_8_how_many_rows_were_run_and_how_many_numbers_reproduced(ledger):
    text = section("README.md", "")
    for document in ("hernandez2020", "butskova2021", "bermeo2023", "gessert2019"):
        own = ledger[ledger["document"] == document]
        full = own[own["profile"].eq("full") & own["published"].notna()]
        cells = re.search(rf"\| \[{document}\].*", text)[0].split(" | ")
        assert int(cells[2]) == full["row"].nunique() if full.empty else int(cells[2]) > 0
        assert cells[5] == " / ".join(
            str((own["verdict"] == verdict).sum()) for verdict in ("reproduced", "not reproduced")
        )


def test_9_how_many_orders_of_a_document_hold(differences):
    own = differences[differences["first"].str.startswith("gessert2019/")]["holds"].value_counts()
    counts = " / ".join(str(own.get(holds, 0)) for holds in ("yes", "no", "open"))
    assert re.search(r"\| \[gessert2019\].*", section("README.md", ""))[0].endswith(f"| {counts} |")


def test_10_what_leaked_in_each_document(ledger):
    assert "](figures/leakage.png)" in section("README.md", "")
    rows = ledger[(ledger["recipe"] == "koefler2023/table4a/cnn") & (ledger["protocol"] == "as_published")]
    rate = f"leak {100 * rows['leakage_lesion'].iloc[0]:.1f} %"
    assert f"`as_published`, {rate} |" in section("koefler2023.md", "Table 4a")


def test_11_whether_soft_attention_helped(differences):
    pair = (differences["first"] == "koefler2023/table4b/cnn-sa") & (
        differences["second"] == "koefler2023/table4a/cnn"
    )
    row = differences[pair & (differences["protocol"] == "corrected")].set_index("metric").loc["macro_recall"]
    text = " ".join(section("koefler2023.md", "Differences").split())
    said = (
        f"{row['difference']:+.3f} macro recall, 95 % {row['low_of_both']:+.3f} to {row['high_of_both']:+.3f}"
    )
    assert f"Soft attention did not measurably help: {said}" in text


def test_12_which_runs_gave_a_number(ledger):
    recipe = "gessert2019/table2/mobilenet-dual"
    text = section("gessert2019.md", "Runs")
    assert f"\n[table2/mobilenet-dual]: runs/{recipe}\n" in text
    folders = ledger.loc[ledger["recipe"] == recipe, "folders"].iloc[0].split()
    assert all(f"\n| {Path(folder).relative_to('results')} | " in text for folder in folders)


@pytest.fixture(scope="module")
def minutes():
    runs = finished_runs(RESULTS / "runs", verbose=False)
    rows = [{name: run.manifest.get(name) for name in ("recipe", "protocol", "seconds")} for run in runs]
    return pd.DataFrame(rows).groupby(["recipe", "protocol"])["seconds"].mean() / 60


def test_13_how_long_a_run_took_and_on_what(minutes):
    text = section("koefler2023.md", "Runs")
    line = next(line for line in text.splitlines() if line.startswith("| [table4b/cnn-sa] | corrected |"))
    assert line.endswith(f" | {minutes['koefler2023/table4b/cnn-sa', 'corrected']:.1f} |")
    folder = "runs/koefler2023/table4b/cnn-sa/corrected-quick-fold0-seed0"
    run = SavedRun(RESULTS / folder)
    recall, minutes = run.metrics["scores"]["macro_recall"]["value"], run.manifest["seconds"] / 60
    processor = run.manifest["environment"].get("processor") or "processor not recorded"
    number = re.search(rf"\((\d)\) CPU, {processor}, 2 CPU cores,", " ".join(text.split()))[1]
    assert f"\n| {folder} | {recall:.3f} | {minutes:.1f} | ({number}) |\n" in text


def test_14_what_is_left_to_run_and_how_long_it_would_take():
    assert re.search(r"\| table4b/cnn-sa \| --profile full \| \d+\.\d \|", section("koefler2023.md", "Open"))
    assert "| table8.2/m0 | --profile full |" in section("bermeo2023.md", "Open")


def test_15_what_the_document_leaves_open_and_what_was_chosen():
    text = section("butskova2021.md", "Where the document is silent, and what was chosen")
    assert "The document leaves open, and we take: 32 images a batch" in text
    text = section("hernandez2020.md", "Where the document is silent, and what was chosen")
    assert f"- batch size: {find_recipe('hernandez2020/table4/wrs').batch_size}\n" in text
    assert section("butskova2021.md", "What was hard").strip()
