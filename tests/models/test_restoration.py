"""Restorers, the classifiers that stand on them, and forms with two outputs."""

import keras
import numpy as np
import pytest

from skinkit import models

WIDTHS = (4, 6, 8)
IMAGES = np.random.default_rng(0).random((2, 16, 24, 3), np.float32)


def restorer(decoder="unet", **options):
    return models.build("restorer", (16, 24, 3), 7, **{"decoder": decoder, "widths": WIDTHS, **options})


def classifier(reuse="chain", **options):
    given = {"reuse": reuse, "backbone": "small_cnn", "width": 4, "widths": WIDTHS, "dropout": 0.0, **options}
    if reuse == "encoder":
        del given["backbone"], given["width"]
    return models.build("restoration_classifier", (16, 24, 3), 7, **given)


def convolutions(pairs, side=3):
    """Weights of convolutions with bias, each with batch normalisation, by what goes in and comes out."""
    return sum(side**2 * a * b + b + 4 * b for a, b in pairs)


def counted(decoder, widths):
    """The parameters, level by level."""
    encoder = zip((3, *widths), widths)  # noqa: B905 - the last level has none below it
    total = sum(convolutions([(before, width), (width, width)]) for before, width in encoder)
    for below, width in zip(widths[1:], widths):  # noqa: B905
        total += 4 * below * width + width
        total += convolutions([(2 * width, width), (width, width)]) if decoder == "unet" else 4 * width
    return total + 9 * widths[0] * 3 + 3


@pytest.mark.parametrize(
    ("decoder", "widths", "golden"),
    [
        ("unet", (32, 64, 128, 256, 512), 7_772_707),
        ("light", (32, 64, 128, 256, 512), 5_419_747),
        ("unet", (8, 16, 32, 64), 122_443),
        ("light", (8, 16, 32, 64), 85_819),
    ],
)
def test_restorers_have_the_parameters_of_their_levels(decoder, widths, golden):
    model = models.build("restorer", (64, 64, 3), 7, decoder=decoder, widths=widths)
    assert model.count_params() == counted(decoder, widths) == golden
    assert (model.output.shape, model.output.dtype) == ((None, 64, 64, 3), "float32")


def test_a_chain_is_a_restorer_and_a_backbone_and_an_encoder_half_a_restorer():
    chain, half = classifier(), classifier("encoder")
    backbone = models.build("small_cnn", (16, 24, 3), 7, width=4)
    assert chain.count_params() == restorer().count_params() + backbone.count_params()
    encoder = convolutions([(3, 4), (4, 4), (4, 6), (6, 6), (6, 8), (8, 8)])
    assert half.count_params() == encoder + 8 * 7 + 7
    assert all(not isinstance(layer, keras.Model) for layer in chain.layers)


def test_the_backbone_of_a_chain_reads_the_restored_image_in_its_own_scale():
    chain = models.build(
        "restoration_classifier", (32, 32, 3), 7, backbone="mobilenet_025", widths=WIDTHS, dropout=0.0
    )
    backbone = models.build("mobilenet_025", (32, 32, 3), 7, dropout=0.0)
    models.take_over_weights(backbone, chain)
    restored = keras.Model(chain.input, chain.get_layer("reconstruction").output)(np.ones((1, 32, 32, 3)))
    np.testing.assert_allclose(chain(np.ones((1, 32, 32, 3))), backbone(2 * restored - 1), atol=1e-5)
    assert models.expected_pixels("restoration_classifier", backbone="mobilenet_025") == ("unit", "rgb")
    assert models.feature_layer(chain) == models.feature_layer(backbone)


@pytest.mark.parametrize("decoder", ["unet", "light"])
def test_skips_are_the_difference_of_the_decoders(decoder):
    skips = [layer for layer in restorer(decoder).layers if isinstance(layer, keras.layers.Concatenate)]
    assert len(skips) == (2 if decoder == "unet" else 0)


