import numpy as np
import pytest

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


@pytest.mark.parametrize("arguments", [{"heads": 0}, {"gamma": "fixed"}])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        RandomMap(**arguments)
