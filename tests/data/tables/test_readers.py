"""Tables that people have: the archive's export, other clinics', and those that say a diagnosis twice."""

import pandas as pd
import pytest

from skinkit.data import load, stratified_group_split
from skinkit.data.releases.catalog import CATALOG

EXPORT = "isic_id,age_approx,anatom_site_general,diagnosis_1,diagnosis_2,diagnosis_3,diagnosis_confirm_type,"
EXPORT += "image_manipulation,lesion_id,sex"
FIFTH = "single contributor clinical assessment"
NEVUS = "Benign,Benign melanocytic proliferations,Nevus"
DIAGNOSES = {
    NEVUS: "nv",
    'Malignant,Malignant melanocytic proliferations (Melanoma),"Melanoma, NOS"': "mel",
    "Malignant,Malignant melanocytic proliferations (Melanoma),Melanoma in situ": "mel",
    "Malignant,Malignant adnexal epithelial proliferations - Follicular,Basal cell carcinoma": "bcc",
    "Benign,Benign epidermal proliferations,Pigmented benign keratosis": "bkl",
    "Benign,Benign epidermal proliferations,Solar lentigo": "bkl",
    "Benign,Benign soft tissue proliferations - Fibro-histiocytic,Dermatofibroma": "df",
    "Indeterminate,Indeterminate epidermal proliferations,Solar or actinic keratosis": "akiec",
    'Malignant,Malignant epidermal proliferations,"Squamous cell carcinoma, NOS"': "akiec",
    "Benign,Benign soft tissue proliferations - Vascular,": "vasc",
    "Benign,Benign soft tissue proliferations - Vascular,Hemangioma": "vasc",
}


