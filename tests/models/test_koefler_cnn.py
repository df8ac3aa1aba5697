import keras
import numpy as np
import pytest

from skinkit import models


def build(attention="none", width=1.0, **options):
    return models.build("koefler_cnn", (100, 100, 3), 7, attention=attention, width=width, **options)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 56_654_727),
        ({"attention": "soft", "soft_attention": {"kernel": "released", "gamma": None}}, 59_069_331),
        # Without the 55,308 parameters of the attention: everything else is as wide.
        ({"attention": "doubled"}, 59_014_023),
        ({"attention": "random_map", "soft_attention": {"gamma": None}}, 59_014_023),
    ],
)
def test_the_networks_have_their_number_of_parameters(options, parameters):
    model = build(**options)
    frozen = sum(int(np.prod(w.shape)) for w in model.non_trainable_weights)
    assert (model.count_params(), frozen) == (parameters, 3968)


def test_the_feature_maps_have_the_documents_sizes():
    model = build("soft", width=0.125)
    sides = {name: model.get_layer(name).output.shape[1] for name in ("conv1", "pool1", "conv2", "pool2")}
    assert sides == {"conv1": 47, "pool1": 23, "conv2": 12, "pool2": 10}
    assert model.get_layer("with_attention").output.shape == (None, 8, 8, 128)
    assert model.get_layer("pool6").output.shape == (None, 4, 4, 64)
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def test_doubled_features_are_the_features_twice():
    model = build("doubled", width=0.125)
    images = np.random.default_rng(0).random((2, 100, 100, 3), dtype="float32")
    inner = keras.Model(model.input, [model.get_layer(n).output for n in ("bn5", "with_attention")])
    features, both = inner(images)
    np.testing.assert_array_equal(both, np.concatenate([features, features], axis=-1))


def test_each_attention_gives_another_answer_from_equal_weights():
    images = np.random.default_rng(0).random((2, 100, 100, 3), dtype="float32")
    answers = []
    for attention in ("doubled", "random_map"):
        keras.utils.set_random_seed(0)
        answers.append(np.array(build(attention, width=0.125)(images)))
    assert not np.allclose(*answers)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((78, 100, 3), {}, "79 x 79"),
        ((100, 100, 3), {"attention": "hard"}, "'hard'"),
        ((100, 100, 3), {"weights": "imagenet"}, "no ImageNet weights"),
    ],
)
def test_what_cannot_be_built_is_refused(shape, options, message):
    with pytest.raises(ValueError, match=message):
        models.build("koefler_cnn", shape, 7, width=0.125, **options)


def test_the_smallest_image_passes():
    assert models.build("koefler_cnn", (79, 79, 3), 7, width=0.125).output.shape == (None, 7)
