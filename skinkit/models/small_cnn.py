"""A small network for small images: the demo's and the course's first."""

import keras
from keras import layers

from skinkit.models.head import add_head


def small_cnn(input_shape, classes, weights=None, width=16, dropout=0.2, soft_attention=False):
    """Returns six convolutions, each with batch normalisation and ReLU, and the head.

    The feature map is an eighth of the image in height and width; each of its positions sees 62 x 62
    pixels around its own centre.

    Args:
        input_shape: `(height, width, channels)`; height and width may be `None`.
        classes: Integer, number of classes.
        weights: `None`; there are no pretrained weights.
        width: Integer, filters of the first convolution; parameters grow with its square (16 makes
            about 145,000).
        dropout: As in `skinkit.models.add_head`.
        soft_attention: As in `skinkit.models.add_head`.
    """
    if weights is not None:
        raise ValueError(f"small_cnn has no pretrained weights. Received: weights={weights!r}")
    image = x = keras.Input(input_shape, name="image")
    plan = ((1, 2), (2, 2), (2, 1), (4, 2), (4, 1), (6, 1))
    for number, (times, stride) in enumerate(plan, start=1):
        x = layers.Conv2D(
            times * width,
            # An even kernel pads alike on both sides when it halves the image. With 3 x 3 each halving
            # would shift what a position sees, and maps laid over the image would be off by half a cell.
            4 if stride == 2 else 3,
            stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"conv{number}",
        )(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"bn{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    return keras.Model(image, add_head(x, classes, dropout, soft_attention), name="small_cnn")
