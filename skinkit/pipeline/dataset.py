"""Batches of images, one-hot labels and weights from the rows of a manifest table."""

import contextlib
import functools
import math
import re

import numpy as np
import tensorflow as tf

from skinkit.pipeline.augment.changes import change, sample_changes
from skinkit.pipeline.augment.distortion import SMALLEST_SIDE
from skinkit.pipeline.augment.orientation import compose
from skinkit.pipeline.cache import pixel_reader
from skinkit.pipeline.crops import cut, sample_boxes
from skinkit.pipeline.decode import UNREADABLE
from skinkit.pipeline.extra_inputs import attach
from skinkit.pipeline.manifest_arrays import (
    check_arguments,
    check_sampler,
    check_sides,
    check_whole,
    class_names,
    image_paths,
    numbered,
    orientations,
    training_targets,
)
from skinkit.pipeline.random_numbers import sample_order
from skinkit.pipeline.spec import PipelineSpec

_MEAN_UNIT = (0.485, 0.456, 0.406)
_DEVIATION_UNIT = (0.229, 0.224, 0.225)
_MEAN_RAW = (123.68, 116.779, 103.939)
# In this order the arguments of a reader; the second only where there are distortions.
_BEFORE_RESIZING = ("distortions", "orientation")
# What 255 becomes before a scaling that is more than a factor.
_TOP = {"unit": 1.0, "raw": 255.0, "symmetric": 2.0, "imagenet": 1.0, "caffe": 255.0}


@contextlib.contextmanager
def naming_images():
    """Names an unreadable image in one line, where TensorFlow's error is many.

    Raises:
        ValueError: for the image that ends the iteration or the training within the block.

    Example:
        >>> with naming_images():
        ...     model.fit(dataset, shuffle=False)
    """
    try:
        yield
    except tf.errors.OpError as error:
        if found := re.search(".*?".join(map(re.escape, UNREADABLE)), str(error)):
            raise ValueError(found[0]) from None
        raise


def steps_per_epoch(count, batch_size):
    """Returns the number of batches of an epoch, the last partial one included."""
    return math.ceil(count / batch_size)


def build_dataset(
    rows,
    spec,
    *,
    labels=(),
    training=False,
    batch_size=32,
    seed=0,
    first_epoch=0,
    sample_weight=None,
    sampler=None,
    extra_inputs=None,
):
    """Makes a `tf.data.Dataset` of image batches from rows of a manifest table.

    In training it is endless: give `model.fit` a `steps_per_epoch`. The order of epoch e and the
    random changes of its images are functions of (seed, e, position of the row), never of thread
    timing, so a run resumed with `first_epoch=k` sees the batches an undisturbed run sees
    from epoch k on. Each row comes once per epoch; with a `sampler` it comes as that says, each time with
    changes of its own. The last batch of an epoch may be smaller.

    Otherwise it is one pass in the order of the rows, without random changes.

    Args:
        rows: DataFrame, rows of a manifest table with `image_id`, `path`, `label`, also repeatedly; an
            optional column `transform` (`rot90cw`, `flip_up_down`, ...) is applied exactly, after
            resizing.
        spec: A `PipelineSpec`.
        labels: Sequence of class codes in the order of the one-hot columns; `None` for images alone, which is
            also what evaluation makes without it.
        training: Boolean, whether it is endless, shuffled and augmented.
        batch_size: Integer, images in a batch.
        seed: Integer, of order and augmentation.
        first_epoch: Integer, epoch that comes first, from 0.
        sample_weight: Sequence of one number for each row, or `None`.
        sampler: `Sampler` of the rows, used in training; by default each comes once, in random order.
        extra_inputs: `ExtraInputs` of the rows, which make the images one of several inputs, or `None`.

    Returns:
        Dataset of (images float32 `(batch, height, width, 3)`, one-hot labels float32 `(batch, classes)`),
        and the weights float32 `(batch,)` as a third item if they were given. With a pretext, the labels of
        a training are in a tuple, last in which is what it has the network learn: see `Disorder`, `Turn`.
        Value ranges are those of `spec.scaling`. With crops the images are `(batch, size, size, 3)`, or
        ordered crops `(batch, count, size, size, 3)`: see `spec.shape`. With `extra_inputs` the first item is
        a dictionary of the images, `"image"`, and the extra inputs.

    Raises:
        ValueError: when there are no rows, a training has no `labels`, a label is not in `labels`, weights or
            sampler do not fit the rows, a 90-degree transform meets an image size that is not square, an
            image is too small to be distorted, or one cannot be decoded into a cache.
        FileNotFoundError: when image files are missing.
        tf.errors.InvalidArgumentError: later, naming the file, when an image cannot be decoded
            while iterating or fitting.

    Example:
        >>> spec = PipelineSpec(image_size=(32, 32), augmentation=Augmentation(brightness=0.1))
        >>> rows = split.rows(table, "train")
        >>> train = build_dataset(rows, spec, labels=classes, training=True)
        >>> model.fit(train, steps_per_epoch=steps_per_epoch(len(rows), 32), shuffle=False)
    """
    labels = labels if labels is None else class_names(labels)
    check_arguments(rows, spec, labels, training)
    rows = numbered(rows)
    check_whole("batch_size", batch_size, at_least=1)
    check_whole("first_epoch", first_epoch, at_least=0)
    targets = training_targets(rows, labels, sample_weight) if labels else ()
    fixed = orientations(rows, spec)
    files, file_of_row = np.unique(image_paths(rows), return_inverse=True)
    if training and spec.augmentation is not None and spec.augmentation.distortions:
        check_sides(files, SMALLEST_SIDE)
    check_sampler(sampler, len(rows))
    # A batch never reaches over the end of an epoch.
    batch_size = min(batch_size, sampler.length if training and sampler else len(rows))
    if training:
        wanted = _endless(len(rows), fixed, spec, batch_size, seed, first_epoch, sampler)
    else:
        elements = {"row": np.arange(len(rows)), **fixed}
        wanted = tf.data.Dataset.from_tensor_slices(elements).batch(batch_size)
    images = _images(wanted, files, file_of_row, spec, batch_size, training)
    finish = _finisher(files, file_of_row, targets, spec.pretext, with_rows=extra_inputs is not None)
    # A pretext takes time: two batches at once, so that the next images are made meanwhile.
    batches = _joined(wanted, images, finish, parallel=2 if spec.pretext else None)
    return batches if extra_inputs is None else attach(batches, extra_inputs)


