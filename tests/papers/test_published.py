import pandas as pd
import pytest

from skinkit.evaluation import summary_names
from skinkit.papers.published import (
    COLUMNS,
    DOCUMENTS,
    FOLDER,
    flagged,
    load_published,
    printed_arms,
    printed_matrix,
    published_row,
    read_cells,
    show,
)

ROWS = {
    "gessert2019": {"table1": 3, "table2": 21, "table3": 18, "table4": 9, "table5": 15, "table6": 15},
    "koefler2023": {"table1": 2, "table2": 1} | {f"table{t}": 1 for t in ("4a", "4b", "4c", "5a", "5b")},
    "butskova2021": {"unpretrained": 5, "pretrained": 4, "self-supervised": 2, "figure6": 7, "text": 15},
    "hernandez2020": {"table1": 1, "table2": 1, "table3": 2, "table4": 6},
    "bermeo2023": {"table4.1": 5, "table6.1": 4, "table6.2": 12, "table6.3": 9, "table7.2": 8}
    | {"table8.2": 12, "table8.3": 12, "figure7.5": 17, "figure7.8": 11, "figure7.12": 7, "figure7.14": 7},
}

# Read in the documents by eye, at least one cell a table.
BY_HAND = [
    ("gessert2019/table1/ham10000", "images", "nv", "", "6705", ""),
    ("gessert2019/table1/spc", "images", "akiec", "", "0", ""),
    ("gessert2019/table1/isic-archive", "images", "mel", "", "1056", ""),
    ("gessert2019/table2/inceptionv3-end", "macro_recall", "all", "test", "73.3", "2.1"),
    ("gessert2019/table2/densenet121-dual", "macro_recall", "all", "test", "75.7", "1.3"),
    ("gessert2019/table2/seresnext50-gru", "weighted_f1_by_pred", "all", "test", "83.8", "1.5"),
    ("gessert2019/table3/densenet121-multi-crop-5", "macro_recall", "all", "test", "67.4", "0.4"),
    ("gessert2019/table3/seresnext50-attention-16", "macro_specificity", "all", "test", "95.8", "0.1"),
    ("gessert2019/table4/densenet121-attention", "macro_recall", "all", "test", "67.8", ""),
    ("gessert2019/table5/inceptionv3-balanced-batches", "macro_recall", "all", "test", "64.8", "1.75"),
    ("gessert2019/table5/seresnext50-diagnosis-weighting", "macro_recall", "all", "test", "72.4", "1.0"),
    ("gessert2019/table6/inceptionv3-k1.50", "weighted_f1_by_pred", "all", "test", "58.8", "1.3"),
    ("koefler2023/table1/isic2019", "images", "scc", "", "628", ""),
    ("koefler2023/table2/augmentation", "augmented_images", "bcc", "", "3084", ""),
    ("koefler2023/table4a/cnn", "precision", "df", "test", "0.56", ""),
    ("koefler2023/table4b/cnn-sa", "recall", "nv", "test", "0.79", ""),
    ("koefler2023/table4b/cnn-sa", "macro_recall", "all", "test", "0.94", ""),
    ("koefler2023/table4c/vgg16-sa", "recall", "mel", "test", "0.68", ""),
    ("koefler2023/table5a/cnn", "f1", "bcc", "ISIC 2019", "0.31", ""),
    ("koefler2023/table5b/cnn-sa", "support", "mel", "ISIC 2019", "87", ""),
    ("butskova2021/unpretrained/resnet50-gamma1.5", "accuracy", "all", "validation", "0.549", ""),
    ("butskova2021/pretrained/efficientnet-gamma1", "macro_recall", "all", "validation", "0.800", ""),
    ("butskova2021/self-supervised/rotation", "macro_recall", "all", "validation", "0.452", ""),
    ("butskova2021/figure6/mel", "images", "nv", "validation", "47", ""),
    ("butskova2021/test/two-stage-efficientnet-gamma1", "macro_recall", "all", "official test")
    + ("0.784", ""),
    ("butskova2021/text/base-model", "macro_recall", "all", "validation", "42", ""),
    ("butskova2021/text/context-restoration", "swaps", "", "", "20", ""),
    ("butskova2021/text/context-restoration", "patch_size", "", "", "8", ""),
    ("butskova2021/text/context-restoration-large", "patch_size", "", "", "16", ""),
    ("butskova2021/text/context-restoration", "epochs_from", "", "", "90", ""),
    ("butskova2021/text/context-restoration", "epochs_to", "", "", "100", ""),
    ("butskova2021/text/rotation", "angles", "", "", "6", ""),
    ("butskova2021/text/ham10000", "image_height", "", "", "450", ""),
    ("butskova2021/text/ham10000", "image_width", "", "", "600", ""),
    ("butskova2021/text/ham10000", "share", "nv", "", "60", ""),
    ("butskova2021/text/ham10000-rare", "share", "", "", "2", ""),
    ("butskova2021/text/ham10000", "share", "", "validation", "20", ""),
    ("butskova2021/text/base-model", "crop_size", "", "", "128", ""),
    ("butskova2021/text/base-model-large", "crop_size", "", "", "256", ""),
    ("butskova2021/text/focal-loss", "gamma_from", "", "", "0", ""),
    ("butskova2021/text/focal-loss", "gamma_to", "", "", "5", ""),
    ("butskova2021/text/training", "epochs", "", "", "20", ""),
    ("butskova2021/text/training", "learning_rate", "", "", "0.001", ""),
    ("butskova2021/text/self-supervised", "epochs", "", "", "30", ""),
    ("butskova2021/text/pretrained", "image_size", "", "", "128", ""),
    ("butskova2021/text/esteva2017", "images", "", "", "130", ""),
    ("butskova2021/text/gessert2020", "auc", "all", "", "90", ""),
    ("gessert2019/text/attention-overhead", "added_parameters", "", "", "0.001", ""),
    ("hernandez2020/text/wrs", "iterations_to_overfit", "", "", "1.3", ""),
    ("hernandez2020/text/wrs", "iterations_to_memorise", "", "", "5000", ""),
    ("hernandez2020/table1/isic2020", "images", "malignant", "", "584", ""),
    ("hernandez2020/table2/isic2020", "share", "malignant", "", "20.9", ""),
    ("hernandez2020/table3/wrs-extra-trees", "recall", "malignant", "unstated images", "2.8", ""),
    ("hernandez2020/table4/static-mean-em", "auc", "malignant", "train+validation", "92.7", ""),
    ("bermeo2023/table4.1/resnet18", "accuracy", "all", "ImageNet", "69.76", ""),
    ("bermeo2023/table5.3/vicorob-machine", "ram", "", "", "396GB", ""),
    ("bermeo2023/table6.2/cad-infrastructure", "cost", "", "", "10560", ""),
    ("bermeo2023/table6.3/acquiring-working-knowledge", "hours", "", "", "180", ""),
    ("bermeo2023/table7.2/m7", "training_time", "", "", "1d 12h 55m", ""),
    ("bermeo2023/figure7.5/shift-scale-rotate", "rotate_limit", "", "", "15", ""),
    ("bermeo2023/figure7.8/basicblock-2-7", "parameters", "", "", "3673088", ""),
    ("bermeo2023/figure7.14/linear-1-3", "parameters", "", "", "4104", ""),
    ("bermeo2023/text/marchetti2020-dermatologists", "auc", "mel", "", "0.74", ""),
    ("bermeo2023/text/isic-1766619", "probability", "df", "", "0.0006251502", ""),
    ("bermeo2023/table8.2/m3", "recall", "mel", "validation", "0.605", ""),
    ("bermeo2023/table8.2/sd-m4-m7", "accuracy", "all", "test", "1.108", ""),
    ("bermeo2023/table8.3/m6", "auc", "mel", "test", "0.848", ""),
]


