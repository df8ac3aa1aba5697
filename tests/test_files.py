from skinkit.files import remove, remove_matching


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
