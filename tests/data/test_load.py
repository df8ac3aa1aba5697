from pathlib import Path

import pandas as pd
import pytest

from skinkit.data import (
    COLUMNS,
    augment_offline,
    fingerprint,
    load,
    merge_bermeo2023,
    overlap,
    read_manifest,
    validate,
)


def read(root, **options):
    return load("ham10000", root, verbose=False, **options)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def notices(table):
    return " | ".join(table.attrs["notices"])


class TestHam10000:
    def test_rows_become_the_tidy_table(self, ham_folder):
        table = read(ham_folder())
        assert tuple(table.columns) == COLUMNS
        assert table.index.equals(pd.RangeIndex(4))
        assert table.loc[2, ["image_id", "label", "lesion_id", "dx_type", "sex"]].tolist() == [
            *["ISIC_0026769", "mel", "HAM_0002730", "histo", "female"]
        ]
        assert table["age"].tolist()[:3] == [80.0, 80.0, 0.0]
        assert table["dataset"].eq("ham10000").all()
        assert table.attrs["notices"] == []

    def test_unknown_and_empty_cells_are_missing(self, ham_folder):
        table = read(ham_folder())
        assert table.loc[3, ["age", "sex", "patient_id"]].isna().all()
        assert table["site"].isna().tolist() == [False, False, True, False]

    def test_types_are_strings_and_one_nullable_number(self, ham_folder):
        types = read(ham_folder()).dtypes
        assert types["age"] == "Float64"
        assert all(isinstance(types[name], pd.StringDtype) for name in COLUMNS if name != "age")
        assert types["label"].na_value is pd.NA

    def test_images_may_lie_in_the_two_folders_of_the_release(self, ham_folder):
        parts = ("HAM10000_images_part_1", "HAM10000_images_part_2")
        paths = read(ham_folder(places=parts))["path"]
        assert {path.split("/")[-2] for path in paths} == set(parts)

    def test_a_patient_column_is_read_where_there_is_one(self, ham_folder):
        rows = [f"{row},P{i // 2}" for i, row in enumerate(ham_folder.rows)]
        table = read(ham_folder(rows=rows, header=ham_folder.header + ",patient_id"))
        assert table["patient_id"].tolist() == ["P0", "P0", "P1", "P1"]

    def test_the_source_column_of_the_dataverse_is_not_the_data_set(self, ham_folder):
        rows = [f"{row},vidir_modern" for row in ham_folder.rows]
        table = read(ham_folder(rows=rows, header=ham_folder.header + ",dataset"))
        assert set(table["dataset"]) == {"ham10000"}

    def test_the_environment_names_the_root(self, ham_folder, monkeypatch, capsys):
        monkeypatch.setenv("SKINKIT_DATA", str(ham_folder(images=ham_folder.ids + ("other",))))
        assert len(load("ham10000")) == 4
        assert "1 image without a row in the table: not used" in capsys.readouterr().out


class TestSpellings:
    @pytest.mark.parametrize("separator", [";", "\t"])
    def test_other_separators_are_read_and_said(self, ham_folder, separator):
        lines = [ham_folder.header, *ham_folder.rows]
        text = "\n".join(line.replace(",", separator) for line in lines)
        table = read(ham_folder(text=text.replace("80.0", "80,0")))
        assert table["age"][0] == 80.0
        assert "between columns" in notices(table)

    def test_byte_order_mark_and_windows_line_ends_are_read_and_said(self, ham_folder):
        text = "\r\n".join([ham_folder.header, *ham_folder.rows])
        table = read(ham_folder(text=b"\xef\xbb\xbf" + text.encode()))
        assert len(table) == 4
        assert "byte-order mark" in notices(table) and "CRLF" in notices(table)

    def test_mixed_case_is_lowered_and_counted(self, ham_folder):
        rows = [row.replace("mel", "MEL").replace("male", "Male") for row in ham_folder.rows]
        table = read(ham_folder(rows=rows, header=ham_folder.header.upper()))
        assert table["label"].tolist() == ["bkl", "bkl", "mel", "nv"]
        assert "'dx': 1 value " in notices(table) and "'sex': 3 values" in notices(table)

    def test_file_name_endings_in_ids_are_removed_and_counted(self, ham_folder):
        rows = [row.replace("419,", "419.jpg,") for row in ham_folder.rows]
        table = read(ham_folder(rows=rows))
        assert table["image_id"][0] == "ISIC_0027419"
        assert "removed from 1 id" in notices(table)

    def test_a_saved_index_column_is_left_out(self, ham_folder):
        rows = [f"{i},{row}" for i, row in enumerate(ham_folder.rows)]
        assert len(read(ham_folder(rows=rows, header="," + ham_folder.header))) == 4

    def test_another_sex_is_missing_and_counted(self, ham_folder):
        rows = [row.replace("female", "other") for row in ham_folder.rows]
        table = read(ham_folder(rows=rows))
        assert table["sex"].isna().sum() == 2
        assert "1 value (other) taken as missing; known are female, male, f, m, w" in notices(table)


