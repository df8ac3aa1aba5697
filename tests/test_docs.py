"""The commands of the documentation are those of the program."""

import re
import shlex
from pathlib import Path

import pytest

from skinkit.cli import parser

ROOT = Path(__file__).parents[1]
TEXT = "".join(
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/many_runs.md", "docs/serve.md")
)
# A command ends with its line, unless that ends in a backslash or its words are folded as YAML.
COMMANDS = re.findall(r"^ *(?:- >-\n *)?(?:exec )?skinkit (run gessert.+(?:\n {4,}-.+)*)", TEXT, re.M)
SERVED = re.findall(r"^skinkit (serve.*)", TEXT, re.M)
VARIABLES = {
    "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT": "1/8",
    "$SLURM_CPUS_PER_TASK": "4",
    "$((JOB_COMPLETION_INDEX + 1))": "1",
}


def test_all_examples_are_found():
    assert len(COMMANDS) == 7


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command):
    for name, value in VARIABLES.items():
        command = command.replace(name, value)
    assert "$" not in command
    options = parser().parse_args(shlex.split(command.replace("\\\n", ""), comments=True))
    assert options.patterns == ["gessert2019/table5"] and options.folds is None


def test_the_server_is_started_as_it_is_told():
    found = [parser().parse_args(shlex.split(command, comments=True)) for command in SERVED]
    assert len(found) == 7 and found[-1].worker and found[-2].workers == 0
    assert found[-3].uvicorn == ["--root-path", "/kit", "--forwarded-allow-ips", "127.0.0.1"]


def test_settings_of_the_server_are_understood(tmp_path):
    settings = pytest.importorskip("skinkit.serve.settings", reason="needs pip install 'skinkit[serve]'")
    (toml,) = re.findall(r"```toml\n(.+?)```", TEXT, re.S)
    (tmp_path / "serve.toml").write_text(toml)
    found = settings.LiveSettings(tmp_path / "serve.toml").current
    assert found.default in found.models and found.limits.queue == 256
    for part in (settings.ModelSettings, settings.Limits, settings.Times):
        for name in part.model_fields:
            assert re.search(rf"\b{name}\b", toml), f"docs/serve.md does not name the setting {name}"
