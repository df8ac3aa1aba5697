"""The command line, through its real entry point."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from skinkit import data
from skinkit.cli import main
from skinkit.cli.command_line import parser
from skinkit.papers import recipes

NOISE = re.compile("onednn|cuda|retracing|warning", re.IGNORECASE)
LOOKING = """
import sys
from skinkit.cli import main
sys.exit(any(main([command, sys.argv[1]]) for command in ("evaluate", "explain", "report")))
"""
# One worker makes the run that these tests share.
pytestmark = pytest.mark.xdist_group("smoke-run")


def skinkit(*arguments, code=0, cwd=None):
    """Runs a command in this process, as a process of its own takes seconds to load TensorFlow."""
    out, error = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKINKIT_DATA", "")
        patch.chdir(cwd or Path.cwd())
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            try:
                returned = main([*map(str, arguments)])
            except SystemExit as ended:
                returned = ended.code or 0
    return said(returned, out.getvalue(), error.getvalue(), code)


def skinkit_process(*arguments, code=0, python=(sys.executable, "-m", "skinkit")):
    """Runs a command in a process of its own: all that it writes is seen, that of libraries, too."""
    environment = {**os.environ, "SKINKIT_DATA": ""}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    command = [*python, *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)
    return said(found.returncode, found.stdout, found.stderr, code)


def said(returned, out, error, code):
    assert returned == code, out + error
    assert not NOISE.search(error), error
    return out if code == 0 else error


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A small release in HAM10000's own layout."""
    from skinkit.data import synthetic

    root = tmp_path_factory.mktemp("releases")
    synthetic(80, seed=3, folder=root / "ham10000", size=(60, 80))
    return root


@pytest.fixture(scope="module")
def smoke_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    printed = skinkit_process("run", "skinkit/demo/ham10000", "--profile", "smoke", "--out", out)
    (manifest,) = out.rglob("manifest.json")
    return manifest.parent, printed


@pytest.fixture(scope="module")
def looked_at(smoke_run, warm_python):
    """The folder of the run after three commands, and what these print."""
    folder, _ = smoke_run
    return folder, skinkit_process(folder, python=[*warm_python[:-1], "-c", LOOKING])


def test_help_names_every_command_and_forbids_clinical_use():
    text = skinkit_process("--help")
    of_runs = ("evaluate", "explain", "report", "export", "card", "submit", "serve")
    for command in ("demo", "list", "show", "published", "table", "figure", "run", *of_runs, "data"):
        assert f"\n    {command}" in text
    assert "Not for clinical use" in text


@pytest.mark.parametrize(
    "command",
    [
        *("run", "evaluate", "explain", "report", "export", "card", "submit"),
        *("show", "table", "figure", "data fetch"),
    ],
)
def test_every_command_explains_itself(command):
    assert "usage: skinkit" in skinkit(*command.split(), "--help")


def test_the_installed_script_is_the_same_command():
    script = Path(sys.executable).with_name("skinkit")
    if not script.exists():
        pytest.skip("skinkit is on the path without being installed")
    printed = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert printed.stdout == skinkit("--version")


def test_a_table_is_printed_with_ours_beside_it():
    assert "Table II" in skinkit("table", "gessert2019")
    printed = skinkit("table", "gessert2019", "II", "--csv", "--runs", "nowhere")
    assert printed.splitlines()[:2] == [
        "row,score,printed (%),ours at `full`,verdict",
        '"InceptV3, Downsampling",macro recall,63.3 ± 2.4,not run,open',
    ]
    words = skinkit("table", "gessert2019", "II", "--runs", "nowhere")
    assert "To fill `not run`: `skinkit run " in words.splitlines()[-1]
    for place in ("gessert2019/table2", "Gessert2019/II"):
        assert skinkit("table", place, "--csv", "--runs", "nowhere") == printed
    for words in (("gessert2019", "tabel2"), ("gessert2019/tabel2",), ("gessert2019/table2", "II")):
        assert "Did you mean" in skinkit("table", *words, code=1)


