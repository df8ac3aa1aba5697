from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinkit.evaluation import ISIC2018_COLUMNS, write_isic2018_submission

ALPHABETICAL = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]


def test_columns_are_matched_by_name(tmp_path):
    probabilities = [[0.01, 0.02, 0.03, 0.04, 0.5, 0.3, 0.1]]
    path = tmp_path / "submission.csv"
    write_isic2018_submission(path, ["ISIC_0034524"], probabilities, ALPHABETICAL)
    assert path.read_bytes().decode() == (
        "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_0034524,0.5,0.3,0.02,0.01,0.03,0.04,0.1\n"
    )


def test_what_is_written_reads_back_within_0_and_1(tmp_path):
    values = np.random.default_rng(0).dirichlet(np.ones(7), size=20).astype(np.float32)
    values[0] = [1 + 1e-7, 0, 0, 0, 0, 0, 0]
    path = tmp_path / "submission.csv"
    ids = [f"ISIC_{i:07}" for i in range(20)]
    written = write_isic2018_submission(path, ids, values, list(ISIC2018_COLUMNS))
    back = pd.read_csv(path)
    assert back["image"].tolist() == ids == written["image"].tolist()
    np.testing.assert_allclose(back[list(ISIC2018_COLUMNS)], values, atol=1e-6)
    assert back[list(ISIC2018_COLUMNS)].max(axis=None) == 1


@pytest.mark.parametrize(
    ("ids", "probabilities", "labels", "message"),
    [
        (["a"], np.full((1, 7), 0.1), [*ALPHABETICAL[:-1], "scc"], "MEL, NV, BCC"),
        (["a", "a"], np.full((2, 7), 0.1), ALPHABETICAL, "once. Received: a"),
        (["a.jpg"], np.full((1, 7), 0.1), ALPHABETICAL, "file ending"),
        (["a"], np.full((1, 7), 1.1), ALPHABETICAL, "between 0 and 1"),
        (["a"], np.full((1, 7), np.nan), ALPHABETICAL, "nan"),
        (["a", "b"], np.full((1, 7), 0.1), ALPHABETICAL, "one label for each"),
        (["a"], np.full((1, 6), 0.1), ALPHABETICAL, "shape"),
    ],
)
def test_a_bad_submission_is_refused_and_nothing_written(tmp_path, ids, probabilities, labels, message):
    with pytest.raises(ValueError, match=message):
        write_isic2018_submission(tmp_path / "s.csv", ids, probabilities, labels)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file_and_leaves_no_part(tmp_path, monkeypatch):
    path = tmp_path / "s.csv"
    path.write_text("old")

    def full(self, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_isic2018_submission(path, ["a"], np.full((1, 7), 0.1), ALPHABETICAL)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