def _joined(wanted, images, finish, parallel):
    """The finished batches, made ahead of their use."""
    batches = tf.data.Dataset.zip(wanted, images).map(finish, num_parallel_calls=parallel)
    batches = batches.apply(tf.data.experimental.assert_cardinality(wanted.cardinality()))
    options = tf.data.Options()
    # Images are made in parallel; threads inside an operation only add waiting, and would make
    # sums depend on their number.
    options.threading.max_intra_op_parallelism = 1
    # Threads of its own, as many as TensorFlow takes: the shared ones spin while they wait for work.
    options.threading.private_threadpool_size = tf.config.threading.get_inter_op_parallelism_threads()
    return batches.with_options(options).prefetch(2)


def _endless(count, fixed, spec, batch_size, seed, first_epoch, sampler):
    """Batches of row positions and random changes, epoch after epoch."""
    # Sampled outside the graph, which takes longer to make anew for each training than many epochs, and once:
    # the images and what comes beside them both ask for it.
    sample = functools.lru_cache(maxsize=2)(functools.partial(_sample, count, fixed, spec, seed, sampler))
    first = sample(first_epoch)

    # None of the functions here has an `if` or a loop on tensors: to convert them takes a second for nothing.
    @tf.autograph.experimental.do_not_convert
    def epoch_batches(epoch):
        found = tf.numpy_function(
            lambda number: [value.numpy() for value in sample(int(number)).values()],
            [epoch],
            [value.dtype for value in first.values()],
            stateful=False,
        )
        for value, known in zip(found, first.values(), strict=True):
            value.set_shape(known.shape)
        sampled = dict(zip(first, found, strict=True))
        return tf.data.Dataset.from_tensor_slices(sampled).batch(batch_size)

    endless = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(epoch_batches)
    return endless.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def _sample(count, fixed, spec, seed, sampler, epoch):
    """The rows of an epoch in order, and the random changes of each of them, as tensors by name."""
    # Where the images are made.
    with tf.device("CPU"):
        order, slots = _epoch_rows(count, sampler, seed, epoch)
        changes = {name: tf.gather(value, order) for name, value in fixed.items()}
        if spec.augmentation is not None:
            sampled = sample_changes(spec.augmentation, order.shape[0], spec.image_size, seed, epoch)
            sampled = {name: tf.gather(value, slots) for name, value in sampled.items()}
            if "orientation" in changes and "orientation" in sampled:
                sampled["orientation"] = compose(changes["orientation"], sampled["orientation"])
            changes |= sampled
        if spec.crops is not None and spec.crops.is_random:
            boxes = sample_boxes(spec.crops, spec.image_size, order.shape[0], seed, epoch)
            changes["box"] = tf.gather(boxes, slots)
        if spec.pretext is not None:
            sampled = spec.pretext.sample(order.shape[0], spec.input_shape[:-1], seed, epoch)
            changes["pretext"] = tf.gather(sampled, slots)
        return {"row": order, **changes}


def _epoch_rows(count, sampler, seed, epoch):
    """The rows of an epoch in order, and which of its random changes each of them gets."""
    if sampler is None:
        order = sample_order(count, seed, epoch)
        return order, order
    # By place, not by row: a row that comes again comes changed in another way.
    return tf.constant(sampler.order(seed, epoch), tf.int64), tf.range(sampler.length)


