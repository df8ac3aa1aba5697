"""Errors among the surest images, counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skinkit.evaluation import risk_coverage, score

LABELS = ["mel", "nv"]
# Sure of 0.9 and right, 0.8 and wrong, 0.7 and right, 0.6 and wrong, 0.6 and right.
P = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6], [0.6, 0.4]])
TRUTH = ["mel", "mel", "mel", "mel", "mel"]


def test_the_least_sure_go_to_a_colleague():
    found = risk_coverage(TRUTH, P, LABELS, [1.0, 0.8, 0.6, 0.2], resamples=50)
    # Two are equally sure of 0.6: to answer four is to answer all.
    assert found["n"].tolist() == [5, 5, 3, 1]
    assert found["least"].tolist() == [0.6, 0.6, 0.7, 0.9]
    assert found["error"].tolist() == pytest.approx([2 / 5, 2 / 5, 1 / 3, 0])
    assert found["errors_referred"].tolist() == pytest.approx([0, 0, 1 / 2, 1])


@given(st.integers(0, 2**16), st.integers(2, 30))
def test_all_images_have_the_error_of_the_accuracy_and_order_does_not_matter(seed, n):
    draw = np.random.default_rng(seed)
    mel = draw.integers(0, 11, size=n) / 10
    p, truth = np.stack([mel, 1 - mel], axis=1), draw.choice(LABELS, size=n)
    found = risk_coverage(truth, p, LABELS, resamples=2)
    assert found.loc[1.0, "error"] == pytest.approx(1 - score("accuracy", truth, p, LABELS))
    order = draw.permutation(n)
    again = risk_coverage(truth[order], p[order], LABELS, resamples=2)
    columns = ["n", "least", "error", "errors_referred"]
    np.testing.assert_allclose(found[columns], again[columns])


def test_without_an_error_none_is_referred():
    found = risk_coverage(["mel", "nv"], P[:2], LABELS, [0.5], resamples=5)
    assert found["error"].item() == 0 and np.isnan(found["errors_referred"].item())


@pytest.mark.parametrize("coverage", [0, 1.1, np.nan])
def test_a_coverage_is_a_share(coverage):
    with pytest.raises(ValueError, match="coverages must lie above 0 and up to 1"):
        risk_coverage(TRUTH, P, LABELS, [coverage])
