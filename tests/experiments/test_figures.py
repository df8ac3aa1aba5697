import pandas as pd

from skinkit import plots
from skinkit.experiments.figures import draw_figures


def test_rows_of_one_name_in_two_tables_stand_apart_in_the_figure_of_protocols(tmp_path, monkeypatch):
    drawn = []
    draw = plots.score_intervals
    monkeypatch.setattr(plots, "score_intervals", lambda tables: drawn.append(tables) or draw(tables))
    rows = [
        ("koefler2023", table, "cnn", "all", "accuracy", "quick", protocol, None, 0.7, 0.6, 0.8)
        for table in ("table4a", "table5a")
        for protocol in ("as_published", "corrected")
    ]
    columns = ["document", "table", "row", "class", "metric", "profile", "protocol", "published"]
    draw_figures(pd.DataFrame(rows, columns=[*columns, "measured", "low", "high"]), tmp_path)
    assert {protocol: table.index.nunique() for protocol, table in drawn[0].items()} == {
        "as_published": 2,
        "corrected": 2,
    }
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["protocols.png"]
