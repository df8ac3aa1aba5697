import functools
import shutil
import sys

import pytest

import check_published
from check_published import main, write_checks
from published_rules import RULES, bermeo, butskova, gessert, hernandez, koefler
from published_rules.cells import one, pick
from skinkit.papers import published
from skinkit.papers.published import DOCUMENTS, FOLDER, flagged, read_cells

checked = functools.cache(check_published.fill_checks)


def fill_checks(document):
    """What the rules find, asked once a document."""
    return checked(document).copy()


def found(document, **where):
    """The check of the only cell with these values, as the rules find it now."""
    return one(fill_checks(document), **where)["check"]


def after(rule, cells, new_value, **where):
    """What a rule says of a cell once it holds another value."""
    index = one(cells, **where).name
    cells.loc[index, "value"] = new_value
    return "; ".join(text for i, text in rule(cells) if i == index)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_committed_checks_are_what_the_rules_find(document):
    assert fill_checks(document).equals(read_cells(document))


def test_every_document_has_its_rules():
    assert set(RULES) == set(DOCUMENTS)


def test_checks_begin_with_one_of_few_words():
    for document in DOCUMENTS:
        texts = set(fill_checks(document)["check"]) - {""}
        words = {text.split(":")[0].split(" ")[0] for text in texts}
        assert words <= {"ok", "impossible", "disagrees", "implies", "note", "lost"}


class TestKoefler:
    def test_four_recalls_are_impossible(self):
        cells = pick(fill_checks("koefler2023"), metric="recall")
        cells = cells[cells["check"].str.startswith("impossible")]
        assert list(zip(cells["table"], cells["class"], cells["value"], strict=True)) == [
            ("table5a", "ak", "0.34"),
            ("table5b", "bkl", "0.75"),
            ("table5b", "ak", "0.42"),
            ("table5b", "vasc", "0.95"),
        ]

    def test_f1_of_bcc_is_double_what_is_printed(self):
        text = found("koefler2023", table="table5a", class_="bcc", metric="f1")
        assert text == "disagrees: precision and recall give 0.62"

    @pytest.mark.parametrize(
        ("table", "accuracy", "precision", "recall", "f1"),
        [("table5a", "0.734", 0.65, 0.62, 0.57), ("table5b", "0.799", 0.73, 0.66, 0.68)],
    )
    def test_table_5_disagrees_with_its_classes(self, table, accuracy, precision, recall, f1):
        text = found("koefler2023", table=table, metric="accuracy")
        assert text.startswith(f"disagrees: the classes give {accuracy}")
        for metric, value in (("precision", precision), ("recall", recall), ("f1", f1)):
            text = found("koefler2023", table=table, metric=f"macro_{metric}")
            assert text.startswith("disagrees: the classes give ")
            assert round(float(text.split()[4]), 2) == value

    def test_two_precisions_and_one_f1_of_table_5a_have_no_whole_numbers(self):
        cells = pick(fill_checks("koefler2023"), table="table5a", metric=["precision", "f1"])
        cells = cells[cells["check"].str.startswith("impossible")]
        assert set(zip(cells["class"], cells["metric"], strict=True)) == {
            ("bcc", "precision"),
            ("df", "precision"),
            ("mel", "f1"),
        }

    @pytest.mark.parametrize(
        ("table", "accuracy"), [("table4a", "0.879"), ("table4b", "0.907"), ("table4c", "0.879")]
    )
    def test_tables_4_agree_with_themselves(self, table, accuracy):
        cells = pick(fill_checks("koefler2023"), table=table)
        assert not flagged(cells["check"]).any()
        assert one(cells, metric="accuracy")["check"] == f"ok: the classes give {accuracy}"

    def test_notebook_outputs_are_whole_numbers_of_images(self):
        text = found("koefler2023", table="released", row="cnn-sa", metric="accuracy")
        assert text == "ok: Table 4b prints 0.91; ok: 7944 of 8767"
        text = found("koefler2023", table="released", row="isic2019")
        assert text == "ok: 364 of 491"

    def test_class_weights_are_those_of_all_augmented_images(self):
        cells = pick(fill_checks("koefler2023"), metric="class_weight")
        assert len(cells) == 7
        assert cells["check"].str.startswith("ok: all augmented images, test included").all()

    def test_wrong_sums_weights_and_outputs_are_found(self):
        cells = read_cells("koefler2023")
        text = after(koefler.counts, cells.copy(), "8768", table="text", row="split", split="test")
        assert text == "disagrees: train and test add up to 26566"
        where = {"table": "table2", "class_": "df", "metric": "augmented_images"}
        assert after(koefler.counts, cells.copy(), "691", **where).startswith("disagrees")
        where = {"metric": "class_weight", "class_": "vasc"}
        assert after(koefler.weights, cells.copy(), "4.40", **where).startswith("disagrees")
        where = {"table": "released", "row": "cnn", "metric": "accuracy"}
        text = after(koefler.notebook_shares, cells.copy(), "0.880200", **where)
        assert text == "impossible for 8767 images"
        text = after(koefler.notebook_tables, cells.copy(), "0.870233", **where)
        assert text == "disagrees: Table 4a prints 0.88"


