"""Features of a patient's images on disk, computed anew as the network learns (hernandez2020, Algorithm 1).

The document calls it expectation maximisation: the network trains on an image beside the stored features of
the patient's other images, and every so often the features are computed again.
"""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from skinkit.files import reading, writing

# Sixteen hex digits of what the features were computed from, and what is written under that name.
_FEATURES = f"features-{'[0-9a-f]' * 16}"
FEATURE_FILES = tuple(f"{_FEATURES}.{ending}" for ending in ("npy", "part", "count", "count.part"))
_REMEDY = "Delete it and give the same command again: the features are computed anew"


class FeatureStore:
    """The features of the images of one part of a split, in float16, in one file.

    The file is read row by row and written batch by batch: memory does not grow with the number of images.

    A store built from training images never returns features of other parts, even if a patient should be in
    several parts.

    Args:
        folder: Folder of the file; made when it is written.
        image_ids: Image ids, each once.
        patient_ids: The patient of each image; an image without one is a patient of its own.
        depth: Integer, length of an image's feature vector.

    Raises:
        ValueError: when an image comes twice, or the lengths differ.

    Example:
        >>> rows = run_data.rows("train")
        >>> store = FeatureStore(folder, rows["image_id"], rows["patient_id"], depth=192)
        >>> store.refresh(models.pooled_features(model), batches_from)
        >>> context, mask = store.read(rows["image_id"][:1])
    """

    def __init__(self, folder, image_ids, patient_ids, depth):
        self.folder, self.depth = Path(folder), depth
        self.image_ids = pd.Index(image_ids)
        if len(patient_ids) != len(self.image_ids) or not self.image_ids.is_unique:
            raise ValueError(
                "A store takes each image once, with its patient. Received: "
                f"{len(self.image_ids)} images, {self.image_ids.nunique()} different, and "
                f"{len(patient_ids)} patients"
            )
        self._patient, self._family = _families(patient_ids)
        self._file = None

    @property
    def most(self):
        """Integer, images of the patient who has most."""
        return self._family.shape[1]

    def refresh(self, extractor, batches):
        """Computes the features of all images with the present weights of a network.

        A refresh that was killed goes on after its last complete batch, and one that was completed with the
        same weights is not repeated; the file is the same in each case.

        Args:
            extractor: `keras.Model` from a batch of images to features `(batch, depth)`.
            batches: Function of a position in `image_ids` that returns an iterable of batches of images,
                from this position on and in this order.

        Raises:
            FloatingPointError: when a feature is not finite in float16.
            OSError: when the file cannot be written; what was written is kept for the next try.
            ValueError: when the batches do not hold as many images as the store, or the file is damaged.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"features-{self._fingerprint(extractor)}"
        target, part = (self.folder / f"{name}.{ending}" for ending in ("npy", "part"))
        for other in (path for pattern in FEATURE_FILES for path in self.folder.glob(pattern)):
            if other.stem != name:
                other.unlink()
        if not target.exists():
            self._write(part, extractor, batches)
            part.replace(target)
            _count_file(part).unlink()
        with reading(target, _REMEDY):
            np.load(target, mmap_mode="r")
        self._file = target

    def read(self, image_ids):
        """Returns the stored features of the other images of some images' patients.

        An image's own stored features are masked: the network computes them anew.

        Args:
            image_ids: Image ids of this store, in any order, also repeatedly.

        Returns:
            Tuple of float32 `(images, most, depth)`, zeros where there is no image, and the boolean mask
            `(images, most)`, true for an image. Before the first refresh it is false throughout.

        Raises:
            ValueError: for an image that is not in this store.
        """
        rows = self.image_ids.get_indexer(image_ids)
        if (rows < 0).any():
            strange = np.asarray(image_ids)[rows < 0]
            raise ValueError(
                f"This store holds {len(self.image_ids)} images of one part of a split and no others. "
                f"Received: {str(strange[0])!r} and {len(strange) - 1} more"
            )
        family = self._family[self._patient[rows]]
        mask = (family >= 0) & (family != rows[:, None])
        if self._file is None:
            mask[:] = False
        features = np.zeros((*mask.shape, self.depth), np.float32)
        if mask.any():
            # Opened anew each time: the pages of a map that stays open count as this process' memory.
            features[mask] = np.load(self._file, mmap_mode="r")[family[mask]]
        return features, mask

    def _write(self, part, extractor, batches):
        done = _progress(part)
        # Called here, because a missing image is an OSError too, but not one of writing.
        images_left = batches(done) if done < len(self.image_ids) else ()
        try:
            with part.open("r+b" if done else "wb") as stream:
                start = _write_header(stream, (len(self.image_ids), self.depth))
                stream.seek(start + done * self.depth * 2)
                for images in images_left:
                    done += self._append(stream, extractor.predict_on_batch(images))
                    _write_progress(part, done)
        except OSError as error:
            raise OSError(
                error.errno,
                f"The features of {len(self.image_ids)} images could not be written to {part} ({error}). "
                "Free some space and give the same command again: it goes on from there",
            ) from error
        if done != len(self.image_ids):
            raise ValueError(f"Expected batches of {len(self.image_ids)} images. Received: {done}")

    def _append(self, stream, features):
        with np.errstate(over="ignore"):
            rows = np.asarray(features, np.float32).astype(np.float16)
        if not np.isfinite(rows).all():
            raise FloatingPointError(
                "A feature is not finite, or beyond 65504, the largest number of float16. Usual cause: a "
                "learning rate that is too high"
            )
        stream.write(rows.tobytes())
        stream.flush()
        return len(rows)

    def _fingerprint(self, extractor):
        """A name of the weights and the images: what is stored under it never changes."""
        said = hashlib.sha256("\n".join(map(str, self.image_ids)).encode())
        for weights in extractor.get_weights():
            said.update(np.ascontiguousarray(weights))
        return said.hexdigest()[:16]


class ContextRefresh(keras.callbacks.Callback):
    """Refreshes a store when an epoch begins, and within it after so many steps.

    Every epoch begins with a refresh, so that a training which goes on after an epoch finds what an
    undisturbed one has.

    Args:
        store: `FeatureStore`.
        extractor: As in `FeatureStore.refresh`: a form of the model that trains, which shares its layers.
        batches: As in `FeatureStore.refresh`.
        steps: Integer, steps between two refreshes within an epoch; `None` for none.
    """

    def __init__(self, store, extractor, batches, steps=None):
        super().__init__()
        if steps is not None and steps < 1:
            raise ValueError(f"`steps` is a positive integer or None. Received: steps={steps!r}")
        self.store, self.extractor, self.batches, self.steps = store, extractor, batches, steps

    def on_epoch_begin(self, epoch, logs=None):
        """Refreshes the store."""
        self.store.refresh(self.extractor, self.batches)

    def on_train_batch_begin(self, batch, logs=None):
        """Refreshes the store after every `steps` steps."""
        if self.steps and batch and batch % self.steps == 0:
            self.store.refresh(self.extractor, self.batches)


def _families(patient_ids):
    """The patient of each image as a number, and the positions of each patient's images, -1 for none."""
    patients = pd.Series(np.asarray(patient_ids, dtype=object))
    alone = pd.Series([("alone", position) for position in range(len(patients))])
    codes = patients.where(patients.notna(), alone).factorize()[0]
    members = pd.Series(range(len(codes))).groupby(codes).indices
    family = np.full((len(members), max(map(len, members.values()))), -1, np.int32)
    for code, rows in members.items():
        family[code, : len(rows)] = rows
    return codes, family


def _write_header(stream, shape):
    header = {"descr": "<f2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.tell()


def _count_file(part):
    return part.with_suffix(".count")


def _progress(part):
    """Rows of a part file that are complete."""
    count = _count_file(part)
    if not (part.exists() and count.exists()):
        return 0
    with reading(count, _REMEDY):
        return int(count.read_text())


def _write_progress(part, done):
    with writing(_count_file(part)) as new:
        new.write_text(str(done))
