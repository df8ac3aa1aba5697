"""Settings: read, checked, and read again."""

import os

import pytest

from skinkit.serve.settings import Limits, LiveSettings, ModelSettings, name_runs, read_settings

WHOLE = """
default = "b"
[limits]
queue = 3
[times]
task = 60
[models.a]
run = "runs/a"
[models.b]
run = "/runs/b"
views = "flips"
threshold = 0.25
positive = "nv"
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "serve.toml").write_text(WHOLE)
    return tmp_path / "serve.toml"


def change(path, *old_and_new):
    text = path.read_text().replace(*old_and_new)
    path.write_text(text)
    os.utime(path, ns=(path.stat().st_mtime_ns + 10**9,) * 2)


def test_all_settings_are_read(path):
    found = read_settings(path)
    assert found.models["a"] == ModelSettings(run=str(path.parent / "runs/a"))
    assert found.models["b"] == ModelSettings(run="/runs/b", views="flips", threshold=0.25, positive="nv")
    assert found.default == "b" and found.limits == Limits(queue=3) and found.times.task == 60


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("default", "defualt", "Received: 'defualt'. Did you mean default"),
        ("queue", "qeue", r"\[limits\] knows .*Received: 'qeue'. Did you mean queue"),
        ("threshold", "treshold", r"\[models.b\] knows .*Did you mean threshold"),
        ("0.25", "1.5", "models.b.threshold: Input should be less than or equal to 1. Received: 1.5"),
        ("threshold = 0.25", 'decision = "fair"', "models.b.decision: .*'likeliest' or 'balanced'"),
        ("queue = 3", "queue = 0", "limits.queue: .*greater than or equal to 1. Received: 0"),
        ("queue = 3", 'queue = "3"', "limits.queue: .*valid integer. Received: '3'"),
        ('run = "runs/a"', "", "models.a.run: Field required"),
        ("[models.a]", '[models."a/b"]', "should match pattern"),
        ("[limits]", "[limits", "is not TOML"),
        ("[limits]\nqueue = 3", "limits = 3", "limits: .*Received: 3"),
        ('default = "b"', "default = 1", "default: .*valid string"),
    ],
)
def test_what_is_wrong_is_named(path, old, new, said):
    change(path, old, new)
    with pytest.raises(ValueError, match=said):
        read_settings(path)


def test_an_unknown_default_is_refused(path):
    change(path, 'default = "b"', 'default = "bb"')
    with pytest.raises(ValueError, match="'bb'. Did you mean b"):
        LiveSettings(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="serve.toml is missing. --config is a TOML file"):
        LiveSettings(tmp_path / "serve.toml")


def test_they_follow_their_file_and_stay_where_it_is_wrong(path, caplog):
    live = LiveSettings(path, ["runs/one"])
    assert [*live.current.models] == ["one", "a", "b"]
    change(path, "queue = 3", "queue = 4")
    live.refresh()
    assert live.current.limits.queue == 4
    change(path, "queue", "qeue")
    live.refresh()
    live.refresh()
    assert live.current.limits.queue == 4 and caplog.text.count("Did you mean queue") == 1
    path.unlink()
    live.refresh()
    assert live.current.limits.queue == 4


def test_runs_are_named_by_their_recipes():
    row, run = "runs/gessert2019/table2/densenet121", "corrected-quick-fold0-seed0"
    assert [*name_runs([f"{row}/{run}"])] == ["densenet121"]
    assert [*name_runs(["results/serve/demo"])] == ["demo"]
    two = name_runs([f"{row}/{run}", f"{row}/corrected-quick-fold0-seed1"])
    assert [*two] == [f"densenet121-{run}", "densenet121-corrected-quick-fold0-seed1"]
    with pytest.raises(ValueError, match="--config"):
        name_runs([f"{row}/{run}", f"{row}/{run}"])