class TestErrors:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("bkl", "wart", r"line 2, column 'dx'.*akiec.*Received: 'wart' \(2 such rows"),
            ("ISIC_0025030", "ISIC_0027419", "line 2, column 'image_id': expected each image once"),
            ("ISIC_0025030", "isic_0027419", "line 2, column 'image_id': expected each image once"),
            ("ISIC_0025030", "", "line 3, column 'image_id': expected an image id"),
            ("follow_up", "guess", "line 5, column 'dx_type'.*Received: 'guess'"),
            ("80.0", "430", "line 2, column 'age': expected years from 0 to 120.*'430'"),
            ("80.0", "old", "line 2, column 'age': expected years.*'old'"),
            ("0.0,female", "-1,female", "line 4, column 'age'.*'-1'"),
            (",back", "", "line 5: expected 7 fields.*Received: 6"),
            (",back", ",back,lower", "line 5: expected 7 fields.*Received: 8"),
            (",back", ',"back', "not a CSV row"),
        ],
    )
    def test_wrong_rows_name_file_line_and_column(self, ham_folder, old, new, says):
        rows = [row.replace(old, new) for row in ham_folder.rows]
        with pytest.raises(ValueError, match=says) as error:
            read(ham_folder(rows=rows))
        assert "HAM10000_metadata.csv" in str(error.value)

    def test_blank_lines_do_not_shift_the_line_number(self, ham_folder):
        rows = ["", *ham_folder.rows[:2], "", ham_folder.rows[2].replace("mel", "wart")]
        with pytest.raises(ValueError, match="line 6, column 'dx'"):
            read(ham_folder(rows=rows))

    @pytest.mark.parametrize(
        ("header", "says"),
        [
            ("lesion_id,picture,dx,dx_type,age,sex,localization", "missing column.* image_id"),
            ("lesion_id,image_id,dx,dx_type,age,Age,localization", "age occur twice"),
            ("lesion_id,image_id,what,dx_type,age,sex,localization", "no known table of diag"),
        ],
    )
    def test_wrong_columns_are_named(self, ham_folder, header, says):
        with pytest.raises(ValueError, match=says):
            read(ham_folder(header=header))

    @pytest.mark.parametrize("text", ["", "\n\n", "image_id,dx\n"])
    def test_empty_tables_are_refused(self, ham_folder, text):
        with pytest.raises(ValueError, match="at least one row"):
            read(ham_folder(text=text))

    def test_text_that_is_not_utf8_is_refused(self, ham_folder):
        with pytest.raises(ValueError, match="not UTF-8"):
            read(ham_folder(text="image_id,dx\na,Nävus".encode("latin1")))

    def test_missing_folder_and_table_say_what_was_expected(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="skinkit data fetch ham10000"):
            read(tmp_path)
        (tmp_path / "ham10000").mkdir()
        with pytest.raises(FileNotFoundError, match=r"ham10000_metadata\*"):
            read(tmp_path)

    def test_options_are_checked(self, ham_folder):
        root = ham_folder()
        with pytest.raises(ValueError, match="Values of `missing_images` are error"):
            read(root, missing_images="ignore")
        with pytest.raises(ValueError, match="Values of `labels` are None"):
            read(root, labels="all")
        with pytest.raises(ValueError, match="labels='binary' is for ISIC 2020"):
            read(root, labels="binary")