class TestGessert:
    def test_one_experiment_has_one_value_in_all_tables(self):
        cells = fill_checks("gessert2019")
        same = cells[cells["check"].str.startswith("ok: against")]
        # Three models and three scores, four times Multi-Crop and twice initial attention.
        assert len(same) == 3 * 3 * (4 + 2)
        assert not cells["check"].str.startswith("disagrees: against").any()

    def test_a_differing_repeat_is_found(self):
        cells = read_cells("gessert2019")
        where = {"table": "table6", "row": "seresnext50-k1.00", "metric": "macro_recall"}
        text = after(gessert.repeats, cells, "70.3", **where)
        assert text == "disagrees: against Table II, Table III, Table V"

    def test_gains_of_the_abstract_are_relative(self):
        assert found("gessert2019", table="text", row="attention-gain") == (
            "note: holds only as a relative gain: +4.9, +4.6, +3.5 points, relative +7.2, +6.5, +5.0 %"
        )
        assert found("gessert2019", table="text", row="diagnosis-weighting-gain") == (
            "note: holds only as a relative gain: +1.6, +1.8, +2.2 points, relative +2.3, +2.5, +3.1 %"
        )

    def test_five_crops_are_up_to_six_tenths_behind(self):
        text = found("gessert2019", row="five-crop-gap", metric="gap_to")
        assert text.startswith("disagrees: +0.6, +0.4, +0.2 points")

    def test_attention_adds_a_thousandth_of_a_percent_to_the_smallest_network(self):
        # 9 x 9 weights and 9 biases on 21.8, 7.0 and 25.6 million parameters.
        assert found("gessert2019", row="attention-overhead") == (
            "note: 90 parameters for nine crops are 0.0004 % of inceptionv3, 0.0013 % of densenet121, "
            "0.0004 % of seresnext50; Dual Attention adds twice as many"
        )

    def test_a_gain_that_holds_in_points_is_ok(self):
        cells = read_cells("gessert2019")
        where = {"table": "text", "row": "attention-gain"}
        assert after(gessert.gains, cells, "4", **where).startswith("ok: +4.9")

    def test_the_three_sizes_of_the_seven_point_set_stand_side_by_side(self):
        text = found("gessert2019", table="text", row="spc-test")
        assert text == ("disagrees: images in all: Table I 987, the text 1011, the released split 986")
        text = found("gessert2019", table="text", row="ham-test")
        assert text == "disagrees: the released split has 2511"


