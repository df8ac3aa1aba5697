"""The page docs/bring_your_own.md, carried out as it stands."""

import dataclasses
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from skinkit import papers
from skinkit.cli import main
from skinkit.cli.command_line import parser
from skinkit.experiments import SavedRun, ledger, run

TEXT = (Path(__file__).parents[2] / "docs/bring_your_own.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = re.findall(r"^skinkit (.+)$", TEXT, re.MULTILINE)
RUN = Path("results/runs/own/clinic/gate/corrected-quick-fold0-seed0")
# Ends as if it were killed when the state of an epoch is saved.
KILLED = """
import os, sys
from skinkit import training
save = training.Checkpoint.save
training.Checkpoint.save = lambda *given: (save(*given), os._exit(9))
from skinkit.cli import main
main(sys.argv[1:])
"""
pytestmark = [pytest.mark.xdist_group("bring-your-own"), pytest.mark.usefixtures("registries_of_module")]


def words_of(start):
    return shlex.split(next(command for command in COMMANDS if command.startswith(start)))


@pytest.fixture(scope="module")
def clinic(warm_python, tmp_path_factory):
    """The page's folder after its scripts, and after a run in another process that was killed."""
    folder = tmp_path_factory.mktemp("clinic")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SKINKIT_DATA", raising=False)
        for name, code in SCRIPTS.items():
            Path(name).write_text(code, encoding="utf-8")
            if name != "my_clinic.py":
                runpy.run_path(name)
        Path("killed.py").write_text(KILLED, encoding="utf-8")
        run = [*warm_python, "killed", *words_of("run own/clinic/gate")]
        paths = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
        assert subprocess.run(run, env={**os.environ, **paths}).returncode == 9
        yield folder


@pytest.fixture(scope="module")
def resumed(clinic):
    assert (clinic / RUN / "plan.json").exists() and "my_clinic" not in sys.modules
    assert main(words_of("run own/clinic/gate")) == 0
    return clinic


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_are_understood(command):
    assert parser().parse_args(shlex.split(command)).action


def test_the_page_has_its_scripts():
    assert list(SCRIPTS) == ["draw_clinic.py", "prepare.py", "my_clinic.py"]


def test_a_killed_run_goes_on_in_another_process_and_says_whose_names_it_has(resumed):
    said = json.loads((resumed / RUN / "manifest.json").read_text())
    assert said["labels"] == ["mel", "nv", "other"] and said["dataset"] == "clinic"
    assert set(said["own"]["my_clinic"]) == {
        *("Class maps: clinic", "Splits: by_patient", "Layers: channel_gate", "Losses: poly1"),
        "Recipes: own/clinic/gate",
    }
    assert said["epochs"] == 6 and said["leakage"]["patient"] == 0
    assert SavedRun(RUN).command.endswith("--import my_clinic")


def test_the_run_is_evaluated_explained_and_reported(resumed, capsys):
    assert main([*words_of("evaluate"), "--on", "datasets/clinic/manifest.csv", "--overlap", "keep"]) == 0
    assert "| other |" in capsys.readouterr().out
    assert main(words_of("explain")) == 0 and main(words_of("report results")) == 0
    assert (RUN / "overlays.png").exists() and (RUN / "report.html").exists()


def test_the_ledger_has_the_run_beside_the_printed_row(resumed):
    table = ledger("results/runs").query("recipe == 'own/clinic/gate' and metric == 'macro_recall'")
    (row,) = table.query("`class` == 'all'").itertuples()
    assert (row.document, row.row, row.published) == ("koefler2023", "cnn-sa", 0.94)
    assert row.verdict == "not comparable" and "one's own" in row.reason and row.runs == 1


def test_so_it_has_a_run_on_a_file_of_a_split(resumed, registries):
    own = papers.recipe("own/clinic/gate")
    once = [dataclasses.replace(phase, epochs=1) for phase in own.phases[-1:]]
    papers.register_recipe(own.with_("own/clinic/once", phases=tuple(once)))
    words = [word.replace("gate", "once") for word in words_of("run own/clinic/gate")]
    assert main([*words, "--split", "mysplit.csv", "--out", "on-a-file"]) == 0
    table = ledger("on-a-file").query("metric == 'macro_recall' and `class` == 'all' and measured.notna()")
    (row,) = table.itertuples()
    assert (row.recipe, row.row, row.published) == ("own/clinic/once+mysplit", "cnn-sa", 0.94)
    assert row.verdict == "not comparable" and row.reason == "split of one's own: a file"


def test_a_published_row_that_does_not_exist_is_refused_before_anything_is_written(resumed):
    recipe = papers.recipe("own/clinic/gate").with_(
        "own/clinic/typo", published="koefler2023/table4b/cnn-saa"
    )
    with pytest.raises(ValueError, match="Did you mean koefler2023/table4b/cnn-sa"):
        run(recipe, "smoke", out="elsewhere")
    assert not Path("elsewhere").exists()


def test_a_recipe_of_ones_own_is_listed_and_shown(resumed, capsys):
    assert main(words_of("show")) == 0
    shown = capsys.readouterr().out
    line = SCRIPTS["my_clinic.py"].splitlines().index("GATE = papers.register_recipe(") + 1
    assert f"my_clinic.py:{line}\n" in shown and "--import my_clinic --profile quick" in shown
    assert main(["list", "own", "--import", "my_clinic"]) == 0
    assert "two-convolutions" in capsys.readouterr().out


def test_show_checks_a_recipe_of_ones_own_as_a_run_does(resumed, capsys):
    own, choose = papers.recipe("own/clinic/gate"), papers.choose
    for name, changes in (
        ("channel_gate", {"model": choose("small_cnn", layer="chanel_gate")}),
        ("by_patient", {"split": choose("by_patiend")}),
    ):
        typo = papers.register_recipe(own.with_(f"typo/clinic/{name}", **changes))
        assert main(["show", typo.name]) == 1
        assert f"Did you mean {name}?" in capsys.readouterr().err


def test_what_is_not_registered_here_is_told_to_need_an_import(resumed, capsys, tmp_path):
    copy = Path(with_names(resumed, tmp_path, {"my_gone": ["Recipes: own/gone/a"]}))
    saved = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**saved, "recipe": "own/gone/a"}))
    assert main(["list", "own/clinic", "--runs", str(tmp_path)]) == 0
    assert "my_gone" not in capsys.readouterr().out
    assert main(["list", "--runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("listed with an import: own/gone/a (--import my_gone)\n")
    assert main(["show", "own/gone/a"]) == 1
    assert "recipes of one's own need `--import MODULE`" in capsys.readouterr().err


def test_a_run_of_a_notebook_has_its_card_from_a_module(resumed, capsys, tmp_path):
    own = json.loads((resumed / RUN / "manifest.json").read_text())["own"]["my_clinic"]
    copy = with_names(resumed, tmp_path, {"__main__": own})
    assert main(["card", copy, "--import", "my_clinic"]) == 0 and (Path(copy) / "MODEL_CARD.md").exists()


def test_a_changed_recipe_says_which_setting_was_changed(resumed):
    changed = papers.recipe("own/clinic/gate").with_(
        "own/clinic/gate", loss=papers.choose("poly1", epsilon=3.0)
    )
    with pytest.raises(ValueError, match=r"loss was poly1\(epsilon=2\), now poly1\(epsilon=3\)\)\. Give"):
        run(changed, "quick", folder=RUN, verbose=0)
    with pytest.raises(ValueError, match="split was by_patient.*, now file.*split_hash was .*, now "):
        run("own/clinic/gate", "quick", folder=RUN, verbose=0, split="mysplit.csv")


def test_a_split_that_lacks_a_part_says_which_it_has(resumed, capsys, tmp_path):
    (tmp_path / "test.csv").write_text(Path("mysplit.csv").read_text().replace(",train", ",test"))
    run = [*words_of("run own/clinic/gate"), "--split", str(tmp_path / "test.csv"), "--out", str(tmp_path)]
    assert main(run) == 1
    assert re.search(r"no images in train, .*Received: 23 validation, 127 test", capsys.readouterr().err)


def test_a_file_of_a_split_is_checked_before_anything_is_written(resumed, capsys):
    run = [*words_of("run own/clinic/gate"), "--split", "none.csv", "--out", "elsewhere"]
    assert (
        main(run) == 1
        and "No split at none.csv" in capsys.readouterr().err
        and not Path("elsewhere").exists()
    )


def test_a_sweep_knows_own_recipes_and_hands_the_import_and_the_split_on(resumed, capsys, monkeypatch):
    from skinkit.experiments.many_runs import sweep

    started = []
    monkeypatch.setattr(sweep, "LocalJob", lambda words, log: started.append(words) or Ended())
    words = [*words_of("run 'own"), "--out", "swept", "--split", "mysplit.csv"]
    assert main(words) == 1  # nothing is carried out here
    first = parser().parse_args(started[0])
    assert "my_clinic" in first.imports and first.split == "mysplit.csv" and len(started) == 6


class Ended:
    def poll(self):
        return 1


def with_names(resumed, tmp_path, own):
    """A copy of the run that needs other names."""
    copy = shutil.copytree(resumed / RUN, tmp_path / "copy")
    saved = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**saved, "own": own}))
    return str(copy)