def write(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def read(path, **options):
    return load(path, verbose=False, missing_images="keep", **options)


def notices(table):
    return " | ".join(table.attrs["notices"])


def export_row(number, diagnosis=NEVUS, confirmed="histopathology", altered=""):
    return f"ISIC_{number:07d},85,head/neck,{diagnosis},{confirmed},{altered},IL_{number},female"


class TestArchive:
    def test_every_diagnosis_becomes_a_class_of_ham10000(self, tmp_path):
        rows = [export_row(9100000 + i, diagnosis) for i, diagnosis in enumerate(DIAGNOSES)]
        table = read(write(tmp_path / "metadata.csv", EXPORT, *rows))
        assert table["label"].tolist() == list(DIAGNOSES.values())
        assert table.loc[0, ["lesion_id", "dx_type", "site", "sex"]].tolist() == [
            *["IL_9100000", "histo", "head/neck", "female"]
        ]

    def test_the_eight_classes_and_own_words_are_there_on_request(self, tmp_path):
        rows = [export_row(1, list(DIAGNOSES)[7]), export_row(2, list(DIAGNOSES)[8])]
        path = write(tmp_path / "metadata.csv", EXPORT, *rows)
        assert read(path, labels="diagnosis")["label"].tolist() == ["ak", "scc"]
        words = {"Squamous cell carcinoma, NOS": "scc"}
        assert read(path, labels=words)["label"].tolist() == ["akiec", "scc"]

    def test_what_cannot_be_used_is_left_out_and_counted(self, tmp_path):
        rows = [
            export_row(1),
            export_row(2, altered="synthetic"),
            export_row(3, altered="altered"),
            export_row(4, "Benign,Benign soft tissue proliferations - Fibro-histiocytic,Scar"),
            export_row(5, ",,"),
            export_row(6, confirmed=FIFTH),
        ]
        table = read(write(tmp_path / "metadata.csv", EXPORT, *rows))
        assert table["image_id"].tolist() == ["ISIC_0000001", "ISIC_0000006"]
        assert table["dx_type"].tolist() == ["histo", pd.NA]
        assert "left out, altered or synthetic (synthetic 1, altered 1): 2 images" in notices(table)
        assert "left out, in none of the classes (Scar 1, no diagnosis 1): 2 images" in notices(table)
        assert f"1 value ({FIFTH}) taken as missing" in notices(table)

    def test_official_test_images_fall_into_no_training_part(self, tmp_path):
        numbers = (34319, 34320, 34321, 35000, 36064, 36065, *range(50000, 50030))
        path = write(tmp_path / "mine" / "metadata.csv", EXPORT, *map(export_row, numbers))
        table = read(path)
        trained_on = stratified_group_split(table).ids("train")
        official = {"ISIC_0034321", "ISIC_0035000", "ISIC_0036064"}
        assert len(table) == len(numbers) - 3 and not official & set(trained_on)
        assert {"ISIC_0034320", "ISIC_0036065"} <= set(table["image_id"])
        assert "left out, of the official ISIC 2018 validation and test sets" in notices(table)

    @pytest.mark.parametrize(
        "name", ["ISIC_0034322.jpg", "isic_0034322_downsampled", "images/ISIC_0034322", " ISIC_0034322 "]
    )
    def test_nor_do_they_under_another_spelling(self, tmp_path, name):
        rows = [export_row(34320), export_row(34322).replace("ISIC_0034322", name)]
        assert read(write(tmp_path / "mine.csv", EXPORT, *rows))["image_id"].tolist() == ["ISIC_0034320"]

    def test_nor_do_they_under_an_own_label(self, tmp_path):
        lines = [EXPORT + ",label", export_row(34320) + ",nv", export_row(34321) + ",nv"]
        assert read(write(tmp_path / "mine.csv", *lines))["image_id"].tolist() == ["ISIC_0034320"]

    def test_they_are_read_where_they_are_the_test_set(self, tmp_path):
        write(tmp_path / "isic2018_test" / "metadata.csv", EXPORT, export_row(35000))
        assert len(load("isic2018_test", tmp_path, verbose=False)) == 1
        path = write(tmp_path / "metadata.csv", EXPORT, export_row(35000))
        with pytest.raises(ValueError, match="no row is left.*official ISIC 2018"):
            read(path)

    def test_a_folder_of_it_is_read_with_its_images(self, tmp_path):
        write(tmp_path / "mine" / "metadata.csv", EXPORT, export_row(1))
        write(tmp_path / "mine" / "ISIC_0000001.jpg", "not opened")
        write(tmp_path / "mine" / "attribution.txt", "by whom")
        table = load(tmp_path / "mine", verbose=False)
        assert table["path"][0].endswith("ISIC_0000001.jpg") and table["dataset"][0] == "mine"


class TestSyntheticTestImage:
    def test_it_is_left_out_of_both_releases(self, tmp_path):
        one_hot = (
            "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC",
            "ISIC_0035067,1,0,0,0,0,0,0",
            "ISIC_0035068,1,0,0,0,0,0,0",
        )
        name = "ISIC2018_Task3_Test_GroundTruth.csv"
        write(tmp_path / "isic2018_test" / name, *one_hot)
        dx = ("image_id,lesion_id,dx", "ISIC_0035067,HAMTEST_1,mel", "ISIC_0035068,HAMTEST_2,mel")
        write(tmp_path / "isic2018_test_dataverse" / name, *dx)
        for image in ("ISIC_0035067", "ISIC_0035068"):
            write(tmp_path / "isic2018_test_dataverse" / f"{image}.jpg", "not opened")
        for release in ("isic2018_test", "isic2018_test_dataverse"):
            table = load(release, tmp_path, verbose=False)
            assert table["image_id"].tolist() == ["ISIC_0035067"]
            assert "left out, synthetic (ISIC_0035068" in notices(table)
            # The image of that row is counted there.
            assert "without a row in the table" not in notices(table)
            assert "ISIC_0035068" in CATALOG[release].note


class TestOtherClinics:
    header = "patient_id,lesion_id,smoke,age,gender,region,diagnostic,itch,img_id"
    rows = (
        "PAT_1,0700,,30,MALE,FACE,BCC,UNK,PAT_1_0700_1.png",
        "PAT_1,0701,,31,FEMALE,ARM,NEV,UNK,PAT_1_0701_2.png",
        "PAT_2,0702,,32,MALE,ARM,SCC,FALSE,PAT_2_0702_3.png",
    )
    columns = {"image_id": "img_id", "label": "diagnostic", "site": "region"}

    def test_columns_and_words_are_named_in_one_call(self, tmp_path):
        path = write(tmp_path / "pad.csv", self.header, *self.rows)
        for row in self.rows:
            write(tmp_path / "imgs" / row.split(",")[-1], "not opened")
        table = load(path, columns=self.columns, labels={"NEV": "nv", "scc": "akiec"}, verbose=False)
        assert table["label"].tolist() == ["bcc", "nv", "akiec"]
        assert table["lesion_id"].tolist() == ["0700", "0701", "0702"]
        assert table.loc[0, ["image_id", "sex", "site"]].tolist() == ["PAT_1_0700_1", "male", "face"]
        assert table["path"].str.contains("imgs").all()

    def test_words_that_no_row_has_are_said(self, tmp_path):
        path = write(tmp_path / "pad.csv", self.header, *self.rows)
        table = read(path, columns=self.columns, labels={"NEVV": "nv"})
        assert "words that no row has: nevv" in notices(table)

    def test_unknown_columns_are_refused_with_the_nearest(self, tmp_path):
        path = write(tmp_path / "pad.csv", self.header, *self.rows)
        with pytest.raises(ValueError, match=r"pad.csv are .*Received: 'imgid'. Did you mean img_id"):
            read(path, columns=self.columns | {"image_id": "imgid"})
        with pytest.raises(ValueError, match=r"manifest table are .*Did you mean image_id"):
            read(path, columns=self.columns | {"image": "img_id"})

    def test_errors_name_the_column_as_the_table_does(self, tmp_path):
        path = write(tmp_path / "pad.csv", self.header, self.rows[0].replace("BCC", ""))
        with pytest.raises(ValueError, match="line 2, column 'diagnostic'"):
            read(path, columns=self.columns)

    @pytest.mark.parametrize(("labels", "expected"), [({"nv": "mole"}, ["mole", "mel"]), ({}, ["nv", "mel"])])
    def test_own_words_are_for_any_table(self, tmp_path, labels, expected):
        ham = write(tmp_path / "ham.csv", "image_id,dx", "A,nv", "B,mel")
        one_hot = write(tmp_path / "one.csv", "image,MEL,NV,BCC", "A,0,1,0", "B,1,0,0")
        assert [read(path, labels=labels)["label"].tolist() for path in (ham, one_hot)] == [expected] * 2
        both = write(tmp_path / "2020.csv", "image_name,diagnosis,target", "A,NV,0", "B,melanoma,1")
        options = {"labels": labels} if labels else {"labels": "diagnosis"}
        assert read(both, **options)["label"].tolist() == expected
        assert read(both, labels={"0": "no", "malignant": "yes"})["label"].tolist() == ["no", "yes"]


class TestHamLayout:
    def test_a_table_without_lesions_is_read_and_not_split_by_lesion(self, tmp_path):
        rows = [f"ISIC_95000{i:02d};{'mel' if i % 2 else 'nv'};histo" for i in range(12)]
        table = read(write(tmp_path / "ham.csv", "image_id;dx;dx_type", *rows))
        assert len(table) == 12 and table["lesion_id"].isna().all()
        assert "its lesions are not known" in notices(table)
        with pytest.raises(ValueError, match="no lesion"):
            stratified_group_split(table, group="lesion")

    def test_the_fifth_confirmation_is_missing_and_counted(self, tmp_path):
        rows = ("HAM_1,ISIC_1,mel,histo", f"HAM_1,ISIC_2,mel,{FIFTH}")
        table = read(write(tmp_path / "ham.csv", "lesion_id,image_id,dx,dx_type", *rows))
        assert table["dx_type"].tolist() == ["histo", pd.NA]
        assert f"column 'dx_type': 1 value ({FIFTH}) taken as missing" in notices(table)


class TestSeveralLabels:
    def test_an_own_label_and_path_win_and_the_others_are_said(self, tmp_path):
        write(tmp_path / "b.jpg", "not opened")
        write(tmp_path / "a.jpg", "not opened")
        rows = ("a,b.jpg,mel,1", "b,a.jpg,bcc,0")
        table = load(write(tmp_path / "own.csv", "image_id,path,label,target", *rows), verbose=False)
        assert table["label"].tolist() == ["mel", "bcc"] and table["path"][0].endswith("b.jpg")
        assert "column(s) target say a diagnosis too: ignored" in notices(table)

    @pytest.mark.parametrize(
        ("header", "row", "columns"),
        [
            ("image_id,path,label,target", "b,b.jpg,mel,0", "'label' and 'target'"),
            ("image_id,path,label,target", "b,b.jpg,nv,1.0", "'label' and 'target'"),
            ("image_id,path,label,second_look", "b,b.jpg,nv,melanoma", "'label' and 'second_look'"),
            ("image_id,path,label,kind", "b,b.jpg,nv,Malignant", "'label' and 'kind'"),
            ("image_id,path,label,dx", "b,b.jpg,nv,bkl", "'label' and 'dx'"),
            ("image_id,dx,diagnosis", "b,nv,melanoma", "'dx' and 'diagnosis'"),
            ("image_id,diagnosis,target", "b,melanoma,0", "'target' and 'diagnosis'"),
            ("image_id,label,mel,nv,bcc", "b,nv,0,0,1", "'label' and 'bcc'"),
        ],
    )
    def test_a_contradiction_names_line_and_columns(self, tmp_path, header, row, columns):
        path = write(tmp_path / "own.csv", header, row)
        with pytest.raises(ValueError, match=f"own.csv, line 2, columns {columns}: expected one diagnosis"):
            read(path)

    @pytest.mark.parametrize(
        ("header", "row"),
        [
            ("image_id,label,dx", "b,ak,akiec"),
            ("image_id,label,target", "b,bcc,1"),
            ("image_id,label,diagnosis", "b,mel,unknown"),
            ("image_id,label,verdict", "b,wart,benign"),
            ("image_id,label,site,itch", "b,mel,face,UNK"),
            ("image_id,label,mel,nv,bcc", "b,nv,0,1,0"),
        ],
    )
    def test_what_may_be_one_diagnosis_is_not_a_contradiction(self, tmp_path, header, row):
        assert len(read(write(tmp_path / "own.csv", header, row))) == 1

    def test_the_columns_are_named_as_the_table_does(self, tmp_path):
        path = write(tmp_path / "own.csv", "image_id,histology,suspected", "a,mel,MEL", "b,NEV,melanoma")
        with pytest.raises(
            ValueError, match="line 3, columns 'histology' and 'suspected': .*'nv' and 'melan"
        ):
            read(path, columns={"label": "histology"}, labels={"NEV": "nv"})


class TestChallenges:
    def test_the_second_version_of_isic2020_brings_lesions(self, tmp_path):
        header = "image_name,patient_id,{}diagnosis,benign_malignant,target"
        folder = tmp_path / "isic2020"
        write(folder / "ISIC_2020_Training_GroundTruth.csv", header.format(""), "I1,P1,nevus,benign,0")
        v2 = "ISIC_2020_Training_GroundTruth_v2.csv"
        write(folder / v2, header.format("lesion_id,"), "I1,P1,IL_1,nevus,benign,0")
        assert load("isic2020", tmp_path, verbose=False)["lesion_id"].tolist() == ["IL_1"]
        # Also where another table of the release is read.
        old = load("isic2020", tmp_path, table="ISIC_2020_Training_GroundTruth.csv", verbose=False)
        assert old["lesion_id"].tolist() == ["IL_1"]

    def test_isic2024_is_not_told_about_isic2020(self, tmp_path):
        header = "isic_id,target,patient_id,lesion_id,iddx_full,iddx_1,iddx_2,iddx_3"
        rows = (
            "ISIC_1,0,IP_1,,Benign,Benign,,",
            f"ISIC_0034321,1,IP_2,IL_2,whole,{list(DIAGNOSES)[2]}",
        )
        write(tmp_path / "isic-2024-challenge" / "train-metadata.csv", header, *rows)
        folder = tmp_path / "isic-2024-challenge"
        table = load(folder, verbose=False)
        assert table["label"].tolist() == ["benign", "malignant"]
        assert "2020" not in notices(table) and "ISIC 2024: benign and malignant" in notices(table)
        assert load(folder, labels="diagnosis", verbose=False)["label"].tolist() == ["mel"]

    def test_the_archive_beside_a_test_set_brings_its_lesions(self, tmp_path):
        folder = tmp_path / "isic2018_validation"
        truth = ("image,MEL,NV,BCC,AKIEC,BKL,DF,VASC", "ISIC_0034321,0,1,0,0,0,0,0")
        write(folder / "ISIC2018_Task3_Validation_GroundTruth.csv", *truth)
        assert load("isic2018_validation", tmp_path, verbose=False)["lesion_id"].isna().all()
        write(folder / "archive.csv", EXPORT, export_row(34321), export_row(1))
        table = load("isic2018_validation", tmp_path, verbose=False)
        assert table["lesion_id"].tolist() == ["IL_34321"] and table["dx_type"].tolist() == ["histo"]
        assert "archive.csv lacks 0 of its images and has 1 others" in notices(table)
        assert "No lesion" not in CATALOG["isic2018_validation"].note


class TestPaths:
    def test_a_path_that_is_not_there_is_no_release(self, tmp_path):
        write(tmp_path / "metadata.csv", "image_id,label", "a,nv")
        for name in (tmp_path / "metadat.csv", tmp_path / "none" / "table", f"{tmp_path}/none/"):
            with pytest.raises(FileNotFoundError, match="no such table file or folder") as error:
                load(name)
            assert "fetch" not in str(error.value)
        with pytest.raises(FileNotFoundError, match="Did you mean metadata.csv"):
            load(tmp_path / "metadat.csv")

    @pytest.mark.parametrize("name", ["table.txt", "table", "table.tab"])
    def test_a_table_may_have_any_ending_or_none(self, tmp_path, name):
        assert len(read(write(tmp_path / name, "image_id\tdx", "a\tnv"))) == 1

    @pytest.mark.parametrize("name", ["table.xlsx", "table.XLS"])
    def test_a_workbook_is_to_be_saved_as_text(self, tmp_path, name):
        with pytest.raises(ValueError, match="a workbook. Save its sheet as CSV"):
            load(write(tmp_path / name, "PK"))

    def test_folders_in_paths_may_be_parted_by_backslashes(self, tmp_path):
        write(tmp_path / "images" / "a.jpg", "not opened")
        table = load(write(tmp_path / "own.csv", "image_id,path,label", "a,images\\a.jpg,nv"), verbose=False)
        assert table["path"][0] == str(tmp_path / "images" / "a.jpg")

    def test_an_id_with_a_folder_is_a_path(self, tmp_path):
        for name in ("one/a.jpg", "two/a.jpg"):
            write(tmp_path / name, "not opened")
        path = write(tmp_path / "own.csv", "file,kind", "one/a.jpg,nv", "two\\a.jpg,mel")
        table = load(path, columns={"image_id": "file", "label": "kind"}, verbose=False)
        assert table["path"].tolist() == [str(tmp_path / name) for name in ("one/a.jpg", "two/a.jpg")]

    def test_a_path_to_another_kind_of_file_is_refused(self, tmp_path):
        write(tmp_path / "a.bmp", "BM")
        path = write(tmp_path / "own.csv", "image_id,path,label", "a,a.bmp,nv")
        with pytest.raises(ValueError, match="line 2, column 'path': expected a JPEG or PNG file"):
            load(path)

    def test_several_tables_of_a_folder_are_named(self, tmp_path):
        for name in ("one.csv", "two.csv"):
            write(tmp_path / name, "image_id,label", "a,nv")
        with pytest.raises(FileNotFoundError, match="one.csv, two.csv; table="):
            load(tmp_path)
        assert len(load(tmp_path, table="two.csv", missing_images="keep", verbose=False)) == 1


class TestClassFolders:
    def test_a_folder_a_class_is_read_in_one_call(self, tmp_path):
        for name in ("Nevus/a.jpg", "Nevus/b.PNG", "melanoma/c.jpeg"):
            write(tmp_path / "mine" / name, "not opened")
        table = load(tmp_path / "mine", labels={"nevus": "nv", "melanoma": "mel"}, verbose=False)
        assert dict(zip(table["image_id"], table["label"], strict=True)) == {"a": "nv", "b": "nv", "c": "mel"}
        assert table["path"].str.startswith(str(tmp_path)).all() and set(table["dataset"]) == {"mine"}

    def test_names_that_are_used_anew_keep_their_folder(self, tmp_path):
        for name in ("nv/1.jpg", "mel/1.jpg"):
            write(tmp_path / name, "not opened")
        assert sorted(load(tmp_path, verbose=False)["image_id"]) == ["mel/1", "nv/1"]

    def test_one_photograph_in_two_classes_is_an_error(self, tmp_path):
        for name in ("nv/ISIC_0024306.jpg", "mel/ISIC_0024306.jpg"):
            write(tmp_path / name, "not opened")
        with pytest.raises(
            ValueError, match=r"mel/ISIC_0024306.jpg and nv/ISIC_0024306.jpg have one image id"
        ):
            load(tmp_path)

    def test_a_release_without_its_table_is_not_taken_for_classes(self, tmp_path):
        for part in ("HAM10000_images_part_1", "HAM10000_images_part_2"):
            write(tmp_path / "ham10000" / part / f"{part}.jpg", "not opened")
        with pytest.raises(FileNotFoundError, match="no table of diagnoses.*skinkit data fetch ham10000"):
            load("ham10000", tmp_path)
