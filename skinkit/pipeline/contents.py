"""Images that lie in memory and not in files, as evaluation sees them."""

import tensorflow as tf

from skinkit.pipeline.dataset import finished
from skinkit.pipeline.decode import decode_contents

# Images that are decoded at a time.
_PARALLEL = 8


def contents_reader(spec):
    """Returns the function from what image files hold to what the network sees, traced once.

    Args:
        spec: A `PipelineSpec`; its augmentation and its cache are left aside.

    Returns:
        Function of a list of bytes, JPEG or PNG each, to a float32 array `(n, *spec.shape(False))`, equal to
        that of `build_dataset`.

    Example:
    >>> images = contents_reader(PipelineSpec())([Path("image.jpg").read_bytes()])
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def read(contents):
        return tf.map_fn(
            lambda one: finished(decode_contents(one, spec), spec),
            contents,
            fn_output_signature=tf.float32,
            parallel_iterations=_PARALLEL,
        )

    return lambda contents: read(tf.constant(contents, tf.string)).numpy()
