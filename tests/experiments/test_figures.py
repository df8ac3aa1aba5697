import pandas as pd

from skinkit import plots
from skinkit.experiments.figures import draw_figures, rows_of_documents

COLUMNS = ["document", "table", "row", "class", "metric", "profile", "protocol", "published"]
COLUMNS += ["measured", "low", "high"]


def test_rows_of_one_name_in_two_tables_stand_apart_in_the_figure_of_protocols(tmp_path, monkeypatch):
    drawn = []
    draw = plots.score_intervals
    monkeypatch.setattr(plots, "score_intervals", lambda tables: drawn.append(tables) or draw(tables))
    rows = [
        ("koefler2023", table, "cnn", "all", "accuracy", "quick", protocol, None, 0.7, 0.6, 0.8)
        for table in ("table4a", "table5a")
        for protocol in ("as_published", "corrected")
    ]
    draw_figures(pd.DataFrame(rows, columns=COLUMNS), tmp_path)
    assert {protocol: table.index.nunique() for protocol, table in drawn[0].items()} == {
        "as_published": 2,
        "corrected": 2,
    }
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["protocols.png"]


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
    ledger = pd.DataFrame([*rows, ("koefler2023", *rows[0][1:])], columns=COLUMNS)
    ((document, (tables, names)),) = rows_of_documents(ledger).items()
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
    tables, names = rows_of_documents(pd.DataFrame(rows, columns=COLUMNS))["hernandez2020"]
    assert set(tables) == {"auc, full", "auc, quick"} and len(names) == 2
    assert [len(table) for table in tables.values()] == [2, 2]
