import numpy as np
import pandas as pd
import pytest

from skinkit.data import MetadataEncoder


@pytest.fixture
def rows(make_table):
    columns = {"age": [20.0, 40.0, pd.NA], "sex": ["male", pd.NA, "female"]}
    return make_table(label=["nv"] * 3, site=["torso", "arm", pd.NA], **columns)


def test_sex_site_and_age_become_numbers(rows):
    found = MetadataEncoder.fit(rows).encode(rows)
    expected = {
        "sex=female": [0, 0, 1],
        "sex=male": [1, 0, 0],
        "sex=missing": [0, 1, 0],
        "site=arm": [0, 1, 0],
        "site=torso": [1, 0, 0],
        "site=missing": [0, 0, 1],
        # 20 and 40 years: the mean is 30, the deviation 10.
        "age": [-1, 1, 0],
        "age=missing": [0, 0, 1],
    }
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, index=rows.index).astype("float32"))


def test_rows_are_measured_with_the_training_rows_alone(rows, make_table):
    encoder = MetadataEncoder.fit(rows)
    others = make_table(label=["nv"] * 2, site=["toe", "arm"], age=[50.0, 30.0], sex=["male", "male"])
    found = encoder.encode(others)
    assert found.columns.equals(encoder.encode(rows).columns), "no column for what training has not seen"
    assert found["age"].tolist() == [2, 0]
    assert found.filter(like="site=").sum(axis=1).tolist() == [0, 1], "an unknown site is none of the known"


@pytest.mark.parametrize("ages", [[pd.NA, pd.NA], [55.0, 55.0]])
def test_ages_that_tell_nothing_are_zero_and_not_nan(make_table, ages):
    rows = make_table(label=["nv"] * 2, age=ages)
    encoder = MetadataEncoder.fit(rows)
    found = encoder.encode(rows)
    assert found["age"].tolist() == [0, 0]
    assert np.isfinite(encoder.encode(rows.assign(age=60.0))["age"]).all(), "divided by no deviation"
    assert found.columns.tolist()[3:] == ["site=missing", "age", "age=missing"]
    assert np.isfinite(found).all(axis=None)


def test_rows_keep_their_index(rows):
    chosen = rows.iloc[[2, 0]]
    found = MetadataEncoder.fit(rows).encode(chosen)
    assert found.index.tolist() == [2, 0] and found["sex=female"].tolist() == [1, 0]
