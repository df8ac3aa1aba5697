import gzip
import zipfile

import pandas as pd
import pytest

from skinkit.files import read_json, reading, remove, remove_matching


def test_only_the_named_files_and_what_they_leave_empty_go(tmp_path):
    ours, theirs = tmp_path / "a" / "b" / "ours.txt", tmp_path / "c" / "theirs.txt"
    for path in (ours, theirs):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    remove([ours, tmp_path / "never" / "there.txt"], tmp_path)
    assert not (tmp_path / "a").exists()
    assert theirs.read_text() == "x"


def test_a_folder_that_is_left_empty_goes_and_the_one_around_it_stays(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "epoch.txt").touch()
    remove_matching(folder, ["*.txt"])
    assert not folder.exists() and tmp_path.exists()


def test_a_folder_by_the_name_of_a_file_of_ours_stays_with_all_it_holds(tmp_path):
    (tmp_path / "manifest.json").mkdir()
    (tmp_path / "manifest.json" / "notes.txt").touch()
    remove_matching(tmp_path, ["manifest.json"])
    assert (tmp_path / "manifest.json" / "notes.txt").exists()


def test_a_whole_file_is_read(tmp_path):
    path = tmp_path / "state.json"
    path.write_text('{"epoch": 3}')
    assert read_json(path, "Delete it", "epoch") == {"epoch": 3}


@pytest.mark.parametrize("content", [b"", b'{"epoch": ', b"[3]", b'{"other": 1}', b"\xff\xfe"])
def test_a_broken_file_is_named_with_a_remedy(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"state\.json is damaged .*Delete it"):
        read_json(path, "Delete it", "epoch")


def test_a_missing_file_is_named_with_a_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"state\.json is missing\. Delete it"):
        read_json(tmp_path / "state.json", "Delete it")


def test_what_archives_and_tables_raise_is_turned_into_one_error(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:-20])
    with pytest.raises(ValueError, match=r"table\.csv\.gz is damaged"), reading(path, "Copy it"):
        pd.read_csv(path)
    with pytest.raises(ValueError, match="damaged"), reading(path, "Copy it"):
        zipfile.ZipFile(path)


def test_an_error_of_the_disk_stays_what_it_is(tmp_path):
    with pytest.raises(IsADirectoryError), reading(tmp_path, "Delete it"):
        tmp_path.read_text()
