"""Many runs: a process each, several at a time, shared with all who work in the same folder."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from skinkit.data.tables.folder import data_root
from skinkit.experiments.environment import cpu_cores
from skinkit.experiments.many_runs.dry_run import dry_run_text
from skinkit.experiments.many_runs.missing_inputs import missing_folders, missing_inputs
from skinkit.experiments.many_runs.progress import SweepProgress
from skinkit.experiments.many_runs.run_list import list_plans, list_runs
from skinkit.experiments.plan import imported, run_words, weights_identity
from skinkit.experiments.run import BusyError
from skinkit.names import counted

# Seconds between two looks at the processes, and until one that was asked to stop is killed.
_POLL, _PATIENCE = 0.5, 30


def sweep(
    patterns,
    profile="quick",
    protocols=("corrected",),
    folds=(0,),
    seeds=(0,),
    out=None,
    weights=None,
    data_dir=None,
    again=False,
    jobs=None,
    threads=None,
    gpus=0,
    shard=(1, 1),
    engine="local",
    address=None,
    dry_run=False,
    precision="float32",
    writer="csv",
    split=None,
    imports=(),
):
    """Carries out all runs that are asked for, and those that they need, each in a process of its own.

    The run folders are the queue: a finished run is not repeated, one that was stopped goes on, and one that
    another process holds is left to it. So sweeps side by side, also on several machines with a shared
    folder, share the work. A run that fails does not stop the others.

    Args:
        patterns: As in `skinkit.papers.registry.matching_recipes`.
        profile: As in `skinkit.experiments.run`.
        protocols: As in `skinkit.experiments.many_runs.run_list.list_plans`.
        folds: As in `list_plans`.
        seeds: As in `list_plans`.
        out: As in `skinkit.experiments.run`.
        weights: As in `skinkit.experiments.run`.
        data_dir: As in `skinkit.experiments.run`.
        again: Whether runs of an older recipe, or of other data or weights, are trained again and replaced.
        jobs: Integer, runs at a time: 1 by default, with Ray as many as its machines take.
        threads: Integer, threads of a run. By default all cores, divided by `jobs`; with Ray 1.
        gpus: Float, GPUs of a run, for Ray.
        shard: Pair of integers (i, n): the i-th of n parts of the runs, counted from 1.
        engine: `"local"`, or `"ray"` for the machines of a Ray cluster.
        address: Address of the cluster; by default the one that this machine belongs to.
        dry_run: Whether to print only what would be carried out.
        precision: As in `skinkit.experiments.run`.
        writer: As in `skinkit.experiments.run`.
        split: As in `skinkit.experiments.run`.
        imports: Names of modules that each run imports first, besides those in which names of its recipe are
            registered.

    Returns:
        Whether all runs are finished; of a dry run, whether nothing is missing.

    Raises:
        FileNotFoundError: before any run begins, when data, weights, or the model of a finished run that
            another one starts from are missing, or a folder holds another run.
        ValueError: for a pattern, protocol or fold that does not exist, or a name that only this process
            knows.
    """
    listed = list_plans(patterns, profile, protocols, folds, seeds, precision, split)
    plans = listed[shard[0] - 1 :: shard[1]]
    _check_importable(plans)
    runs = list_runs(plans, out, weights_identity(weights))
    unfinished = [run for run in runs if not run.is_finished()]
    missing = missing_inputs([run.plan for run in unfinished], weights, data_dir, fetch=not dry_run)
    missing += missing_folders(unfinished, again)
    if dry_run:
        print(dry_run_text(runs, missing, jobs or 1))
        return not missing
    if missing:
        raise FileNotFoundError("\n".join(missing))
    # Where nothing is left, no cluster is asked.
    start, jobs, threads = _engine(engine if unfinished else "local", runs, jobs, threads, gpus, address)
    options = [*_options(weights, data_dir, again, threads, writer), *imported(imports)]
    return Sweep(unfinished, len(runs), start, jobs, options).carry_out()


def _check_importable(plans):
    for plan in plans:
        if names := plan.said.get("own", {}).get("__main__"):
            raise ValueError(
                f"{plan.recipe.name} needs {'; '.join(names)}, which only this process knows. Move the code "
                "into a module, and import that"
            )


def _engine(engine, runs, jobs, threads, gpus, address):
    """How a run is started, how many are at a time, and how many threads each has."""
    if engine == "ray":
        jobs, threads = jobs or len(runs), threads or 1
        return _on_ray(address, threads, gpus, runs), jobs, threads
    jobs = jobs or 1
    return LocalJob, jobs, threads or (max(1, cpu_cores() // jobs) if jobs > 1 else None)


def _on_ray(address, cpus, gpus, runs):
    try:
        from skinkit.experiments.many_runs.ray_engine import starter
    except ModuleNotFoundError as error:
        raise RuntimeError("`--engine ray` needs Ray: pip install 'skinkit[ray]'") from error
    return starter(address, cpus, gpus, runs[0].folder.parents[3])


def _options(weights, data_dir, again, threads, writer):
    """The options that all runs have; paths are absolute, for other machines."""
    options = ["--data", str(data_root(data_dir).absolute()), "--writer", writer]
    if weights is not None:
        options += ["--weights", str(Path(weights).absolute() if Path(weights).is_file() else weights)]
    options += ["--threads", str(threads)] if threads else []
    return [*options, "--again"] if again else options


class LocalJob:
    """A command of skinkit in a fresh interpreter, out of the reach of the terminal's Ctrl-C.

    Args:
        words: List of strings, the command without `skinkit`.
        log: Path of the file that what it prints is added to.
    """

    def __init__(self, words, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "skinkit", *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    def poll(self):
        """Returns the exit code, `None` before it has ended."""
        return self.process.poll()

    def stop(self):
        """Stops it; SIGINT may be ignored, where a script has put the sweep into the background."""
        self.process.terminate()

    def wait(self):
        """Waits until it has stopped, and kills it where that takes too long: a run stands that."""
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Sweep:
    """Runs in the order of a list, as far as other processes leave them.

    Args:
        runs: List of `ListedRun`s, which are not finished.
        total: Integer, runs in all, the finished ones included.
        start: Function that begins a command of skinkit: `LocalJob`, or that of `ray_engine.starter`.
        jobs: Integer, runs at a time.
        options: List of strings, options of each run.
    """

    def __init__(self, runs, total, start, jobs, options):
        self.start, self.jobs, self.options = start, jobs, options
        self.waiting, self.running, self.failed = dict.fromkeys(runs), {}, {}
        self.total, self.done, self.left_to_others = total, total - len(runs), 0
        self.progress = SweepProgress()

    def carry_out(self):
        """Carries all out and returns whether all are finished."""
        if self.done:
            self.progress.say(f"Finished already: {self.done} of {counted(self.total, 'run')}")
        with _stopped_by_signals():
            try:
                while self.waiting or self.running:
                    self._collect()
                    self._start()
                    self._say_who_is_waited_for()
                    time.sleep(_POLL if self.running or self.waiting else 0)
            except BaseException:
                self._stop()
                raise
        self.progress.say(self._summary())
        return not self.failed

    def _start(self):
        for run in list(self.waiting):
            if len(self.running) >= self.jobs:
                return
            if run.is_finished():
                self._leave_queue(run, f"{run}: finished by another process")
            elif failed := [need for need in run.needs if need in self.failed]:
                self._fail(run, f"it needs {failed[0]}, which failed")
            elif all(need.is_finished() for need in run.needs) and not run.is_held():
                self.waiting.pop(run)
                words = run_words(run.plan.said, run.folder.parents[3])
                self.running[run] = self.start([*words, *self.options], run.log)
                self.progress.say(f"{run}: started")

    def _collect(self):
        for run, job in list(self.running.items()):
            code = job.poll()
            if code is None:
                self.progress.show(run)
                continue
            del self.running[run]
            self.progress.end(run)
            if code == BusyError.exit_code:
                # Another process was quicker.
                self.waiting[run] = None
            elif code == 0 and run.is_finished():
                self._leave_queue(run, f"{run}: finished, {run.score()}")
            else:
                self._fail(run, _last_line(run.log, code))

    def _leave_queue(self, run, text):
        self.waiting.pop(run, None)
        self.done += 1
        self.progress.say(f"[{self.done + len(self.failed)}/{self.total}] {text}")

    def _fail(self, run, why):
        self.waiting.pop(run, None)
        self.failed[run] = f"{run}: {why}" + (f"\n  log: {run.log}" if run.log.exists() else "")
        self.progress.say(f"[{self.done + len(self.failed)}/{self.total}] FAILED {run}: {why}")

    def _say_who_is_waited_for(self):
        others = 0 if self.running else len(self.waiting)
        if others and others != self.left_to_others:
            self.progress.say(f"Waiting for runs that other processes carry out: {others}")
        self.left_to_others = others

    def _stop(self):
        for run, job in self.running.items():
            self.progress.end(run)
            job.stop()
        self.progress.say(f"Stopping {counted(len(self.running), 'run')}, with the last epoch kept")
        for job in self.running.values():
            job.wait()
        self.progress.say(self._summary())

    def _summary(self):
        left = self.total - self.done - len(self.failed)
        text = f"Runs: {self.done} finished, {len(self.failed)} failed, {left} left, {self.total} in all."
        if not self.failed:
            return text
        listed = "\n".join(self.failed.values())
        return f"{text} The same command tries those that failed again:\n{listed}"


def _last_line(log, code):
    said = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = next((line.strip() for line in reversed(said) if line.strip()), "it printed nothing")
    # Python itself says nothing when a signal ends it, of a machine without memory for instance.
    return f"ended by signal {-code} after: {last}" if code < 0 else last


@contextlib.contextmanager
def _stopped_by_signals():
    """Lets the end of a batch job and of a terminal stop a sweep as Ctrl-C does, unless they are ignored."""
    names = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {name: signal.signal(name, signal.default_int_handler) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
