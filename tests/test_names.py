import numpy as np
import pandas as pd
import pytest

from skinkit.names import check_name, did_you_mean, one_hot


def test_the_nearest_names_are_asked_for_and_far_ones_are_not():
    assert did_you_mean("ham1000", ["derm7pt", "ham10000"]) == " Did you mean ham10000?"
    assert did_you_mean("xyz", ["derm7pt", "ham10000"]) == ""


def test_an_unknown_name_is_refused_with_the_known_ones():
    check_name("Losses", "focal", ["focal", "mean"])
    with pytest.raises(ValueError, match=r"Losses are focal, mean\. Received: 'focl'\. Did you mean focal\?"):
        check_name("Losses", "focl", ["focal", "mean"])


def test_a_name_is_a_one_in_its_column_and_an_unknown_one_is_none():
    found = one_hot(pd.Series(["mel", "nv", pd.NA, "melanoma"], dtype="string"), ("nv", "mel", "bkl"))
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert one_hot([], ("nv", "mel")).shape == (0, 2)
