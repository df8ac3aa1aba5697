"""The catalog: consistent counts and checksums, and data sheets that say what is not known."""

import re
from fnmatch import fnmatch

import pytest

from skinkit.data.classes import CLASS_MAPS
from skinkit.data.releases.catalog import CATALOG, describe, find_release, list_releases

# 24 cases of derm7pt have a diagnosis outside its classes.
OUTSIDE = {"derm7pt": 24}


@pytest.mark.parametrize("key", CATALOG)
def test_counts_per_class_add_up_to_the_images(key):
    release = CATALOG[key]
    assert release.key == key
    assert set(release.counts) <= set(CLASS_MAPS[release.class_map].labels)
    if release.counts:
        assert sum(release.counts.values()) == release.images - OUTSIDE.get(key, 0)


def test_the_counts_are_those_of_the_facts():
    ham = CATALOG["ham10000"]
    assert (ham.images, ham.lesions, ham.counts["mel"], ham.counts["df"]) == (10015, 7470, 1113, 115)
    assert CATALOG["isic2020"].counts == {"benign": 32542, "malignant": 584}
    assert CATALOG["isic2020"].patients == 2056
    assert (CATALOG["isic2018_test"].images, CATALOG["isic2018_test_dataverse"].images) == (1512, 1511)


@pytest.mark.parametrize("key", CATALOG)
def test_files_have_well_formed_digests_and_an_address_or_steps(key):
    release = CATALOG[key]
    for file in release.files:
        assert file.urls or release.steps
        assert all(url.startswith("https://") for url in file.urls)
        assert re.fullmatch("[0-9a-f]{64}", file.sha256 or "0" * 64)
        assert re.fullmatch("[0-9a-f]{32}", file.md5 or "0" * 32)
        assert file.bytes is None or file.bytes > 0


@pytest.mark.parametrize("key", CATALOG)
def test_a_release_says_which_of_its_files_is_its_table(key):
    release = CATALOG[key]
    assert release.tables and all(pattern == pattern.lower() for pattern in release.tables)
    names = [file.name.lower().replace(".zip", ".csv") for file in release.files]
    # The table of a re-pack is in the archive of its images.
    assert release.steps or any(fnmatch(name, pattern) for name in names for pattern in release.tables)


def test_no_checksum_serves_two_files():
    known = {(file.name, file.checksum) for release in CATALOG.values() for file in release.files}
    digests = [digest for _, digest in known if digest]
    assert len(set(digests)) == len(digests) == 14


def test_dataverse_tables_are_asked_for_as_they_were_uploaded():
    urls = {file.name: file.urls[0] for file in CATALOG["ham10000"].files}
    assert urls["HAM10000_metadata.csv"].endswith("/4338392?format=original")
    assert urls["HAM10000_images_part_1.zip"].endswith("/3172585")


def test_the_list_has_one_row_a_release_and_says_what_needs_a_person():
    table = list_releases().set_index("key")
    assert list(table.index) == list(CATALOG)
    assert set(table.index[table["fetch"] == "by hand"]) == {"isic2019_512", "isic2020_512", "derm7pt"}
    assert table.loc["isic2018_train", "checksums"] == "2 of 3"
    assert table.loc["isic2020", "classes"] == 2
    assert table.loc["ham10000", "download"] == "2.8 GB" and table.loc["derm7pt", "download"] == "not known"


def test_a_data_sheet_names_terms_source_counts_and_checksum():
    sheet = describe("ham10000")
    for expected in (
        "CC BY-NC 4.0",
        "https://doi.org/10.7910/DVN/DBW86T",
        "10,015 images, 7,470 lesions",
        "nv 6,705",
        "MEL, NV, BCC, AKIEC, BKL, DF, VASC",
        "1,366,522,108 bytes; md5 4639bfa73ab251610530a97c898e6e46",
    ):
        assert expected in sheet


def test_a_data_sheet_says_in_words_what_is_not_known():
    assert describe("ham10000").count("not published") == 0
    sheet = describe("isic2018_validation")
    assert sheet.count("size not known beforehand; checksum not published or not confirmed") == 2


def test_a_data_sheet_lists_the_steps_where_an_account_is_needed():
    assert "by hand   1. Fill in the form" in describe("derm7pt")
    assert "kaggle datasets download cdeotte/jpeg-melanoma-512x512" in describe("isic2020_512")


def test_an_unknown_key_names_the_known_ones():
    with pytest.raises(ValueError, match="Releases are ham10000, isic2018_train, .*Received: 'ham'"):
        find_release("ham")
