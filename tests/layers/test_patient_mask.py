import json

import keras
import numpy as np
import pytest

from skinkit.layers import PatientAttention, PatientMask, PatientMean
from skinkit.layers.patient_mask import context_pairs

MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], "bool")


def features(depth=8):
    return np.random.default_rng(2).normal(size=(3, 4, depth)).astype("float32")


def test_it_does_what_keras_asks_of_a_layer(check_layer):
    check_layer(
        PatientMask,
        {},
        (5, 8),
        supports_masking=True,
        call=lambda layer, inputs: layer([inputs, inputs[..., 0] > -0.5]),
    )


@pytest.mark.parametrize("padding", [7.0, np.nan, np.inf])
@pytest.mark.parametrize("kind", ["bool", "float16", "int32"])
def test_padding_becomes_zero_whatever_it_was(padding, kind):
    x = features()
    x[~MASK] = padding
    found = PatientMask()([x, MASK.astype(kind)])
    np.testing.assert_array_equal(found, np.where(MASK[..., None], x, 0))


@pytest.mark.parametrize("layer", [PatientMean, PatientAttention])
def test_the_mask_goes_on_with_the_features_and_counts_as_if_it_were_given(layer):
    context, x = layer(), features()
    given = context(x, mask=MASK)
    marked = PatientMask()([x, MASK])
    assert not np.allclose(context(x), given)
    for found in (context(marked), context(marked, mask=MASK)):
        np.testing.assert_array_equal(found, given)
        np.testing.assert_array_equal(found._keras_mask, MASK)


@pytest.mark.parametrize("layer", [PatientMean, PatientAttention])
@pytest.mark.parametrize("exclude_self", [True, False])
def test_context_is_seen_as_if_it_stood_among_the_features(layer, exclude_self, rounding):
    layer, x = layer(exclude_self=exclude_self), features()
    for mask in (MASK, np.ones_like(MASK)):
        whole = np.array(layer(x, mask=mask))
        padded = np.where(mask[..., None], x, np.nan)
        for n in (1, 3):
            context = {"context": padded[:, n:], "context_mask": None if mask.all() else mask[:, n:]}
            found = layer(padded[:, :n], mask=mask[:, :n], **context)
            np.testing.assert_allclose(found, whole[:, :n], rtol=0, atol=rounding(whole))


def test_scores_of_the_context_come_after_those_of_the_features(rounding):
    layer, x = PatientAttention(), features()
    _, whole = layer(x, mask=MASK, return_scores=True)
    context = {"context": x[:, 1:], "context_mask": MASK[:, 1:]}
    _, scores = layer(x[:, :1], mask=MASK[:, :1], **context, return_scores=True)
    np.testing.assert_allclose(scores, whole[:, :, :1], rtol=0, atol=rounding(whole))
    symbolic = keras.Input((1, 8)), keras.Input((None, 8))
    _, spec = layer(symbolic[0], context=symbolic[1], return_scores=True)
    assert spec.shape == (None, 8, 1, None)


@pytest.mark.parametrize("layer", [PatientMean, PatientAttention])
def test_a_positional_mask_which_keras_would_lose_is_refused(layer):
    with pytest.raises(TypeError, match="positional"):
        layer()(features(), keras.ops.convert_to_tensor(MASK))


def test_an_image_sees_the_real_images_and_itself_only_on_request():
    alone = np.array(context_pairs(MASK[1:2], exclude_self=True))[0]
    np.testing.assert_array_equal(np.argwhere(alone), [[0, 1], [1, 0]])
    together = np.array(context_pairs(MASK[1:2], exclude_self=False))[0]
    np.testing.assert_array_equal(np.argwhere(together), [[0, 0], [0, 1], [1, 0], [1, 1]])


_FRESH_PROCESS = """
import json, sys
import keras, numpy as np
import skinkit.layers
model = keras.saving.load_model(sys.argv[1])
given = np.load(sys.argv[2])
layer = model.get_layer("attention")
_, scores = layer(given["features"], mask=given["mask"], return_scores=True)
found = {"predicted": model.predict(dict(given), verbose=0), "scores": scores}
found = {name: np.asarray(value).tolist() for name, value in found.items()}
print("RESULT" + json.dumps({"backend": keras.backend.backend(), **found}))
"""


def test_all_layers_of_patients_work_in_a_fresh_process_of_any_backend(
    backend, tmp_path, fresh_python, rounding
):
    x, mask = keras.Input((None, 8), name="features"), keras.Input((None,), dtype="bool", name="mask")
    images = PatientMask()([x, mask])
    images = PatientAttention(2, variant="listing_e", exclude_self=True, name="attention")(images, mask=mask)
    images = PatientAttention()(images, mask=mask)
    model = keras.Model([x, mask], PatientMean()(images, mask=mask))
    given = {"features": features(), "mask": MASK}
    given["features"][~MASK] = np.nan
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "given.npz", **given)
    printed = fresh_python(_FRESH_PROCESS, tmp_path / "model.keras", tmp_path / "given.npz", backend=backend)
    found = json.loads(printed.split("RESULT")[1])
    assert found["backend"] == backend
    predicted = model.predict(given, verbose=0)
    np.testing.assert_array_equal(np.any(predicted, axis=-1), MASK)
    np.testing.assert_allclose(found["predicted"], predicted, rtol=0, atol=rounding(predicted))
    _, scores = model.get_layer("attention")(given["features"], mask=MASK, return_scores=True)
    np.testing.assert_allclose(found["scores"], scores, rtol=0, atol=rounding(scores))
