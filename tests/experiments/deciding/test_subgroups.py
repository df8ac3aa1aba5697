"""Subgroups of a run's test images, from the command to the card."""

import pandas as pd
import pytest

from skinkit import data, evaluation
from skinkit.cli import main
from skinkit.experiments import SavedRun, evaluate, operating_point, write_card
from skinkit.experiments.deciding.subgroups import (
    known_error_pairs,
    read_subgroups,
    subgroups_text,
    write_subgroups,
)
from skinkit.experiments.predictions import prediction_groups


def test_the_command_writes_what_the_functions_find_and_the_card_shows_it(folder, capsys):
    assert main(["evaluate", str(folder), "--subgroups"]) == 0
    said, saved = capsys.readouterr().out, SavedRun(folder)
    found = read_subgroups(folder)
    assert [*found["column"].unique()] == ["age", "sex", "site", "dx_type"]
    predictions, table = saved.predictions, saved.run_data().table
    options = {"positive": "mel", "groups": prediction_groups(predictions)[0]}
    expected = evaluation.compare_subgroups(predictions, "sex", table, **options).reset_index()
    columns = ["n", "independent", "value", "low", "high", "difference"]
    pd.testing.assert_frame_equal(
        found.loc[found["column"] == "sex", columns].reset_index(drop=True),
        expected[columns],
        check_dtype=False,
    )
    pairs = known_error_pairs(saved)
    assert pairs["n"].sum() == (1 - saved.metrics["scores"]["accuracy"]["value"]) * len(predictions)
    known = table.set_index("image_id")["dx_type"]
    assert pairs["consensus"].sum() == (known[_wrong(predictions)] == "consensus").sum() > 0
    assert subgroups_text(found) in said and "called: mel, the likeliest class" in said
    assert "too few to say" in said and subgroups_text(found) in write_card(folder).read_text()


def _wrong(predictions):
    named = predictions.filter(like="p_").idxmax(axis=1).str.removeprefix("p_")
    return predictions.loc[named != predictions["label"], "image_id"]


def test_differences_that_were_looked_at_are_counted():
    rows = {"column": "sex", "subgroup": ["f", "m", "f"], "called": "p_mel >= 0.5", "method": "none"}
    rows |= {"score": ["sensitivity", "sensitivity", "auc"], "value": [0.8, 0.7, None]}
    rows |= {"note": ["", "", "too few to say"], "n": 30, "independent": 25, "low": None, "high": None}
    rows |= {"difference": [0.2, -0.1, None]}
    found = pd.DataFrame({**rows, "difference_low": [0.1, -0.2, None], "difference_high": [0.3, 0.1, None]})
    text = subgroups_text(found.astype({"low": float, "high": float}))
    assert "| m | sensitivity | 30 | 25 | 0.700 | -0.100 (-0.200 to +0.100) |" in text
    assert "\n- too few to say: f (auc)\n" in text
    assert "2 differences were looked at, and 1 of their 95 % intervals leave out 0" in text
    assert text.endswith("about 0.1 would")
    assert "all these images have the same or none: age, site, dx_type, dataset" in text


def test_what_is_not_too_few_is_still_known_when_the_file_is_read_again(tmp_path):
    rows = {"column": "sex", "subgroup": ["f", "m"], "called": "mel", "score": "auc", "value": [0.8, None]}
    # Files of older versions have lesions, also where they mean patients.
    rows |= {"n": 30, "lesions": 25, "low": 0.7, "high": 0.9, "note": ["", "too few to say"]}
    written = pd.DataFrame(rows).assign(difference=0.15, difference_low=0.1, difference_high=0.2)
    written.to_csv(tmp_path / "subgroups.csv", index=False)
    text = subgroups_text(read_subgroups(tmp_path))
    assert (
        "| f | auc | 30 | 25 | 0.800 (0.700 to 0.900) | +0.150 (" in text
        and "too few to say: m (auc)" in text
        and "| m |" not in text
    )


def test_other_images_are_compared_at_the_threshold_of_validation(folder, tmp_path):
    drawn = data.synthetic(40, seed=7, folder=tmp_path / "other", size=(32, 40))
    ids = ["image_id", "lesion_id", "patient_id"]
    table = drawn.assign(**{name: drawn[name] + "_NEW" for name in ids})
    table.to_csv(tmp_path / "other.csv", index=False)
    text = evaluate(folder, on=tmp_path / "other.csv", subgroups=True, sensitivity=0.5)
    threshold = operating_point(SavedRun(folder), sensitivity=0.5)[0]
    assert f"called: calibrated p_mel >= {threshold.value:.4g}; differences" in text
    assert (folder / "evaluations" / "other" / "subgroups.csv").exists()
    assert read_subgroups(folder) is None


def test_patients_are_not_called_lesions(folder):
    saved = SavedRun(folder)
    known = saved.predictions.assign(lesion_id=pd.NA, patient_id="P" + saved.predictions["image_id"])
    found = write_subgroups(saved, folder, predictions=known)
    text = subgroups_text(found.assign(note=""))
    assert "| score | n | independent | value |" in text and "| lesions |" not in text
    assert "independent: how many lesions or patients" in text
    assert "lesions" not in read_subgroups(folder)


def test_images_of_which_nothing_is_known_are_refused(folder):
    saved = SavedRun(folder)
    bare = saved.run_data().table.assign(age=pd.NA, sex=pd.NA, site=pd.NA, dx_type=pd.NA)
    with pytest.raises(ValueError, match="none of the columns age, sex, .*no subgroups. Received: 9 images"):
        write_subgroups(saved, folder, table=bare)
    assert not (folder / "subgroups.csv").exists()


def test_a_table_without_subgroups_is_refused_before_anything_is_written(folder, tmp_path):
    drawn = data.synthetic(40, seed=7, folder=tmp_path / "other", size=(32, 40))
    drawn = drawn.assign(image_id=drawn["image_id"] + "_NEW")
    drawn[["image_id", "path", "label"]].to_csv(tmp_path / "bare.csv", index=False)
    with pytest.raises(ValueError, match="The table has none of the columns age, sex, site"):
        evaluate(folder, on=tmp_path / "bare.csv", subgroups=True)
    assert not (folder / "evaluations").exists()
    assert "macro_recall" in evaluate(folder, on=tmp_path / "bare.csv")
