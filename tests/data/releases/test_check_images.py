"""Image checks: each kind of broken or unusual file, duplicates, and counts against the catalog."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skinkit.data.releases.catalog import Release
from skinkit.data.releases.check_images import check_images
from skinkit.data.releases.image_file import inspect_image

IMAGE = Image.fromarray(
    np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
)


def coded(image=IMAGE, kind="JPEG", **options):
    opened = io.BytesIO()
    image.save(opened, kind, **options)
    return opened.getvalue()


def with_orientation(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return coded(exif=exif)


def with_thumbnail():
    """A JPEG whose EXIF block holds a whole small JPEG, end marker included."""
    thumbnail = coded(IMAGE.resize((16, 12)))
    block = b"Exif\x00\x00" + thumbnail
    jpeg = coded()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def png_block(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def deep_png():
    """A colour PNG of 16 bits a channel, which Pillow cannot write."""
    header = struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0)
    rows = (b"\x00" + bytes(range(24))) * 3
    blocks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_block(*block) for block in blocks)


JPEG, PNG = coded(), coded(kind="PNG")


@pytest.fixture
def table(tmp_path):
    """Writes image files and returns their manifest table."""

    def make(files, **columns):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        names = list(files)
        rows = {
            "image_id": [name.split(".")[0] for name in names],
            "path": [str(tmp_path / name) for name in names],
            "label": ["nv"] * len(names),
            "lesion_id": [pd.NA] * len(names),
            "patient_id": [pd.NA] * len(names),
        }
        return pd.DataFrame(rows | columns, dtype="string")

    return make


def check(table, release=None):
    return check_images(table, release=release, progress=False)


def inspect(content, tmp_path):
    (tmp_path / "image").write_bytes(content)
    return inspect_image(tmp_path / "image")


@pytest.mark.parametrize("cut", [20, 200, len(JPEG) // 2, len(JPEG) - 3, len(JPEG) - 2, len(JPEG) - 1])
def test_a_jpeg_without_its_last_bytes_is_truncated(tmp_path, cut):
    assert inspect(JPEG[:cut], tmp_path).error == "truncated"


def test_the_end_marker_of_a_thumbnail_is_not_taken_for_that_of_the_image(tmp_path, monkeypatch):
    # Notebooks set this often; it must not hide a truncated file.
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    whole = with_thumbnail()
    assert inspect(whole, tmp_path).error == ""
    assert inspect(whole[:-400], tmp_path).error == "truncated"
    assert inspect(whole[:-2], tmp_path).error == "truncated"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}, {"quality": 5}])
@pytest.mark.parametrize("share", [0.4, 0.5, 0.9])
def test_half_a_jpeg_with_an_end_marker_is_truncated(tmp_path, options, share):
    whole = coded(**options)
    assert inspect(whole, tmp_path).error == ""
    cut = whole[: int(len(whole) * share)] + b"\xff\xd9"
    assert inspect(cut, tmp_path).error == "truncated"


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
def test_an_image_of_one_colour_is_whole(tmp_path, mode, progressive):
    flat = Image.new(mode, (100, 70), "grey")
    assert inspect(coded(flat, progressive=progressive), tmp_path).error == ""


@pytest.mark.parametrize("cut", [30, len(PNG) // 2, len(PNG) - 12, len(PNG) - 1])
def test_a_png_without_its_last_bytes_is_truncated(tmp_path, cut):
    assert inspect(PNG[:cut], tmp_path).error == "truncated"


def test_a_png_with_a_changed_byte_is_corrupt(tmp_path):
    changed = bytearray(PNG)
    changed[len(PNG) // 2] ^= 1
    assert inspect(bytes(changed), tmp_path).error == "corrupt"


def test_a_jpeg_header_before_rubbish_is_corrupt(tmp_path):
    assert inspect(b"\xff\xd8\xff\xe0\x00\x04ab" + b"rubbish" * 50 + b"\xff\xd9", tmp_path).error == "corrupt"


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"PK\x03\x04zip", coded(kind="GIF"), b"\xff"])
def test_other_files_are_not_images(tmp_path, content):
    facts = inspect(content, tmp_path)
    assert facts.error == "not an image" and repr(content[:8]) in facts.detail


def test_empty_missing_and_unreadable_files_are_told_apart(tmp_path):
    assert inspect(b"", tmp_path).error == "zero-byte"
    assert inspect_image(tmp_path / "nowhere.jpg").error == "missing"
    assert inspect_image(tmp_path).error == "unreadable"


@pytest.mark.parametrize(
    ("content", "notices"),
    [
        (JPEG, ()),
        (PNG, ()),
        (coded(progressive=True), ()),
        (JPEG + b"camera maker's own bytes", ()),
        (coded(IMAGE.convert("RGBA"), "PNG"), ()),
        (coded(IMAGE.quantize(16), "PNG"), ()),
        (coded(IMAGE.convert("L")), ("greyscale",)),
        (coded(IMAGE.convert("CMYK")), ("CMYK",)),
        (
            coded(Image.fromarray(np.arange(12, dtype=np.uint16).reshape(3, 4)), "PNG"),
            ("greyscale", "16-bit"),
        ),
        (deep_png(), ("16-bit",)),
        (with_orientation(6), ("EXIF-rotated",)),
        (with_orientation(1), ()),
    ],
)
def test_unusual_but_readable_images_are_notices(tmp_path, content, notices):
    facts = inspect(content, tmp_path)
    assert (facts.error, facts.notices) == ("", notices)
    assert facts.width > 0 and facts.height > 0 and facts.bytes == len(content)


def test_a_good_set_is_ok_and_says_so(table):
    report = check(table({"a.jpg": JPEG, "b.png": coded(IMAGE.rotate(180), "PNG")}))
    assert report.ok and report.to_frame().empty
    assert report.to_text() == "images 2, errors 0, notices 0, differences 0\nsizes: 128 x 96 (2)"


def test_one_bad_image_makes_the_set_not_ok_and_is_named(table):
    report = check(table({"a.jpg": JPEG, "b.jpg": JPEG[:300], "c.jpg": b""}))
    assert not report.ok
    assert "error: truncated: 1\n    b: the JPEG stream has no end marker" in report.to_text()
    findings = report.to_frame()
    assert findings["image_id"].tolist() == ["b", "c"]
    assert Path(findings["path"][0]).name == "b.jpg"


def test_a_table_without_rows_is_checked_too(table):
    report = check(table({}))
    assert report.ok and report.to_text().startswith("images 0, errors 0")


def test_notices_do_not_make_a_set_not_ok(table):
    report = check(table({"a.jpg": coded(IMAGE.convert("L")), "b.jpg": with_orientation(3)}))
    assert report.ok
    assert report.to_frame()["kind"].tolist() == ["greyscale", "EXIF-rotated"]


def test_a_row_without_a_path_is_missing(table):
    report = check(table({"a.jpg": JPEG}, path=[pd.NA]))
    assert report.files["error"].tolist() == ["missing"]
    assert "a: the table has no path" in report.to_text()


def test_an_odd_size_is_told_where_most_have_one(table):
    files = {f"{name}.jpg": coded(IMAGE.rotate(turn)) for name, turn in (("a", 0), ("b", 180))}
    report = check(table(files | {"c.jpg": coded(IMAGE.resize((64, 48)))}))
    assert report.to_frame()[["kind", "image_id", "detail"]].values.tolist() == [["odd size", "c", "64 x 48"]]


def test_there_is_no_odd_size_where_sizes_vary(table):
    files = {f"{n}.jpg": coded(IMAGE.resize((16 + n, 16))) for n in range(3)}
    assert check(table(files)).to_frame().empty


def test_equal_files_are_found_and_their_lesion_compared(table):
    other = coded(IMAGE.rotate(180))
    files = {"a.jpg": JPEG, "b.jpg": JPEG, "c.jpg": other, "d.jpg": other}
    report = check(table(files, lesion_id=["l1", "l1", "l2", "l3"], label=["nv", "mel", "nv", "nv"]))
    assert report.ok
    assert report.duplicates.values.tolist() == [
        ["same file", ("a", "b"), True, False],
        ["same file", ("c", "d"), False, True],
    ]
    assert "    a, b: same lesion, another label" in report.to_text()


def test_equal_pixels_in_different_files_are_found(table):
    report = check(table({"a.png": PNG, "b.png": coded(kind="PNG", compress_level=0), "c.jpg": JPEG}))
    assert report.duplicates["kind"].tolist() == ["same pixels"]
    assert report.duplicates["image_ids"].tolist() == [("a", "b")]
    assert "unknown lesion, same label" in report.to_text()


def test_one_id_in_two_spellings_is_a_duplicate(table):
    files = {"I_1.jpg": JPEG, "i_1_downsampled.jpg": coded(IMAGE.rotate(180)), "I_2.png": PNG}
    found = check(table(files, lesion_id=["HAM_0000001", "ham_0000001", "x"])).duplicates
    assert found.values.tolist() == [["same id", ("I_1", "i_1_downsampled"), True, True]]


def test_lesions_under_ids_of_two_schemes_are_not_compared(table):
    rows = table({"a.jpg": JPEG, "b.jpg": JPEG}, lesion_id=["HAM_0000001", "IL_0000001"])
    assert check(rows).duplicates["same_lesion"].isna().all()


def test_copies_made_by_augmentation_are_no_duplicates(table):
    rows = table({"a.jpg": JPEG})
    rows = pd.concat(
        [rows.assign(transform="identity"), rows.assign(image_id="a+rot180", transform="rot180")]
    )
    assert len(check(rows).files) == 1


def release(**known):
    empty = dict.fromkeys(("key", "title", "page", "licence", "citation"), "")
    return Release(**empty, class_map="isic2018", files=(), **known)


def test_counts_that_differ_from_the_catalog_are_differences_not_errors(table):
    expected = release(images=3, lesions=2, patients=2, counts={"nv": 1, "mel": 2})
    files = {"a.jpg": JPEG, "b.jpg": coded(IMAGE.rotate(180))}
    report = check(table(files, lesion_id=["l1", "l2"], label=["nv", "mel"]), expected)
    assert report.ok
    assert report.differences == (
        "images: 2, the catalog has 3",
        "patients: 0, the catalog has 2",
        "images labelled mel: 1, the catalog has 2",
    )


def test_long_lists_are_cut_in_the_text_and_whole_in_the_frame(table):
    report = check(table({f"{n}.jpg": b"" for n in range(7)}))
    assert "    4: the file is empty\n    and 2 more" in report.to_text()
    assert len(report.to_frame()) == 7


def test_the_number_of_workers_changes_nothing(table):
    rows = table({f"{n}.jpg": coded(IMAGE.rotate(90 * n)) for n in range(4)} | {"x.jpg": b""})
    one, four = (check_images(rows, workers=n, progress=False) for n in (1, 4))
    pd.testing.assert_frame_equal(one.files, four.files)


def test_a_data_set_is_checked_by_name_against_its_catalog_entry(tmp_path):
    folder = tmp_path / "ham10000"
    folder.mkdir()
    header = "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    row = "HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp\n"
    (folder / "HAM10000_metadata.csv").write_text(header + row)
    (folder / "ISIC_0027419.jpg").write_bytes(JPEG)
    report = check_images("ham10000", root=tmp_path, progress=False)
    assert report.ok and "images: 1, the catalog has 10,015" in report.differences


def test_the_two_equal_pairs_of_ham10000_are_found_within_one_lesion(real_ham):
    pairs = ["ISIC_0024366", "ISIC_0029861", "ISIC_0024777", "ISIC_0029938"]
    rows = real_ham[real_ham["image_id"].isin(pairs) | (real_ham.index < 100)]
    if rows["path"].isna().any():
        pytest.skip("needs the images of HAM10000 beside its table")
    report = check(rows)
    assert report.ok
    assert sorted(report.duplicates["image_ids"]) == [tuple(pairs[:2]), tuple(pairs[2:])]
    assert report.duplicates["same_lesion"].all()
