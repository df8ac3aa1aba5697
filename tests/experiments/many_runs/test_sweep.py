"""Many runs by one command, in real processes."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from sweep_package import kill_all, wait_until

from skinkit.cli import main
from skinkit.experiments.many_runs import dry_run, sweep
from skinkit.experiments.many_runs.progress import duration
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.run_times import estimate, run_times, timed_runs
from skinkit.experiments.run_folder.resume import NUMBERS
from skinkit.files import files_named, is_locked, locked
from skinkit.papers import recipe, register_recipe

ROOT = Path(__file__).parents[3]
BASE, AFTER = "skinkit/seconds/base", "skinkit/seconds/after"
# One worker makes the runs that these tests share.
pytestmark = pytest.mark.xdist_group("sweep")


@pytest.fixture(autouse=True)
def nothing_is_left(seconds):
    yield
    seconds.leave_nothing()


def results(out):
    return {
        path.relative_to(out): path.read_bytes()
        for path in files_named("predictions.csv.gz", out)
        if (path.parent / "manifest.json").exists()
    }


@pytest.fixture(scope="module")
def one_by_one(seconds, tmp_path_factory):
    """Two runs of two seeds, and one that starts from the first of them."""
    out = tmp_path_factory.mktemp("one-by-one")
    printed = seconds(AFTER, "--jobs", "1", out=out)
    assert "Runs: 2 finished, 0 failed, 0 left, 2 in all." in printed
    seconds(BASE, "--seed", "1", out=out)
    return out


def test_a_killed_sweep_that_two_others_end_gives_the_runs_of_an_undisturbed_one(
    seconds, one_by_one, tmp_path
):
    words = ("skinkit/seconds/bas*", "--seed", "0-1", "--jobs", "2")
    killed = seconds.run(*words, out=tmp_path)
    wait_until(lambda: len(files_named("plan.json", tmp_path)) == 2, killed)
    kill_all(killed)
    assert len(results(tmp_path)) < 2
    both = [seconds.run(*words, out=tmp_path) for _ in range(2)]
    for each in both:
        assert "Runs: 2 finished, 0 failed, 0 left, 2 in all." in seconds.end(each)
    assert results(tmp_path).items() <= results(one_by_one).items() and len(results(tmp_path)) == 2


def test_a_failed_run_stops_no_other_and_is_told_with_its_last_line_and_log(seconds, one_by_one):
    names = ("wrong", "after-wrong", "alias", "base")
    printed = seconds(*(f"skinkit/seconds/{name}" for name in names), out=one_by_one, code=1)
    assert "Finished already: 1 of 3 runs" in printed
    _, told = printed.split("Runs: 1 finished, 2 failed, 0 left, 3 in all.")
    log = one_by_one / "skinkit/seconds/wrong/corrected-smoke-fold0-seed0.log"
    assert f"log: {log}\n" in told and "it needs skinkit/seconds/wrong" in told
    last = log.read_text().splitlines()[-1]
    assert "power" in log.read_text() and f"seed 0: {last}\n" in told


def test_ctrl_c_stops_all_and_says_how_to_go_on(seconds, tmp_path):
    process = seconds.run("skinkit/seconds/long", "--seed", "0-5", out=tmp_path)
    wait_until(lambda: files_named("history.csv", tmp_path), process)
    process.send_signal(signal.SIGINT)
    printed = seconds.end(process, code=130)
    assert "Runs: 0 finished, 0 failed, 6 left, 6 in all." in printed
    assert "stopped; the same command goes on from here" in printed
    (folder,) = (path.parent for path in files_named("history.csv", tmp_path))
    assert list(folder.glob("checkpoint/epoch-*")) and not is_locked(folder / ".lock")


@pytest.fixture
def needed(one_by_one, tmp_path):
    """A folder of all runs that holds only a finished run that others start from."""
    name = Path(BASE) / "corrected-smoke-fold0-seed0"
    return tmp_path, shutil.copytree(one_by_one / name, tmp_path / name)


def test_a_run_waits_for_another_process_that_carries_out_what_it_needs(seconds, one_by_one, needed):
    out, folder = needed
    with locked(folder / ".lock"):
        process = seconds.run(AFTER, out=out)
        assert any("Waiting for another process" in line for line in process.stdout)
    seconds.end(process)
    assert results(out).items() <= results(one_by_one).items() and len(results(out)) == 2


def test_a_run_that_another_process_holds_is_left_to_it(seconds, needed):
    out, folder = needed
    # Without it the run is to be mended, which needs the lock.
    numbers = [(folder / name).rename(out / name) for name in NUMBERS]
    with locked(folder / ".lock"):
        process = seconds.run(BASE, "--jobs", "1", out=out)
        assert "Waiting for runs that other processes carry out: 1" in process.stdout.readline()
        assert "Another process" in seconds(BASE, out=out, code=75)
        for number in numbers:
            number.rename(folder / number.name)
        assert "finished by another process" in process.stdout.readline()
    seconds.end(process)


def test_a_dry_run_tells_states_and_measured_times_and_makes_nothing(seconds, needed):
    out, _ = needed
    printed = seconds(BASE, AFTER, "--seed", "0-1", "--dry-run", out=out).splitlines()
    assert [line.split()[0] for line in printed[:4]] == ["finished", "not", "not", "not"]
    seed_1 = next(line for line in printed if line.endswith(f"{BASE} corrected fold 0 seed 1"))
    assert " s  " in seed_1 and "unknown" in printed[2]
    assert printed[4].startswith("Runs: 3 left, 1 finished. Time left: about ")
    assert "besides 2 runs of unknown time" in printed[4]
    assert {path.name for path in out.iterdir()} == {"skinkit"}
    assert len(list(out.rglob("*-smoke-*"))) == 1
    # Those of `results/runs` tell the time in another folder, too.
    shutil.copytree(out, seconds.folder / "results" / "runs")
    elsewhere = seconds(BASE, "--dry-run", out=out / "empty")
    shutil.rmtree(seconds.folder / "results")
    assert "Time left: about " in elsewhere and not (out / "empty").exists()


def test_a_folder_of_another_run_and_a_model_that_is_needed_are_told_before_any_run(seconds, needed):
    out, folder = needed
    (folder / "model.keras").unlink()
    for words in ((), ("--again",)):
        told = seconds(AFTER, "--jobs", "1", *words, out=out, code=1)
        assert f"{folder}: its numbers are there, its model is not, which {AFTER} corrected" in told
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"key": "0" * 16}))
    told = seconds(BASE, "--dry-run", out=out, code=1)
    assert told.startswith("another run ") and "Runs: 1 left, 0 finished." in told
    assert f"{folder}: held by a run of another recipe or of other weights" in told
    assert not (out / AFTER).exists()


def test_a_dry_run_tells_the_time_of_a_run_that_has_begun_by_its_epochs(seconds, tmp_path):
    name = "skinkit/seconds/long"
    printed = seconds(name, "--dry-run", out=tmp_path)
    assert "Runs: 1 left, 0 finished. Time left: unknown.\n" in printed
    history = tmp_path / name / "corrected-smoke-fold0-seed0/history.csv"
    history.parent.mkdir(parents=True)
    history.write_text("epoch,seconds\n" + "".join(f"{epoch},2\n" for epoch in range(1, 11)))
    printed = seconds(name, "--dry-run", out=tmp_path)
    assert printed.split()[:5] == ["epoch", "10/30", "40", "s", name]
    assert "Time left: about 40 s with 1 at a time.\n" in printed


@pytest.mark.parametrize(
    "words", [["gessert2019/table4/densenet121-*", "--dry-run"], ["--jobs", "2"]], ids=str
)
def test_missing_images_and_weights_are_told_before_any_run_begins(
    words, capsys, tmp_path, tmp_path_factory, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKINKIT_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    assert main(["run", "koefler2023/table4[ab]", "hernandez2020/table3/cae*", *words]) == 1
    told = "".join(capsys.readouterr())
    assert told.count("skinkit data fetch ham10000") == 1 and "isic2020" in told
    assert ("densenet121_weights" in told) == ("--dry-run" in words)
    assert not any(tmp_path.iterdir())


def test_times_come_from_the_runs_of_the_recipe_and_are_shared_by_jobs(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = ["run", "skinkit/demo/ham10000", "--seed", "1000-1003", "--dry-run", "--out", "results/runs"]
    (path,) = (ROOT / "results/runs/skinkit/demo/ham10000").glob("corrected-quick-fold0-seed0/manifest.json")
    seconds = json.loads(path.read_text())["seconds"]
    main(words)
    assert f"about {duration(4 * seconds)} with 1 at a time" in capsys.readouterr().out
    main([*words, "--jobs", "4"])
    assert f"about {duration(seconds)} with 4 at a time" in capsys.readouterr().out


def test_the_time_of_a_recipe_that_nobody_has_run_is_estimated_and_said_to_be(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(dry_run, "_measured", lambda folder: {})
    main(["run", "skinkit/best/lite0", "--dry-run", "--out", str(tmp_path)])
    timed = timed_runs(run_times(finished_runs("results/runs", verbose=False)))
    hours = estimate(recipe("skinkit/best/lite0"), "quick", timed)["hours"]
    told = capsys.readouterr().out
    assert f"about {duration(3600 * hours)}  skinkit/best/lite0 corrected" in told
    assert "with 1 at a time, 1 run estimated from others." in told
    # Of drawn images, those of a release tell nothing.
    main(["run", "skinkit/best/lite0", "--profile", "smoke", "--dry-run", "--out", str(tmp_path)])
    assert "Time left: unknown." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("jobs", "threads", "found"), [(1, None, None), (4, None, 2), (16, None, 1), (4, 3, 3), (1, 3, 3)]
)
def test_runs_side_by_side_share_the_cores(jobs, threads, found, monkeypatch):
    monkeypatch.setattr(sweep, "cpu_cores", lambda: 8)
    assert sweep._engine("local", [], jobs, threads, 0, None) == (sweep.LocalJob, jobs, found)


def test_what_only_this_process_knows_cannot_be_run_in_others(tmp_path, registries):
    cell = "register_recipe(recipe('skinkit/demo/synthetic').with_('own/demo/cell', batch_size=8))"
    exec(cell, {"__name__": "__main__", "recipe": recipe, "register_recipe": register_recipe})
    with pytest.raises(ValueError, match="needs Recipes: own/demo/cell, which only this process knows. Move"):
        sweep.sweep(["own/demo/cell"], "smoke", out=tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fold", "2-0"], "Expected numbers such as 0, 0-2 or 0,2, or all. Received: '2-0'"),
        (["--jobs", "0"], "Expected a whole number from 1 on. Received: '0'"),
        (["--shard", "0/4"], "Expected a shard I/N with I from 1 to N, such as 1/8. Received: '0/4'"),
        (["--protocol", "corected"], "Received: 'corected'. Did you mean corrected?"),
    ],
)
def test_options_that_take_several_say_what_they_expect(words, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["run", "skinkit/demo", *words])
    assert stopped.value.code == 2 and said in capsys.readouterr().err


def test_shards_are_all_runs_and_each_once(capsys, tmp_path):
    words = [
        "run",
        "skinkit/demo",
        "--profile",
        "smoke",
        "--seed",
        "0-2",
        "--dry-run",
        "--out",
        str(tmp_path),
    ]

    def listed(*more):
        assert main([*words, *more]) == 0
        return [line for line in capsys.readouterr().out.splitlines() if "fold" in line]

    shards = [listed("--shard", f"{i}/7") for i in range(1, 8)]
    assert [len(each) for each in shards] == [1] * 6 + [0]
    assert sorted(line for each in shards for line in each) == sorted(listed())
    assert main([word for word in words if word != "--dry-run"] + ["--shard", "7/7"]) == 0
    assert "Runs: 0 finished, 0 failed, 0 left, 0 in all." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["skinkit/demo", "--seed", "all"], "Seeds have no end"),
        (["skinkit/demo", "--fold", "all"], "is made again for each fold from 0, without end"),
        (["gessert2019/table5", "--fold", "0-3"], "has the folds 0 to 2. Received: fold=3"),
    ],
)
def test_runs_without_end_or_that_do_not_exist_are_refused(words, said, capsys, tmp_path):
    assert main(["run", *words, "--profile", "smoke", "--out", str(tmp_path / "out")]) == 1
    assert said in capsys.readouterr().err and not any(tmp_path.iterdir())
