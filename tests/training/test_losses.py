import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit.training import build_loss
from skinkit.training.losses import RootMeanSquaredError

P_TRUE = np.array([0.7, 0.4, 0.6, 0.1])
WEIGHTS = np.array([1.0, 10.0, 5.0, 1.0], "float32")
TRUTH = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], "float32")


def probabilities(p_true=P_TRUE, truth=TRUTH):
    rest = (1 - p_true)[:, None] / 2
    return np.where(truth == 1, p_true[:, None], rest).astype("float32")


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [("sum_over_batch_size", 3.594074), ("mean_with_sample_weight", 0.845664)],
)
def test_the_two_weighted_means_are_told_apart(reduction, expected):
    loss = build_loss("categorical_crossentropy", reduction=reduction)
    assert float(loss(TRUTH, probabilities(), sample_weight=WEIGHTS)) == pytest.approx(expected, rel=1e-5)


def test_a_training_step_sees_the_weighted_mean():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile("sgd", build_loss("categorical_crossentropy", reduction="mean_with_sample_weight"))
    found = model.evaluate(probabilities(), TRUTH, sample_weight=WEIGHTS, verbose=0)
    assert found == pytest.approx(0.845664, abs=1e-5)


def test_focal_loss_with_gamma_0_and_alpha_1_is_cross_entropy():
    focal = build_loss("focal", gamma=0.0)(TRUTH, probabilities())
    plain = build_loss("categorical_crossentropy")(TRUTH, probabilities())
    assert float(focal) == pytest.approx(float(plain), rel=1e-6)


def test_focal_loss_is_the_formula_with_alpha_1():
    found = float(build_loss("focal")(TRUTH, probabilities()))
    assert found == pytest.approx(np.mean(-((1 - P_TRUE) ** 2) * np.log(P_TRUE)), rel=1e-5)


@pytest.mark.parametrize("name", ["categorical_crossentropy", "focal"])
def test_a_soft_label_scores_as_its_two_targets_apart(name):
    loss, predicted = build_loss(name), probabilities()
    other = np.roll(TRUTH, 1, axis=1)
    apart = 0.7 * float(loss(TRUTH, predicted)) + 0.3 * float(loss(other, predicted))
    at_once = float(loss(0.7 * TRUTH + 0.3 * other, predicted))
    assert at_once == pytest.approx(apart, rel=1e-6)


def test_focal_loss_made_from_the_cross_entropy_of_a_soft_label_is_another_loss():
    soft, predicted = 0.7 * TRUTH + 0.3 * np.roll(TRUTH, 1, axis=1), probabilities()
    entropy = -np.sum(soft * np.log(predicted), axis=1)
    torch_style = np.mean((1 - np.exp(-entropy)) ** 2 * entropy)
    assert abs(torch_style - float(build_loss("focal")(soft, predicted))) > 0.01


def test_label_smoothing_spreads_its_share_over_all_classes():
    predicted = probabilities()
    smooth = TRUTH * 0.9 + 0.1 / 3
    expected = np.mean(-np.sum(smooth * np.log(predicted), axis=1))
    found = build_loss("categorical_crossentropy", label_smoothing=0.1)(TRUTH, predicted)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="categorical_crossentropy, focal, root_mean_squared_error.*'ce'"):
        build_loss("ce")


def test_the_root_is_taken_once_over_the_batch():
    truth = np.zeros((2, 3, 3, 1), "float32")
    predicted = truth + np.array([3.0, 1.0], "float32")[:, None, None, None]
    loss = build_loss("root_mean_squared_error")
    assert float(loss(truth, predicted)) == pytest.approx(np.sqrt(5))
    assert float(loss(predicted, truth)) == pytest.approx(np.sqrt(5))
    assert RootMeanSquaredError.from_config(loss.get_config()).get_config() == loss.get_config()


def test_a_perfect_reconstruction_has_no_gradient_instead_of_nan():
    image = tf.ones((1, 2, 2, 3))
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = RootMeanSquaredError()(tf.ones_like(image), image)
    assert float(value) < 1e-6
    np.testing.assert_array_equal(tape.gradient(value, image), 0)
