import os
import resource
import shutil
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skinkit.pipeline import Augmentation, PipelineSpec, build_dataset, cache

LABELS = ("bkl", "mel", "nv")
SPEC = PipelineSpec(
    image_size=(16, 16), augmentation=Augmentation(flip_left_right=0.5, rot90=True, brightness=0.2)
)


def _build(table, spec, **arguments):
    return build_dataset(table, spec, labels=LABELS, batch_size=3, **arguments)


def _images(dataset, count):
    return [images.numpy() for images, _ in dataset.take(count)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def decodes(monkeypatch):
    """The files decoded for a cache, in order."""
    seen = []
    decoded = cache._decoded

    def watched(paths, spec):
        seen.extend(paths)
        return decoded(paths, spec)

    monkeypatch.setattr(cache, "_decoded", watched)
    monkeypatch.setattr(cache, "_kept", OrderedDict())
    return seen


@pytest.mark.parametrize("constancy", [False, True])
def test_cached_batches_equal_uncached_ones(photo_table, folder, constancy):
    spec = replace(SPEC, colour_constancy=constancy)
    expected = _images(_build(photo_table, spec, training=True), 7)
    for place in ("memory", str(folder), str(folder)):
        cached = _images(_build(photo_table, replace(spec, cache=place), training=True), 7)
        np.testing.assert_equal(cached, expected)


def test_a_written_cache_is_used_again_and_is_an_ordinary_array(photo_table, folder, decodes):
    spec = replace(SPEC, cache=str(folder))
    _build(photo_table, spec)
    _build(photo_table, replace(spec, scaling="raw", augmentation=None), training=True)
    assert len(decodes) == 7
    (file,) = folder.glob("*.npy")
    assert np.load(file).shape == (7, 16, 16, 3)
    assert not list(folder.glob("*.part"))


def test_a_damaged_cache_is_named(photo_table, folder):
    spec = replace(SPEC, cache=str(folder))
    _build(photo_table, spec)
    (file,) = folder.glob("*.npy")
    for size in (0, 50, 1000):
        file.write_bytes(file.read_bytes()[:size])
        with pytest.raises(ValueError, match=r"\.npy is damaged.*Delete it: the images are decoded again"):
            _build(photo_table, spec)


def test_rows_of_one_photograph_share_their_pixels(photo_table, decodes):
    table = photo_table.iloc[[0, 1, 0, 0]].reset_index(drop=True)
    table["image_id"] = list("abcd")
    _build(table, replace(SPEC, cache="memory"))
    assert len(decodes) == 2


def test_pixels_in_memory_are_kept_while_they_are_few_and_their_files_the_same(
    photo_table, decodes, monkeypatch, tmp_path
):
    table, spec = photo_table.copy(), replace(SPEC, cache="memory")
    table["path"] = [shutil.copy(path, tmp_path) for path in table["path"]]
    first = _images(_build(table, spec, training=True), 3)
    again = _images(_build(table, replace(spec, scaling="unit"), training=True), 3)
    np.testing.assert_equal(again, first)
    _build(table[:5], spec)
    assert len(decodes) == 7 + 5
    shutil.copy(table["path"][1], table["path"][0])
    _build(table[:5], spec)
    assert len(decodes) == 7 + 5 + 5
    # The oldest go first, and one that is larger than all may be is not kept.
    monkeypatch.setattr(cache, "_KEPT_BYTES", 5 * 16 * 16 * 3)
    _build(table[:3], spec)
    assert [len(pixels) for pixels in cache._kept.values()] == [3]
    _build(table, spec)
    assert [len(pixels) for pixels in cache._kept.values()] == [3]


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": (8, 8)},
        {"resize": "bilinear"},
        {"colour_constancy": True},
    ],
)
def test_other_decode_settings_do_not_use_the_cache(photo_table, folder, decodes, change):
    spec = replace(SPEC, cache=str(folder))
    _build(photo_table, spec)
    _build(photo_table, replace(spec, **change))
    assert len(decodes) == 14


def test_a_changed_image_file_is_decoded_again(photo_table, folder, tmp_path):
    table = photo_table[:1].copy()
    path = tmp_path / "image.jpg"
    table.loc[0, "path"] = str(path)
    spec = replace(SPEC, cache=str(folder), scaling="raw")
    images = []
    for source in (0, 1):
        path.write_bytes(Path(photo_table["path"][source]).read_bytes())
        os.utime(path, ns=(source, source))
        images += _images(_build(table, spec), 1)
    assert not np.array_equal(*images)


def test_several_writers_leave_one_whole_file(photo_table, folder, decodes):
    spec = replace(SPEC, cache=str(folder))
    expected = _images(_build(photo_table, replace(spec, cache=None)), 3)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: _images(_build(photo_table, spec), 3), range(3)))
    for result in results:
        np.testing.assert_equal(result, expected)
    assert len(decodes) == 7
    assert len(list(folder.glob("*.npy"))) == 1


def test_a_part_left_by_a_killed_run_is_written_anew(photo_table, folder):
    spec = replace(SPEC, cache=str(folder))
    _build(photo_table, spec)
    (file,) = folder.glob("*.npy")
    whole = file.read_bytes()
    file.rename(file.with_suffix(".npy.part"))
    file.with_suffix(".npy.part").write_bytes(whole[:100])
    _build(photo_table, spec)
    assert file.read_bytes() == whole
    assert not list(folder.glob("*.part"))


@pytest.fixture
def small_disk():
    """No file may grow beyond 2,000 bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_fills_up_is_reported_and_leaves_nothing(photo_table, folder, small_disk):
    with pytest.raises(OSError, match=r"pixel cache.*needs 0 MB.*another folder"):
        _build(photo_table, replace(SPEC, cache=str(folder)))
    assert not list(folder.glob("*.npy*"))


def test_a_disk_that_is_too_small_is_reported_before_decoding(photo_table, folder, monkeypatch, decodes):
    usage = cache.shutil.disk_usage(photo_table["path"][0])._replace(free=5000)
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="not enough space"):
        _build(photo_table, replace(SPEC, cache=str(folder)))
    assert not list(folder.glob("*.npy*"))


@pytest.mark.parametrize("place", ["memory", "folder"])
def test_an_unreadable_image_is_named_before_the_first_batch(photo_table, tmp_path, place):
    table = photo_table.copy()
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no image")
    table.loc[5, "path"] = str(bad)
    where = str(tmp_path / place) if place == "folder" else place
    with pytest.raises(ValueError, match="bad.jpg"):
        _build(table, replace(SPEC, cache=where))
    assert not list(tmp_path.glob("folder/*.npy*"))
