import gzip
import os
import threading
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from skinkit.files import (
    file_hash,
    files_named,
    locked,
    read_csv,
    read_json,
    reading,
    remove,
    remove_matching,
    writing,
)


def test_an_image_may_be_called_na_and_only_what_is_empty_is_missing(tmp_path):
    (tmp_path / "table.csv").write_text("image_id,label\nNA,nan\nnone,\n,mel\n")
    found = read_csv(tmp_path / "table.csv", dtype="string")
    assert found.fillna("missing").to_numpy().tolist() == [
        ["NA", "nan"],
        ["none", "missing"],
        ["missing", "mel"],
    ]


def test_files_are_found_by_name_and_a_folder_that_goes_meanwhile_is_passed_over(tmp_path, monkeypatch):
    for place in ("run/state.part", "run/b", "a"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "manifest.json").touch()
    look = os.scandir

    def look_too_late(path="."):
        if Path(path).name == "state.part":
            (Path(path) / "manifest.json").unlink()
            Path(path).rmdir()
        return look(path)

    monkeypatch.setattr(os, "scandir", look_too_late)
    found = files_named("manifest.json", tmp_path)
    assert found == [tmp_path / "a/manifest.json", tmp_path / "run/b/manifest.json"]


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


def test_a_file_takes_the_place_of_the_old_one_when_it_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with writing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old" and part.name == "table.csv.part"
    assert path.read_text() == "new"
    with writing(tmp_path / "model.keras", ending=".part.keras") as part:
        assert part.suffix == ".keras"
        part.touch()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.keras", "table.csv"]


def test_an_error_leaves_the_old_file_and_no_half_of_a_new_one(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), writing(path) as part:
        part.write_text("ne")
        raise OSError("disk full")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
    ],
)
def test_a_file_is_hashed_by_its_content(tmp_path, algorithm, digest):
    # Of "abc", from RFC 1321 and FIPS 180-2.
    (tmp_path / "file").write_bytes(b"abc")
    assert file_hash(tmp_path / "file", algorithm) == digest


def test_a_lock_that_is_held_is_an_error_or_is_waited_for(tmp_path):
    order, path = [], tmp_path / ".lock"

    def wait():
        with locked(path):
            order.append("second")

    with locked(path):
        with pytest.raises(RuntimeError, match="in use"), locked(path, RuntimeError("in use")):
            order.append("never")
        other = threading.Thread(target=wait)
        other.start()
        time.sleep(0.2)
        order.append("first")
    other.join(timeout=10)
    assert order == ["first", "second"]
    with locked(path, RuntimeError("in use")):
        pass
