import json

import numpy as np
import pytest
import tensorflow as tf

from skinkit.layers import RandomMap


def test_it_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(RandomMap, {"heads": 3}, (6, 5, 7), fresh_process=True)


def test_every_image_is_weighted_by_one_map_that_sums_to_the_heads():
    features = np.random.default_rng(0).normal(size=(3, 6, 5, 4)).astype("float32")
    weighted = np.array(RandomMap(heads=12, gamma=None)(features))
    maps = weighted / features
    np.testing.assert_allclose(maps, np.broadcast_to(maps[:1, :, :, :1], maps.shape), rtol=1e-4)
    np.testing.assert_allclose(maps[0, :, :, 0].sum(), 12, rtol=1e-4)
    assert maps[0, :, :, 0].std() > 0


def test_the_seed_decides_the_map_and_gamma_its_size():
    features = np.ones((1, 6, 5, 4), "float32")
    first, again, other = (np.array(RandomMap(gamma=None, seed=seed)(features)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(RandomMap(seed=0)(features), 0.01 * first, rtol=1e-5)


def by_hand(height, width, heads, seed):
    scores = np.maximum(np.random.default_rng(seed).normal(size=(64 * 64, heads))[: height * width], 0)
    maps = np.exp(scores) / np.exp(scores).sum(axis=0)
    return maps.sum(axis=1).reshape(height, width)


def test_the_map_is_drawn_with_numpy_also_under_xla():
    layer, features = RandomMap(heads=3, gamma=None, seed=5), np.ones((1, 6, 5, 1), "float32")
    for call in (layer, tf.function(layer, jit_compile=True)):
        np.testing.assert_allclose(np.array(call(features))[0, :, :, 0], by_hand(6, 5, 3, 5), rtol=1e-5)


def test_every_backend_has_the_same_map(fresh_python, other_backend):
    code = """
import json, numpy as np
from skinkit.layers import RandomMap
print(json.dumps(np.array(RandomMap(heads=3, gamma=None, seed=5)(np.ones((1, 6, 5, 1), "float32"))).tolist()))
"""
    found = np.array(json.loads(fresh_python(code, backend=other_backend)))
    np.testing.assert_allclose(found[0, :, :, 0], by_hand(6, 5, 3, 5), rtol=1e-5)


def test_large_maps_repeat_their_scores():
    found = np.array(RandomMap(heads=2, gamma=None)(np.ones((1, 128, 64, 1), "float32")))[0, :, :, 0]
    np.testing.assert_allclose(found[:64], found[64:], rtol=1e-6)
    assert found.sum() == pytest.approx(2, rel=1e-4)


@pytest.mark.parametrize("arguments", [{"heads": 0}, {"heads": "16"}, {"gamma": "fixed"}])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        RandomMap(**arguments)