class TestImages:
    def test_rows_without_an_image_are_an_error(self, ham_folder):
        with pytest.raises(FileNotFoundError, match="2 of the 4 images.*ISIC_0026769"):
            read(ham_folder(images=ham_folder.ids[:2]))

    def test_rows_without_an_image_can_be_dropped_or_kept(self, ham_folder):
        root = ham_folder(images=ham_folder.ids[:1])
        dropped = read(root, missing_images="drop")
        assert len(dropped) == 1 and "3 rows without an image dropped" in notices(dropped)
        assert read(root, missing_images="keep")["path"].isna().sum() == 3

    def test_a_table_alone_is_read_and_said(self, ham_folder):
        table = read(ham_folder(images=()))
        assert table["path"].isna().all() and "the table alone" in notices(table)

    def test_masks_beside_the_images_are_no_images(self, ham_folder):
        root = ham_folder()
        (root / "ham10000" / "images" / "ISIC_0027419_segmentation.png").write_bytes(b"mask")
        assert read(root).attrs["notices"] == []

    def test_images_of_other_names_do_not_pass_for_a_table_alone(self, ham_folder):
        with pytest.raises(FileNotFoundError, match="4 of the 4 images"):
            read(ham_folder(images=("IMG_1", "IMG_2")))

    def test_images_in_two_folders_are_counted(self, ham_folder):
        root = ham_folder()
        copy = root / "ham10000" / "zz_copy" / "ISIC_0027419.JPG"
        copy.parent.mkdir()
        copy.write_bytes(b"not opened by the readers")
        table = read(root)
        assert "1 image occurs in a second folder" in notices(table)
        assert "zz_copy" not in table["path"][0]

    @pytest.mark.parametrize("name", ["images/ISIC_0027419.png", "masks/isic_0027419.JPG"])
    def test_unequal_files_of_one_id_are_an_error_that_names_both(self, ham_folder, name):
        root = ham_folder()
        other = write(root / "ham10000" / name, "a mask")
        with pytest.raises(ValueError, match="have one image id and are not equal") as error:
            read(root)
        assert str(other) in str(error.value) and "images/ISIC_0027419.jpg" in str(error.value)

    def test_unequal_files_of_an_id_that_no_row_has_are_none_of_its_business(self, ham_folder):
        root = ham_folder(images=(*ham_folder.ids, "other"))
        write(root / "ham10000" / "masks" / "other.png", "a mask")
        assert len(read(root)) == 4

    def test_links_are_followed_and_a_link_back_up_ends(self, ham_folder, tmp_path):
        root = ham_folder()
        far = tmp_path / "far" / "images"
        far.parent.mkdir()
        (root / "ham10000" / "images").rename(far)
        (root / "ham10000" / "images").symlink_to(far)
        (far / "up").symlink_to(root / "ham10000")
        table = read(root)
        assert table["path"].notna().all() and table.attrs["notices"] == []

    def test_an_image_in_a_format_that_no_room_reads_is_named(self, ham_folder):
        root = ham_folder(images=ham_folder.ids[1:])
        write(root / "ham10000" / "images" / "ISIC_0027419.bmp", "BM")
        with pytest.raises(FileNotFoundError, match=r"ISIC_0027419.bmp is there, but only JPEG and PNG"):
            read(root)


