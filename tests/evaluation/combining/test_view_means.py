import numpy as np
import pytest

from skinkit.evaluation import mean_over_views


def test_means_of_two_views_by_hand():
    views = np.array([[[0.9, 0.1], [0.5, 0.5]]])
    np.testing.assert_allclose(mean_over_views(views), [[0.7, 0.3]])
    # The geometric means are to each other as sqrt(0.45) to sqrt(0.05), which is 3 to 1.
    np.testing.assert_allclose(mean_over_views(views, of="logits"), [[0.75, 0.25]])


def test_the_mean_of_logits_is_that_of_the_numbers_before_the_softmax():
    logits = np.random.default_rng(1).normal(0, 3, (6, 4, 7))

    def softmax(x):
        return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)

    np.testing.assert_allclose(mean_over_views(softmax(logits), of="logits"), softmax(logits.mean(axis=1)))


@pytest.mark.parametrize("of", ["probabilities", "logits"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_certain_view_leaves_probabilities(of, dtype):
    views = np.array([[[1, 0, 0], [0.2, 0.8, 0]]], dtype)
    found = mean_over_views(views, of=of)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_an_unknown_mean_is_refused():
    with pytest.raises(ValueError, match="probabilities, logits.*'ranks'"):
        mean_over_views(np.ones((1, 2, 1)), of="ranks")
