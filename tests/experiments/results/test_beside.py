"""Printed tables with our runs beside them, from ledgers of a few lines."""

import pandas as pd
import pytest

from skinkit.experiments.results.beside import FULL, STAND_IN, runs_beside, score_cells, table_beside
from skinkit.papers.recipe import PROFILES

LEDGER = {
    **{"document": "gessert2019", "table": "table2", "row": "densenet121-dual", "on": "test", "class": "all"},
    **{
        "metric": "macro_recall",
        "published": 0.757,
        "recipe": "",
        "profile": "full",
        "protocol": "corrected",
    },
    **{"weights": "", "precision": "float32", "dataset": "ham10000", "lacking": "", "stale": "", "runs": 3},
    **{"measured": 0.75, "low": 0.72, "high": 0.78, "seed_sd": 0.01, "fold_sd": None, "leakage_lesion": 0.0},
    **{"leakage_patient": None, "verdict": "reproduced", "reason": "", "command": ""},
}
STAND_IN_ROW = {"row": "mobilenet-dual", "published": None, "profile": "quick", "measured": 0.45}
NAMES = ["document", "table", "row"]


def beside(*rows):
    table = pd.DataFrame([LEDGER | row for row in rows], columns=list(LEDGER))
    own = table["document"] + "/" + table["table"] + "/" + table["row"]
    return runs_beside(table.assign(recipe=table["recipe"].where(table["recipe"] != "", own)))


def lines(table, *rows, document="gessert2019"):
    cells = score_cells()
    cells = cells[(cells["document"] == document) & (cells["table"] == table)]
    return table_beside(cells, beside(*rows))


def test_a_row_at_full_stands_beside_its_number_and_a_stand_in_beside_all_networks():
    found = beside({}, STAND_IN_ROW)
    assert dict(zip(found["target"].str.split("/").str[2], found["kind"], strict=True)) == {
        "densenet121-dual": FULL,
        "inceptionv3-dual": STAND_IN,
        "seresnext50-dual": STAND_IN,
    }


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_a_stand_in_gives_way_to_the_row_itself_in_any_profile(profile):
    found = beside(STAND_IN_ROW, {"profile": profile}).set_index("target")
    assert found.loc["gessert2019/table2/densenet121-dual", "profile"] == profile
    assert found.index.is_unique


def test_a_stand_in_of_one_row_goes_before_one_of_several_networks():
    lite0 = {"document": "butskova2021", "table": "stages", "row": "lite0-gamma1", "published": None}
    mixed = lite0 | {"row": "lite0-gamma1-mixup"}
    names = dict(zip(*beside(lite0, mixed)[["target", "row"]].to_numpy().T, strict=True))
    # The second table's EfficientNet has mixup; the ResNet-50 has not.
    assert names["butskova2021/pretrained/efficientnet-gamma1"] == "lite0-gamma1-mixup"
    assert names["butskova2021/pretrained/resnet50-gamma1"] == "lite0-gamma1"


def test_stale_runs_and_controls_stand_beside_nothing():
    assert beside(
        {"stale": "the recipe has changed"},
        {"table": "controls", "row": "mobilenet-ordered"} | {"published": None},
    ).empty


def test_numbers_are_in_the_unit_of_the_document_with_interval_spread_and_leak():
    rows = lines("table2", {"leakage_lesion": 0.25}, STAND_IN_ROW)
    ours, stand_in = f"{FULL}, `corrected`, leak 25.0 %", f"{STAND_IN}, `corrected`, leak 0.0 %"
    assert list(rows) == ["row", "score", "printed (%)", ours, stand_in, "verdict"]
    row = rows[rows["row"] == "Dense121, Dual Attention"].iloc[0]
    assert row[["printed (%)", ours, "verdict"]].tolist() == [
        *("75.7 ± 1.3", "75.0 (72.0-78.0), sd 1.0", "reproduced")
    ]
    row = rows[rows["row"] == "InceptV3, Dual Attention"].iloc[0]
    assert row[[ours, stand_in, "verdict"]].tolist() == ["not run", "45.0 (72.0-78.0), sd 1.0", "open"]


def test_what_is_not_printed_of_test_images_says_of_which():
    assert "printed (%) of train+validation" in lines("table4", document="hernandez2020")
    assert "printed of validation" in lines("unpretrained", document="butskova2021")
    several = lines("table8.2", document="bermeo2023")
    assert several[FULL][several["score"].str.endswith("test")].eq("not run").all()
    assert several[FULL][several["score"].str.endswith(("train", "validation"))].eq("not scored").all()


def test_rows_are_in_the_order_of_the_document_and_an_alias_says_so():
    rows = lines("table3", STAND_IN_ROW)
    names = [name for name in rows["row"] if name]
    assert names[:3] == [
        *("InceptV3, Multi-Crop 5", "InceptV3, Multi-Crop 9"),
        "same experiment as table2/inceptionv3-multi-crop",
    ]
    assert len(rows) == 54


def test_what_is_wrong_with_a_number_stands_beside_it_and_why_below():
    table = lines("table5a", document="koefler2023")
    printed = dict(zip(table["score"], table["printed of ISIC 2019"], strict=True))
    assert printed["precision, nv"] == "0.85"
    mark = printed["F1, bcc"].removeprefix("0.31 disagrees [").removesuffix("]")
    assert table.attrs["notes"][int(mark) - 1] == "disagrees: precision and recall give 0.62"
    assert table["verdict"].unique().tolist() == ["not comparable [1]"]
    assert table.attrs["notes"][0] == "not internally consistent"


def test_several_verdicts_name_their_protocols_and_a_number_without_recipe_has_none():
    published = {"protocol": "as_published", "verdict": "not comparable", "reason": "coarse"}
    table = lines("table2", {}, published)
    verdict = table.loc[table["row"] == "Dense121, Dual Attention", "verdict"].item()
    assert verdict == "corrected: reproduced; as_published: not comparable [1]"
    assert table.attrs["notes"] == ["coarse"]
    assert "no recipe" in lines("table8.2", document="bermeo2023")["verdict"].tolist()


def test_scores_of_a_single_class_come_from_the_stand_in_of_their_row():
    base = {"document": "hernandez2020", "table": "controls", "row": "lite0-base", "metric": "auc"}
    found = beside(
        STAND_IN_ROW | base | {"class": "malignant", "leakage_lesion": None, "leakage_patient": 0.1}
    )
    assert found["target"].tolist() == ["hernandez2020/table4/wrs"]
    table = lines(
        "table4",
        STAND_IN_ROW | base | {"class": "malignant", "leakage_lesion": None, "leakage_patient": 0.1},
        document="hernandez2020",
    )
    assert f"{STAND_IN}, `corrected`, leak 10.0 %" in table