@pytest.mark.parametrize("reuse", ["chain", "encoder"])
def test_a_classifier_starts_from_a_restorer(reuse):
    trained, model = restorer(), classifier(reuse)
    before = [layer.get_weights() for layer in model.layers]
    kept = models.take_over_weights(model, trained)
    expected = [layer.name for layer in model.layers if layer.weights and layer.name not in named(trained)]
    assert kept == expected and "logits" in kept
    if reuse == "chain":
        part = keras.Model(model.input, model.get_layer("reconstruction").output)
        np.testing.assert_array_equal(part(IMAGES), trained(IMAGES))
    for layer, weights in zip(model.layers, before, strict=True):
        if layer.name in kept:
            np.testing.assert_equal(layer.get_weights(), weights)


def named(model):
    return [layer.name for layer in model.layers]


def test_a_chain_does_not_start_from_a_restorer_of_another_decoder():
    with pytest.raises(ValueError, match="cannot start from the weights of restorer.*decoder.* are missing"):
        models.take_over_weights(classifier(), restorer("light"))


def unnamed(units):
    """A network some of whose layers have the names that Keras counts through a process."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3)(keras.layers.Conv2D(4, 3, name="conv_1")(image))
    x = keras.layers.Conv2D(4, 3)(keras.layers.BatchNormalization()(x))
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(units, name="logits")(pooled))


def test_layers_that_keras_has_named_are_found_again_within_one_process():
    keras.layers.Conv2D(4, 3)
    trained, model = unnamed(6), unnamed(7)
    assert set(named(trained)) & set(named(model)) == {"conv_1", "logits"}
    assert models.take_over_weights(model, trained) == ["logits"]
    for one, other in zip(trained.layers[1:-1], model.layers[1:-1], strict=True):
        np.testing.assert_equal(other.get_weights(), one.get_weights())


@pytest.mark.parametrize("decoder", ["unet", "light"])
@pytest.mark.parametrize("reuse", ["chain", "encoder"])
def test_the_form_of_two_outputs_shares_all_layers(reuse, decoder):
    model = classifier(reuse, decoder=decoder)
    both = models.with_restoration(model, decoder)
    found = both(IMAGES)
    assert set(found) == {"probabilities", "reconstruction"} == set(both.output_names)
    np.testing.assert_array_equal(found["probabilities"], model(IMAGES))
    assert found["reconstruction"].shape == IMAGES.shape
    own = set(named(restorer(decoder))) if reuse == "encoder" else set()
    assert set(named(both)) == set(named(model)) | own


def test_two_heads_read_the_same_features_and_the_second_costs_one_layer():
    model = models.build("small_cnn", (16, 24, 3), 7, width=4, dropout=0.0, hidden=(5,))
    both = models.with_second_head(model, 6, "angle")
    assert both.count_params() == model.count_params() + 5 * 6 + 6
    found = both(IMAGES)
    np.testing.assert_array_equal(found["probabilities"], model(IMAGES))
    np.testing.assert_allclose(np.sum(found["angle"], axis=1), 1, rtol=1e-5)


def test_the_bottleneck_is_the_deepest_map_of_the_encoder():
    model = restorer()
    features = models.bottleneck_features(model)
    deepest = keras.Model(model.input, model.get_layer("encoder3_relu2").output)
    np.testing.assert_allclose(features(IMAGES), np.mean(deepest(IMAGES), axis=(1, 2)), atol=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.build("restorer", (16, 18, 3), 7, widths=WIDTHS), "multiples of 4.*image 16 x 18"),
        (lambda: restorer("unett"), "`decoder` must be 'unet' or 'light'.*'unett'"),
        (lambda: classifier(reuse="both"), "`reuse` must be 'chain' or 'encoder'.*'both'"),
        (
            lambda: models.build("restoration_classifier", (16, 32, 3), 7, backbone="vgg16"),
            "`backbone` is one of small_cnn.*'vgg16'",
        ),
        (lambda: classifier(backbone="small_cn"), "Did you mean"),
        (lambda: classifier(weights="imagenet"), "no ImageNet weights"),
        (lambda: models.build("restorer", (16, 16, 3), 7, widths=()), "filters of one level or more"),
    ],
)
def test_what_cannot_be_built_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
