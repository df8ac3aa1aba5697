"""Class maps: orders, encodings, and errors that name what is unknown."""

import numpy as np
import pandas as pd
import pytest

from skinkit.data.classes import CLASS_MAPS, ClassMap

# The orders written down a second time, as the sources print them.
ORDERS = {
    "isic2018": "MEL NV BCC AKIEC BKL DF VASC",
    "alphabetical": "akiec bcc bkl df mel nv vasc",
    "koefler2023": "nv mel bkl bcc akiec vasc df",
    "bermeo2023": "AK BCC BKL DF SCC VASC melanoma nevus",
    "haqishen": "AK BCC BKL DF SCC VASC melanoma nevus unknown",
    "isic2019": "MEL NV BCC AK BKL DF VASC SCC UNK",
    "isic2020": "benign malignant",
    "derm7pt": "MEL NV BCC BKL DF VASC",
}


@pytest.mark.parametrize("key", ORDERS)
def test_the_orders_are_those_of_the_sources(key):
    assert CLASS_MAPS[key].names == tuple(ORDERS[key].split())


def test_there_are_no_other_maps():
    assert set(CLASS_MAPS) == set(ORDERS)


def test_labels_are_canonical_codes_whatever_the_source_calls_them():
    ham = {"akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"}
    assert all(set(CLASS_MAPS[key].labels) == ham for key in ("isic2018", "alphabetical", "koefler2023"))
    isic2019 = {"ak", "bcc", "bkl", "df", "mel", "nv", "scc", "unk", "vasc"}
    assert set(CLASS_MAPS["haqishen"].labels) == set(CLASS_MAPS["isic2019"].labels) == isic2019


def test_melanoma_is_at_position_6_where_python_sorts_capitals_first():
    assert CLASS_MAPS["bermeo2023"].index("mel") == 6
    assert CLASS_MAPS["bermeo2023"].labels == tuple(CLASS_MAPS["haqishen"].labels[:8])


def test_alphabetical_is_sorted():
    assert list(CLASS_MAPS["alphabetical"].labels) == sorted(CLASS_MAPS["alphabetical"].labels)


@pytest.mark.parametrize("key", CLASS_MAPS)
def test_decode_undoes_encode_and_one_hot(key):
    class_map = CLASS_MAPS[key]
    labels = list(reversed(class_map.labels))
    assert class_map.decode(class_map.encode(labels)) == labels
    assert class_map.decode(class_map.one_hot(labels).argmax(axis=1)) == labels


def test_encode_takes_a_column_and_gives_integers():
    encoded = CLASS_MAPS["isic2018"].encode(pd.Series(["nv", "mel"], dtype="string"))
    assert encoded.tolist() == [1, 0] and encoded.dtype == np.int64


def test_one_hot_is_float32_with_one_column_a_class_even_for_no_rows():
    one_hot = CLASS_MAPS["isic2018"].one_hot(["df"])
    assert one_hot.dtype == np.float32 and one_hot.tolist() == [[0, 0, 0, 0, 0, 1, 0]]
    assert CLASS_MAPS["isic2018"].one_hot([]).shape == (0, 7)


def test_an_error_names_all_unknown_labels_and_the_known_ones():
    with pytest.raises(ValueError, match="not know <NA>, ak, scc. Known: mel, nv, bcc, akiec"):
        CLASS_MAPS["isic2018"].encode(pd.Series(["scc", "nv", pd.NA, "ak"], dtype="string"))


def test_decode_refuses_positions_outside():
    with pytest.raises(ValueError, match=r"positions 0 to 1. Received: \[-1, 2\]"):
        CLASS_MAPS["isic2020"].decode([0, -1, 2])


def test_a_map_needs_one_name_a_label_and_no_label_twice():
    with pytest.raises(ValueError, match="one name a label"):
        ClassMap("own", ("a", "b"), ("A",))
    with pytest.raises(ValueError, match="repeats a label"):
        ClassMap("own", ("a", "a"), ("A", "B"))
