"""Files of many images, unpacked once beside them and read as any folder."""

import io
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from skinkit.data import load

SIDE = 28


def pixels(count, seed=0, channels=(3,)):
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, *channels), np.uint8)


@pytest.fixture
def medmnist(tmp_path):
    """Writes a file in MedMNIST's form: `medmnist(name)`; two training images, one of each other part."""

    def write(name="dermamnist.npz", **arrays):
        made = {}
        for i, (part, labels) in enumerate({"train": [4, 5], "val": [0], "test": [6]}.items()):
            made[f"{part}_images"] = pixels(len(labels), i)
            made[f"{part}_labels"] = np.array(labels, np.uint8)[:, None]
        np.savez_compressed(tmp_path / name, **(made | arrays))
        return tmp_path / name

    return write


def jpeg(seed):
    opened = io.BytesIO()
    Image.fromarray(pixels(1, seed)[0]).save(opened, "JPEG")
    return opened.getvalue()


@pytest.fixture
def isic2024(tmp_path):
    """Writes a folder in ISIC 2024's form and returns it; nothing of it is unpacked."""
    folder = tmp_path / "isic2024"
    folder.mkdir()
    with h5py.File(folder / "train-image.hdf5", "w") as file:
        for i in range(2):
            file[f"ISIC_{i}"] = np.void(jpeg(i))
    rows = "isic_id,target,patient_id\nISIC_0,0,IP_1\nISIC_1,1,IP_2\n"
    (folder / "train-metadata.csv").write_text(rows, encoding="utf-8")
    return folder


def test_dermamnist_is_read_with_the_pixels_and_classes_of_its_file(medmnist):
    path = medmnist("dermamnist_224.npz")
    table = load(path, verbose=False)
    assert table["label"].tolist() == ["mel", "nv", "akiec", "vasc"]
    assert table["image_id"].tolist() == ["train_000000", "train_000001", "val_000000", "test_000000"]
    assert set(table["dataset"]) == {"dermamnist_224"}
    np.testing.assert_array_equal(np.asarray(Image.open(table["path"][1])), pixels(2, 0)[1])
    assert load(path.with_suffix(""), verbose=False).equals(table)


def test_a_folder_that_holds_nothing_but_the_file_is_read(medmnist):
    assert len(load(medmnist().parent, verbose=False)) == 4


def test_numbers_of_another_set_take_the_users_words(medmnist):
    grey = {f"{part}_images": pixels(n, n, ()) for part, n in {"train": 2, "val": 1, "test": 1}.items()}
    path = medmnist("other.npz", **grey)
    assert load(path, labels={4: "mel", 5: "nv"}, verbose=False)["label"].tolist() == ["mel", "nv", "0", "6"]


def test_it_is_unpacked_once(medmnist):
    path = medmnist()
    first = Path(load(path, verbose=False)["path"][0])
    first.write_bytes(b"changed by hand")
    load(path, verbose=False)
    assert first.read_bytes() == b"changed by hand"


def test_images_of_another_file_of_that_name_are_not_taken(medmnist):
    load(medmnist(), verbose=False)
    path = medmnist(train_images=pixels(2, 9, (3,))[:, :14, :14])
    with pytest.raises(ValueError, match="unpacked from another dermamnist.npz. Move it away"):
        load(path)


def test_nor_those_of_one_of_the_same_size(medmnist):
    path = medmnist()
    load(path, verbose=False)
    size, content = path.stat().st_size, path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(1, 1))
    assert path.stat().st_size == size
    with pytest.raises(ValueError, match="unpacked from another dermamnist.npz"):
        load(path)
    # A copy of the same content has another time.
    path.write_bytes(content)
    os.utime(path, ns=(2, 2))
    load(path, verbose=False)


@pytest.mark.parametrize(
    "arrays",
    [
        {"val_labels": np.array([[0, 1]])},
        {"val_labels": np.array([[7]])},
        {"val_labels": np.array([[0], [0]])},
        {"val_images": pixels(1).astype(np.float32)},
        {"val_images": pixels(1, 0, (4,))},
        {"val_images": np.array([{"a": 1}])},
    ],
)
def test_nothing_half_unpacked_stays_behind(medmnist, arrays):
    path = medmnist(**arrays)
    with pytest.raises(ValueError, match="dermamnist.npz is damaged .*expected are MedMNIST's arrays"):
        load(path)
    assert [file.name for file in path.parent.iterdir() if file.suffix != ".lock"] == ["dermamnist.npz"]


def test_a_file_of_other_arrays_is_named(tmp_path):
    np.savez(tmp_path / "features.npz", features=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="features.npz is damaged .*it has no array train_images"):
        load(tmp_path / "features.npz")


def test_what_a_killed_unpacking_left_is_gone_over_again(medmnist):
    path = medmnist()
    part = path.with_name(".dermamnist.part")
    part.mkdir()
    (part / "train_000000.png").write_bytes(b"half")
    assert len(load(path, verbose=False)) == 4 and not part.exists()


@pytest.mark.parametrize("name", ["", "train-metadata.csv", "train-image.hdf5"])
def test_isic2024_is_read_by_folder_table_or_images(isic2024, name):
    table = load(isic2024 / name, verbose=False)
    assert table["label"].tolist() == ["benign", "malignant"]
    assert Path(table["path"][1]).read_bytes() == jpeg(1)
    assert table["path"][1].endswith("train-image/ISIC_1.jpg")


def test_a_file_of_weights_is_not_taken_for_images(tmp_path):
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file["layers/dense/kernel"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match="model.h5 holds layers of a network and no images"):
        load(tmp_path / "model.h5")
    with pytest.raises(FileNotFoundError, match="no table of diagnoses"):
        load(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.h5"], "no lock is left"
    for label in ("mel", "nv"):
        (tmp_path / label).mkdir()
        (tmp_path / label / f"{label}.jpg").write_bytes(jpeg(1))
    assert load(tmp_path, verbose=False)["label"].tolist() == ["mel", "nv"], "weights may lie beside images"
    with h5py.File(tmp_path / "text.hdf5", "w") as file:
        file["note"] = np.void(b"hello")
    with pytest.raises(ValueError, match="its entry note is neither JPEG nor PNG"):
        load(tmp_path / "text.hdf5")
