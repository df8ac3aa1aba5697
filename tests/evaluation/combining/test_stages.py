import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skinkit.data import CLASS_MAPS
from skinkit.evaluation import combine, confusion_matrix, stage_errors
from skinkit.papers.published import load_published

LABELS = CLASS_MAPS["isic2018"].labels
OTHERS = [label for label in LABELS if label != "nv"]
NUMBERS = st.floats(0, 1, width=32)
# Rows that sum to 1, certain ones and such with ties among them.
ROWS = arrays(np.float32, (5, 6), elements=st.sampled_from([0, 0.25, 1]) | st.floats(0, 1, width=32)).map(
    lambda rows: (rows + (rows.sum(axis=1, keepdims=True) == 0)).astype(np.float64)
)


def stages(p, q, images=None):
    index = images or [f"image{i}" for i in range(len(p))]
    return pd.Series(p, index, name="nv"), pd.DataFrame(q, index, OTHERS)


def combined(p, q, rule, **options):
    return combine(*stages(p, q), LABELS, rule, **options)


@given(
    p=arrays(np.float32, 5, elements=NUMBERS | st.sampled_from([0.5, np.nextafter(np.float32(0.5), 1)])),
    q=ROWS.map(lambda rows: rows / rows.sum(axis=1, keepdims=True)),
    threshold=st.floats(0.5, 1) | st.just(0.5),
)
def test_both_rules_sum_to_one_and_the_hard_one_obeys_the_gate(p, q, threshold):
    for rule, options in (("soft", {}), ("hard", {"threshold": threshold})):
        found = combined(p, q, rule, **options)
        assert list(found) == list(LABELS)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    says_nv = found.to_numpy().argmax(axis=1) == LABELS.index("nv")
    np.testing.assert_array_equal(says_nv, p.astype(float) > threshold)
    # Where the gate sends an image on, the second stage alone decides.
    np.testing.assert_array_equal(found[OTHERS].to_numpy()[~says_nv], q[~says_nv])


def test_rules_by_hand():
    p, q = [0.6, 0.4, 0.5], [[0.5, 0.5, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0.5, 0.25, 0.25, 0, 0, 0]]
    soft, hard = combined(p, q, "soft"), combined(p, q, "hard")
    assert soft["nv"].tolist() == p and hard["nv"].tolist() == [0.6, 0, 0]
    np.testing.assert_allclose(soft[["mel", "bcc"]], [[0.2, 0.2], [0.6, 0], [0.25, 0.125]])
    np.testing.assert_allclose(hard[["mel", "bcc"]], [[0.2, 0.2], [1, 0], [0.5, 0.25]])
    strict = combined(p, q, "hard", threshold=0.6)
    assert strict["nv"].tolist() == [0, 0, 0]


def test_the_soft_rule_may_overrule_the_gate():
    found = combined([0.4], [[0.5, 0.1, 0.1, 0.1, 0.1, 0.1]], "soft")
    assert found.to_numpy().argmax() == LABELS.index("nv"), "a gate that says rest"


def test_images_are_joined_by_their_ids():
    gate, rest = stages([0.1, 0.9], np.eye(6)[:2])
    np.testing.assert_array_equal(combine(gate, rest[::-1], LABELS), combine(gate, rest, LABELS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "hrad"}, "are hard, soft. Received: 'hrad'. Did you mean hard"),
        ({"rule": "hard", "threshold": 0.4}, "from 0.5 to 1. Received: threshold=0.4"),
        ({"rule": "soft", "threshold": 0.5}, "Received: 'threshold'"),
    ],
)
def test_rules_and_thresholds_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        combined([0.5], np.eye(6)[:1], **options)


def test_stages_that_do_not_fit_each_other_say_how(labels):
    gate, rest = stages([0.1, 0.2, 0.3], np.eye(6)[:3])
    with pytest.raises(ValueError, match="3 at the gate and 2 in the second stage, 2 of them in both"):
        combine(gate, rest[1:], labels)
    with pytest.raises(ValueError, match="3 at the gate and 3 in the second stage, 2 of them in both"):
        combine(gate, rest.rename({"image0": "other"}), labels)
    with pytest.raises(ValueError, match="Received: nv and mel, bcc, akiec, bkl, df$"):
        combine(gate, rest.drop(columns="vasc"), labels)
    with pytest.raises(ValueError, match="nan in row image1 for 'nv'"):
        combine(gate.where(gate != 0.2), rest, labels)
    for unnamed in (gate.rename(None), gate.to_numpy(), gate.to_frame()):
        with pytest.raises(ValueError, match="`gate` is a Series by image id that is named after its class"):
            combine(unnamed, rest, labels)


@pytest.fixture
def figure6():
    """The document's matrix, in the order of its own labels."""
    cells = load_published("butskova2021").query("table == 'figure6' and metric == 'images'")
    # A cell is of the row of its truth and the class that was predicted.
    return cells.pivot(index="row", columns="class", values="value").astype(int)


def test_the_matrix_of_the_document_tells_where_images_are_lost(figure6):
    for labels in (list(figure6), list(LABELS)):
        by_class, second = stage_errors(figure6.loc[labels, labels], labels)
        others = by_class.drop("nv")
        assert (others["lost_at_gate"].sum(), others["images"].sum()) == (71, 662)
        assert by_class.loc["mel"].tolist() == [223, 47, 18]
        assert by_class.loc["nv"].tolist() == [1341, 37, 0]
        assert round(second["accuracy"], 3) == 0.860 and round(second["macro_recall"], 3) == 0.846
        assert list(by_class.index) == labels


def test_errors_of_saved_predictions_are_told_apart(predictions, labels):
    truth, probabilities = predictions(200, seed=1)
    by_class, _ = stage_errors(confusion_matrix(truth, probabilities, labels), labels)
    said = np.array(labels)[probabilities.argmax(axis=1)]
    assert by_class.loc["mel", "lost_at_gate"] == ((truth == "mel") & (said == "nv")).sum()
    wrong = (truth == "mel") & ~np.isin(said, ["mel", "nv"])
    assert by_class.loc["mel", "lost_in_second_stage"] == wrong.sum()
    lost = by_class[["lost_at_gate", "lost_in_second_stage"]]
    assert lost.to_numpy().sum() == (truth != said).sum(), "every error is of one stage"


def test_a_gate_for_an_unknown_class_names_the_nearest(figure6):
    with pytest.raises(ValueError, match="Did you mean nv"):
        stage_errors(figure6, list(figure6), "nvv")
    for no_counts in (figure6.div(figure6.sum(axis=1), axis=0), -figure6, figure6.where(figure6 > 0)):
        with pytest.raises(ValueError, match="The matrix counts images"):
            stage_errors(no_counts, list(figure6))
    with pytest.raises(ValueError, match=r"shape \(7, 6\)"):
        stage_errors(figure6.drop(columns="nv"), list(figure6))
