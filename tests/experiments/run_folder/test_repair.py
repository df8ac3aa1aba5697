import gzip
import shutil
from pathlib import Path

import pytest

from skinkit.experiments import SavedRun, run

# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("untrained-run")


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@pytest.mark.parametrize(
    ("lost", "damage"),
    [
        (["predictions.csv.gz"], Path.unlink),
        (["metrics.json", "predictions.csv.gz"], lambda path: path.write_bytes(b"\x1f\x8b{")),
    ],
)
def test_the_model_makes_lost_predictions_anew(whole, folder, carry_out, capsys, lost, damage):
    for name in lost:
        damage(folder / name)
    carry_out(verbose=1)
    assert "made again: metrics.json, predictions.csv.gz" in capsys.readouterr().out
    assert contents(folder) == contents(whole)


def test_scores_are_made_from_predictions_without_a_model(whole, folder, carry_out):
    for name in ("model.keras", "metrics.json", "leakage.csv"):
        (folder / name).unlink()
    carry_out()
    assert (folder / "leakage.csv").read_bytes() == (whole / "leakage.csv").read_bytes()
    found, expected = (SavedRun(place).metrics["scores"]["accuracy"] for place in (folder, whole))
    assert found == expected


def test_a_missing_model_is_said_and_is_not_damage(folder, carry_out, capsys):
    carry_out(verbose=1)
    assert capsys.readouterr().out == f"Already finished: {folder}\n"
    (folder / "model.keras").unlink()
    before = contents(folder)
    carry_out(verbose=1)
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"Already finished: {folder}" and "Another --out trains one" in second
    assert contents(folder) == before
    with pytest.raises(FileNotFoundError, match=r"model\.keras is missing.*skinkit/test/tiny.*--again"):
        SavedRun(folder).load_model()


@pytest.mark.parametrize("name", ["manifest.json", "history.csv", "predictions.csv.gz"])
@pytest.mark.parametrize("damage", [None, b"", b"\x1f\x8b\x08\x00", b"{"])
def test_a_file_that_cannot_be_made_anew_is_named(folder, carry_out, name, damage):
    for lost in ("model.keras", name):
        (folder / lost).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    before = contents(folder)
    with pytest.raises((FileNotFoundError, ValueError), match=rf"{name} is (missing|damaged).*--again"):
        carry_out()
    assert contents(folder) == before


def test_half_a_report_of_leakage_is_made_again(whole, folder, carry_out):
    path = folder / "leakage.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(ValueError, match="leakage.csv is damaged .*ends after 1 row"):
        _ = SavedRun(folder).leakage
    carry_out()
    assert path.read_bytes() == (whole / "leakage.csv").read_bytes()


def test_half_a_history_is_named(folder):
    (folder / "history.csv").write_text("epoch,phase,learning_rate,loss,seconds\n1,1,0.1,2.0,3\n")
    with pytest.raises(ValueError, match="history.csv is damaged .*ends after 1 row"):
        _ = SavedRun(folder).history


def test_half_a_table_of_predictions_is_noticed(folder, carry_out):
    (folder / "model.keras").unlink()
    path = folder / "predictions.csv.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(lines[:-3])))
    with pytest.raises(ValueError, match=rf"predictions.* {len(lines) - 4} rows.*counts {len(lines) - 1}"):
        carry_out()


def test_numbers_of_another_model_do_not_replace_those_of_the_run(untrained, folder, carry_out):
    other = run(untrained, "smoke", seed=3, folder=folder.parent / "other", verbose=0)
    shutil.copy(other / "model.keras", folder)
    (folder / "predictions.csv.gz").unlink()
    before = contents(folder)
    with pytest.raises(ValueError, match=r"model\.keras makes other predictions.*--again"):
        carry_out()
    assert contents(folder) == before


def test_a_damaged_model_is_named(folder, carry_out):
    (folder / "model.keras").write_bytes((folder / "model.keras").read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"model\.keras is damaged.*--again"):
        carry_out()
