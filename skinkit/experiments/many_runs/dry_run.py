"""The dry run: which runs there are, how long they would take, and what is missing."""

import functools
import math
from pathlib import Path

from skinkit.experiments.many_runs.progress import duration
from skinkit.experiments.results.finished_runs import finished_runs
from skinkit.experiments.results.recipe_list import list_recipes
from skinkit.experiments.results.run_times import estimate, run_times, timed_runs
from skinkit.names import counted


def dry_run_text(runs, missing, jobs=1):
    """Returns a table of runs with their state and time, and what is missing, as text.

    The time of a run is the median of the finished ones of its recipe and profile in the folder of all runs,
    or else in `results/runs`, of its protocol where there are any, on whatever machines these were made; else
    that of its own epochs; else it is estimated from runs there that are alike, and stands with `about`, or
    with `at least` where these have a smaller network.

    Args:
        runs: List of `ListedRun`s.
        missing: List of sentences, as of `missing_inputs`.
        jobs: Integer, runs at a time.
    """
    times, lines, left = _Times(runs), [], []
    for run in runs:
        (state, share), time = _state(run), ""
        if share:
            whole, how = times.of(run)
            left.append((share * whole, how))
            time = "unknown" if math.isnan(whole) else how + duration(share * whole)
        lines.append(f"{state:<12} {time:>15}  {run}")
    total = _total(left, len(runs) - len(left), jobs)
    absent = "Missing:\n" + "\n".join(missing) if missing else "No data and no weights are missing."
    return "\n".join([*lines, total, absent])


def _total(left, finished, jobs):
    known = [each for each in left if not math.isnan(each[0])]
    time = f"about {duration(sum(seconds for seconds, _ in known) / jobs)} with {jobs} at a time"
    if estimated := sum(how != "" for _, how in known):
        time += f", {counted(estimated, 'run')} estimated from others"
    if unknown := len(left) - len(known):
        time = f"{time}, besides {counted(unknown, 'run')} of unknown time" if known else "unknown"
    return f"Runs: {len(left)} left, {finished} finished. Time left: {time}."


class _Times:
    """Seconds of runs: measured, or estimated."""

    def __init__(self, runs):
        folders = (Path("results/runs"), runs[0].folder.parents[3]) if runs else ()
        self.folders = list(dict.fromkeys(folder.absolute() for folder in folders))
        self.measured = {key: sec for folder in self.folders for key, sec in _measured(folder).items()}

    def of(self, run):
        """Returns the seconds of a whole run, NaN where nothing tells them, and the words before them."""
        plan = run.plan
        recipe = (plan.recipe.name, plan.profile)
        found = self.measured.get((*recipe, plan.protocol)) or self.measured.get(recipe)
        if found := found or _by_its_epochs(run):
            return found, ""
        # `smoke` is on drawn images, of which others tell nothing.
        guess = estimate(plan.recipe, plan.profile, {} if plan.profile == "smoke" else self.timed)
        return 3600 * guess["hours"], "at least " if guess["bound"] else "about "

    @functools.cached_property
    def timed(self):
        """The finished runs, as `timed_runs` has them."""
        return timed_runs(run_times([run for folder in self.folders for run in _finished(folder)]))


def _finished(folder):
    try:
        return finished_runs(folder, verbose=False)
    except FileNotFoundError:
        return []


def _state(run):
    """The state of a run, and the share of its time that is left."""
    if run.is_finished():
        return "finished", 0
    if run.holds_another():
        return "another run", 1
    done, epochs = len(run.history()), run.epochs
    share = max(0, 1 - done / epochs) if epochs else 1
    if run.is_held():
        return "at work", share
    return (f"epoch {done}/{epochs}" if done else "not begun"), share


def _by_its_epochs(run):
    """Seconds of a run that has begun, by its epochs so far; `None` where there are none."""
    history = run.history()
    return None if history.empty else history["seconds"].median() * run.epochs


def _measured(folder):
    """Seconds of a run by recipe, profile and protocol, and by recipe and profile."""
    found = {}
    for row in list_recipes(runs=folder, smoke=True).dropna(subset="seconds").itertuples():
        for key in ((row.recipe, row.profile, row.protocol), (row.recipe, row.profile)):
            # Runs of today's recipe come first.
            found.setdefault(key, row.seconds)
    return found
