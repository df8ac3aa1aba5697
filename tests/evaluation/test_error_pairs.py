"""Wrong answers by pair, counted by hand."""

import pandas as pd
import pytest

from skinkit.evaluation import error_pairs

# Four melanomas, of which three are called nevi, two of one lesion; a nevus called a melanoma, and one right.
PREDICTIONS = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d", "e", "f"],
        "lesion_id": pd.array(["L1", "L1", "L2", "L3", "L4", None], dtype="string"),
        "label": ["mel"] * 4 + ["nv"] * 2,
        "p_mel": [0.4, 0.1, 0.3, 0.9, 0.8, 0.2],
    }
).assign(p_nv=lambda table: 1 - table["p_mel"])
TABLE = pd.DataFrame(
    {
        "image_id": ["f", "e", "d", "c", "b", "a"],
        "dx_type": [None, "consensus", "histo", "consensus"] + [None] * 2,
    }
)


def test_pairs_are_counted_by_image_and_lesion_and_the_hardest_named():
    missed, alarm = error_pairs(PREDICTIONS).to_dict("records")
    assert (missed["truth"], missed["called"], missed["n"], missed["lesions"]) == ("mel", "nv", 3, 2)
    assert (missed["share"], missed["hardest"]) == (0.75, "b")
    assert (missed["of_truth"], missed["of_called"]) == pytest.approx((0.1, 0.9))
    assert (alarm["truth"], alarm["n"], alarm["share"], alarm["hardest"]) == ("nv", 1, 0.5, "e")
    assert pd.isna(missed["consensus"]) and pd.isna(alarm["consensus"])


def test_what_rests_on_consensus_alone_is_counted_where_it_is_known():
    assert error_pairs(PREDICTIONS, TABLE)["consensus"].tolist() == [1, 1]
    unknown = error_pairs(PREDICTIONS, TABLE.assign(dx_type=None))
    assert unknown["consensus"].isna().all()


def test_without_a_wrong_answer_there_is_no_pair():
    assert error_pairs(PREDICTIONS.iloc[[3, 5]]).empty
