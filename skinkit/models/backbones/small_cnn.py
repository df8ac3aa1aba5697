"""A small network for small images: the demo's and the course's first."""

from keras import layers

from skinkit.layers import BatchNormalization
from skinkit.values import Count


def small_cnn(image, width: Count = 16):
    """Returns the feature map of six convolutions, each with batch normalisation and ReLU.

    The feature map is an eighth of the image in height and width; each of its positions sees 62 x 62
    pixels around its own centre. There are no pretrained weights.

    Args:
        image: 4D symbolic tensor `(batch, height, width, channels)`; height and width may be `None`.
        width: Integer, filters of the first convolution; parameters grow with its square (16 makes
            about 145,000).
    """
    x = image
    stages = ((1, 2), (2, 2), (2, 1), (4, 2), (4, 1), (6, 1))
    for number, (times, stride) in enumerate(stages, start=1):
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
        x = BatchNormalization(momentum=0.9, name=f"bn{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    return x