class TestButskova:
    def test_the_matrix_gives_the_table(self):
        best = {"table": "pretrained", "row": butskova.BEST}
        text = found("butskova2021", **best, metric="accuracy")
        assert text.endswith("ok: Figure 6 gives 0.9046 on 2003 images")
        text = found("butskova2021", **best, metric="macro_recall")
        assert text.endswith("ok: Figure 6 gives 0.8060 on 2003 images")
        assert text.startswith("note: 0.6 points over one stage; one of 23 df images is 0.6")

    def test_the_matrix_implies_the_scores_of_each_class(self):
        cells = pick(fill_checks("butskova2021"), table="figure6")
        cells = cells[cells["row"] == cells["class"]].set_index("class")["check"]
        recalls = [".692", ".786", ".823", ".696", ".709", ".972", ".964"]
        precisions = [".714", ".890", ".870", ".889", ".798", ".948", ".540"]
        for label, recall, precision in zip(cells.index, recalls, precisions, strict=True):
            assert cells[label].startswith(f"implies: recall 0{recall}, precision 0{precision}")
        assert cells.str.contains("ok: ").all()

    def test_a_wrong_matrix_is_found(self):
        cells = read_cells("butskova2021")
        where = {"table": "figure6", "row": "nv", "class_": "nv"}
        assert "disagrees: 1351 images" in after(butskova.classes, cells, "1314", **where)

    def test_the_text_agrees_with_the_table_and_names_weights_that_nobody_has(self):
        text = found("butskova2021", table="text", metric="macro_recall")
        assert text == "ok: the table has 0.422"
        assert after(
            butskova.told, read_cells("butskova2021"), "43", table="text", metric="macro_recall"
        ) == ("disagrees: the table has 0.422")
        assert "read as ImageNet" in found("butskova2021", metric="weights")

    def test_what_the_gate_loses_is_told(self):
        text = found("butskova2021", table="pretrained", row=butskova.BEST, metric="accuracy")
        assert text.startswith(
            "implies: the gate calls 71 of 662 other lesions nv and loses 37 of 1341 nv; the second stage is "
            "right about 0.860 of the 591 that pass, macro recall 0.846"
        )
        text = found("butskova2021", table="figure6", row="mel", class_="nv")
        assert text == "implies: 47 of 223 melanomas (21.1 %) end at the gate"

    def test_vascular_lesions_have_no_high_rate_of_false_positives(self):
        assert found("butskova2021", metric="false_positive_rate") == (
            "disagrees: place 4 of 7: nv 10.7 %, mel 2.2 %, bkl 1.5 %, vasc 1.2 %, akiec 0.9 %, bcc 0.5 %, "
            "df 0.1 %"
        )
        cells = read_cells("butskova2021")
        where = {"table": "text", "metric": "false_positive_rate"}
        many = cells["value"].mask(cells["row"].eq("mel") & cells["class"].eq("vasc"), "400")
        many = cells.assign(value=many)
        assert after(butskova.false_positives, many, "relatively high", **where).startswith(
            "ok: place 1 of 7"
        )

    def test_one_image_of_the_rarest_class_is_more_than_the_gain_of_gamma(self):
        text = found("butskova2021", table="unpretrained", row="resnet50-gamma1", metric="macro_recall")
        assert text == "note: 0.001 over gamma = 1.5; one of 23 df images is 0.0062"

    def test_pretext_tasks_find_fewer_classes_and_more_images_than_the_loss_alone(self):
        for row in ("rotation", "context-restoration"):
            where = {"table": "self-supervised", "row": row}
            text = found("butskova2021", **where, metric="macro_recall")
            assert text == "note: below the un-pretrained gamma = 1, 0.561"
            text = found("butskova2021", **where, metric="accuracy")
            assert text == "note: above the un-pretrained gamma = 1, 0.540"

    def test_no_two_rows_differ_in_mixup_alone(self):
        assert found("butskova2021", row="mixup", metric="effect").startswith("note: both EfficientNet rows")

    def test_gamma_one_is_worse_with_pretrained_weights(self):
        cells = pick(fill_checks("butskova2021"), table="pretrained", row="resnet50-gamma1")
        assert cells["check"].str.startswith("disagrees: gamma = 0 has ").all()


class TestHernandez:
    @pytest.mark.parametrize(
        ("row", "specificity", "balanced", "f1"),
        [
            ("weighted-ce", 77.3, 81.1, 11.7),
            ("wrs", 81.0, 84.1, 14.0),
            ("cae-extra-trees", 99.6, 74.6, 57.2),
            ("contextual-sampler", 84.8, 85.8, 16.8),
            ("attention-em", 82.3, 85.2, 15.0),
            ("static-mean-em", 80.7, 85.3, 14.2),
        ],
    )
    def test_table_4_implies_specificity_balanced_accuracy_and_f1(self, row, specificity, balanced, f1):
        text = found("hernandez2020", table="table4", row=row, metric="precision")
        assert (f"implies: specificity {specificity} %, balanced accuracy {balanced} %, F1 {f1} %") in text
        assert ("best balanced accuracy" in text) == (row == "contextual-sampler")

    def test_images_and_patients_disagree(self):
        assert found("hernandez2020", table="table1", metric="images", class_="benign") == (
            "disagrees: Table 1 adds up to 33125, the release has 33126"
        )
        assert found("hernandez2020", table="text", metric="patients") == ("disagrees: Table 2 has 2056")

    def test_shares_of_table_2_are_a_tenth_off_and_those_of_table_1_are_right(self):
        cells = pick(fill_checks("hernandez2020"), metric="share").set_index(["table", "class"])
        assert cells.loc[("table2", "malignant"), "check"] == "disagrees: 428 of 2056 are 20.82 %"
        assert cells.loc[("table2", "benign"), "check"] == "disagrees: 1628 of 2056 are 79.18 %"
        assert cells.loc["table1"]["check"].str.startswith("ok").all()

    def test_two_recalls_are_no_share_of_584_images(self):
        cells = pick(fill_checks("hernandez2020"), metric="recall")
        impossible = cells[cells["check"].str.contains("impossible")]
        # Cut, 508 would be 86.9, but the others of the column are rounded.
        assert impossible["value"].tolist() == ["2.8", "86.9"]
        # Nothing says that Table 3 is about all malignant images.
        assert impossible["check"].str.startswith("note").tolist() == [True, False]

    def test_a_patient_of_the_release_has_one_image_more(self):
        cells = pick(fill_checks("hernandez2020"), metric="most_images_of_a_patient")
        assert cells["check"].tolist() == ["disagrees: the release has 115"]

    def test_the_forest_of_table_3_is_that_of_table_4(self):
        cells = pick(fill_checks("hernandez2020"), row="cae-extra-trees")
        assert cells["check"].str.startswith("note: as in Table").all()

    def test_another_count_changes_what_is_implied(self):
        cells = read_cells("hernandez2020")
        where = {"table": "table4", "row": "wrs", "metric": "precision"}
        assert "specificity 98.5 %" in after(hernandez.implied, cells, "51", **where)


