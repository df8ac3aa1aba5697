import keras
import numpy as np
import pytest
import tensorflow as tf

from skinkit.training import build_loss, resolve_alpha
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


@pytest.mark.parametrize("alpha", [1.0, [0.5, 1.0, 2.0]])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0, 5.0])
def test_a_soft_label_scores_as_its_two_targets_apart(gamma, alpha):
    loss, predicted = build_loss("focal", gamma=gamma, alpha=alpha, reduction="none"), probabilities()
    other = np.roll(TRUTH, 1, axis=1)
    apart = 0.7 * np.array(loss(TRUTH, predicted)) + 0.3 * np.array(loss(other, predicted))
    at_once = np.array(loss(0.7 * TRUTH + 0.3 * other, predicted))
    assert np.abs(at_once - apart).max() < 1e-6


@pytest.mark.parametrize("gamma", [1.0, 2.0, 5.0])
def test_focal_loss_made_from_the_cross_entropy_of_a_soft_label_is_another_loss(gamma):
    soft, predicted = 0.7 * TRUTH + 0.3 * np.roll(TRUTH, 1, axis=1), probabilities()
    entropy = -np.sum(soft * np.log(predicted), axis=1)
    torch_style = np.mean((1 - np.exp(-entropy)) ** gamma * entropy)
    assert abs(torch_style - float(build_loss("focal", gamma=gamma)(soft, predicted))) > 0.01


def test_an_alpha_of_a_class_weighs_its_images():
    # A gate that discounts nevi by half.
    p = np.array([[0.6, 0.4], [0.3, 0.7]], "float32")
    found = build_loss("focal", gamma=1.0, alpha=[0.5, 1.0], reduction="none")(np.eye(2), p)
    np.testing.assert_allclose(found, [-0.5 * 0.4 * np.log(0.6), -0.3 * np.log(0.7)], rtol=1e-5)


def test_an_alpha_by_inverse_frequency_has_mean_1_over_the_training_images():
    labels = ["nv"] * 6 + ["mel"] * 3 + ["df"]
    found = resolve_alpha({"gamma": 1.0, "alpha": "inverse_frequency"}, ["mel", "nv", "df"], labels)
    assert found["gamma"] == 1.0
    assert found["alpha"] == pytest.approx([10 / 9, 10 / 18, 10 / 3])
    assert np.dot(found["alpha"], [3, 6, 1]) / 10 == pytest.approx(1)


def test_an_alpha_to_a_power_weighs_as_the_class_weights_of_that_power_do():
    labels = ["nv"] * 16 + ["mel"] * 4 + ["df"]
    found = resolve_alpha({"alpha": "inverse_frequency", "power": 0.5}, ["mel", "nv", "df"], labels)
    # By the roots of their numbers: 1/2, 1/4 and 1, times 21 / (4/2 + 16/4 + 1).
    assert found == {"alpha": pytest.approx([1.5, 0.75, 3.0])}


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        ("inverse_frequency", "No training image of .*df"),
        ([0.5, 1.0], "each of the 3 classes mel, nv, df. Received: 2"),
        ("inverse", "'inverse_frequency' or a number from 0.*alpha='inverse'"),
        ([0.5, -1.0, 1.0], "a number from 0"),
        (0.0, "nothing is learned"),
        ([0.0, 0.0, 0.0], "nothing is learned"),
    ],
)
def test_an_alpha_that_does_not_fit_the_classes_is_refused(alpha, message):
    with pytest.raises(ValueError, match=message):
        resolve_alpha({"alpha": alpha}, ["mel", "nv", "df"], ["mel", "nv"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"power": 0.5}, "`power` is that of inverse_frequency. Received: power=0.5, alpha=1.0"),
        ({"alpha": "inverse_frequency", "power": -1.0}, "`power`"),
    ],
)
def test_a_power_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resolve_alpha(options, ["mel", "nv"], ["mel", "nv"])


def test_label_smoothing_spreads_its_share_over_all_classes():
    predicted = probabilities()
    smooth = TRUTH * 0.9 + 0.1 / 3
    expected = np.mean(-np.sum(smooth * np.log(predicted), axis=1))
    found = build_loss("categorical_crossentropy", label_smoothing=0.1)(TRUTH, predicted)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(
        ValueError, match="categorical_crossentropy, focal, mean_squared_error, root_mean_squared_error.*'ce'"
    ):
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


def test_options_that_would_change_a_loss_unseen_are_refused():
    with pytest.raises(ValueError, match="from_logits"):
        build_loss("categorical_crossentropy", from_logits=True)
    with pytest.raises(ValueError, match="`resolve_alpha.*makes numbers of alpha='inverse_frequency'"):
        build_loss("focal", alpha="inverse_frequency")
