import pandas as pd
import pytest

from skinkit import plots
from skinkit.experiments.results.figures import results_figures, rows_of_sections, save_figures
from skinkit.papers.published import load_published


def draw_figures(ledger, results):
    save_figures(results_figures(ledger, results), results)


COLUMNS = ["document", "table", "row", "class", "metric", "profile", "protocol", "published"]
COLUMNS += ["measured", "low", "high"]


def ledger_of(rows, **more):
    usual = {"weights": "", "precision": "float32", "dataset": "ham10000", "lacking": "", "stale": ""}
    usual |= {"on": "test", "runs": 3, "leakage_lesion": 0.0, "leakage_patient": None, "verdict": ""}
    table = pd.DataFrame(rows, columns=COLUMNS).assign(**usual, **more)
    return table.assign(recipe=table["document"] + "/" + table["table"] + "/" + table["row"])


def test_rows_of_one_name_in_two_tables_stand_apart_in_the_figure_of_protocols(tmp_path, monkeypatch):
    drawn = []
    draw = plots.score_intervals
    monkeypatch.setattr(plots, "score_intervals", lambda *given: drawn.append(given) or draw(*given))
    rows = [
        ("koefler2023", table, "cnn", "all", "accuracy", "quick", protocol, None, 0.7, 0.6, 0.8)
        for table in ("table4a", "table5a")
        for protocol in ("as_published", "as_described", "corrected")
    ]
    control = ("koefler2023", "controls", "cnn-split-then-augment", *rows[0][3:])
    # Nobody released code of this one.
    others = [("butskova2021", "gamma", "mobilenet-gamma0", *row[3:]) for row in rows[1:3]]
    draw_figures(ledger_of([*rows, control, *others]), tmp_path)
    # A panel for accuracy, as nothing else was measured.
    ((tables, names, _),) = drawn
    assert names[2:] == ["butskova2021/gamma/mobilenet-gamma0\nquick"]
    assert [(way, table.index.nunique()) for way, table in tables.items()] == [
        ("as_published", 2),
        ("split_then_augment", 1),
        ("as_described", 3),
        ("corrected", 3),
    ]
    assert tables["split_then_augment"].index[0] in tables["as_published"].index
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == {
        *("protocols", "published_against_measured")
    }


def test_a_document_has_a_figure_of_its_corrected_rows_from_high_to_low(tmp_path):
    rows = [
        (
            "gessert2019",
            "table2",
            row,
            label,
            metric,
            "quick",
            protocol,
            None,
            value,
            value - 0.1,
            value + 0.1,
        )
        for row, value in (("gru", 0.4), ("dual", 0.6), ("end", 0.5))
        for label, metric, protocol in (
            ("all", "macro_recall", "corrected"),
            ("all", "accuracy", "corrected"),
            ("mel", "recall", "corrected"),
        )
    ]
    ledger = ledger_of([*rows, ("koefler2023", *rows[0][1:])])
    ((document, (tables, names)),) = rows_of_sections(ledger).items()
    assert (document, names) == ("gessert2019", ["table2/dual", "table2/end", "table2/gru"])
    assert tables["macro_recall, quick"].loc[names, "value"].tolist() == [0.6, 0.5, 0.4]
    draw_figures(ledger, tmp_path)
    assert (tmp_path / "figures" / "gessert2019.png").exists()


def test_two_classes_are_shown_by_their_area_and_other_protocols_not_at_all():
    rows = [
        ("hernandez2020", "table4", row, "all", metric, profile, protocol, None, 0.5, 0.4, 0.6)
        for row in ("wrs", "attention-em")
        for metric in ("auc", "macro_recall")
        for profile, protocol in (("quick", "corrected"), ("full", "corrected"), ("quick", "as_published"))
    ]
    tables, names = rows_of_sections(ledger_of(rows))["hernandez2020"]
    assert set(tables) == {"auc, full", "auc, quick"} and len(names) == 2
    assert [len(table) for table in tables.values()] == [2, 2]


def test_what_learns_other_labels_than_the_classes_is_no_rival():
    scores = {"stages/lite0-gate": ("auc", "macro_recall")}
    scores |= dict.fromkeys(("stages/lite0-gamma1", "stages/lite0-two-stage-hard"), ("macro_recall",))
    scores |= dict.fromkeys(("stages/lite0-rest", "pretext/mobilenet-rotation-pretext"), ("macro_recall",))
    rows = [
        ("butskova2021", *name.split("/"), "all", metric, "quick", "corrected", None, 0.5, 0.4, 0.6)
        for name, metrics in scores.items()
        for metric in metrics
    ]
    tables, names = rows_of_sections(ledger_of(rows))["butskova2021"]
    assert [*tables] == ["printed", "macro_recall, quick"]
    assert names == ["stages/lite0-gamma1", "stages/lite0-two-stage-hard"]


def test_runs_of_one_recipe_that_are_not_alike_stand_apart_and_stale_ones_nowhere(tmp_path):
    ends = [(value, value - 0.1, value + 0.1) for value in (0.4, 0.5, 0.6, 0.9)]
    rows = [
        ("gessert2019", "table2", "gru", "all", "macro_recall", "quick", protocol, None, *score)
        for protocol in ("corrected", "as_published")
        for score in ends
    ]
    ledger = ledger_of(rows)
    ledger["weights"] = ["", "a.h5", "", ""] * 2
    ledger["precision"] = ["float32", "float32", "mixed_float16", "float32"] * 2
    ledger["stale"] = ["", "", "", "the recipe has changed, was 0"] * 2
    (_, names) = rows_of_sections(ledger)["gessert2019"]
    assert names == [
        "table2/gru, weights: default, precision: mixed_float16",
        "table2/gru, weights: a.h5, precision: float32",
        "table2/gru, weights: default, precision: float32",
    ]
    draw_figures(ledger, tmp_path)
    drawn = ledger.assign(dataset="synthetic")
    assert set(rows_of_sections(drawn)) == {"gessert2019, drawn images"}
    draw_figures(drawn, tmp_path)
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == {
        *("protocols", "gessert2019", "gessert2019-drawn-images")
    }


def test_the_printed_score_stands_beside_each_row_and_a_range_where_a_row_stands_for_several_networks():
    rows = [
        (document, table, row, "all", "macro_recall", "quick", "corrected", None, 0.4, 0.3, 0.5)
        for document, table, row in (
            ("butskova2021", "gamma", "mobilenet-gamma0"),
            ("butskova2021", "stages", "lite0-gamma0-mixup"),
            ("gessert2019", "table2", "mobilenet-gru"),
            ("gessert2019", "table2", "mobilenet-dual"),
        )
    ]
    found = rows_of_sections(ledger_of(rows))
    printed = found["butskova2021"][0]["printed"]
    # No row of the document has mixup with gamma 0.
    assert printed.index.tolist() == ["gamma/mobilenet-gamma0"]
    assert printed.loc["gamma/mobilenet-gamma0"].tolist() == [0.422, 0.422, 0.422]
    several = found["gessert2019"][0]["printed"].loc["table2/mobilenet-gru"]
    assert several["value"] != several["value"]
    cells = load_published("gessert2019").query("table == 'table2' and metric == 'macro_recall'")
    values = cells.loc[cells["row"].str.endswith("-gru"), "value"].astype(float) / 100  # printed in %
    assert values.nunique() > 1
    assert several[["low", "high"]].tolist() == pytest.approx([values.min(), values.max()])
    drawn = rows_of_sections(ledger_of(rows).assign(dataset="synthetic"))
    assert all("printed" not in tables for tables, _ in drawn.values())
