"""The network of every recipe can be built at the size that `smoke` gives it."""

import functools
import math
import re

import keras
import pytest

from skinkit import tasks
from skinkit.models.backbones.applications import APPLICATIONS
from skinkit.models.datta import PRETRAINED
from skinkit.papers.registry import recipes
from skinkit.tasks.batches import pipeline_spec


def smoke_networks():
    """Returns the first recipe of each network and size, by name, backbone and size."""
    found = {}
    for recipe in recipes():
        for protocol in recipe.known_protocols:
            resolved = recipe.resolve("smoke", protocol)
            name, options = resolved.model.name, resolved.model.options
            backbone = PRETRAINED[name][0] if name in PRETRAINED else options.get("backbone", name)
            key = (name, backbone, pipeline_spec(resolved, augment=False).input_shape)
            found.setdefault(key, resolved)
    return found


NETWORKS = smoke_networks()
OWN, LARGE = ([key for key in NETWORKS if (key[1] in APPLICATIONS) is large] for large in (False, True))
# Ours take any size and any number of crops. `small_cnn` is built with all of them, others with the least.
LEAST = {key[:2]: key for key in sorted(OWN, key=lambda key: -math.prod(key[2]))}
BUILT = [key for key in OWN if key[1] == "small_cnn" or key in LEAST.values()]


def named(key):
    return "-".join(map(str, key))


@pytest.mark.parametrize("key", BUILT, ids=named)
def test_a_network_of_ours_is_built(key):
    model = tasks.of(NETWORKS[key]).model(weights="none")
    assert model.inputs[0].shape[1:] == key[2]


@functools.cache
def least_side(backbone):
    """Asks Keras for a network of one pixel: it refuses before it builds a layer of it."""
    with pytest.raises(ValueError, match="at least") as refusal:
        getattr(keras.applications, APPLICATIONS[backbone][0])(
            input_shape=(1, 1, 3), weights=None, include_top=False
        )
    return int(re.search(r"at least (\d+)x", str(refusal.value))[1])


@pytest.mark.parametrize("key", LARGE, ids=named)
def test_a_network_of_keras_takes_the_size(key):
    assert min(key[2][-3:-1]) >= least_side(key[1])


@pytest.mark.parametrize("key", [key for key in LARGE if key[1] == "inception_v3"][:1], ids=named)
def test_a_network_of_the_least_size_is_built(key):
    assert min(key[2][-3:-1]) == least_side(key[1]) == 75
    assert tasks.of(NETWORKS[key]).model(weights="none").output.shape == (None, 7)