class TestOneHot:
    truth = "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nA,1.0,0.0,0.0,0.0,0.0,0.0,0.0\nB,0,0,0,1,0,0,0\n"

    def test_isic2018_takes_lesions_from_the_groupings(self, tmp_path):
        folder = tmp_path / "isic2018_train"
        write(folder / "truth" / "ISIC2018_Task3_Training_GroundTruth.csv", self.truth)
        write(
            folder / "ISIC2018_Task3_Training_LesionGroupings.csv",
            "image,lesion_id,diagnosis_confirm_type\nA,HAM_1,histopathology\n"
            "B,HAM_2,serial imaging showing no change\n",
        )
        table = load("isic2018_train", tmp_path, verbose=False)
        assert table["label"].tolist() == ["mel", "akiec"]
        assert table["lesion_id"].tolist() == ["HAM_1", "HAM_2"]
        assert table["dx_type"].tolist() == ["histo", "follow_up"]

    @pytest.mark.parametrize("sex", ["sex", "gender"])
    def test_isic2019_takes_both_spellings_of_sex(self, tmp_path, sex):
        folder = tmp_path / "isic2019"
        truth = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nA,0,0,0,1,0,0,0,0,0\n"
        write(folder / "ISIC_2019_Training_GroundTruth.csv", truth)
        meta = f"image,age_approx,anatom_site_general,lesion_id,{sex}\nA,55,anterior torso,,female\n"
        write(folder / "ISIC_2019_Training_Metadata.csv", meta + "Z,5,,,male\n")
        table = load("isic2019", tmp_path, verbose=False)
        assert table.loc[0, ["label", "sex", "site"]].tolist() == ["ak", "female", "anterior torso"]
        assert table["age"][0] == 55 and table["lesion_id"].isna().all()
        assert "lacks 0 of its images and has 1 others" in notices(table)

    def test_without_groupings_the_unknown_lesions_are_said(self, tmp_path):
        write(tmp_path / "isic2018_test" / "ISIC2018_Task3_Test_GroundTruth.csv", self.truth)
        table = load("isic2018_test", tmp_path, verbose=False)
        assert table["lesion_id"].isna().all() and "lesions are not known" in notices(table)

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            ("B,1,1,0,0,0,0,0", "line 3.*sum to 1"),
            ("B,0,0,0,0,0,0,0", "line 3.*sum to 1"),
            ("B,0.5,0.5,0,0,0,0,0", "line 3, column 'mel': expected 0.0 or 1.0.*'0.5'"),
            ("B,yes,0,0,0,0,0,0", "line 3, column 'mel'.*'yes'"),
        ],
    )
    def test_rows_that_are_not_one_hot_are_refused(self, tmp_path, row, says):
        text = self.truth.splitlines()[:2] + [row]
        path = write(tmp_path / "ISIC2018_Task3_Test_GroundTruth.csv", "\n".join(text))
        with pytest.raises(ValueError, match=says):
            read_manifest(path)


