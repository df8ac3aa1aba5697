import pytest

from skinkit.data import (
    TRANSFORMS,
    augment_offline,
    augmented_split,
    koefler2023_split,
    leakage_report,
    leakage_stamp,
    stratified_group_split,
    validate,
)


@pytest.fixture
def table(make_table):
    labels = ["nv"] * 12 + ["mel"] * 12
    return make_table(label=labels, lesion_id=[f"L{i // 2}" for i in range(24)])


def test_ham10000_becomes_26565_images_and_splits_as_in_the_document(real_ham):
    augmented = augment_offline(real_ham)
    assert len(augmented) == 26565
    assert augmented["label"].value_counts().to_dict() == {
        **{"nv": 6705, "mel": 6678, "bkl": 6594, "bcc": 3084},
        **{"akiec": 1962, "vasc": 852, "df": 690},
    }
    split = koefler2023_split(augmented)
    assert [len(split.ids(part)) for part in ("train", "test")] == [17798, 8767]
    supports = augmented.set_index("image_id")["label"][split.ids("test")].value_counts()
    # Supports of the document's table 4.
    assert supports.to_dict() == {
        **{"nv": 2213, "mel": 2204, "bkl": 2176, "bcc": 1018},
        **{"akiec": 647, "vasc": 281, "df": 228},
    }


def test_each_copy_follows_its_original(table):
    augmented = augment_offline(table)
    mel = augmented[augmented["source_id"] == "ISIC_0024318"]
    assert mel["transform"].tolist() == list(TRANSFORMS)
    assert mel["image_id"].tolist()[:2] == ["ISIC_0024318", "ISIC_0024318+rot90cw"]
    assert mel.index.tolist() == list(range(12, 18))
    assert mel["lesion_id"].nunique() == 1


def test_excepted_labels_stay_single(table):
    augmented = augment_offline(table, transforms=("rot180",), except_labels=("mel",))
    assert augmented["label"].value_counts().to_dict() == {"nv": 24, "mel": 12}
    assert set(augmented["transform"]) == {"identity", "rot180"}


def test_an_augmented_table_is_a_manifest_table(table):
    augmented = augment_offline(table)
    assert validate(augmented).equals(augmented)
    wrong = augmented.assign(transform=augmented["transform"].replace("rot180", "rot45"))
    with pytest.raises(ValueError, match="column 'transform'.*Received: 'rot45'"):
        validate(wrong)


def test_wrong_transforms_and_a_second_augmentation_are_refused(table):
    with pytest.raises(ValueError, match="Transforms are rot90cw, .*Received: 'rot45'"):
        augment_offline(table, transforms=("rot180", "rot45"))
    with pytest.raises(ValueError, match="Transforms are rot90cw, .*Received: 'identity'"):
        augment_offline(table, transforms=("identity",))
    with pytest.raises(ValueError, match="augmented already"):
        augment_offline(augment_offline(table))


def test_augmenting_before_the_split_leaks_and_after_it_does_not(table):
    augmented = augment_offline(table)
    halves = {"train": 0.5, "test": 0.5}
    before = stratified_group_split(augmented, halves, group="image")
    assert leakage_report(augmented, before).loc["mel", "photograph"] > 0.9
    after = augmented_split(stratified_group_split(table, halves, group="lesion"), augmented)
    assert leakage_stamp(leakage_report(augmented, after)) is None


def test_only_the_chosen_parts_keep_their_copies(table):
    augmented = augment_offline(table)
    split = stratified_group_split(table, {"train": 0.5, "test": 0.5}, group="lesion")
    after = augmented_split(split, augmented)
    assert after.ids("test") == split.ids("test")
    assert len(after.ids("train")) == 6 + 6 * 6
    both = augmented_split(split, augmented, parts=("train", "test"))
    assert len(both.parts) == len(augmented)


def test_copies_stay_together_even_without_lesion_ids(make_table):
    table = augment_offline(make_table(label=["mel"] * 20, patient_id=[None] * 19 + ["p"]))
    split = stratified_group_split(table, {"train": 0.5, "test": 0.5}, group="patient")
    assert leakage_report(table, split).loc["all", "photograph"] == 0


def test_a_photograph_without_a_part_is_an_error(table):
    split = stratified_group_split(table.iloc[2:], {"train": 0.5, "test": 0.5}, group="lesion")
    with pytest.raises(ValueError, match="lacks the photographs of 2 rows"):
        augmented_split(split, augment_offline(table))
