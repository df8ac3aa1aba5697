"""Real images for a notebook, from each source in its own layout, drawn here and served on this machine."""

import dataclasses
import hashlib
import io
import os
import sys
import types
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from skinkit.data import dermamnist_split, get, leakage_report, leakage_stamp, load
from skinkit.data.releases import catalog, download, sources

IDS = [f"ISIC_{number:07d}" for number in range(24306, 24312)]
TABLE = "lesion_id,image_id,dx,dx_type,age,sex,localization\n" + "".join(
    f"HAM_{number // 2},{image},{'mel' if number < 2 else 'nv'},histo,50,male,back\n"
    for number, image in enumerate(IDS)
)
PARTS = {"HAM10000_images_part_1": IDS[:3], "HAM10000_images_part_2": IDS[3:]}
# The lesions of the images are 0, 0, 1, 1, 2, 2: the second and the third are in two parts.
LISTED = {"train": IDS[:3], "val": IDS[3:5], "test": IDS[5:]}


def jpeg(seed):
    opened = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(pixels).save(opened, "JPEG")
    return opened.getvalue()


def zipped(entries):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


IMAGES = {image: jpeg(number) for number, image in enumerate(IDS)}


def dataverse():
    """The publisher's files: two archives and a table."""
    packed = {f"{part}.zip": zipped({f"{i}.jpg": IMAGES[i] for i in ids}) for part, ids in PARTS.items()}
    return packed | {"HAM10000_metadata.csv": TABLE.encode()}


def kaggle():
    """The files of the copy at Kaggle, which holds each folder twice, and arrays of its own."""
    folders = {**PARTS, **{part.lower(): ids for part, ids in PARTS.items()}}
    images = {f"{part}/{image}.jpg": IMAGES[image] for part, ids in folders.items() for image in ids}
    return images | {"HAM10000_metadata.csv": TABLE.encode(), "hmnist_8_8_L.csv": b"pixel0000,label\n1,2\n"}


def dermamnist():
    """DermaMNIST's file and the two tables that tell the lesions of its images."""
    numbers, arrays, rows = {"mel": 4, "nv": 5}, {}, ["split,index,image_id"]
    for part, ids in LISTED.items():
        labels = [numbers["mel" if IDS.index(image) < 2 else "nv"] for image in ids]
        shades = [np.full((28, 28, 3), IDS.index(image), np.uint8) for image in ids]
        arrays[f"{part}_images"] = np.stack(shades)
        arrays[f"{part}_labels"] = np.array(labels, np.uint8)[:, None]
        rows += [f"{part},{index},{image}" for index, image in enumerate(ids)]
    opened = io.BytesIO()
    np.savez_compressed(opened, **arrays)
    table = "\n".join([*rows, ""]).encode()
    return {
        "dermamnist.npz": opened.getvalue(),
        "dermamnist_split_info.csv": table,
        "HAM10000_metadata.csv": TABLE.encode(),
    }


def write(files, folder):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    """Serves files of a release in place of the publisher, whose sizes and checksums become theirs."""
    served = tmp_path / "served"
    served.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=served))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def serve(key, files):
        write(files, served)
        address = f"http://127.0.0.1:{server.server_port}"
        release = catalog.CATALOG[key]
        assert {file.name for file in release.files} == {*files}
        changed = tuple(
            dataclasses.replace(
                file,
                urls=(f"{address}/{file.name}",),
                bytes=len(files[file.name]),
                sha256=None,
                md5=hashlib.md5(files[file.name]).hexdigest(),
            )
            for file in release.files
        )
        monkeypatch.setitem(catalog.CATALOG, key, dataclasses.replace(release, files=changed))

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """The folder of a notebook, in which nobody has said where images are."""
    folder = tmp_path / "notebook"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # Set first, so that it is taken back after the test.
    monkeypatch.setenv("SKINKIT_DATA", "")
    return folder


@pytest.fixture
def colab(tmp_path, monkeypatch):
    """A stand-in for Colab's module, whose Drive is a folder that is there once it is mounted."""
    drive = tmp_path / "drive"
    mine = drive / "MyDrive"
    module = types.ModuleType("google.colab")
    module.drive = types.SimpleNamespace(mount=lambda place: mine.mkdir(parents=True, exist_ok=True))
    monkeypatch.setitem(sys.modules, "google.colab", module)
    monkeypatch.setattr(sources, "_DRIVE", drive)
    return mine / "skinkit"


def read_back(notebook, name="ham10000"):
    """The table as the next cell reads it, and as another notebook in the folder does."""
    assert os.environ["SKINKIT_DATA"] == str(notebook / "datasets")
    table = load(name, verbose=False)
    os.environ["SKINKIT_DATA"] = ""
    assert load(name, verbose=False)["image_id"].equals(table["image_id"])
    return table


def test_the_publishers_files_are_fetched_once_and_remembered(publisher, notebook, capsys):
    publisher("ham10000", dataverse())
    assert get("dataverse") == notebook / "datasets" / "ham10000"
    said = capsys.readouterr().out
    assert said.index("2.8 GB") < said.index("md5 agrees"), "the size is said first"
    assert "6 images in" in said and "CC BY-NC 4.0" in said
    table = read_back(notebook)
    assert table["lesion_id"].nunique() == 3
    assert Path(table["path"][0]).read_bytes() == IMAGES[IDS[0]]
    publisher("ham10000", dict.fromkeys(dataverse(), b"other"))
    with pytest.raises(download.DownloadError, match="move it away"):
        get("dataverse")