class TestIsic2020:
    header = (
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target"
    )
    rows = (
        "I1,IP_1,male,45.0,torso,unknown,benign,0",
        "I2,IP_1,male,45.0,torso,melanoma,malignant,1",
        "I3,IP_2,,,,solar lentigo,benign,0",
        "I4,IP_2,female,30.0,head/neck,lentigo NOS,benign,0",
    )

    def folder(self, tmp_path, name="train.csv", rows=rows, header=header):
        write(tmp_path / "isic2020" / name, "\n".join([header, *rows]))
        return tmp_path

    @pytest.mark.parametrize("name", ["train.csv", "ISIC_2020_Training_GroundTruth.csv"])
    def test_labels_are_binary_unless_asked(self, tmp_path, name):
        root = self.folder(tmp_path, name)
        binary = load("isic2020", root, verbose=False)
        assert binary["label"].tolist() == ["benign", "malignant", "benign", "benign"]
        fine = load("isic2020", root, labels="diagnosis", verbose=False)
        assert fine["label"].tolist() == ["unk", "mel", "bkl", "bkl"]
        assert binary["patient_id"].tolist() == ["IP_1", "IP_1", "IP_2", "IP_2"]

    def test_listed_duplicates_are_dropped_and_counted(self, tmp_path, capsys):
        root = self.folder(tmp_path)
        pairs = "image_name_1,image_name_2\nI3,I4\nI1,absent\nabsent,I2\n"
        write(root / "isic2020" / "ISIC_2020_Training_Duplicates.csv", pairs)
        for number in range(1, 5):
            write(root / "isic2020" / f"I{number}.jpg", "not opened")
        table = load("isic2020", root)
        assert table["image_id"].tolist() == ["I1", "I2", "I3"]
        told = capsys.readouterr().out
        # Its image is not counted once more.
        assert "1 duplicate dropped (3 pairs" in told and "without a row" not in told

    def test_duplicates_are_known_under_other_spellings(self, tmp_path):
        root = self.folder(tmp_path)
        write(
            root / "isic2020" / "ISIC_2020_Training_Duplicates.csv", "image_name_1,image_name_2\ni3.jpg,I4\n"
        )
        assert load("isic2020", root, verbose=False)["image_id"].tolist() == ["I1", "I2", "I3"]

    def test_an_empty_list_of_duplicates_is_a_list(self, tmp_path):
        root = self.folder(tmp_path)
        write(root / "isic2020" / "ISIC_2020_Training_Duplicates.csv", "image_name_1,image_name_2\n")
        table = load("isic2020", root, verbose=False)
        assert len(table) == 4 and "0 duplicates dropped (0 pairs" in notices(table)

    def test_a_missing_list_of_duplicates_is_said(self, tmp_path):
        table = load("isic2020", self.folder(tmp_path), verbose=False)
        assert "no list of duplicates" in notices(table)

    def test_words_that_contradict_the_target_are_refused(self, tmp_path):
        rows = [self.rows[0].replace(",benign,", ",malignant,")]
        with pytest.raises(ValueError, match="line 2, column 'benign_malignant'"):
            load("isic2020", self.folder(tmp_path, rows=rows))

    def test_unknown_diagnoses_are_refused(self, tmp_path):
        rows = [self.rows[0].replace("unknown", "freckle")]
        root = self.folder(tmp_path, rows=rows)
        with pytest.raises(ValueError, match="column 'diagnosis'.*Received: 'freckle'"):
            load("isic2020", root, labels="diagnosis")

    def test_repacks_drop_marked_rows_and_know_missing_patients(self, tmp_path):
        header = self.header + ",tfrecord,width,height"
        rows = (
            "I1,-1,female,55.0,anterior torso,NV,benign,0,4,1022,767",
            "I2,-1,female,30.0,anterior torso,MEL,malignant,1,-1,1022,767",
        )
        write(tmp_path / "isic2019_512" / "train.csv", "\n".join([header, *rows]))
        table = load("isic2019_512", tmp_path, verbose=False)
        assert table["label"].tolist() == ["nv"] and table["patient_id"].isna().all()
        assert "left out, duplicates (tfrecord -1): 1 image" in notices(table)


class TestDerm7pt:
    def test_diagnoses_are_mapped_and_the_rest_is_counted(self, tmp_path):
        names = (
            *("basal cell carcinoma", "reed or spitz nevus", "dermatofibroma", "lentigo"),
            *("melanoma (in situ)", "seborrheic keratosis", "vascular lesion", "melanosis"),
        )
        lines = [f"{i},{name},NEL/Nel{i:03d}.jpg,female" for i, name in enumerate(names)]
        text = "\n".join(["case_num,diagnosis,derm,sex", *lines])
        root = tmp_path / "derm7pt" / "release_v0"
        write(root / "meta" / "meta.csv", text)
        for i in range(7):
            write(root / "images" / "NEL" / f"Nel{i:03d}.jpg", "")
        table = load("derm7pt", tmp_path, verbose=False)
        assert table["label"].tolist() == ["bcc", "nv", "df", "bkl", "mel", "bkl", "vasc"]
        assert table["image_id"][0] == "Nel000" and table["path"][0].endswith("NEL/Nel000.jpg")
        assert "left out, in none of the classes (melanosis 1): 1 image" in notices(table)

    @pytest.mark.parametrize("diagnosis", ["freckle", ""])
    def test_unknown_diagnoses_are_refused(self, tmp_path, diagnosis):
        path = write(tmp_path / "meta.csv", f"diagnosis,derm\nlentigo,a.jpg\n{diagnosis},b.jpg\n")
        with pytest.raises(ValueError, match="line 3, column 'diagnosis'"):
            read_manifest(path)