def _images(wanted, files, file_of_row, spec, batch_size, training):
    """Positions in `files` and finished images, in batches of `batch_size` + 1.

    A graph has no try/except: images with errors are dropped here, and the gap is found and named
    in `_finisher`, inside `model.fit` too. Each batch ends with at least one blank (position -1),
    which cannot fail, so that even files that all fail do not make an endless search.
    """
    read = pixel_reader(files.tolist(), spec)
    file_of_row = tf.constant(file_of_row)
    blank = tf.zeros(spec.shape(training))

    @tf.autograph.experimental.do_not_convert
    def padded(batch):
        changes = dict(batch)
        rows = changes.pop("row")
        missing = batch_size + 1 - tf.size(rows)
        file = tf.pad(tf.gather(file_of_row, rows), [[0, missing]], constant_values=-1)
        return file, {name: _pad_rows(value, missing) for name, value in changes.items()}

    def load(file, changes):
        if "distortions" not in changes:
            return finished(read(file), spec, changes)
        later = {name: value for name, value in changes.items() if name not in _BEFORE_RESIZING}
        return finished(read(file, *map(changes.get, _BEFORE_RESIZING)), spec, later)

    @tf.autograph.experimental.do_not_convert
    def load_or_blank(file, changes):
        return file, tf.cond(file < 0, lambda: blank, lambda: load(file, changes))

    singles = wanted.map(padded).unbatch()
    images = singles.map(load_or_blank, num_parallel_calls=tf.data.AUTOTUNE)
    if spec.cache is None:
        images = images.ignore_errors()
    return images.batch(batch_size + 1)


def _pad_rows(values, count):
    return tf.pad(values, [[0, count]] + [[0, 0]] * (values.shape.rank - 1))


def _finisher(files, file_of_row, targets, pretext, with_rows):
    """The function from the positions and images of a batch to (the positions,) images and targets."""
    files, file_of_row = tf.constant(files), tf.constant(file_of_row)
    targets = [tf.constant(target) for target in targets]

    @tf.autograph.experimental.do_not_convert
    def finish(batch, images):
        rows = batch["row"]
        complete = _check_complete(tf.gather(file_of_row, rows), *images, files)
        found = complete, *(tf.gather(target, rows) for target in targets)
        if "pretext" in batch:
            seen, aside = pretext.finish(complete, batch["pretext"])
            found = seen, (*found[1:2], aside), *found[2:]
        if with_rows:
            return tf.cast(rows, tf.int64), *found
        return found if len(found) > 1 else complete

    return finish


def _check_complete(expected, found, images, files):
    """The images of the expected files; an error that names the first one that is not there."""
    count = tf.size(expected)
    is_missing = tf.pad(found, [[0, count]], constant_values=-1)[:count] != expected
    begin, end = UNREADABLE
    message = tf.strings.join([begin, files[expected[tf.argmax(is_missing)]], end])
    with tf.control_dependencies([tf.debugging.Assert(~tf.reduce_any(is_missing), [message])]):
        return images[:count]


def pixel_scaling(scaling):
    """Returns the factor and the offset of R, G and B that make values from 0 to 255 those of a scaling.

    Args:
        scaling: String, as in `PipelineSpec`.

    Returns:
        Tuple of two lists of three floats.

    Example:
        >>> pixel_scaling("symmetric")[1]
        [-1.0, -1.0, -1.0]
    """
    spec = PipelineSpec(scaling=scaling)
    low, high = (_scale(tf.fill((1, 1, 3), top), spec).numpy().ravel() for top in (0.0, _TOP[scaling]))
    return ((high - low) / 255).tolist(), low.tolist()


def finished(pixels, spec, changes=None):
    """Returns what the network sees of an image: changed, scaled and cropped.

    Args:
        pixels: Tensor `(height, width, 3)`, uint8 RGB.
        spec: A `PipelineSpec`.
        changes: Dictionary of tensors of one image, as `sample_changes` returns them; `None` in evaluation.
    """
    changes = changes or {}
    fill = spec.augmentation.fill if spec.augmentation else "reflect"
    image = change(pixels, changes, _TOP[spec.scaling], fill)
    return cut(_scale(image, spec), spec, changes.get("box"))


def _scale(image, spec):
    """RGB from 0 to the top of its scaling, to the channel order and value range of the spec."""
    if spec.scaling == "symmetric":
        image -= 1.0
    elif spec.scaling == "imagenet":
        image = (image - _MEAN_UNIT) / _DEVIATION_UNIT
    elif spec.scaling == "caffe":
        image -= _MEAN_RAW
    return tf.reverse(image, [2]) if spec.channel_order == "bgr" else image
