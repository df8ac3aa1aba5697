import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import ENSEMBLE_RULES, choose_weights, join_members, mean_over_views, score

LABELS = ["mel", "nv"]


def table(*of_melanoma, images="abc", labels=("mel", "nv", "nv")):
    p = np.array(of_melanoma)
    ids = {"image_id": list(images), "lesion_id": list(images), "patient_id": pd.NA, "label": list(labels)}
    return pd.DataFrame({**ids, "p_mel": p, "p_nv": 1 - p})


FIRST, SECOND = table(0.9, 0.5, 0.1), table(0.5, 0.5, 0.2)


def joined(rule, weights=None, second=SECOND):
    return join_members({"first": FIRST, "second": second}, rule, weights)["p_mel"].tolist()


def test_means_by_hand():
    assert joined("mean") == pytest.approx([0.7, 0.5, 0.15])
    assert joined("mean", [0.25, 0.75]) == pytest.approx([0.6, 0.5, 0.175])
    # sqrt(0.9 x 0.5) : sqrt(0.1 x 0.5) is 3 : 1; sqrt(0.1 x 0.2) : sqrt(0.9 x 0.8) is 1 : 6.
    assert joined("geometric_mean") == pytest.approx([3 / 4, 1 / 2, 1 / 7])
    # 0.9^(1/4) x 0.5^(3/4) : 0.1^(1/4) x 0.5^(3/4) is the fourth root of 9 to 1.
    assert joined("geometric_mean", [0.25, 0.75])[0] == pytest.approx(np.sqrt(3) / (np.sqrt(3) + 1))


def test_ranks_by_hand():
    # Among three images: 3, 2, 1 and, with a tie, 2.5, 2.5, 1.
    assert joined("rank_mean") == pytest.approx([5.5 / 6, 4.5 / 6, 2 / 6])
    found = join_members({"first": FIRST, "second": SECOND}, "rank_mean")
    assert found["p_nv"].tolist() == pytest.approx([2.5 / 6, 3.5 / 6, 1])
    assert score("auc:mel", found["label"], found[["p_mel", "p_nv"]].to_numpy(), LABELS) == 1


def test_an_ensemble_of_one_is_that_one_and_nothing_is_lost_at_0_and_1():
    certain = table(1.0, 0.0, 0.3)
    for rule in ("mean", "geometric_mean"):
        np.testing.assert_allclose(join_members({"it": certain}, rule)["p_mel"], certain["p_mel"], atol=1e-12)
    assert joined("geometric_mean", second=certain)[:2] == pytest.approx([1, 0])


def test_the_geometric_mean_is_that_of_logits_over_views():
    p = np.random.default_rng(0).dirichlet(np.ones(4), (3, 5))
    expected = mean_over_views(p.transpose(1, 0, 2), "logits")
    np.testing.assert_allclose(ENSEMBLE_RULES["geometric_mean"](p, np.full(3, 1 / 3)), expected)


def test_rows_of_members_are_matched_by_image():
    again = joined("mean", second=SECOND.iloc[[2, 0, 1]])
    assert again == joined("mean")


@pytest.mark.parametrize(
    ("members", "options", "message"),
    [
        ({}, {}, "one member or more"),
        (
            {"a": FIRST, "b": SECOND[:1]},
            {},
            r"b, which lacks 2 of 3 images \(first b\), has 0 others and 0 r",
        ),
        (
            {"a": FIRST, "b": table(0.1, 0.2, 0.3, images="abd")},
            {},
            r"lacks 1 of 3 .*first c\), has 1 others",
        ),
        ({"a": FIRST, "b": pd.concat([SECOND, SECOND])}, {}, "lacks 0 of 3 images, has 0 others and 3 rep"),
        ({"a": FIRST, "b": SECOND.rename(columns={"p_nv": "p_bkl"})}, {}, "mel, nv. Received: mel, bkl of b"),
        ({"a": FIRST, "b": SECOND.assign(label="nv")}, {}, "Received: 1 other labels in b"),
        ({"a": FIRST}, {"rule": "maen"}, "Did you mean mean"),
        ({"a": FIRST, "b": SECOND}, {"weights": [0.5, 0.6]}, r"sum to 1. Received: \[0.5, 0.6\]"),
        ({"a": FIRST, "b": SECOND}, {"weights": [1.5, -0.5]}, "from 0 on that sum"),
        ({"a": FIRST, "b": SECOND}, {"weights": [1.0]}, "weights of 2 members are 2 numbers"),
    ],
)
def test_what_cannot_be_joined_is_one_line(members, options, message):
    with pytest.raises(ValueError, match=message):
        join_members(members, **options)


def two_members(right, groups):
    """The first gives the truth 0.8 where it is right and 0.2 where it is not, the second always 0.5."""
    first = np.where(right, 0.8, 0.2)
    truth = np.resize(["mel", "nv"], len(right))
    of_melanoma = np.where(truth == "mel", first, 1 - first)
    p = np.stack([np.stack([p, 1 - p], axis=1) for p in (of_melanoma, np.full(len(right), 0.5))])
    return choose_weights(truth, p, LABELS, groups)


def test_weights_are_those_of_the_largest_likelihood():
    # 3 log(0.5 + 0.3 w) + log(0.5 - 0.3 w) is largest at w = 5/6; all inner folds say so, too.
    found = two_members(np.tile([True, True, True, False], 10), np.repeat(range(10), 4))
    assert found == pytest.approx([5 / 6, 1 / 6], abs=1e-3)


def test_weights_that_do_not_hold_on_the_images_left_out_stay_equal():
    # Each of two groups says the contrary of the other: chosen on one, the weights are wrong on the other.
    found = two_members(np.repeat([True, False], [12, 10]), np.repeat(["a", "b"], [12, 10]))
    assert found.tolist() == [0.5, 0.5]


def test_weights_cannot_be_chosen_for_ranks_or_on_one_group():
    p = np.full((2, 4, 2), 0.5)
    with pytest.raises(ValueError, match="likelihood are mean, geometric_mean. Received: 'rank_mean'"):
        choose_weights(["mel"] * 4, p, LABELS, range(4), "rank_mean")
    with pytest.raises(ValueError, match="two groups of images or more. Received: 1"):
        choose_weights(["mel"] * 4, p, LABELS, [0] * 4)


def test_rows_and_columns_are_those_of_the_first_member():
    found = join_members({"first": FIRST.set_axis([7, 8, 9]), "second": SECOND}, "mean")
    assert list(found) == list(FIRST) and found.index.tolist() == [0, 1, 2]
    assert found["p_mel"].tolist() == joined("mean")