class TestManifestColumns:
    def test_a_table_is_read_back_as_it_was_saved(self, ham_folder, tmp_path):
        table = read(ham_folder())
        table.to_csv(tmp_path / "mine.csv", index=False)
        again = load(tmp_path / "mine.csv", verbose=False)
        pd.testing.assert_frame_equal(again, table)

    def test_an_augmented_table_is_read_back_too(self, ham_folder, tmp_path):
        table = augment_offline(read(ham_folder()))
        table.to_csv(tmp_path / "mine.csv", index=False)
        pd.testing.assert_frame_equal(load(tmp_path / "mine.csv", verbose=False), table)

    def test_paths_are_relative_to_the_table(self, tmp_path):
        write(tmp_path / "mine" / "a.png", "")
        path = write(tmp_path / "mine" / "list.csv", "image_id,path,label\nA,a.png,wart\n")
        table = read_manifest(path)
        assert table["path"][0] == str(tmp_path / "mine" / "a.png")
        assert table["dataset"][0] == "mine"
        assert "labels outside the documents' classes: wart" in notices(table)

    def test_a_word_for_missing_is_no_id_in_any_column_and_is_counted(self, tmp_path):
        rows = ["L1,P1", "unknown,-1", "-1.0,N/A", "Unknown,nan", "-,L1"]
        rows = [f"{i:05d},nv,a.png,{row}" for i, row in enumerate(rows)]
        write(tmp_path / "a.png", "")
        path = write(tmp_path / "list.csv", "\n".join(["image_id,label,path,lesion_id,patient_id", *rows]))
        table = read_manifest(path)
        assert table["image_id"].tolist() == ["00000", "00001", "00002", "00003", "00004"]
        assert table["lesion_id"].tolist() == ["L1", *[pd.NA] * 4]
        assert table["patient_id"].tolist() == ["P1", *[pd.NA] * 3, "L1"]
        # Empty in every column: N/A and nan are no words to count.
        assert "'lesion_id': 4 values" in notices(table) and "'patient_id': 1 value " in notices(table)

    def test_an_image_without_a_name_is_refused(self, tmp_path):
        path = write(tmp_path / "list.csv", "image_id,path,label\nA,a.png,nv\n ,a.png,nv\n")
        with pytest.raises(ValueError, match="line 3, column 'image_id': expected an image id"):
            read_manifest(path)

    def test_an_image_may_have_the_name_of_something_else(self, tmp_path):
        ids = ["NA", "None", "null", "nan", "a,b", "unknown", "-1", "007"]
        for image in ids:
            write(tmp_path / f"{image}.png", image)
        rows = [f'"{image}",nv,NA' for image in ids]
        path = write(tmp_path / "list.csv", "\n".join(["Foto,label,lesion_id", *rows]))
        table = read_manifest(path, columns={"image_id": "Foto"})
        assert table["image_id"].tolist() == ids and table["lesion_id"].isna().all()
        assert [Path(path).stem for path in table["path"]] == ids
        table.drop(columns="path").to_csv(path, index=False)
        assert read_manifest(path)["image_id"].tolist() == ids
        copies = augment_offline(table, transforms=["rot180"], except_labels=())
        assert set(copies["source_id"]) == set(ids)
        assert overlap(table, fingerprint(table))["photograph"].all()

    def test_letters_and_their_accents_may_be_apart(self, tmp_path):
        apart, together = "Na\u0308vus", "N\u00e4vus"
        write(tmp_path / f"{apart}.png", "")
        by_id = write(tmp_path / "by_id.csv", f"image_id,label\n{together},{apart}\n")
        by_path = write(tmp_path / "by_path.csv", f"image_id,path,label\n{apart},{together}.png,nv\n")
        for table in (read_manifest(by_id, labels={together: "nv"}), read_manifest(by_path)):
            assert table[["image_id", "label"]].to_numpy().tolist() == [[together, "nv"]]
            assert Path(table["path"][0]).stem == apart

    def test_a_folder_of_a_class_may_be_called_none(self, tmp_path):
        for name in ("none", "mel"):
            write(tmp_path / "set" / name / f"{name}-1.png", name)
        assert sorted(load(tmp_path / "set", verbose=False)["label"]) == ["mel", "none"]

    @pytest.mark.parametrize(("word", "sex"), [("w", "female"), ("F", "female"), ("M", "male")])
    def test_letters_say_the_sex(self, tmp_path, word, sex):
        write(tmp_path / "A.png", "")
        table = read_manifest(write(tmp_path / "list.csv", f"image_id,label,sex\nA,nv,{word}\n"))
        assert table["sex"].tolist() == [sex] and "'sex': 1 value (" not in notices(table)

    def test_a_copy_without_its_photograph_is_refused(self, tmp_path):
        rows = ["A,a.png,nv,A,identity", "B,a.png,nv,-1,rot180"]
        path = write(tmp_path / "list.csv", "\n".join(["image_id,path,label,source_id,transform", *rows]))
        with pytest.raises(ValueError, match="line 3, column 'source_id': expected the id of the photograph"):
            read_manifest(path)

    def test_images_that_are_not_there_are_an_error(self, tmp_path):
        path = write(tmp_path / "list.csv", "image_id,path,label\nA,a.png,nv\n")
        with pytest.raises(FileNotFoundError, match="1 of the 1 images"):
            read_manifest(path)
        with pytest.raises(FileNotFoundError, match="no such table file"):
            read_manifest(tmp_path / "none.csv")