@pytest.mark.parametrize("document", ROWS)
def test_every_row_of_a_documents_tables_is_there(document):
    cells = read_cells(document)
    found = cells.groupby("table")["row"].nunique()
    assert {table: found[table] for table in ROWS[document]} == ROWS[document]


@pytest.mark.parametrize(("name", "metric", "label", "split", "value", "sd"), BY_HAND)
def test_cells_are_as_printed_in_the_documents(name, metric, label, split, value, sd):
    document, table, row = name.split("/")
    cells = read_cells(document).set_index(["table", "row", "metric", "class", "split"])
    cell = cells.loc[(table, row, metric, label, split)]
    assert (cell["value"], cell["sd"]) == (value, sd)


def test_every_result_row_of_gessert2019_has_three_scores():
    cells = read_cells("gessert2019")
    results = cells[cells["table"].isin([f"table{i}" for i in range(2, 7)])]
    assert (results.groupby(["table", "row"])["metric"].nunique() == 3).all()
    assert results.groupby(["table", "row"]).ngroups == 78


@pytest.mark.parametrize("document", DOCUMENTS)
def test_stored_tables_are_tidy(document):
    path = FOLDER / document / "published.csv"
    assert b"\r" not in path.read_bytes()
    cells = read_cells(document)
    assert tuple(cells.columns) == COLUMNS
    assert (cells["document"] == document).all()
    for column in ("table", "row", "metric", "unit", "source"):
        assert (cells[column].str.strip() == cells[column]).all() and (cells[column] != "").all()
    assert not cells.duplicated(["table", "row", "metric", "class", "split"]).any()
    words = (cells["unit"] == "text") | cells["value"].isin(["", "-", "None"])
    assert pd.to_numeric(cells["value"][~words], errors="coerce").notna().all()
    assert not cells["row"].str.contains(r"[^a-z0-9.\-]").any()


