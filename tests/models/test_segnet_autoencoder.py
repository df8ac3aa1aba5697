import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit import models
from skinkit.models.segnet_autoencoder import FINALS, bottleneck_features, segnet_autoencoder
from skinkit.training.losses import RootMeanSquaredError

NARROW = (4, 6, 8, 10, 12)
IMAGES = np.random.default_rng(0).random((2, 32, 64, 3), dtype="float32")
# In and out of every convolution, as the public code has them.
ENCODER = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
ENCODER += [(256, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)]
DECODER = [(512, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 256)]
DECODER += [(256, 256), (256, 256), (256, 128), (128, 128), (128, 64), (64, 64), (64, 3)]


@pytest.mark.parametrize("final", FINALS)
def test_it_has_the_parameters_of_the_public_code(final):
    model = segnet_autoencoder((224, 224, 3), final)
    convolutions = sum(9 * a * b + b for a, b in ENCODER + DECODER)
    normalised = sum(b for _, b in ENCODER + DECODER) - (3 if final == "recommended" else 0)
    assert model.count_params() == convolutions + 4 * normalised
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert trainable == convolutions + 2 * normalised
    kernels = [layer.kernel.shape for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert kernels == [(3, 3, a, b) for a, b in ENCODER + DECODER]
    assert model.get_layer("pool5").output[0].shape == (None, 7, 7, 512)
    assert bottleneck_features(model).output.shape == (None, 512)
    assert (model.output.shape, model.output.dtype) == ((None, 224, 224, 3), "float32")


@pytest.mark.parametrize("final", FINALS)
def test_the_last_convolution_is_the_difference(final):
    model = segnet_autoencoder((None, None, 3), final, NARROW)
    found = np.array(model(100 * IMAGES, training=True))
    assert found.shape == IMAGES.shape
    assert found.min() >= 0
    assert (found.max() <= 1) == (final == "recommended")
    is_last = model.layers[-2]
    assert isinstance(is_last, keras.layers.BatchNormalization) == (final == "as_released")


@pytest.mark.parametrize("final", FINALS)
def test_the_gradient_reaches_every_convolution(final):
    keras.utils.set_random_seed(1)
    model = segnet_autoencoder((32, 64, 3), final, NARROW)
    kernels = [w for w in model.trainable_weights if w.name == "kernel"]
    assert len(kernels) == 26
    with tf.GradientTape() as tape:
        loss = RootMeanSquaredError()(IMAGES, model(IMAGES, training=True))
    for weight, gradient in zip(kernels, tape.gradient(loss, [w.value for w in kernels]), strict=True):
        assert gradient is not None and np.abs(gradient).max() > 1e-8, weight.path


def test_the_decoder_unpools_to_where_the_encoder_of_its_level_had_its_maxima():
    model = segnet_autoencoder((64, 64, 3), widths=NARROW)
    last = ("encoder1_relu2", "encoder2_relu2", "encoder3_relu3", "encoder4_relu3", "encoder5_relu3")
    tapped = [
        (model.get_layer(name).output, model.get_layer(f"unpool{n}").output) for n, name in enumerate(last, 1)
    ]
    noise = np.random.default_rng(1).random((2, 64, 64, 3), dtype="float32")
    for encoded, unpooled in keras.Model(model.input, tapped)(noise):
        batch, height, width, channels = encoded.shape
        windows = (batch, height // 2, 2, width // 2, 2, channels)
        encoded, kept = np.reshape(encoded, windows), np.reshape(unpooled, windows) != 0
        assert kept.any()
        assert kept.sum(axis=(2, 4)).max() == 1
        maxima = np.broadcast_to(encoded.max(axis=(2, 4), keepdims=True), windows)
        np.testing.assert_array_equal(encoded[kept], maxima[kept])


def test_training_brings_the_images_back(tmp_path):
    keras.utils.set_random_seed(0)
    model = segnet_autoencoder((32, 64, 3), widths=NARROW)
    # The graph of 26 convolutions takes longer to make than these steps without one.
    model.compile(keras.optimizers.Adam(1e-2), RootMeanSquaredError(), run_eagerly=True)
    # Smooth images: noise has nothing in common that could be learned.
    smooth = keras.ops.image.resize(IMAGES[:, :4, :4], (32, 64)).numpy()
    losses = model.fit(smooth, smooth, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(smooth), model(smooth))
    assert isinstance(loaded.loss, RootMeanSquaredError)


def test_the_bottleneck_gives_one_number_a_channel():
    model = segnet_autoencoder((32, 64, 3), widths=NARROW)
    features = bottleneck_features(model)
    maps = keras.Model(model.input, model.get_layer("pool5").output[0])(IMAGES)
    assert maps.shape == (2, 1, 2, 12)
    np.testing.assert_allclose(features(IMAGES), np.mean(maps, axis=(1, 2)), rtol=1e-5)
    whole = bottleneck_features(model, pooled=False)
    np.testing.assert_array_equal(whole(IMAGES), np.reshape(maps, (2, 24)))


def test_the_output_stays_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = segnet_autoencoder((32, 64, 3), widths=NARROW)
        features = bottleneck_features(model)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.get_layer("unpool1").output.dtype == "float16"
    assert model(IMAGES).dtype.name == features(IMAGES).dtype.name == "float32"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (224, 200, 3)}, r"multiples of 32.*\(224, 200, 3\)"),
        ({"final": "linear"}, "recommended.*as_released.*'linear'"),
        ({"widths": (4, 8)}, r"5 widths.*\(4, 8\)"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        segnet_autoencoder(**{"input_shape": (32, 32, 3), **arguments})


def test_it_is_built_by_name_whatever_the_classes():
    model = models.build("segnet_autoencoder", (32, 64, 3), classes=2, widths=NARROW, final="as_released")
    assert models.MODELS["segnet_autoencoder"].reconstructs
    assert (model.output.shape, model.layers[-1].name) == ((None, 32, 64, 3), "reconstruction")
    returning = [name for name, entry in models.MODELS.items() if entry.reconstructs]
    assert returning == [model.name, "restorer"]
    with pytest.raises(ValueError, match="no ImageNet weights"):
        models.build("segnet_autoencoder", (32, 64, 3), classes=2, weights="imagenet")
