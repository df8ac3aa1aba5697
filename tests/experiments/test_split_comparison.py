from skinkit import data
from skinkit.experiments.split_comparison import compare_splits


def test_the_division_that_gessert2019_released_is_counted_where_its_file_is(real_ham, gessert2019_csv):
    table = compare_splits(real_ham, gessert2019_csv)
    rows = table[table["split"] == "gessert2019: four parts by lesion, as released"].set_index("label")
    assert rows.loc[["all", "mel", "df"], "n"].tolist() == [2511, 280, 30]
    assert (rows["lesion"] == 0).all()


def test_without_its_file_the_division_in_four_is_our_own():
    names = compare_splits(data.synthetic(80))["split"].unique().tolist()
    assert names[3:] == ["gessert2019: four parts by lesion", "skinkit: by lesion"]