def test_only_two_cells_are_lost():
    table = load_published()
    lost = table[table["printed"].isna()]
    assert lost["check"].tolist() == ["lost in the text"] * 2
    assert set(lost["row"]) == {"densenet121-multi-crop-5", "seresnext50-multi-crop-5"}
    assert set(lost["metric"]) == {"weighted_f1_by_pred"}


def test_scores_to_compare_with_carry_the_names_of_the_evaluation():
    table = load_published()
    names = set(summary_names(["mel", "nv"])) | {"precision", "recall", "f1", "auc"}
    scores = table[table["table"].isin(["table2", "unpretrained", "pretrained", "test"])]
    scores = scores[scores["unit"].isin(["%", "fraction"]) & (scores["metric"] != "share")]
    assert set(scores["metric"]) <= names
    per_class = table[table["table"].isin(["table4a", "table8.2"]) & (table["class"] != "all")]
    assert set(per_class["metric"]) <= names | {"support"}


def test_loaded_values_are_numbers_in_the_printed_unit():
    table = load_published("gessert2019")
    assert str(table["value"].dtype) == str(table["sd"].dtype) == "Float64"
    assert str(table["n"].dtype) == "Int64"
    dual = table[(table["table"] == "table2") & (table["row"] == "densenet121-dual")]
    assert dual["value"].tolist() == [75.7, 96.0, 82.6]
    assert dual["printed"].tolist() == ["75.7", "96.0", "82.6"]
    assert dual["unit"].unique().tolist() == ["%"]


def test_all_documents_load_together():
    assert load_published()["document"].unique().tolist() == list(DOCUMENTS)


def test_a_row_is_found_by_its_name():
    row = published_row("koefler2023/table5b/cnn-sa")
    assert row.index.tolist() == list(range(36))
    recall = row[(row["class"] == "bkl") & (row["metric"] == "recall")]
    assert recall["value"].item() == 0.75


def test_an_unknown_row_names_the_nearest():
    with pytest.raises(ValueError, match=r"Did you mean gessert2019/table2/densenet121-dual"):
        published_row("gessert2019/table2/densenet121-duall")
    with pytest.raises(ValueError, match="Documents are hernandez2020.*Received: .nobody."):
        published_row("nobody/table1/row")
    with pytest.raises(ValueError, match="Documents with tables are"):
        show("nobody")