def test_the_copy_at_kaggle_is_read_where_it_lies_and_each_image_once(notebook, tmp_path, monkeypatch):
    place, asked = write(kaggle(), tmp_path / "cache"), []
    module = types.ModuleType("kagglehub")
    module.dataset_download = lambda handle: asked.append(handle) or str(place)
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    get("kaggle")
    get("kaggle")
    assert asked == ["kmader/skin-cancer-mnist-ham10000"] * 2
    table = read_back(notebook)
    assert table["image_id"].tolist() == IDS and not table.attrs["notices"]
    with pytest.raises(ValueError, match="Releases of the source 'kaggle' are ham10000, isic2020"):
        get("kaggle", "derm7pt")


def test_a_re_pack_of_isic_2020_at_kaggle_stands_in_for_the_release(notebook, tmp_path, monkeypatch):
    table = (
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target,"
        "tfrecord\nISIC_1,IP_1,male,50,torso,nevus,benign,0,3\nISIC_2,IP_2,male,50,torso,melanoma,malignant,1,4\n"
    )
    files = {"train.csv": table.encode(), "test.csv": b"image_name,patient_id\nISIC_9,IP_9\n"}
    files |= {f"{place}.jpg": IMAGES[IDS[0]] for place in ("train/ISIC_1", "train/ISIC_2", "test/ISIC_9")}
    module = types.ModuleType("kagglehub")
    module.dataset_download = lambda handle: str(write(files, tmp_path / handle.replace("/", "-")))
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    assert get("kaggle", "isic2020") == notebook / "datasets" / "isic2020"
    assert read_back(notebook, "isic2020")["label"].tolist() == ["benign", "malignant"]
    assert (tmp_path / "cdeotte-jpeg-melanoma-512x512").is_dir()


def test_a_link_into_a_cache_that_was_emptied_is_made_again(notebook, tmp_path, monkeypatch):
    module = types.ModuleType("kagglehub")
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    for version in ("1", "2"):
        place = write(kaggle(), tmp_path / version)
        module.dataset_download = lambda handle, place=place: str(place)
        get("kaggle")
        place.rename(tmp_path / f"gone{version}")


@pytest.mark.parametrize("layout", [dataverse, kaggle])
def test_drive_holds_the_publishers_archives_or_unpacked_images(layout, publisher, notebook, colab):
    publisher("ham10000", dataverse())
    held = write(layout(), colab / "ham10000")
    before = sorted(path.name for path in held.iterdir())
    get("drive")
    assert len(read_back(notebook)) == 6
    assert sorted(path.name for path in held.iterdir()) == before, "nothing is written into Drive"


def test_what_drive_lacks_is_said(notebook, colab, monkeypatch):
    with pytest.raises(FileNotFoundError, match="Make it in Drive, as skinkit/ham10000"):
        get("drive")
    monkeypatch.setitem(sys.modules, "google.colab", None)
    with pytest.raises(FileNotFoundError, match="mounted in Colab only"):
        get("drive")
    assert os.environ["SKINKIT_DATA"] == ""


def test_dermamnist_shows_its_leak_and_is_mended(publisher, notebook):
    publisher("dermamnist", dermamnist())
    get("dermamnist")
    table = read_back(notebook, "dermamnist")
    assert table["lesion_id"].tolist() == ["HAM_0", "HAM_0", "HAM_1", "HAM_1", "HAM_2", "HAM_2"]
    published, mended = dermamnist_split(table), dermamnist_split(table, leak_free=True)
    # One of the two validation images shows a lesion from training, and the test image one from validation.
    assert leakage_report(table, published, "validation").loc["all", "lesion"] == 0.5
    assert leakage_report(table, published, "test", "validation").loc["all", "lesion"] == 1
    assert mended.parts.tolist() == ["train"] * 6


def test_the_leak_free_split_keeps_lesions_of_one_part(publisher, notebook):
    files = dermamnist()
    table = TABLE.replace(f"HAM_2,{IDS[4]}", f"HAM_8,{IDS[4]}").replace(f"HAM_2,{IDS[5]}", f"HAM_9,{IDS[5]}")
    files["HAM10000_metadata.csv"] = table.encode()
    publisher("dermamnist", files)
    get("dermamnist")
    table = load("dermamnist", verbose=False)
    mended = dermamnist_split(table, leak_free=True)
    assert mended.parts.tolist() == ["train"] * 4 + ["validation", "test"]
    assert leakage_stamp(leakage_report(table, mended)) is None


def test_without_ids_no_claim_is_made(tmp_path):
    (tmp_path / "dermamnist.npz").write_bytes(dermamnist()["dermamnist.npz"])
    table = load(tmp_path / "dermamnist.npz", verbose=False)
    assert "their lesions are not known" in table.attrs["notices"][0]
    assert "UNKNOWN" in leakage_stamp(leakage_report(table, dermamnist_split(table)))
    with pytest.raises(ValueError, match="Put dermamnist_split_info.csv and HAM10000_metadata.csv beside"):
        dermamnist_split(table, leak_free=True)
    with pytest.raises(ValueError, match="Received: 'ISIC_1'"):
        dermamnist_split(table.assign(image_id=["ISIC_1"] * 6))


def test_ids_of_other_images_are_refused(tmp_path):
    files = dermamnist()
    files["dermamnist_split_info.csv"] = files["dermamnist_split_info.csv"].replace(b"train,0", b"train,9")
    with pytest.raises(ValueError, match="expected the diagnosis of the image which .*split_info.csv names"):
        load(write(files, tmp_path) / "dermamnist.npz")


def test_an_unknown_source_names_the_known_ones(notebook):
    with pytest.raises(ValueError, match="Sources are dataverse, kaggle, drive.*Received: 'kagle'"):
        get("kagle")