class TestBermeo:
    def test_one_wage_of_the_text_is_not_that_of_the_table(self):
        cells = pick(fill_checks("bermeo2023"), metric="hourly_wage").set_index("condition")["check"]
        assert cells["Research Scientist"] == "disagrees: Table 6.2 reckons with 121.63 an hour"
        assert cells.drop("Research Scientist").str.startswith("ok").all() and len(cells) == 3

    def test_means_and_standard_deviations_agree_as_far_as_rounding_tells(self):
        cells = fill_checks("bermeo2023")
        cells = cells[cells["row"].str.match("mean|sd")]
        assert len(cells) == 4 * 9 + 4
        assert cells["check"].str.startswith("ok: recomputed").all()
        recomputed = cells["check"].str.extract(r"recomputed ([\d.]+)")[0].astype(float)
        assert (recomputed - cells["value"].astype(float)).abs().max() < 0.0011
        # 0.62450 is printed as 0.625.
        assert one(cells, table="table8.2", value="0.625")["check"].startswith("ok: recomputed 0.6245, over")

    def test_a_wrong_mean_is_found(self):
        cells = read_cells("bermeo2023")
        where = {"table": "table8.2", "row": "mean-m0-m3", "metric": "auc", "split": "test"}
        text = after(bermeo.means, cells, "88.975", **where)
        assert text == "disagrees: recomputed 88.875, over four schedules"

    def test_melanoma_recalls_are_whole_numbers_of_the_split(self):
        cells = pick(fill_checks("bermeo2023"), table="table8.2", metric="recall")
        cells = cells[cells["row"].str.match("m[0-7]")]
        assert len(cells) == 24
        assert one(cells, row="m0", split="test")["check"].endswith("; ok: 332 of 509")
        # Three digits leave four or five numbers of 4,072; the notebooks' six leave these.
        train = pick(cells, split="train")["check"].str.extract(r"(\w+): (\d+) of 4072$")
        assert train[1].tolist() == ["3079", "2834", "2679", "2698", "1946", "1723", "1838", "1912"]
        assert train[0].tolist() == ["ok", "note"] + ["ok"] * 6
        where = {"table": "table8.2", "row": "m0", "metric": "recall", "split": "test"}
        text = after(bermeo.recalls, read_cells("bermeo2023"), "0.653", **where)
        assert text == "impossible for 509 melanomas"

    def test_three_of_72_cells_are_cut(self):
        cells = pick(fill_checks("bermeo2023"), table="table8.2", row=bermeo.MODELS)
        assert cells["check"].str.contains("the notebook has 0.").sum() == len(cells) == 72
        cut = cells[cells["check"].str.startswith("note: cut, not rounded")]
        assert list(zip(cut["row"], cut["split"], cut["metric"], cut["value"], strict=True)) == [
            ("m0", "validation", "accuracy", "0.778"),
            ("m1", "train", "recall", "0.695"),
            ("m2", "validation", "accuracy", "0.765"),
        ]
        assert flagged(cells["check"]).sum() == 3
        where = {"table": "table8.2", "row": "m0", "metric": "auc", "split": "test"}
        text = after(bermeo.notebook_scores, read_cells("bermeo2023"), "0.893", **where)
        assert text == "disagrees: the notebook has 0.89213"

    def test_only_3127_test_images_make_the_released_accuracies_whole(self):
        cells = fill_checks("bermeo2023")
        assert set(pick(cells, split="test")["n"]) == {"", "3127"}
        released = pick(cells, table="released", metric="accuracy")
        assert released["check"].str.contains(r"ok: \d+ of (?:25012|3126|3127)(?:;|$)").sum() == 24
        test = pick(read_cells("bermeo2023"), table="released", metric="accuracy", split="test")
        texts = [text for _, text in bermeo.notebook_shares(test.assign(n="3126"))]
        assert texts == ["impossible for 3126 images"] * 8

    def test_the_split_is_one_image_short(self):
        text = found("bermeo2023", table="text", row="filtered", split="test", metric="images")
        assert text == "disagrees: the released split has 3127"
        text = found("bermeo2023", table="text", row="filtered", split="all")
        assert text.startswith("disagrees: the parts add up to 31264")
        assert text.endswith("add up to 31265")

    def test_layers_add_up_to_the_parameters(self):
        cells = fill_checks("bermeo2023")
        for figure, total in (("figure7.8", 11689512), ("figure7.12", 11180616), ("figure7.14", 11180616)):
            assert set(pick(cells, table=figure)["check"]) == {f"implies: {total} parameters in all"}
        told = pick(cells, row="resnet18", metric="parameters")
        assert told["table"].tolist() == ["table4.1", "text"]
        assert set(told["check"]) == {"ok: Figure 7.8 adds up to 11689512"}

    def test_the_probabilities_of_an_answer_add_up_to_one(self):
        cells = pick(fill_checks("bermeo2023"), metric="probability")
        assert cells["check"].str.startswith("ok: the eight add up to 1.000000").sum() == 2 * 8
        where = {"row": "isic-0052349", "metric": "probability", "class_": "nv"}
        text = after(bermeo.answers, read_cells("bermeo2023"), "0.9622282", **where)
        assert text == "disagrees: the eight add up to 1.000010"

    def test_regularised_models_get_fewer_updates(self):
        epochs = pick(fill_checks("bermeo2023"), table="table7.2", metric="epochs")
        assert (
            epochs["check"].tolist()
            == ["implies: 1260 updates (20 x 63)"] * 4 + ["implies: 1000 updates (40 x 25)"] * 4
        )

    def test_m7_was_trained_without_the_head_of_the_table(self):
        cells = pick(fill_checks("bermeo2023"), table="table7.2", metric="architecture")
        assert flagged(cells["check"]).tolist() == [False] * 7 + [True]

    def test_two_trainings_ran_elsewhere_than_the_table_says(self):
        cells = pick(fill_checks("bermeo2023"), table="table7.2", metric="gpu")
        assert cells[flagged(cells["check"])]["row"].tolist() == ["m1", "m7"]
        assert one(cells, row="m1")["check"] == "disagrees: the training notebook ran on NA100"
        assert one(cells, row="m2")["check"] == "", "the notebook does not say"

    def test_three_of_four_pairs_do_not_share_a_scheduler(self):
        cells = pick(fill_checks("bermeo2023"), metric="pair")
        assert flagged(cells["check"]).tolist() == [False, True, True, True]
        assert cells["check"].iloc[-1].endswith("none, no such model")

    def test_the_research_hours_do_not_fit_the_wage_of_the_text(self):
        cells = pick(fill_checks("bermeo2023"), table="table6.2", metric="cost")
        wrong = cells[flagged(cells["check"])]
        assert set(wrong["condition"]) == {"Research Scientist"} and len(wrong) == 3
        assert one(cells, row="total")["check"] == "ok: the parts add up to 47022.3"


def test_one_cell_is_asked_for_and_one_is_given():
    cells = read_cells("gessert2019")
    with pytest.raises(ValueError, match="found 0. Received: {'row': 'nobody'}"):
        one(cells, row="nobody")
    with pytest.raises(ValueError, match="found 21"):
        one(cells, table="table2", metric="macro_recall")


@pytest.fixture
def copies(tmp_path, monkeypatch):
    for path in FOLDER.glob("*/published.csv"):
        (tmp_path / path.parent.name).mkdir()
        shutil.copy(path, tmp_path / path.parent.name)
    for module in (published, check_published):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


def test_writing_again_changes_no_byte(copies):
    before = {path.parent.name: path.read_bytes() for path in FOLDER.glob("*/published.csv")}
    write_checks()
    assert {path.parent.name: path.read_bytes() for path in copies.glob("*/published.csv")} == before


def test_the_command_finds_and_repairs_stale_checks(copies, monkeypatch, capsys):
    path = copies / "koefler2023" / "published.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.31,", "0.62,"), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["checks"])
    assert main() == 1
    assert "out of date: koefler2023" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["checks", "--write"])
    assert main() == 0
    monkeypatch.setattr(sys, "argv", ["checks"])
    assert main() == 0
