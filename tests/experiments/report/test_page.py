import html
import json
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skinkit import evaluation
from skinkit.experiments import SavedRun
from skinkit.experiments import predictions as saved_predictions
from skinkit.experiments.deciding.operating_point import (
    calibration_table,
    gain_text,
    referral_text,
    threshold_table,
)
from skinkit.experiments.deciding.rule import calibrated_arrays
from skinkit.experiments.deciding.subgroups import (
    known_error_pairs,
    looked_at,
    read_subgroups,
    write_subgroups,
)
from skinkit.experiments.evaluate import _text
from skinkit.experiments.report import write_report
from skinkit.files import write_json

RUNS = Path(__file__).parents[3] / "results/runs/skinkit"
RUN = RUNS / "demo/ham10000/corrected-quick-fold0-seed0"
HOSTILE = "</pre><script>alert('{0}')</script><img src=x onerror=alert(1)>"


def hostile(value):
    """The value with a script in each of its strings, and in the names that are free."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, list):
        return [hostile(v) for v in value]
    return {name: hostile(v) for name, v in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def plain():
    """The page of a run whose model is not there."""
    return write_report_of_copy(RUN)


def test_whatever_a_manifest_says_is_text_on_the_page(tmp_path, plain):
    folder = shutil.copytree(RUN, tmp_path / "run")
    honest = json.loads((folder / "manifest.json").read_text())
    manifest = hostile(honest)
    manifest["images"] = {part + HOSTILE: n for part, n in manifest["images"].items()}
    manifest |= {"stamp": "LEAKY" + HOSTILE, "seed": HOSTILE}
    # Most settings are checked when they are read; these may say anything.
    free = {name: manifest["settings"][name] for name in ("title", "dataset", "loss")}
    manifest["settings"] = honest["settings"] | free
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["grouped_by"] += HOSTILE
    (folder / "manifest.json").write_text(json.dumps(manifest).replace("<", "\\u003c"))
    (folder / "metrics.json").write_text(json.dumps(metrics))
    page = write_report(folder).read_text(encoding="utf-8")
    assert "<script" not in page
    tags = re.compile("<(?!!)/?[a-z0-9]+")
    assert tags.findall(page) == tags.findall(plain)
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


@pytest.fixture
def two_classes(tmp_path):
    """A copy of a run that says it has two classes; its scores are to be replaced."""
    folder = shutil.copytree(RUN, tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["settings"] |= {"classes": "isic2020", "positive": "malignant"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def text_of(folder):
    return text_on(write_report(folder).read_text(encoding="utf-8"))


def text_on(page):
    """The page as somebody reads it."""
    page = re.sub("<style>.*?</style>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", page)))


def test_the_page_shows_scores_of_every_version(predictions, metrics, two_classes):
    saved_predictions.write_predictions(predictions, two_classes / "predictions.csv.gz")
    write_json(two_classes / "metrics.json", metrics)
    page = text_of(two_classes)
    assert ("Wilson's interval, as few cases decide" in page) == ("method" in metrics["scores"]["ece"])
    # All 6 melanomas are found, and so few show no more than this.
    assert "Recall (sensitivity), malignant 1.000 (0.610–1.000)" in page
    assert re.search(r"malignant 6 \S+ \(\S+\) ?1.00 \(0.61–1.00\)", page)
    assert "Malignant sensitivity at 90 % specificity" in page


def test_the_page_says_why_there_are_no_intervals(predictions, two_classes):
    saved_predictions.save_scored(predictions.assign(patient_id="P"), "malignant", two_classes)
    assert "no intervals: fewer than two groups to resample, by lesion+patient" in text_of(two_classes)


def test_every_number_of_the_confusion_matrix_is_there(predictions, two_classes):
    saved_predictions.save_scored(predictions, "malignant", two_classes)
    called = int((predictions["p_malignant"] > 0.5)[6:].sum())
    assert f"benign (54) {54 - called} {called} malignant (6) 0 6" in re.sub(
        r"(?<=\d)(?=[a-z])", " ", cells(write_report(two_classes), "matrix")
    )


def cells(path, table):
    page = path.read_text(encoding="utf-8")
    (found,) = re.findall(f'<table class="{table}">.*?<tbody>(.*?)</tbody>', page, re.S)
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", found)).strip()


@pytest.mark.parametrize(("seen", "is_drawn"), [(0.0, False), (0.4, True)])
def test_bars_of_leakage_are_drawn_where_there_are_some(tmp_path, seen, is_drawn):
    folder = shutil.copytree(RUN, tmp_path / "run")
    report = pd.read_csv(folder / "leakage.csv").assign(photograph=0.0, lesion=seen)
    report.to_csv(folder / "leakage.csv", index=False)
    page = write_report(folder).read_text(encoding="utf-8")
    assert ('style="--share: 40.0%">40.0&nbsp;%' in page) == is_drawn
    assert ("is also in training</caption>" in page) == is_drawn


def test_the_page_needs_nothing_else_and_is_small():
    (run,) = RUNS.glob("baseline/efficientnet-lite0-plain/*seed0")
    page = write_report_of_copy(run)
    assert not re.search(r'<script|<link|(src|href)="(?!data:image/|#|[\w.]+")', page)
    assert "1,502 test images" in page and len(page) < 1_000_000


def write_report_of_copy(run):
    with tempfile.TemporaryDirectory() as folder:
        return write_report(shutil.copytree(run, Path(folder) / "run")).read_text(encoding="utf-8")


def test_equal_runs_have_equal_pages(plain):
    assert write_report_of_copy(RUN) == plain


def test_the_page_says_what_is_missing_of_where_the_model_looks(plain):
    assert "model.keras is missing" in text_on(plain)


def test_a_run_with_its_model_shows_where_it_looks_and_what_its_decisions_cost(folder):
    write_subgroups(SavedRun(folder), folder)
    page, run = text_of(folder), SavedRun(folder)
    assert "largest losses" in page and "no epochs of its own" in page
    # The model has predicted the validation images, which say the rest.
    for wanted, row in threshold_table(run).iterrows():
        ends = f"{row['sensitivity']:.2f} ({row['sensitivity_low']:.2f}–{row['sensitivity_high']:.2f})"
        assert f"{100 * wanted:.0f} % {row['threshold']:.3f} {ends}" in page
        assert f"{row['missed']:.0f}, {row['in_vain']:.0f}" in page and row["doubt"] in page
    (_, after) = calibration_table(run).reset_index().to_dict("records")
    assert f"{after['temperature']:.2f} {after['ece']:.3f} {after['brier']:.3f} (" in page
    *arrays, groups = calibrated_arrays(run)
    assert gain_text(evaluation.decision_curve(*arrays, positive="mel", groups=groups)) in page
    assert referral_text(evaluation.risk_coverage(*arrays, groups=groups))[1:] in page
    worst = known_error_pairs(run).iloc[0]
    said = f"{worst['truth']} {worst['called']} {worst['n']} ({100 * worst['share']:.1f} %)"
    assert f"{said} {worst['consensus']} {worst['hardest']} ({worst['of_truth']:.2f})" in page
    assert f"{looked_at(read_subgroups(folder))}. Called: mel, the likeliest class." in page
    assert "Too few to say: " in page


def test_subgroups_that_stand_out_name_their_column_and_what_is_counted(two_classes, predictions):
    saved_predictions.save_scored(
        predictions.assign(lesion_id=pd.NA, patient_id=predictions["image_id"]), "malignant", two_classes
    )
    rows = {"column": "site", "subgroup": "unknown", "called": "malignant", "score": "specificity", "n": 50}
    rows |= {"independent": 26, "value": 0.5, "low": 0.4, "high": 0.6, "method": "none", "note": ""}
    rows |= {"difference": -0.2, "difference_low": -0.3, "difference_high": -0.1}
    pd.DataFrame([rows]).to_csv(two_classes / "subgroups.csv", index=False)
    page = text_of(two_classes)
    assert "Subgroup (n by patient)" in page and "lesions)" not in page
    assert "Part of the body, unknown: specificity (26)" in page and " Unknown: specificity (26)" in page


def test_without_predictions_of_validation_the_page_says_what_is_missing(two_classes, predictions):
    saved_predictions.save_scored(predictions, "malignant", two_classes)
    evaluation.error_pairs(predictions).to_csv(two_classes / "errors.csv", index=False)
    page = text_of(two_classes)
    assert "neither temperature nor threshold. model.keras is missing" in page and "none " in page
    assert "skinkit evaluate RUN --subgroups does, with this folder" in page
    assert re.search(r"benign malignant \d+ \(\d+.\d %\) – i6 \(0.20\)", page)


def test_the_terminal_shows_scores_of_every_version(predictions, metrics):
    lines = _text("run", metrics, predictions, None).splitlines()
    (recall,) = [line for line in lines if line.startswith("recall ")]
    assert "1.000  (0.610 to 1.000)" in recall
    assert recall.endswith("wilson") == ("method" in metrics["scores"]["recall"])
    (error,) = [line for line in lines if line.startswith("ece ")]
    assert "nan" not in error
