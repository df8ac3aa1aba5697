import keras
import numpy as np
import pytest

from skinkit.training import build_optimiser, build_schedule

START, GRADIENT = 2.0, 0.5


def one_step(optimiser):
    weight = keras.Variable(np.array([START], "float32"))
    optimiser.apply([keras.ops.convert_to_tensor([GRADIENT])], [weight])
    return float(weight.numpy()[0])


@pytest.mark.parametrize("epsilon", [1e-7, 1e-3, 0.1])
def test_adam_steps_with_the_epsilon_it_is_given(epsilon):
    # The first step is the rate times g / (|g| + e). Keras adds epsilon before the bias correction,
    # so e = epsilon / sqrt(1 - beta_2).
    expected = START - 0.1 * GRADIENT / (GRADIENT + epsilon / np.sqrt(1 - 0.999))
    assert one_step(build_optimiser("adam", 0.1, epsilon=epsilon)) == pytest.approx(expected, rel=1e-4)


def test_adamw_decays_by_the_rate_times_the_decay():
    plain = one_step(build_optimiser("adam", 0.1))
    decayed = one_step(build_optimiser("adamw", 0.1, weight_decay=0.05))
    assert plain - decayed == pytest.approx(0.1 * 0.05 * START, rel=1e-3)


def test_sgd_has_momentum():
    optimiser = build_optimiser("sgd", 0.1)
    weight = keras.Variable(np.array([START], "float32"))
    for _ in range(2):
        optimiser.apply([keras.ops.convert_to_tensor([GRADIENT])], [weight])
    assert float(weight.numpy()[0]) == pytest.approx(START - 0.1 * GRADIENT * (1 + 1.9))


def test_a_schedule_is_followed():
    schedule = build_schedule("step", 0.1, epochs=2, steps_per_epoch=1, after=(0.5,), factor=0.5)
    optimiser = build_optimiser("sgd", schedule, momentum=0.0)
    assert one_step(optimiser) == pytest.approx(START - 0.05)
    assert float(optimiser.learning_rate) == pytest.approx(0.05)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="adam, adamw, sgd.*'rmsprop'"):
        build_optimiser("rmsprop", 0.1)
