"""Built tables for the tests of the data room."""

import pandas as pd
import pytest

from skinkit.data import COLUMNS, validate

# Images per lesion in HAM10000: size -> number of lesions.
IMAGES_PER_LESION = {1: 5514, 2: 1423, 3: 490, 4: 34, 5: 5, 6: 4}
HAM_CLASSES = ("nv", "nv", "nv", "nv", "nv", "nv", "mel", "bkl", "bcc", "akiec")


@pytest.fixture(scope="session")
def make_table():
    """Builds a manifest table from columns; what is not given is missing."""

    def make(**columns):
        n = len(columns["label"])
        columns.setdefault("image_id", [f"ISIC_{24306 + i:07d}" for i in range(n)])
        columns.setdefault("dataset", ["built"] * n)
        return validate(pd.DataFrame({name: columns.get(name, [pd.NA] * n) for name in COLUMNS}))

    return make


@pytest.fixture(scope="session")
def histogram_table(make_table):
    """10,015 images of 7,470 lesions with HAM10000's number of images per lesion."""
    sizes = [size for size, lesions in IMAGES_PER_LESION.items() for _ in range(lesions)]
    lesions = [f"L{i}" for i, size in enumerate(sizes) for _ in range(size)]
    labels = [HAM_CLASSES[int(lesion[1:]) % len(HAM_CLASSES)] for lesion in lesions]
    return make_table(label=labels, lesion_id=lesions)


@pytest.fixture
def ham_folder(tmp_path):
    """Writes a small folder in HAM10000's layout: `ham_folder(rows=..., images=...)`."""
    header = "lesion_id,image_id,dx,dx_type,age,sex,localization"
    rows = (
        "HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp",
        "HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp",
        "HAM_0002730,ISIC_0026769,mel,histo,0.0,female,unknown",
        "HAM_0001466,ISIC_0031633,nv,follow_up,,unknown,back",
    )
    ids = ("ISIC_0027419", "ISIC_0025030", "ISIC_0026769", "ISIC_0031633")

    def write(rows=rows, images=ids, header=header, text=None, places=("images",)):
        folder = tmp_path / "ham10000"
        folder.mkdir(exist_ok=True)
        content = "\n".join([header, *rows]) + "\n" if text is None else text
        content = content.encode() if isinstance(content, str) else content
        (folder / "HAM10000_metadata.csv").write_bytes(content)
        for i, image in enumerate(images):
            place = folder / places[i % len(places)]
            place.mkdir(exist_ok=True)
            (place / f"{image}.jpg").write_bytes(b"not opened by the readers")
        return tmp_path

    write.header, write.rows, write.ids = header, rows, ids
    return write
