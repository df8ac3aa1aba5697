import json
import runpy
import shutil
from pathlib import Path

import pytest

from skinkit.evaluation import summary, unpack_predictions
from skinkit.experiments.predictions import read_predictions

ROOT = Path(__file__).parents[2]
RUN = "gessert2019/table2/mobilenet-gru/corrected-quick-fold0-seed0"


@pytest.fixture
def rescore():
    return runpy.run_path(ROOT / "tools" / "rescore_runs.py")["main"]


def test_scores_are_those_of_the_files_and_the_manifest_says_so(tmp_path, rescore, capsys):
    folder = shutil.copytree(ROOT / "results" / "runs" / RUN, tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    for ending in ("", "_best"):
        path = folder / f"metrics{ending}.json"
        wrong = json.loads(path.read_text())
        wrong["scores"]["macro_auc"]["value"] = 0.123
        path.write_text(json.dumps(wrong))
    rescore([str(tmp_path)])
    for ending in ("", "_best"):
        found = json.loads((folder / f"metrics{ending}.json").read_text())
        table = read_predictions(folder / f"predictions{ending}.csv.gz")
        assert found["scores"]["macro_auc"]["value"] == summary(*unpack_predictions(table))["macro_auc"]
    assert found["epoch"] == wrong["epoch"]
    noted = json.loads((folder / "manifest.json").read_text())
    assert "from the files of predictions" in noted.pop("rescored")
    assert noted == {name: said for name, said in manifest.items() if name != "rescored"}

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rescore([str(tmp_path)])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert capsys.readouterr().out == "1 run, the scores of 1 changed\n1 run, the scores of 0 changed\n"


def test_an_empty_folder_is_an_error_that_names_it(tmp_path, rescore, capsys):
    with pytest.raises(SystemExit):
        rescore([str(tmp_path)])
    assert f"{tmp_path} holds no finished run" in capsys.readouterr().err
