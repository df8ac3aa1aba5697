import numpy as np
import pytest

from skinkit.evaluation import check_views, image_views, mean_over_views

IMAGE = np.array([[1, 2, 3], [4, 5, 6]])


def pictures(views):
    return [view[0, :, :, 0].tolist() for view in views]


def test_four_flips_of_a_picture():
    assert pictures(image_views(IMAGE[None, :, :, None], "flips")) == [
        [[1, 2, 3], [4, 5, 6]],
        [[3, 2, 1], [6, 5, 4]],
        [[4, 5, 6], [1, 2, 3]],
        [[6, 5, 4], [3, 2, 1]],
    ]


def test_dihedral_views_are_the_quarter_turns_of_a_square_and_their_mirror_images():
    images = np.random.default_rng(0).random((3, 5, 5, 2))
    turns = [np.rot90(images, k, axes=(1, 2)) for k in range(4)]
    expected = {view.tobytes() for turn in turns for view in (turn, turn[:, :, ::-1])}
    found = [view.tobytes() for view in image_views(images, "dihedral")]
    assert len(found) == len(expected) == 8
    assert set(found) == expected
    assert found[0] == images.tobytes()


def test_views_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="Only square.*120 x 160.*'flips'"):
        check_views("dihedral", (120, 160))
    with pytest.raises(ValueError, match="flips, dihedral.*'turns'"):
        list(image_views(IMAGE[None, :, :, None], "turns"))


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
