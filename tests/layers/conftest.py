"""What every layer of skinkit must do, as one check."""

import importlib.util
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

_LOADER = """
import sys, numpy as np, keras
import skinkit.layers
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[2], model.predict(np.load(sys.argv[3]), verbose=0))
"""


_needs_jax = [
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None,
        reason="the NumPy and JAX backends of Keras need JAX, which is not installed",
    ),
    # They are loaded once.
    pytest.mark.xdist_group("backends"),
]


_OTHERS = [pytest.param(name, marks=_needs_jax) for name in ("numpy", "jax")]


@pytest.fixture(params=["tensorflow", *_OTHERS])
def backend(request):
    """Each backend of Keras that a layer works on, by name."""
    return request.param


@pytest.fixture(params=_OTHERS)
def other_backend(request):
    """Each of them that is not the one of the tests."""
    return request.param


@pytest.fixture
def check_layer(tmp_path, rounding, fresh_python):
    """Returns `check(cls, init_kwargs, input_shape, ...)`: all that Keras asks of a layer.

    `known` are the axes of `input_shape` whose size the layer must know beforehand. `call(layer, inputs)`
    calls a layer that takes more than its inputs, or returns more than one tensor.
    """

    def check(
        cls,
        init_kwargs,
        input_shape,
        supports_masking=False,
        fresh_process=False,
        known=(-1,),
        call=lambda layer, inputs: layer(inputs),
    ):
        images = np.random.default_rng(0).normal(size=(4, *input_shape)).astype("float32")
        _check_config(cls, init_kwargs, images, call, rounding)
        _check_symbolic_shapes(cls, init_kwargs, images, call, known)
        _check_training_step_reaches_all_weights(cls, init_kwargs, images, call)
        for dtype in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
            _check_half_precision(cls, init_kwargs, images, call, rounding, dtype)
        _check_integers(cls, init_kwargs, images, call, rounding)
        assert cls(**init_kwargs).supports_masking == supports_masking
        assert "`skinkit.models.load_model(path)`" in cls.__doc__
        elsewhere = fresh_python if fresh_process else None
        _check_file(cls, init_kwargs, images, call, rounding, tmp_path, elsewhere)

    return check


def _model(cls, init_kwargs, shape, call):
    inputs = keras.Input(shape)
    return keras.Model(inputs, call(cls(**init_kwargs), inputs))


def _check_config(cls, init_kwargs, images, call, rounding):
    layer = cls(**init_kwargs)
    config = json.loads(json.dumps(layer.get_config()))
    twin = cls.from_config(config)
    assert twin.get_config() == layer.get_config()
    assert keras.saving.get_registered_name(cls) == f"skinkit>{cls.__name__}"
    call(layer, images)
    call(twin, images)
    twin.set_weights(layer.get_weights())
    expected = call(layer, images)
    np.testing.assert_allclose(call(twin, images), expected, rtol=0, atol=rounding(expected))


def _check_symbolic_shapes(cls, init_kwargs, images, call, known_axes):
    result = call(cls(**init_kwargs), images)
    known = call(cls(**init_kwargs), keras.Input(images.shape[1:]))
    assert known.shape == (None, *result.shape[1:])
    assert known.dtype == result.dtype.name
    shape = [None] * (images.ndim - 1)
    for axis in known_axes:
        shape[axis] = images.shape[1:][axis]
    unknown = _model(cls, init_kwargs, shape, call)
    assert unknown.output.shape[-1] == result.shape[-1]
    assert unknown.predict(images, verbose=0).shape == result.shape


def _check_training_step_reaches_all_weights(cls, init_kwargs, images, call):
    model = _model(cls, init_kwargs, images.shape[1:], call)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(images, training=True)))
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is not None and np.any(gradient), f"no gradient reaches {weight.path}"
    if not model.trainable_weights:
        return
    targets = np.zeros((len(images), *model.output.shape[1:]), "float32")
    model.compile("sgd", "mse", jit_compile=False)
    before = [w.copy() for w in model.get_weights()]
    model.train_on_batch(images, targets)
    assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))


def _check_half_precision(cls, init_kwargs, images, call, rounding, dtype):
    layer = cls(**init_kwargs, dtype=dtype)
    result = call(layer, images)
    assert result.dtype.name == dtype.removeprefix("mixed_")
    found = keras.ops.convert_to_numpy(keras.ops.cast(result, "float32"))
    assert np.all(np.isfinite(found))
    if dtype.startswith("mixed_"):
        assert {w.dtype for w in layer.weights} <= {"float32"}
    exact = cls(**init_kwargs)
    exact.build(images.shape)
    exact.set_weights([keras.ops.cast(w, "float32") for w in layer.get_weights()])
    expected = call(exact, images)
    # bfloat16 has three bits less.
    atol = rounding(expected, dtype="float16") * (8 if "bfloat" in dtype else 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def _check_integers(cls, init_kwargs, images, call, rounding):
    layer, integers = cls(**init_kwargs), np.round(10 * images).astype("int32")
    expected = call(layer, integers.astype("float32"))
    with pytest.warns(UserWarning, match=f"{cls.__name__} casts its inputs from int32 to float32"):
        found = call(layer, integers)
    assert found.dtype.name == "float32"
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(expected))
    symbolic = call(cls(**init_kwargs), keras.Input(images.shape[1:], dtype="int32"))
    assert symbolic.dtype == "float32"


def _check_file(cls, init_kwargs, images, call, rounding, folder, fresh_python):
    model = _model(cls, init_kwargs, images.shape[1:], call)
    expected = model.predict(images, verbose=0)
    path, inputs, outputs = (folder / n for n in ("model.keras", "inputs.npy", "outputs.npy"))
    model.save(path)
    if fresh_python:
        np.save(inputs, images)
        fresh_python(_LOADER, path, outputs, inputs)
        found = np.load(outputs)
    else:
        found = keras.saving.load_model(path).predict(images, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(expected))
