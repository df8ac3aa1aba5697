import re
from concurrent.futures import ThreadPoolExecutor

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from skinkit.explain import (
    attention_maps,
    crop_weighting_layers,
    crop_weights,
    has_attention,
    join_crops,
    mass_inside,
    overlay_map,
    resize_map,
)
from skinkit.explain.inner_layers import recorded
from skinkit.layers import PatchAttention, SoftAttention

IMAGES = np.random.default_rng(0).random((5, 8, 12, 3), dtype="float32")


def attentive(count=1):
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, 2, padding="same", name="conv")(inputs)
    for number in range(count):
        x = SoftAttention(heads=3, name=f"attention{number}")(x)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


def test_attention_maps_are_those_of_the_layer():
    model = attentive()
    features = keras.Model(model.input, model.get_layer("conv").output)(IMAGES)
    _, heads = model.get_layer("attention0")(features, return_maps=True)
    summed = np.sum(heads, axis=-1)
    found = attention_maps(model, IMAGES, batch_size=2)
    assert found.shape == (5, 4, 6)
    np.testing.assert_allclose(found, summed / summed.max(axis=(1, 2), keepdims=True), rtol=1e-5)


def test_a_layer_is_chosen_by_name_where_there_are_several():
    model = attentive(2)
    with pytest.raises(ValueError, match=r"\['attention0', 'attention1'\].*layer=None"):
        attention_maps(model, IMAGES)
    assert attention_maps(model, IMAGES, layer="attention1").shape == (5, 4, 6)
    with pytest.raises(ValueError, match="layer='conv'"):
        attention_maps(model, IMAGES, layer="conv")


@pytest.mark.parametrize("kind", ["nested", "loaded", "twice"])
def test_attention_in_a_nested_a_loaded_and_a_shared_layer_is_found(kind, tmp_path, rounding):
    images = np.random.default_rng(0).random((3, 8, 10, 4), dtype="float32")
    layer, inputs = SoftAttention(heads=2, gamma=None), keras.Input((8, 10, 4))
    if kind == "twice":
        model, below = keras.Model(inputs, layer(layer(inputs))), lambda x: layer(x)
    else:
        inner = keras.Sequential([inputs, layer])
        model, below = keras.Sequential([inputs, inner] if kind == "nested" else [inputs, layer]), lambda x: x
    _, expected = layer(below(images), return_maps=True)
    expected = np.sum(expected, axis=-1)
    if kind == "loaded":
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
    expected /= expected.max(axis=(1, 2), keepdims=True)
    assert has_attention(model)
    np.testing.assert_allclose(attention_maps(model, images), expected, rtol=0, atol=rounding(1))


def test_a_model_without_attention_is_told_apart():
    assert has_attention(attentive()) and not has_attention(attentive(0))
    with pytest.raises(ValueError, match=r"return maps: \[\]"):
        attention_maps(attentive(0), IMAGES)


CROPS = np.random.default_rng(3).random((5, 4, 8, 6, 3), dtype="float32")


