import numpy as np
import pytest

from skinkit.pipeline import check_views, image_views

IMAGE = np.array([[1, 2, 3], [4, 5, 6]])


def pixels(views):
    return [view[0, :, :, 0].tolist() for view in views]


def test_four_flips_of_an_image():
    assert pixels(image_views(IMAGE[None, :, :, None], "flips")) == [
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
