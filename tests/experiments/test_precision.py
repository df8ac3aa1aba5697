"""Runs that compute in another precision than float32."""

import dataclasses

import keras
import numpy as np
import pytest

from skinkit.experiments import run
from skinkit.experiments.plan import Plan
from skinkit.experiments.run_folder import SavedRun
from skinkit.training import Checkpoint


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_a_run_in_another_precision_has_its_own_folder_key_and_layers(
    one_epoch, tmp_path, monkeypatch, precision
):
    optimisers, save = [], Checkpoint.save

    def watched(self, model, state):
        optimisers.append(model.optimizer)
        save(self, model, state)

    monkeypatch.setattr(Checkpoint, "save", watched)
    recipe = dataclasses.replace(one_epoch, subset=60)
    found = SavedRun(run(recipe, "smoke", out=tmp_path, verbose=0, precision=precision))
    assert keras.config.dtype_policy().name == "float32", "only the run is in this precision"
    assert found.folder.name == f"corrected-smoke-fold0-seed0-{precision}"
    assert found.manifest["precision"] == precision and f"--precision {precision}" in found.command
    model = found.load_model()
    assert model.get_layer("conv1").compute_dtype == precision
    assert {weight.dtype for weight in model.weights} == {"float32"}
    # A gradient may be smaller than what float16 can hold.
    scaled = {isinstance(each, keras.optimizers.LossScaleOptimizer) for each in optimisers}
    assert scaled == {precision == "float16"}
    probabilities = found.predictions.filter(like="p_").to_numpy()
    # A softmax in the precision itself would miss 1 by thousandths.
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    again = found.predictor()(found.run_data().rows("test"))
    np.testing.assert_allclose(again.filter(like="p_"), probabilities, atol=1e-6)


def test_float32_changes_no_key_and_another_precision_does(tiny):
    said = (None, "split", "data")
    keys = [
        Plan(tiny, "smoke", "corrected", 0, 0, *more).key_of(*said)
        for more in ((), ("float32",), ("float16",))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_an_unknown_precision_is_refused_before_anything_is_made(tiny, tmp_path):
    with pytest.raises(ValueError, match="'bfloat61'.*Did you mean.*bfloat16"):
        run(tiny, "smoke", out=tmp_path, verbose=0, precision="bfloat61")
    assert not list(tmp_path.iterdir())