def crop_model():
    """A model of four crops with attention on the pixels and on the features."""
    inputs = keras.Input((4, 8, 6, 3))
    x = PatchAttention(name="initial")(inputs)
    x = layers.Dense(2, name="features")(layers.Reshape((4, 8 * 6 * 3))(x))
    return keras.Model(inputs, layers.GlobalAveragePooling1D()(PatchAttention(name="end")(x)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_crop_weights_are_those_of_the_layer():
    model = crop_model()
    kernel, bias = np.diag([1.0, 2.0, 0.0, -1.0]), np.array([0.0, 0.0, 0.5, 0.0])
    model.get_layer("initial").set_weights([kernel, bias])
    expected = sigmoid(CROPS.mean(axis=(2, 3, 4)) @ kernel + bias)
    found = crop_weights(model, CROPS, layer="initial", batch_size=2)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    features = keras.Model(model.input, model.get_layer("features").output)(CROPS)
    kernel, bias = model.get_layer("end").get_weights()
    expected = sigmoid(np.mean(features, axis=2) @ kernel + bias)
    np.testing.assert_allclose(crop_weights(model, CROPS, layer="end"), expected, rtol=1e-5)


def test_maps_and_weights_of_crops_are_different_things():
    with pytest.raises(ValueError, match=r"return weights: \['initial', 'end'\].*layer=None"):
        crop_weights(crop_model(), CROPS)
    with pytest.raises(ValueError, match=r"return maps: \[\]"):
        attention_maps(crop_model(), CROPS)
    assert not has_attention(crop_model())


def test_layers_that_weigh_crops_are_told_apart():
    assert crop_weighting_layers(crop_model()) == ["initial", "end"]
    assert crop_weighting_layers(attentive()) == []


def test_joined_crops_are_the_mean_where_they_overlap():
    weights = np.array([[1.0, 3.0], [0.0, 4.0]])[..., None, None]
    found = join_crops(weights, [(0, 0), (1, 2)], 3, (4, 6))
    first = [[1, 1, 1, 0, 0, 0], [1, 1, 2, 3, 3, 0], [1, 1, 2, 3, 3, 0], [0, 0, 3, 3, 3, 0]]
    second = [[0, 0, 0, 0, 0, 0], [0, 0, 2, 4, 4, 0], [0, 0, 2, 4, 4, 0], [0, 0, 4, 4, 4, 0]]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [first, second])


def test_joined_crops_of_one_image_are_that_image():
    image = np.random.default_rng(2).random((9, 12), dtype="float32")
    corners = [(0, 0), (0, 5), (2, 0), (2, 5), (1, 2)]
    crops = np.stack([image[row : row + 7, column : column + 7] for row, column in corners])
    np.testing.assert_allclose(join_crops(crops[None], corners, 7, (9, 12))[0], image, rtol=1e-5)


def test_maps_are_resized_one_by_one_or_together():
    maps = np.random.default_rng(1).random((3, 4, 6), dtype="float32")
    found = resize_map(maps, (8, 18))
    assert found.shape == (3, 8, 18)
    np.testing.assert_array_equal(found[1], resize_map(maps[1], (8, 18)))
    np.testing.assert_allclose(resize_map(np.ones((2, 3)), (5, 7)), 1.0)


def test_an_overlay_mixes_image_and_colours():
    image = np.full((10, 20, 3), 200, "uint8")
    heatmap = np.zeros((2, 4))
    heatmap[:, 3] = 5
    mixed = overlay_map(image, heatmap, strength=0.25)
    colours = cv2.applyColorMap(np.array([[0, 255]], "uint8"), cv2.COLORMAP_INFERNO)[0, :, ::-1]
    assert mixed.dtype == np.uint8
    np.testing.assert_allclose(mixed[:, 0], np.broadcast_to(150 + colours[0] / 4, (10, 3)), atol=1)
    np.testing.assert_allclose(mixed[:, -1], np.broadcast_to(150 + colours[1] / 4, (10, 3)), atol=1)
    np.testing.assert_array_equal(overlay_map(image / 255, heatmap, strength=0.25), mixed)


def test_an_overlay_of_zeros_and_of_no_strength_is_the_image():
    image = np.random.default_rng(2).integers(0, 256, (6, 6, 3), dtype="uint8")
    np.testing.assert_array_equal(overlay_map(image, np.zeros((3, 3)), strength=0.0), image)


def test_an_image_that_was_scaled_for_a_model_is_refused():
    with pytest.raises(ValueError, match="from -1 to 1"):
        overlay_map(np.linspace(-1, 1, 48).reshape(4, 4, 3), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("image", "heatmap"),
    [((2, 4, 4, 3), (2, 2, 2)), ((4, 4, 3), (2, 2, 2)), ((4, 4), (2, 2)), ((4, 4, 4), (2, 2))],
)
def test_a_batch_and_other_shapes_are_named(image, heatmap):
    with pytest.raises(
        ValueError, match=rf"images\[0\] and maps\[0\].*{re.escape(f'{image} and {heatmap}')}"
    ):
        overlay_map(np.zeros(image), np.zeros(heatmap))


def test_mass_inside_is_the_share_of_the_map():
    heatmap = np.array([[1.0, 2.0], [3.0, 4.0]])
    mask = np.array([[True, False], [False, True]])
    assert mass_inside(heatmap, mask) == pytest.approx(0.5)
    found = mass_inside(np.stack([heatmap, 7 * heatmap]), np.stack([mask, ~mask]))
    np.testing.assert_allclose(found, [0.5, 0.5])
    assert np.isnan(mass_inside(np.zeros((2, 2)), mask))


def test_an_even_map_has_the_mask_s_share_of_the_image_inside():
    mask = np.zeros((30, 40), bool)
    mask[5:20, 10:30] = True
    assert mass_inside(np.ones((3, 4)), mask) == pytest.approx(mask.mean())


def test_calls_of_other_threads_are_not_recorded():
    layer, image = layers.Dense(1, use_bias=False, kernel_initializer="ones"), keras.ops.ones((1, 2))
    layer.build(image.shape)
    with recorded(layer) as seen, ThreadPoolExecutor(1) as pool:
        layer(image)
        pool.submit(layer, 5 * image).result()
    assert float(seen[layer][1][0, 0]) == 2