def test_figures_are_listed_and_drawn(tmp_path, smoke_run):
    folder, _ = smoke_run
    assert "8.1  yes  M0 and M4" in skinkit("figure", "bermeo2023", "--runs", tmp_path)
    for document, number, *run in (("bermeo2023", "8.1"), ("butskova2021", "8", "--run", folder)):
        printed = skinkit("figure", document, number, "--out", tmp_path / f"{number}.png", *run)
        assert f"Open {tmp_path / number}.png\n" in printed and "Not for clinical use" in printed
        assert (tmp_path / f"{number}.png").stat().st_size > 10_000
    assert "cannot be drawn: photographs" in skinkit("figure", "Butskova2021", "Figure 1", code=1)


def test_a_figure_is_written_under_its_own_name(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "Bermeo2023/Figure 4.15"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bermeo2023-figure-4.15.png"]
    assert capsys.readouterr().out.startswith("bermeo2023, Figure 4.15: ")


def test_a_table_of_recipes_or_numbers_is_named_as_a_printed_one(capsys):
    for command in ("list", "published"):
        found = [main([command, *words]) or capsys.readouterr().out for words in _SAID]
        assert found[0] == found[1] != ""


_SAID = (["bermeo2023/table8.2"], ["BERMEO2023", "8.2"])


def test_runs_and_images_of_a_figure_may_be_named_one_by_one():
    for option in ("run", "images"):
        words = ["figure", "bermeo2023", "8.13", f"--{option}", "a", "b", f"--{option}", "c"]
        assert vars(parser().parse_args(words))[option] == [Path("a"), Path("b"), Path("c")]
        assert vars(parser().parse_args(words[:3]))[option] == []


def test_recipes_are_listed_and_shown():
    runs = Path(__file__).parents[1] / "results" / "runs"
    every = skinkit("list", "--runs", runs).splitlines()
    assert sum(line.startswith("  ") and not line.startswith("   ") for line in every) == len(recipes())
    found = skinkit("list", "skinkit/demo", "--runs", runs).splitlines()
    assert found[1].split()[:4] == ["ham10000", "run", "quick", "corrected"]
    page = skinkit("show", "skinkit/demo/ham10000", "--profile", "quick")
    assert "profile quick, protocol corrected" in page and "image_size    72 x 96" in page
    settings = json.loads(skinkit("show", "skinkit/demo/ham10000", "--profile", "quick", "--json"))
    assert settings["image_size"] == [72, 96]


def test_a_recipe_without_a_corrected_form_is_shown_as_it_is_published(capsys):
    name = "koefler2023/controls/cnn-split-then-augment"
    assert main(["show", name]) == 0
    printed = capsys.readouterr().out
    assert "protocol as_published" in printed and f"skinkit run {name} --protocol as_published" in printed
    assert main(["show", name, "--protocol", "corrected"]) == 1
    assert "is defined under as_published" in capsys.readouterr().err


def test_a_list_without_runs_says_so_and_makes_no_folder(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["list", "koefler2023/table4a"]) == 0
    assert "Recipes: 0 run, 0 stale, 1 not run, 1 in all." in capsys.readouterr().out
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("figure koefler2023 --out a.png", "Give the number of a figure, too"),
        ("report some/run --out elsewhere", "give them without a run folder"),
        ("run skinkit/demo/synthetic --gpus 1", "`--address` and `--gpus` are for .*`--engine ray`"),
        ("evaluate results/runs --overlap keep", "`--overlap` is about other images: give these with `--on`"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(words, message, capsys):
    assert main(words.split()) == 1
    assert re.search(message, capsys.readouterr().err)


def test_wrong_names_end_in_a_sentence_not_in_a_traceback():
    error = skinkit_process("published", "koefler2032", code=1)
    assert error.startswith("skinkit: ") and error.endswith("Did you mean koefler2023?\n")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("show skinkit/demo/ham1000", "skinkit/demo/ham10000"),
        ("run skinkit/demo/ham1000", "skinkit/demo/ham10000"),
        ("list gessert2091", "gessert2019"),
        ("list gessert2019/tabel2", "table2"),
        ("data info ham1000", "ham10000"),
        ("data fetch ham1000", "ham10000"),
        ("data check ham1000", "ham10000"),
        ("data leakage ham1000", "ham10000"),
    ],
)
def test_every_command_suggests_the_name_that_was_meant(words, meant, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 1
    assert f"Did you mean {meant}" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["evaluate", "explain", "report", "export", "card"])
