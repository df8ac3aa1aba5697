import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinkit import report
from skinkit.experiments import predictions as saved_predictions
from skinkit.experiments.evaluate import _text
from skinkit.experiments.report import write_report
from skinkit.experiments.run_folder import SavedRun

RUN = Path(__file__).parents[2] / "results/runs/skinkit/demo/ham10000/corrected-quick-fold0-seed0"
MANIFEST = json.dumps(
    {
        **dict.fromkeys(("recipe", "profile", "protocol", "fold", "seed", "key", "split_hash"), "any"),
        "settings": {"classes": "isic2020"},
    }
)
HOSTILE = "</pre><script>alert('{0}')</script><img src=x onerror=alert(1)>"


def hostile(value):
    """The value with a script in each of its strings, and in the names that are free."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [hostile(v) for v in value]
    return {name: hostile(v) for name, v in value.items()} if isinstance(value, dict) else value


def test_whatever_a_manifest_says_is_text_on_the_page(tmp_path):
    folder = shutil.copytree(RUN, tmp_path / "run")
    safe = write_report(folder).read_text(encoding="utf-8")
    manifest = hostile(json.loads((folder / "manifest.json").read_text()))
    manifest["images"] = {part + HOSTILE: n for part, n in manifest["images"].items()}
    manifest |= {"stamp": "LEAKY" + HOSTILE, "seed": HOSTILE}
    # The name of a class map is looked up, never shown alone.
    manifest["settings"]["classes"] = "isic2018"
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["grouped_by"] += HOSTILE
    (folder / "manifest.json").write_text(json.dumps(manifest).replace("<", "\\u003c"))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    page = write_report(folder).read_text(encoding="utf-8")
    assert "<script" not in page
    tags = re.compile("<(?!!)/?[a-z0-9]+")
    assert tags.findall(page) == tags.findall(safe)
    assert page.count("&lt;script&gt;") > 20


@pytest.fixture
def predictions():
    mel = np.r_[np.linspace(0.9, 0.6, 6), np.linspace(0.8, 0.1, 54)]
    ids = pd.array([f"i{i}" for i in range(60)], dtype="string")
    table = pd.DataFrame({"image_id": ids, "lesion_id": ids, "patient_id": pd.NA})
    return table.assign(label=["malignant"] * 6 + ["benign"] * 54, p_benign=1 - mel, p_malignant=mel)


@pytest.fixture(params=["old", "new"])
def metrics(request, predictions):
    """Scores as runs save them, and as they did before they said how intervals are made."""
    found = saved_predictions.score_with_intervals(predictions, "malignant")
    if request.param == "old":
        for each in found["scores"].values():
            del each["method"]
    return found


def test_scores_say_how_their_intervals_are_made(predictions):
    found = saved_predictions.score_with_intervals(predictions, "malignant")["scores"]
    assert found["recall:malignant"]["method"] == "wilson" and found["accuracy"]["method"] == "bootstrap"
    assert found["ece"]["method"] == "none" and np.isnan(found["ece"]["low"])


def test_the_page_shows_scores_of_every_version(predictions, metrics, tmp_path):
    saved_predictions.write_predictions(predictions, tmp_path / "predictions.csv.gz")
    saved_predictions.write_json(tmp_path / "metrics.json", metrics)
    (tmp_path / "manifest.json").write_text(MANIFEST)
    page = "".join(report._scores(SavedRun(tmp_path)))
    assert ("wilson" in page) == ("method" in metrics["scores"]["ece"])
    assert "0.610" in page, "the lower end of 6 of 6 melanomas"


def test_the_page_says_why_there_are_no_intervals(predictions, tmp_path):
    saved_predictions.save_scored(predictions.assign(patient_id="P"), "malignant", tmp_path)
    (tmp_path / "manifest.json").write_text(MANIFEST)
    page = "".join(report._scores(SavedRun(tmp_path)))
    assert "no intervals: fewer than two groups to resample, by lesion+patient" in page


def test_the_terminal_shows_scores_of_every_version(predictions, metrics):
    lines = _text("run", metrics, predictions, None).splitlines()
    (recall,) = [line for line in lines if line.startswith("recall ")]
    assert "1.000  (0.610 to 1.000)" in recall
    assert recall.endswith("wilson") == ("method" in metrics["scores"]["recall"])
    (error,) = [line for line in lines if line.startswith("ece ")]
    assert "nan" not in error
