"""The model card of a run."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from skinkit import data
from skinkit.cli import main
from skinkit.experiments import SavedRun, decision, operating_point, write_card

RUN = Path(__file__).parents[3] / "results/runs/skinkit/demo/ham10000/corrected-quick-fold0-seed0"


def header(text):
    return yaml.safe_load(text.split("---\n")[1])


@pytest.fixture
def committed(tmp_path):
    """A copy of a run on real images, of which only the numbers are kept."""
    return shutil.copytree(RUN, tmp_path / "run")


def test_the_hub_reads_licence_and_scores_from_the_header(committed):
    found = header(write_card(committed).read_text())
    assert found["license"] == "cc-by-nc-4.0" and found["library_name"] == "keras"
    assert "not-for-clinical-use" in found["tags"]
    (result,) = found["model-index"][0]["results"]
    assert result["dataset"]["type"] == "ham10000"
    scores = json.loads((RUN / "metrics.json").read_text())["scores"]
    said = {each["type"]: each["value"] for each in result["metrics"]}
    assert said["macro_recall"] == round(scores["macro_recall"]["value"], 4)


def test_every_number_comes_from_the_files_of_the_run(committed):
    text = write_card(committed).read_text()
    scores = json.loads((committed / "metrics.json").read_text())
    recall = scores["scores"]["macro_recall"]
    ends = " | ".join(f"{recall[name]:.3f}" for name in ("value", "low", "high"))
    assert f"| macro_recall | {ends} | combined |" in text
    assert "n = 1502 test images; intervals: 95 %, resampled by lesion." in text
    assert "7,011 train, 1,502 test, 1,502 validation" in text
    assert "photograph 0.0 %, lesion 0.0 %, patient not known" in text and "No leakage found." in text
    assert "handed on, too: CC BY-NC 4.0" in text and "Not for clinical use" in text.split("##")[0]
    assert f"ece {scores['scores']['ece']['value']:.3f}" in text and "- tensorflow: 2.21.0" in text
    accuracy = scores["scores"]["accuracy"]["value"]
    assert (
        f"wrong answers: {1 - accuracy:.3f} (" in text and "where the 20 % that it is least sure of" in text
    )
    assert "Resize it to 72 x 96 (height x width)" in text
    scores["scores"]["macro_recall"]["value"] = 0.123
    (committed / "metrics.json").write_text(json.dumps(scores))
    manifest = json.loads((committed / "manifest.json").read_text()) | {"source_size": [225, 300]}
    (committed / "manifest.json").write_text(json.dumps(manifest))
    given = f"- images as given: 225 x 300 (height x width), data hash `{manifest['data_hash']}`\n"
    assert given in write_card(committed).read_text()
    assert (
        header(write_card(committed).read_text())["model-index"][0]["results"][0]["metrics"][1]["value"]
        == 0.123
    )


def test_a_time_that_nobody_knows_is_left_out(committed):
    path = committed / "manifest.json"
    known = json.loads(path.read_text())
    assert f"- seconds: {known.pop('seconds'):.0f}" in write_card(committed).read_text()
    path.write_text(json.dumps(known))
    assert "seconds" not in write_card(committed).read_text()


def test_a_leaky_run_says_so_and_its_validation_gives_a_temperature_and_a_decision(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"stamp": "LEAKY: 50 % of it"}))
    assert "after a temperature" not in write_card(folder).read_text()
    SavedRun(folder).validation_predictions()
    text = write_card(folder).read_text()
    assert "- LEAKY: 50 % of it" in text and "**LEAKY: 50 % of it**" in text and "No leakage" not in text
    assert "after a temperature of" in text
    assert f"- largest log p - {decision(SavedRun(folder))[0].tau:g} log(training share), chosen on" in text
    threshold, table = operating_point(SavedRun(folder), sensitivity=0.95)
    from_here = f"- from a calibrated p_mel = {threshold.value:.4g} on, chosen on validation"
    assert f"{from_here} for a sensitivity of 0.95: test" in text
    assert (
        f"specificity {table.loc[('test', 'specificity'), 'value']:.3f}" in text and threshold.doubt in text
    )
    assert header(text)["license"] == "other" and "No release of real lesions" in text


def test_the_lines_that_load_it_predict(folder, tmp_path, monkeypatch):
    (code,) = re.findall("```python\n(.*?)```", write_card(folder).read_text(), re.DOTALL)
    assert len(code.splitlines()) == 5
    table = data.synthetic(6, seed=2, folder=tmp_path / "drawn", size=(32, 40))
    table.to_csv(tmp_path / "images.csv", index=False)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    np.testing.assert_allclose(names["predictions"].filter(like="p_").sum(axis=1), 1, atol=1e-5)


def test_a_run_without_scores_has_no_card(committed, capsys):
    (committed / "metrics.json").unlink()
    before = sorted(committed.iterdir())
    assert main(["card", str(committed)]) == 1
    error = capsys.readouterr().err
    assert "metrics.json is missing" in error and error.count("\n") == 1
    assert sorted(committed.iterdir()) == before


def test_the_command_says_where_the_card_is(committed, capsys):
    assert main(["card", str(committed)]) == 0
    assert f"Written: {committed}/MODEL_CARD.md\n" in capsys.readouterr().out