def test_commands_that_take_a_run_say_what_else_they_were_given(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([command, "skinkit/demo/ham10000"]) == 1
    error = capsys.readouterr().err
    assert "is a recipe" in error and "corrected-quick-fold0-seed0, which is not there" in error
    assert main([command, str(tmp_path / "nowhere")]) == 1
    assert "There is no run folder" in capsys.readouterr().err


def test_a_fold_that_a_split_does_not_have_is_refused_before_anything_is_written(capsys, tmp_path):
    words = ["run", "gessert2019/table5/small-none", "--profile", "smoke", "--fold", "3"]
    assert main([*words, "--out", str(tmp_path)]) == 1
    assert "has the folds 0 to 2. Received: fold=3" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_the_demo_leaves_a_folder_that_is_not_its_own_as_it_is(tmp_path):
    texts = {"plan.json": '{"tasks": []}', "thesis.txt": "three years", "history.csv": "day,mood"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert "plan.json is damaged, or is not from" in skinkit("demo", "--out", tmp_path, code=1)
    (tmp_path / "plan.json").unlink()
    assert "history.csv, thesis.txt and no run" in skinkit("demo", "--out", tmp_path, code=1)
    del texts["plan.json"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == texts


def test_published_tables_come_with_their_flags():
    assert "0.34" in skinkit("published", "koefler2023")
    whole, one = (skinkit("published", name) for name in ("gessert2019", "gessert2019/table2"))
    assert one.split("\n\n")[-1].strip() in whole and one.count("\nGessert") == 1 < whole.count("\nGessert")
    assert "Did you mean table2" in skinkit("published", "gessert2019/tabel2", code=1)


def test_releases_are_listed_and_described():
    assert "ham10000" in skinkit("data", "list")
    assert "CC" in skinkit("data", "info", "ham10000")


def test_checking_tells_good_images_from_broken_ones(release, tmp_path):
    import shutil

    skinkit("data", "check", "ham10000", "--data", release)
    broken = tmp_path / "releases"
    shutil.copytree(release, broken)
    image = next((broken / "ham10000" / "images").iterdir())
    image.write_bytes(image.read_bytes()[:200])
    found = subprocess.run(
        [sys.executable, "-m", "skinkit", "data", "check", "ham10000", "--data", broken],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1
    assert image.stem in found.stdout


def test_leakage_of_the_documents_splits(release, tmp_path):
    printed = skinkit("data", "leakage", "--data", release, "--out", tmp_path / "leakage.csv")
    assert "koefler2023" in printed
    assert (tmp_path / "leakage.csv").read_text().startswith("split,label,n,photograph,lesion,patient\n")


def test_a_split_that_a_table_does_not_allow_stops_no_other(tmp_path):
    table = data.synthetic(60).assign(lesion_id=pd.NA, patient_id=pd.NA)
    table.to_csv(tmp_path / "own.csv", index=False)
    printed = skinkit("data", "leakage", tmp_path / "own.csv")
    assert "butskova2021: images 80/20\nlabel" in printed
    assert "skinkit: by lesion\nnot made: The table has no lesion ids to group by" in printed


def test_a_run_prints_its_scores(smoke_run):
    _, printed = smoke_run
    assert "macro_recall" in printed
    assert "Not for clinical use" in printed


def test_a_run_is_evaluated_on_its_own_and_on_other_images(looked_at, release, tmp_path):
    from skinkit.data import load

    folder, printed = looked_at
    assert "macro_recall" in printed
    table = load("ham10000", root=release)
    # Drawn sets count from 1: as it is, this one has the photographs, lesions and patients of the run.
    assert "No image is left" in skinkit("evaluate", folder, "--on", "ham10000", "--data", release, code=1)
    printed = skinkit("evaluate", folder, "--on", "ham10000", "--data", release, "--overlap", "keep")
    assert "LEAKY" in printed and f"n = {len(table)}" in printed
    ids = ["image_id", "lesion_id", "patient_id"]
    other = table.assign(**{name: table[name].str.replace("_0", "_9") for name in ids})
    other.to_csv(tmp_path / "other.csv", index=False)
    printed = skinkit("evaluate", folder, "--on", tmp_path / "other.csv")
    assert "No leakage found." in printed and f"n = {len(table)}" in printed
    assert (folder / "evaluations" / "other" / "metrics.json").exists()


def test_a_run_is_evaluated_on_the_official_test_images_once_they_are_there(smoke_run, tmp_path):
    folder, _ = smoke_run
    words = ("evaluate", folder, "--on", "isic2018_test_dataverse", "--data", tmp_path)
    assert "`skinkit data fetch isic2018_test_dataverse` downloads it" in skinkit(*words, code=1)
    # The layout of the release: its numbers, no patients, and a synthetic image that nobody scores.
    place = tmp_path / "isic2018_test_dataverse"
    drawn = data.synthetic(12, seed=3, folder=place, size=(60, 80))
    named = {old: f"ISIC_{35057 + i:07}" for i, old in enumerate(drawn["image_id"])}
    (drawn_table,) = place.glob("*.csv")
    table = pd.read_csv(drawn_table, dtype=str).drop(columns="patient_id")
    table = table.assign(image_id=table["image_id"].map(named), lesion_id="HAM_" + table["lesion_id"])
    table.to_csv(place / "ISIC2018_Task3_Test_GroundTruth.csv", index=False)
    drawn_table.unlink()
    for path in list(place.rglob("*.jpg")):
        path.rename(path.with_stem(named[path.stem]))
    assert "n = 11;" in skinkit(*words)
    assert (folder / "evaluations" / "isic2018_test_dataverse" / "metrics.json").exists()


def test_a_run_is_explained_on_its_images_and_on_a_file(looked_at, tmp_path):
    folder, _ = looked_at
    assert (folder / "overlays.png").stat().st_size > 10_000
    image = tmp_path / "mole.jpg"
    cv2.imwrite(str(image), np.full((60, 80, 3), 128, np.uint8))
    assert "overlays.png" in skinkit("explain", folder, image)
    # Files and ids together, in any order.
    assert "overlays.png" in skinkit("explain", folder, image, "SYN_0000007")
    error = skinkit("explain", folder, "SYN_0000007.jpg", code=1)
    assert "knows no image SYN_0000007.jpg" in error and "Did you mean SYN_0000007" in error


def test_the_largest_losses_and_the_surest_hits_are_explained(smoke_run):
    folder, _ = smoke_run
    assert "overlays.png" in skinkit("explain", folder, "--surest", 1, "--largest-losses", 2)
    error = skinkit("explain", folder, "--largest-losses", 9999, code=1)
    assert "losses among its" in error and "Received: 9999" in error
    assert "not both" in skinkit("explain", folder, "SYN_0000007", "--surest", 1, code=1)
    assert "from 1 on. Received: '0'" in skinkit("explain", folder, "--surest", 0, code=2)


def test_a_run_gets_a_page_and_the_runs_a_ledger(looked_at, tmp_path):
    folder, _ = looked_at
    page = (folder / "report.html").read_text()
    for part in (
        "Confusion matrix",
        "ROC",
        "Calibration",
        "No leakage found",
        "Grad-CAM",
        "Not for clinical",
    ):
        assert part in page
    runs = Path(__file__).parents[1] / "results" / "runs" / "skinkit" / "demo"
    skinkit("report", "--runs", runs, "--out", tmp_path)
    ledger = (tmp_path / "ledger.csv").read_text()
    assert "skinkit/demo/ham10000" in ledger and "no published row" in ledger
    assert "demo/ham10000" in (tmp_path / "skinkit.md").read_text()


def test_a_run_gets_a_file_for_other_programs_and_a_card(smoke_run):
    folder, _ = smoke_run
    assert f"Written: {folder}/exports/savedmodel\n" in skinkit("export", folder, "--format", "savedmodel")
    assert f"Written: {folder}/MODEL_CARD.md\n" in skinkit("card", folder)


def test_smoke_runs_and_a_mistyped_folder_leave_the_results_as_they_are(smoke_run, tmp_path):
    folder, _ = smoke_run
    for runs in (folder.parents[3], tmp_path / "typo"):
        assert str(runs) in skinkit("report", "--runs", runs, "--out", tmp_path, code=1)
    assert not list(tmp_path.iterdir())


def test_a_run_without_images_says_what_to_do(tmp_path):
    error = skinkit("run", "skinkit/demo/ham10000", code=1, cwd=tmp_path)
    assert "skinkit data fetch ham10000" in error
