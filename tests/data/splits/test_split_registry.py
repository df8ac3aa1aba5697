import pandas as pd
import pytest

from skinkit.data import SPLITS, gessert2019_split, koefler2023_split, stratified_group_split, synthetic


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return synthetic(120, seed=0, folder=tmp_path_factory.mktemp("drawn"), size=(24, 24))


@pytest.mark.parametrize("name", sorted({*SPLITS} - {"file"}))
def test_every_split_is_called_alike_and_is_its_function(table, name):
    split = SPLITS[name](table, fold=0, folder=None)
    assert set(split.parts.index) == set(table["image_id"])
    assert SPLITS[name].function.__name__ == name


def test_a_fold_is_a_fold_or_another_draw(table):
    assert SPLITS["gessert2019_split"](table, fold=2).hash == gessert2019_split(table, 2).hash
    drawn = SPLITS["koefler2023_split"](table, fold=2, folder=None, seed=50)
    assert drawn.hash == koefler2023_split(table, seed=52).hash
    assert drawn.note.endswith("Split made with seed 52.")
    assert SPLITS["koefler2023_split"](table).hash == koefler2023_split(table).hash


def test_a_released_split_of_real_images_reads_its_files_and_of_drawn_ones_is_drawn(table, tmp_path):
    drawn = SPLITS["derm7pt_split"](table, folder=None)
    assert drawn.hash == stratified_group_split(table).hash
    mine = table.head(3).assign(image_id=["a", "b", "c"], dataset="derm7pt")
    (tmp_path / "derm7pt").mkdir()
    pd.DataFrame({"derm": ["a.jpg", "b.jpg", "c.jpg"]}).to_csv(tmp_path / "derm7pt/meta.csv", index=False)
    for row, part in enumerate(("train", "valid", "test")):
        frame = pd.DataFrame({"indexes": [row]})
        frame.to_csv(tmp_path / f"derm7pt/{part}_indexes.csv", index=False)
    split = SPLITS["derm7pt_split"](mine, folder=tmp_path, merge_validation=False)
    assert split.parts.to_dict() == {"a": "train", "b": "validation", "c": "test"}


def test_the_index_file_of_gessert2019_is_taken_from_the_folder(table, tmp_path):
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits/gessert2019_ham10000.csv").write_text("image_id,part\nISIC_1,test\n")
    with pytest.raises(ValueError, match=r"gessert2019_ham10000\.csv"):
        SPLITS["gessert2019_split"](table, folder=tmp_path)
