"""Images that lie in memory and not in files, as evaluation sees them."""

import tensorflow as tf

from skinkit.pipeline.dataset import finished
from skinkit.pipeline.decode import decode_contents


def contents_reader(spec):
    """Returns the function from what image files hold to what the network sees, traced once.

    Args:
        spec: A `PipelineSpec`; its augmentation and its cache are left aside.

    Returns:
        Function of a list of bytes, JPEG or PNG each, to a float32 array `(n, *spec.shape(False))`, equal to
        that of `build_dataset`.

    Example:
        >>> images = contents_reader(PipelineSpec())([Path(table["path"][0]).read_bytes()])
    """
    options = tf.data.Options()
    # As in `build_dataset`: sums are made in the same order.
    options.threading.max_intra_op_parallelism = 1

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def read(contents):
        images = tf.data.Dataset.from_tensor_slices(contents).map(
            lambda one: finished(decode_contents(one, spec), spec), num_parallel_calls=tf.data.AUTOTUNE
        )
        batches = images.batch(tf.size(contents, tf.int64)).with_options(options)
        return batches.get_single_element()

    return lambda contents: read(tf.constant(contents, tf.string)).numpy()
