"""The dry run: which runs there are, how long they would take, and what is missing."""

from pathlib import Path

from skinkit.experiments.many_runs.progress import duration
from skinkit.experiments.results.recipe_list import list_recipes
from skinkit.names import counted


def dry_run_text(runs, missing, jobs=1):
    """Returns a table of runs with their state and time, and what is missing, as text.

    The time of a run is the median of the finished ones of its recipe and profile in the folder of all runs,
    or else in `results/runs`, of its protocol where there are any, on whatever machines these were made; else
    that of its own epochs.

    Args:
        runs: List of `ListedRun`s.
        missing: List of sentences, as of `missing_inputs`.
        jobs: Integer, runs at a time.
    """
    folders = (Path("results/runs"), runs[0].folder.parents[3]) if runs else ()
    measured = {key: seconds for folder in folders for key, seconds in _measured(folder).items()}
    lines, seconds, unknown, finished = [], 0, 0, 0
    for run in runs:
        state, share = _state(run)
        recipe = (run.plan.recipe.name, run.plan.profile)
        whole = measured.get((*recipe, run.plan.protocol)) or measured.get(recipe) or _by_its_epochs(run)
        finished += share == 0
        unknown += share > 0 and whole is None
        seconds += share * (whole or 0)
        time = "" if share == 0 else "unknown" if whole is None else duration(share * whole)
        lines.append(f"{state:<12} {time:>8}  {run}")
    left = len(runs) - finished
    time = "unknown" if 0 < left == unknown else f"about {duration(seconds / jobs)} with {jobs} at a time"
    time += f", besides {counted(unknown, 'run')} of unknown time" if 0 < unknown < left else ""
    total = f"Runs: {left} left, {finished} finished. Time left: {time}."
    absent = "Missing:\n" + "\n".join(missing) if missing else "No data and no weights are missing."
    return "\n".join([*lines, total, absent])


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
