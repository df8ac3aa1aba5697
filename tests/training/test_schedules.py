import math

import numpy as np
import pytest

from skinkit.training import build_schedule


def rates(schedule, steps):
    return np.array([float(schedule(step)) for step in range(steps)])


def test_constant_is_the_rate_itself():
    assert build_schedule("constant", 1e-3, epochs=3, steps_per_epoch=10) == 1e-3


def test_cosine_falls_from_the_rate_to_zero(rounding):
    found = rates(build_schedule("cosine", 0.1, epochs=4, steps_per_epoch=5), 21)
    expected = [0.05 * (1 + math.cos(math.pi * step / 20)) for step in range(21)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding(expected))


def test_cosine_ends_at_a_share_of_the_rate():
    found = rates(build_schedule("cosine", 0.1, epochs=1, steps_per_epoch=10, end=0.2), 11)
    assert (found[0], found[-1]) == (pytest.approx(0.1), pytest.approx(0.02))


def test_cosine_warms_up_in_a_straight_line(rounding):
    found = rates(build_schedule("cosine", 0.1, epochs=2, steps_per_epoch=10, warmup=0.2), 21)
    np.testing.assert_allclose(found[:5], [0, 0.025, 0.05, 0.075, 0.1], rtol=0, atol=rounding(0.1))
    assert found[12] == pytest.approx(0.05) and found[20] == pytest.approx(0, abs=rounding(0.1))
    assert np.all(np.diff(found[4:]) < 0)


@pytest.mark.parametrize(("epochs", "drops"), [(5, (3, 9)), (10, (6, 18)), (1, (1, 2))])
def test_step_drops_with_the_first_step_after_the_named_shares(epochs, drops):
    schedule = build_schedule("step", 0.8, epochs, steps_per_epoch=3, after=(1 / 5, 3 / 5), factor=0.5)
    expected = np.select([np.arange(3 * epochs) < drop for drop in drops], [0.8, 0.4], 0.2)
    np.testing.assert_allclose(rates(schedule, 3 * epochs), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("linear", {}, "constant, cosine, step.*'linear'"),
        ("cosine", {"warmup": 1.0}, "warmup=1.0"),
        ("step", {"after": (0.3, 0.1)}, r"after=\(0.3, 0.1\)"),
        ("step", {"after": (0.3, 1)}, r"after=\(0.3, 1\)"),
    ],
)
def test_wrong_arguments_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        build_schedule(name, 0.1, epochs=5, steps_per_epoch=3, **options)