def test_a_module_that_is_missing_is_one_line(resumed, capsys, tmp_path):
    assert main(["explain", with_names(resumed, tmp_path, {"my_gone": ["Layers: gone"]})]) == 1
    said = capsys.readouterr().err
    assert "There is no module my_gone" in said and said.count("\n") == 1
    assert main(["run", "own/clinic/gate", "--import", "my_gone"]) == 1
    assert main(["run", "own/clinic/gate", "--import", "my_clinic.py"]) == 1
    assert "as after Python's import" in capsys.readouterr().err.splitlines()[-1]


def test_what_a_notebook_registered_is_named(resumed, capsys, tmp_path):
    assert main(["explain", with_names(resumed, tmp_path, {"__main__": ["Layers: gone"]})]) == 1
    assert "which a notebook or script registered" in capsys.readouterr().err


def test_own_classes_that_nobody_draws_are_not_tried_in_smoke(registries, capsys):
    from skinkit.data import register_classes
    from skinkit.papers import recipe, register_recipe

    register_classes("sides", {"left": "Left", "right": "Right"})
    own = recipe("skinkit/demo/synthetic").with_("own/demo/sides", classes="sides", positive="left")
    register_recipe(own)
    assert main(["run", own.name, "--profile", "smoke"]) == 1
    assert "class map 'sides' has none of them" in capsys.readouterr().err


def test_the_split_of_the_page_is_a_table_of_two_columns(clinic):
    assert list(pd.read_csv(clinic / "mysplit.csv").columns) == ["image_id", "part"]
