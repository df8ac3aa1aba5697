import errno

import numpy as np
import pytest

from skinkit.training import ContextRefresh, FeatureStore

# "a" has three images, "b" one, "c" two; the last image's patient is not known.
PATIENTS = ["a", "c", "a", "b", "c", "a", None]
IDS = [f"I{number}" for number in range(len(PATIENTS))]
DEPTH = 3
IMAGES = np.random.default_rng(0).normal(size=(len(IDS), DEPTH)).astype("float32")


class Extractor:
    """Stands for a network: its features are the image times its only weight."""

    def __init__(self, weight=1.0):
        self.weight, self.seen = weight, 0

    def get_weights(self):
        return [np.array([self.weight], "float32")]

    def predict_on_batch(self, images):
        self.seen += len(images)
        return images * self.weight


class Killed(Exception):
    pass


def batches(first, last=7):
    for start in range(first, last, 2):
        yield IMAGES[start : min(start + 2, last)]


def dying(after):
    """Batches that end with a kill after so many of them."""

    def cut(first):
        yield from batches(first, first + 2 * after)
        raise Killed

    return cut


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path / "store", IDS, PATIENTS, DEPTH)


def names(store):
    return sorted(path.name for path in store.folder.iterdir())


def test_an_image_gets_the_stored_features_of_its_patients_other_images(store):
    store.refresh(Extractor(2.0), batches)
    context, mask = store.read(["I2", "I3", "I4", "I6", "I2"])
    assert (context.shape, context.dtype, mask.shape) == ((5, 3, DEPTH), np.float32, (5, 3))
    expected = (2 * IMAGES).astype("float16").astype("float32")
    for row, others in enumerate([[0, 5], [], [1], [], [0, 5]]):
        np.testing.assert_array_equal(context[row][mask[row]], expected[others])
        np.testing.assert_array_equal(context[row][~mask[row]], 0)


def test_before_the_first_refresh_there_is_no_context(store):
    context, mask = store.read(IDS)
    assert not mask.any()
    assert not context.any()


def test_a_patient_may_have_114_images(tmp_path):
    ids = [f"I{number}" for number in range(115)]
    images = np.arange(115, dtype="float32")[:, None]
    store = FeatureStore(tmp_path, ids, ["many"] * 114 + ["one"], 1)
    store.refresh(Extractor(), lambda first: [images[first:]])
    context, mask = store.read(["I0", "I113", "I114"])
    assert (store.most, mask.sum(axis=1).tolist()) == (114, [113, 113, 0])
    np.testing.assert_array_equal(context[1][mask[1]][:, 0], np.arange(113))


def test_a_patient_in_two_parts_shows_nothing_of_the_other_part(tmp_path):
    # The planted leak: I0 and I2 train, I5 of the same patient is tested.
    train = [0, 1, 2, 3, 4]
    store = FeatureStore(tmp_path, [IDS[i] for i in train], [PATIENTS[i] for i in train], DEPTH)
    store.refresh(Extractor(), lambda first: batches(first, 5))
    context, mask = store.read(["I0"])
    assert mask.sum() == 1
    np.testing.assert_array_equal(context[mask], IMAGES[[2]].astype("float16"))
    with pytest.raises(ValueError, match="5 images of one part.*'I5'"):
        store.read(["I0", "I5"])


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_refresh_goes_on_and_ends_in_the_same_file(store, tmp_path, after):
    whole = FeatureStore(tmp_path / "whole", IDS, PATIENTS, DEPTH)
    whole.refresh(Extractor(), batches)
    with pytest.raises(Killed):
        store.refresh(Extractor(), dying(after))
    again, second = FeatureStore(store.folder, IDS, PATIENTS, DEPTH), Extractor()
    again.refresh(second, batches)
    assert second.seen == len(IDS) - 2 * after
    assert names(again) == names(whole)
    (file,) = names(whole)
    assert (again.folder / file).read_bytes() == (whole.folder / file).read_bytes()
    np.testing.assert_array_equal(np.load(whole.folder / file), IMAGES.astype("float16"))


