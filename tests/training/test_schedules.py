import math

import numpy as np
import pytest
import tensorflow as tf

from skinkit.training import build_schedule


def rates(schedule, steps):
    """Asks for each step in a graph, as a training does."""
    return tf.function(lambda: tf.map_fn(schedule, tf.range(steps), fn_output_signature="float32"))().numpy()


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
        ("linear", {}, "constant, cosine, cosine_restarts, step.*'linear'"),
        ("cosine", {"warmup": 1.0}, "warmup=1.0"),
        ("step", {"after": (0.3, 0.1)}, r"after=\(0.3, 0.1\)"),
        ("step", {"after": (0.3, 1)}, r"after=\(0.3, 1\)"),
        ("step", {"after": ()}, r"after=\(\)"),
        ("step", {"after": 0.5}, "`after` must be .*after=0.5"),
        ("step", {"after": "x"}, "`after` must be .*after='x'"),
        ("step", {"after": (0.5,), "factor": -1.0}, "`factor` must be .*from 0 to 1.*factor=-1.0"),
        ("step", {"after": (0.5,), "factor": 5}, "`factor` must be .*factor=5"),
        ("cosine", {"end": -1.0}, "`end` must be .*end=-1.0"),
        ("cosine", {"end": 2.0, "parts": 20}, "`end` must be .*end=2.0"),
        ("cosine", {"warmup": 0.1, "parts": 20}, "none with `parts`.*parts=20"),
        ("cosine_restarts", {"cycles": 6}, "`cycles` are as many as the epochs.*cycles=6, .*epochs=5"),
        ("cosine_restarts", {"cycles": 3, "parts": 20}, "another multiple.*cycles=3, parts=20"),
        ("cosine_restarts", {"cycles": 40, "parts": 20}, "another multiple.*cycles=40, parts=20"),
        # One rate a cycle would never change.
        ("cosine_restarts", {"cycles": 40, "parts": 40}, "`parts` twice as many.*cycles=40, parts=40"),
    ],
)
def test_wrong_arguments_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        build_schedule(name, 0.1, epochs=5, steps_per_epoch=3, **options)


# Rates of bermeo2023 in each epoch, in thousandths: those of torch.optim.lr_scheduler, by epoch.
RESTART = [1.0, 0.9140576474687263, 0.6890576474687263, 0.4109423525312737, 0.1859423525312737]
COSINE = [0.2 + 0.8 * (1 + math.cos(math.pi * epoch / 20)) / 2 for epoch in range(20)]
COSINE_40 = [0.2 + 0.8 * (1 + math.cos(math.pi * epoch / 40)) / 2 for epoch in range(40)]
GOLDEN = {
    "M1": ("step", {"after": (15 / 20,), "factor": 0.2}, [1.0] * 15 + [0.2] * 5),
    "M2": ("cosine", {"end": 0.2, "parts": 20}, COSINE),
    "M3": ("cosine_restarts", {"cycles": 4, "end": 0.1, "parts": 20}, RESTART * 4),
    "M5": ("step", {"after": (15 / 40, 30 / 40), "factor": 0.2}, [1.0] * 15 + [0.2] * 15 + [0.04] * 10),
    "M6": ("cosine", {"end": 0.2, "parts": 40}, COSINE_40),
    "M7": ("cosine_restarts", {"cycles": 8, "end": 0.1, "parts": 40}, RESTART * 8),
}


@pytest.mark.parametrize(("name", "options", "by_epoch"), GOLDEN.values(), ids=GOLDEN)
@pytest.mark.parametrize("shortened", [1, 4])
def test_a_training_in_parts_has_the_rates_of_the_document_however_few_its_epochs(
    name, options, by_epoch, shortened
):
    # 7 steps an epoch, and 7 / 4 in a part where a quarter of the epochs has as many parts.
    parts, steps = len(by_epoch), 7 * len(by_epoch) // shortened
    found = rates(build_schedule(name, 1e-3, parts // shortened, 7, **options), steps)
    began = [round(part * steps / parts) for part in range(parts + 1)]
    lengths = np.diff(began)
    assert lengths.min() >= 1 and (shortened == 1) == (lengths.min() == lengths.max())
    np.testing.assert_allclose(found, 1e-3 * np.repeat(by_epoch, lengths), rtol=0, atol=1e-9)


def test_golden_rates_are_those_of_torch_in_figures():
    assert (round(COSINE[-1], 5), round(COSINE_40[-1], 5)) == (0.20492, 0.20123)
    assert [round(rate, 5) for rate in RESTART] == [1.0, 0.91406, 0.68906, 0.41094, 0.18594]


def test_restarts_without_parts_fall_with_every_step(rounding):
    found = rates(build_schedule("cosine_restarts", 0.1, 4, 5, cycles=2, end=0.1), 20)
    one = [0.01 + 0.09 * (1 + math.cos(math.pi * step / 10)) / 2 for step in range(10)]
    np.testing.assert_allclose(found, one * 2, rtol=0, atol=rounding(0.1))