class TestValidate:
    def test_a_sound_table_keeps_its_rows(self, ham_folder):
        table = read(ham_folder())
        pd.testing.assert_frame_equal(validate(table), table)

    @pytest.mark.parametrize(
        ("column", "value", "says"),
        [
            ("image_id", "ISIC_0025030", "each image once"),
            ("image_id", "isic_0025030", "each image once"),
            ("image_id", pd.NA, "an image id"),
            ("image_id", " ", "an image id"),
            ("label", pd.NA, "a diagnosis"),
            ("label", "NV", "a lower-case code"),
            ("age", 121.0, "years from 0 to 120"),
            ("sex", "f", "one of female, male"),
            ("dx_type", "guess", "one of histo"),
        ],
    )
    def test_wrong_values_are_refused(self, ham_folder, column, value, says):
        table = read(ham_folder())
        table.loc[0, column] = value
        with pytest.raises(ValueError, match=says):
            validate(table)

    @pytest.mark.parametrize("word", ["unknown", "-1", "-1.0", "nan", "", "n/a", "None", "<NA>"])
    def test_words_for_missing_become_missing_ids(self, ham_folder, word):
        table = read(ham_folder()).astype({"lesion_id": object, "patient_id": object})
        table.loc[0, ["lesion_id", "patient_id"]] = word
        checked = validate(table)
        assert checked.loc[0, ["lesion_id", "patient_id"]].isna().all()
        assert checked["lesion_id"].notna().sum() == 3

    def test_ids_that_were_read_as_numbers_are_whole(self, ham_folder):
        table = read(ham_folder()).assign(lesion_id=[1.0, 1.0, -1.0, None])
        assert validate(table)["lesion_id"].tolist() == ["1", "1", pd.NA, pd.NA]

    @pytest.mark.parametrize("word", [pd.NA, "", "unknown"])
    def test_an_empty_source_beside_filled_ones_is_refused(self, ham_folder, word):
        copies = augment_offline(read(ham_folder()))
        copies.loc[2, "source_id"] = word
        with pytest.raises(ValueError, match="row 2, column 'source_id': expected the id of the photograph"):
            validate(copies)

    def test_missing_columns_and_rows_are_refused(self, ham_folder):
        table = read(ham_folder())
        with pytest.raises(ValueError, match="Missing: sex"):
            validate(table.drop(columns="sex"))
        with pytest.raises(ValueError, match="at least one row"):
            validate(table.iloc[:0])
        with pytest.raises(ValueError, match="come together"):
            validate(table.assign(transform="identity"))