def test_half_a_batch_at_the_end_of_the_part_file_is_written_anew(store):
    with pytest.raises(Killed):
        store.refresh(Extractor(), dying(2))
    (part,) = store.folder.glob("*.part")
    with part.open("ab") as stream:
        stream.write(b"half")
    store.refresh(Extractor(), batches)
    (file,) = names(store)
    np.testing.assert_array_equal(np.load(store.folder / file), IMAGES.astype("float16"))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00v\x00", b"features"])
def test_damaged_features_are_named(store, content):
    store.refresh(Extractor(), batches)
    (file,) = store.folder.iterdir()
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"features-.*\.npy is damaged.*computed anew"):
        store.refresh(Extractor(), batches)


def test_a_damaged_count_of_complete_rows_is_named(store):
    with pytest.raises(Killed):
        store.refresh(Extractor(), dying(2))
    (count,) = store.folder.glob("*.count")
    count.write_text("")
    with pytest.raises(ValueError, match=r"\.count is damaged.*computed anew"):
        store.refresh(Extractor(), batches)


def test_a_part_file_of_other_weights_is_not_gone_on_with(store):
    with pytest.raises(Killed):
        store.refresh(Extractor(1.0), dying(2))
    extractor = Extractor(3.0)
    store.refresh(extractor, batches)
    assert extractor.seen == len(IDS)
    (file,) = names(store)
    np.testing.assert_array_equal(np.load(store.folder / file), (3 * IMAGES).astype("float16"))


def test_equal_weights_are_not_computed_twice_and_one_file_stays(store):
    first, again = Extractor(), Extractor()
    store.refresh(first, batches)
    store.refresh(again, batches)
    assert (first.seen, again.seen) == (len(IDS), 0)
    store.refresh(Extractor(2.0), batches)
    assert len(names(store)) == 1


def test_weights_of_another_set_of_images_are_computed_anew(store):
    store.refresh(Extractor(), batches)
    other = FeatureStore(store.folder, [f"J{number}" for number in range(len(IDS))], PATIENTS, DEPTH)
    extractor = Extractor()
    other.refresh(extractor, batches)
    assert extractor.seen == len(IDS)


@pytest.mark.parametrize("weight", [np.nan, 1e6])
def test_features_beyond_float16_are_refused(store, weight):
    with pytest.raises(FloatingPointError, match="65504"):
        store.refresh(Extractor(weight), batches)


def test_too_few_images_leave_no_file(store):
    with pytest.raises(ValueError, match="batches of 7 images. Received: 4"):
        store.refresh(Extractor(), lambda first: batches(first, 4))
    assert not list(store.folder.glob("*.npy"))


def test_a_full_disk_says_what_to_do_and_keeps_what_there_is(store, monkeypatch):
    extractor = Extractor()

    def full(images):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Killed):
        store.refresh(extractor, dying(1))
    monkeypatch.setattr(extractor, "predict_on_batch", full)
    with pytest.raises(OSError, match="7 images.*same command") as raised:
        store.refresh(extractor, batches)
    assert raised.value.errno == errno.ENOSPC
    monkeypatch.undo()
    store.refresh(extractor, batches)
    assert extractor.seen == len(IDS)


@pytest.mark.parametrize(("ids", "patients"), [(["I0", "I0"], ["a", "b"]), (["I0"], ["a", "b"])])
def test_each_image_comes_once_with_its_patient(tmp_path, ids, patients):
    with pytest.raises(ValueError, match="each image once"):
        FeatureStore(tmp_path, ids, patients, DEPTH)


@pytest.mark.parametrize(("steps", "expected"), [(None, [1, 1, 1, 1, 1]), (2, [1, 1, 3, 3, 5])])
def test_the_store_is_refreshed_when_an_epoch_begins_and_after_so_many_steps(store, steps, expected):
    extractor = Extractor(0.0)
    callback = ContextRefresh(store, extractor, batches, steps)
    seen = []
    for _ in range(2):
        extractor.weight += 1
        callback.on_epoch_begin(0)
        del seen[:]
        for step in range(5):
            callback.on_train_batch_begin(step)
            seen.append(store.read(["I4"])[0][0, 0, 0] / np.float16(IMAGES[1, 0]))
            extractor.weight += 1
        extractor.weight -= 5
    np.testing.assert_allclose(seen, np.array(expected) + 1, rtol=1e-3)


def test_steps_are_positive(store):
    with pytest.raises(ValueError, match="steps=0"):
        ContextRefresh(store, Extractor(), batches, steps=0)