def test_a_printed_table_is_told_network_by_network():
    found = printed_arms("gessert2019", "table2", "macro_recall")
    assert list(found) == ["inceptionv3", "densenet121", "seresnext50"]
    arms = ["downsampling", "single-crop", "multi-crop", "gru", "initial", "end", "dual"]
    assert all(scores.index.tolist() == arms for scores in found.values())
    assert found["inceptionv3"].loc["end"].tolist() == pytest.approx([0.733, 0.712, 0.754])
    single = printed_arms("gessert2019", "table4", "macro_recall")["densenet121"]
    assert single.loc["gru", "value"] == 0.664 and single["low"].isna().all(), "one run has no deviation"
    with pytest.raises(ValueError, match="table='table2', metric='accuracy'"):
        printed_arms("gessert2019", "table2", "accuracy")


def test_a_matrix_is_read_in_its_own_order():
    counts = printed_matrix(read_cells("bermeo2023").query("table == 'released-m2'"))
    assert list(counts) == list(counts.index) == ["ak", "bcc", "bkl", "df", "scc", "vasc", "mel", "nv"]
    assert counts.loc["mel"].tolist() == [6, 29, 32, 0, 2, 0, 296, 144]


def test_flags_are_whatever_is_neither_empty_nor_ok():
    checks = pd.Series(["", "ok", "ok: 6 of 7", "lost in the text", "note: x; ok: y", None])
    assert flagged(checks).tolist() == [False, False, False, True, True, False]


def test_a_shown_report_looks_like_the_printed_one_with_marks():
    lines = show("koefler2023").splitlines()
    start = lines.index("Köfler 2023, Table 5b")
    body = [line.split() for line in lines[start + 1 : start + 13]]
    assert body[0] == ["row", "class", "precision", "recall", "f1", "support", "accuracy"]
    assert body[1] == ["cnn-sa", "nv", "0.82", "0.97", "0.89", "280"]
    assert body[3] == ["cnn-sa", "bkl", "0.62", "0.75", "[1]", "0.68", "39"]
    assert body[9][:2] == ["cnn-sa", "macro"]
    assert lines[start + 12] == "[1] impossible: 29/39 = 0.74 and 30/39 = 0.77 are the nearest"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_everything_stored_is_shown(document):
    text = show(document)
    cells = read_cells(document)
    for value in cells["value"]:
        assert value in text
    for note in cells["check"][flagged(cells["check"])]:
        assert f"] {note}\n" in text + "\n"


def test_lost_cells_and_standard_deviations_are_shown():
    text = show("gessert2019")
    assert "67.4 ± 0.4 %" in text
    assert "lost % [1]" in text


def test_units_that_a_metric_does_not_name_are_shown():
    assert "69.76 % 11.7 million\n" in show("bermeo2023")
    assert "iterations_to_overfit 1.3 thousand Section 4.1.3 (text)\n" in show("hernandez2020")


def test_text_names_the_place_of_each_number_and_a_table_of_gaps_becomes_a_list():
    lines = show("bermeo2023").splitlines()
    start = lines.index("Bermeo Quito 2023, the text")
    assert lines[start + 1].split() == [
        "row",
        "model",
        "condition",
        "split",
        "class",
        "metric",
        "cell",
        "place",
    ]
    start = lines.index("Bermeo Quito 2023, Figure 7.5")
    assert lines[start + 1].split() == ["row", "model", "condition", "metric", "cell"]
    assert lines[start + 2].split() == ["transpose", "Transpose", "p", "0.5"]
    assert max(map(len, lines[start : start + 33])) < 100


def test_what_is_left_out_is_said():
    assert (
        "Left out: Tables 7.1 and 8.1 (abbreviations) and 6.4 (a calendar of colours); and the points"
        in show("bermeo2023")
    )