class TestRealTables:
    def test_ham10000_is_the_table_of_the_facts(self, real_ham):
        assert len(real_ham) == 10015 and real_ham["lesion_id"].nunique() == 7470
        sizes = real_ham["lesion_id"].value_counts().value_counts()
        assert sizes.to_dict() == {1: 5514, 2: 1423, 3: 490, 4: 34, 5: 5, 6: 4}
        counts = pd.crosstab(real_ham["label"], real_ham["dx_type"])
        counts = counts[["histo", "follow_up", "consensus", "confocal"]]
        assert counts.T.to_dict("list") == {
            "nv": [2498, 3704, 503, 0],
            "mel": [1113, 0, 0, 0],
            "bkl": [766, 0, 264, 69],
            "bcc": [514, 0, 0, 0],
            "akiec": [327, 0, 0, 0],
            "vasc": [67, 0, 75, 0],
            "df": [55, 0, 60, 0],
        }
        assert real_ham["sex"].value_counts().to_dict() == {"male": 5406, "female": 4552}
        assert real_ham["age"].isna().sum() == 57 and real_ham["site"].isna().sum() == 234

    def test_isic2020_drops_its_425_duplicates(self, real_isic2020):
        table = real_isic2020()
        assert len(table) == 33126 - 425 and table["patient_id"].nunique() == 2056
        assert "425 duplicates dropped" in notices(table)

    def test_isic2019_has_the_counts_of_its_release(self, real_root):
        if not (real_root / "isic2019").is_dir():
            pytest.skip("needs isic2019/")
        table = load("isic2019", real_root, missing_images="keep", verbose=False)
        assert table["label"].value_counts().to_dict() == {
            **{"nv": 12875, "mel": 4522, "bcc": 3323, "bkl": 2624, "ak": 867, "scc": 628},
            **{"vasc": 253, "df": 239},
        }
        assert table["lesion_id"].isna().sum() == 2084

    def test_derm7pt_has_987_cases_in_its_classes(self, real_root):
        if not (real_root / "derm7pt").is_dir():
            pytest.skip("needs derm7pt/")
        table = load("derm7pt", real_root, missing_images="keep", verbose=False)
        counts = {"nv": 575, "mel": 252, "bkl": 69, "bcc": 42, "vasc": 29, "df": 20}
        assert table["label"].value_counts().to_dict() == counts and len(table) == 987


def test_the_merge_leaves_out_unknown_diagnoses(make_table):
    old = make_table(image_id=["A", "B"], label=["ak", "nv"])
    new = make_table(image_id=["C", "D"], label=["unk", "mel"])
    merged = merge_bermeo2023(old, new)
    assert sorted(merged["label"]) == ["ak", "mel", "nv"]
    assert "1 image of unknown diagnosis left out" in notices(merged)


def test_the_merge_refuses_binary_labels_and_shared_images(make_table):
    old = make_table(image_id=["A"], label=["nv"])
    with pytest.raises(ValueError, match="labels='diagnosis'"):
        merge_bermeo2023(old, make_table(image_id=["B"], label=["benign"]))
    with pytest.raises(ValueError, match="each image once"):
        merge_bermeo2023(old, make_table(image_id=["A"], label=["nv"]))


def test_a_folder_without_a_table_says_what_was_expected(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match="no table of diagnoses.*or one folder of images a class"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="a folder, expected a table file"):
        read_manifest(tmp_path)


def test_a_link_to_nothing_is_not_an_image(tmp_path):
    (tmp_path / "a.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "own.csv").write_text("image_id,label\na,nv\n")
    with pytest.raises(FileNotFoundError, match="1 of the 1 images"):
        load(tmp_path / "own.csv")


def test_images_of_other_formats_in_class_folders_are_named(tmp_path):
    for name in ("nv/1.jpg", "nv/2.bmp", "mel/3.png", "bkl/4.tiff"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=r"(2\.bmp|4\.tiff): only JPEG and PNG files are read"):
        load(tmp_path)


@pytest.mark.parametrize("columns", ["img_id", ["img_id"]])
def test_columns_that_are_no_dictionary_are_refused(tmp_path, columns):
    (tmp_path / "own.csv").write_text("img_id,label\na,nv\n")
    with pytest.raises(ValueError, match="columns is a dictionary"):
        load(tmp_path / "own.csv", columns=columns)
