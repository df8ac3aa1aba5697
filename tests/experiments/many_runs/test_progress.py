import pandas as pd

from skinkit.experiments.many_runs.progress import duration, how_far


def test_an_epoch_is_told_with_the_last_score_and_the_time_of_the_rest():
    history = pd.DataFrame({"val_auc": [0.5, 0.75, None], "seconds": [50, 70, 60]})
    # 7 epochs of 60 seconds are left.
    assert how_far(history, 10, "auc") == "epoch 3/10, auc 0.750, 7 min left"
    assert how_far(history[["seconds"]], 3, "auc") == "epoch 3/3, 0 s left"


def test_times_have_the_unit_that_suits_them():
    assert [duration(s) for s in (40.4, 100, 5990, 12600)] == ["40 s", "2 min", "100 min", "3.5 h"]
