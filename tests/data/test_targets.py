"""The labels that a network learns, made of the classes, by hand."""

import pandas as pd
import pytest

from skinkit.data import CLASS_MAPS, Split, target_of
from skinkit.papers import choose

LABELS = CLASS_MAPS["isic2018"].labels
TABLE = pd.DataFrame({"image_id": list("abcde"), "label": ["nv", "mel", "nv", "df", "vasc"]}).astype("string")
PARTS = pd.Series(["train", "train", "test", "test", "validation"], index=list("abcde"))
SPLIT = Split("mine", PARTS, seed=0, grouped_by="image")


def target(name, **options):
    return target_of("isic2018", choose(name, **options))


def test_without_a_target_the_labels_are_the_classes():
    found = target_of("isic2018")
    assert found.labels == LABELS
    table, split = found.apply(TABLE, SPLIT)
    pd.testing.assert_frame_equal(table, TABLE)
    assert split.hash == SPLIT.hash


def test_a_gate_knows_two_labels_and_keeps_every_image():
    gate = target("one_against_rest", label="df")
    assert gate.labels == ("df", "rest")
    table, split = gate.apply(TABLE, SPLIT)
    assert list(table["label"]) == ["rest", "rest", "rest", "df", "rest"]
    assert split.hash == SPLIT.hash and table["label"].dtype == TABLE["label"].dtype


def test_the_rest_leaves_a_class_out_of_every_part_of_the_same_split():
    rest = target("without", label="nv")
    assert rest.labels == tuple(label for label in LABELS if label != "nv")
    table, split = rest.apply(TABLE, SPLIT)
    assert list(table["image_id"]) == ["b", "d", "e"] and list(table.index) == [0, 1, 2]
    assert [split.ids(part) for part in ("train", "validation", "test")] == [["b"], ["e"], ["d"]]
    assert split.name == SPLIT.name


def test_an_image_without_a_label_is_not_left_out_in_silence():
    lacking = TABLE.assign(label=["nv", "mel", pd.NA, "df", "vasc"])
    table, split = target("without", label="nv").apply(lacking, SPLIT)
    assert list(table["image_id"]) == ["b", "c", "d", "e"] and table["label"].isna().sum() == 1
    assert split.ids("test") == ["c", "d"]


def test_images_that_do_not_belong_to_a_target_have_no_label():
    foreign = TABLE.assign(label=["nv", "mel", "scc", "df", pd.NA])
    assert target("one_against_rest", label="nv").relabel(foreign)["label"].fillna("-").tolist() == [
        *("nv", "rest", "-", "rest", "-")
    ]


def test_the_keratoses_of_isic2019_are_akiec_where_there_is_no_class_of_their_own():
    keratoses = TABLE.assign(label="ak")
    assert set(target_of("isic2018").relabel(keratoses)["label"]) == {"akiec"}
    assert set(target_of("isic2019").relabel(keratoses)["label"]) == {"ak"}


@pytest.mark.parametrize("name", ["one_against_rest", "without"])
def test_a_class_that_the_map_does_not_have_is_named(name):
    with pytest.raises(ValueError, match="Classes are mel, nv.*'akeic'.*mean akiec"):
        target(name, label="akeic")


def test_an_unknown_target_is_named():
    with pytest.raises(ValueError, match="Targets are one_against_rest, .*mean without"):
        target("witout", label="nv")
