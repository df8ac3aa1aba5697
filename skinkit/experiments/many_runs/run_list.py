"""The runs of a sweep: what patterns, protocols, folds and seeds name, and how far each has come."""

import dataclasses
import itertools
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from skinkit import data
from skinkit.experiments.plan import Plan
from skinkit.experiments.run_folder import SavedRun, resume
from skinkit.files import is_locked, read_json
from skinkit.papers.registry import matching_recipes, same_method


def list_plans(patterns, profile, protocols, folds, seeds, precision="float32", split=None):
    """Returns the plans that are asked for, each experiment once.

    Args:
        patterns: As in `skinkit.papers.registry.matching_recipes`.
        profile: `smoke`, `quick` or `full`.
        protocols: List of protocols; `None` for those that each recipe has.
        folds: List of integers; `None` for those that each recipe's split has.
        seeds: List of integers.
        precision: As in `skinkit.experiments.run`.
        split: As in `skinkit.experiments.run`.

    Raises:
        ValueError: for a pattern, protocol or fold that does not exist.
    """
    if seeds is None:
        raise ValueError("Seeds have no end. Give some, such as 0-2, instead of all")
    plans, left_out = {}, []
    for asked in matching_recipes(patterns):
        recipe = same_method(asked)[0]
        for protocol in protocols or recipe.known_protocols:
            if protocol not in recipe.known_protocols and asked.name not in patterns:
                left_out.append(f"{recipe.name}: {', '.join(recipe.known_protocols)}")
                continue
            first = Plan(recipe, profile, protocol, 0, 0, precision, split and str(split))
            for fold, seed in itertools.product(_folds(first.resolved, folds), seeds):
                plan = dataclasses.replace(first, fold=fold, seed=seed)
                # Where text and code agree, two protocols are one experiment.
                plans.setdefault((recipe.name, plan.resolved.hash, fold, seed), plan)
    if left_out:
        said = f"{left_out[0]}" + (f", and {len(left_out) - 1} more" if len(left_out) > 1 else "")
        print(f"Left out, as they have other protocols (`--protocol all` takes these): {said}", flush=True)
    if not plans:
        raise ValueError(f"None of these recipes has the protocol {' or '.join(protocols)}")
    return list(plans.values())


def _folds(recipe, folds):
    if folds is not None:
        return folds
    split = recipe.split
    if not (count := data.split_folds(split.name, **split.options)):
        raise ValueError(
            f"{recipe.name}: {split} is made again for each fold from 0, without end. Give some folds, such "
            "as 0-2, instead of all"
        )
    return range(count)


@dataclass(frozen=True, eq=False)
class ListedRun:
    """A run of a sweep, whose folder says how far it has come, whoever carries it out.

    Args:
        plan: Its `Plan`.
        folder: `pathlib.Path` of its run folder.
        weights: As `skinkit.experiments.plan.weights_identity` names them.
        needs: List of the `ListedRun`s that are carried out first.
    """

    plan: Plan
    folder: Path
    weights: str | None = None
    needs: list["ListedRun"] = field(default_factory=list)

    def __str__(self):
        plan = self.plan
        precision = "" if plan.precision == "float32" else f" {plan.precision}"
        split = f" split {plan.split_file}" if plan.split_file else ""
        return f"{plan.recipe.name} {plan.protocol} fold {plan.fold} seed {plan.seed}{precision}{split}"

    @property
    def log(self):
        """The file of what the run prints, beside its folder."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def epochs(self):
        """How many epochs it has at most."""
        return sum(phase.epochs for phase in self.plan.resolved.phases)

    def is_finished(self):
        """Whether the folder holds all numbers of this run, by today's recipe; no data is read."""
        return self._is_its_own() is True and all((self.folder / name).exists() for name in resume.NUMBERS)

    def holds_another(self):
        """Whether the folder holds a finished run of another recipe or of other weights."""
        return self._is_its_own() is False

    def _is_its_own(self):
        """Whether the manifest is that of this run; `None` without one that can be read."""
        try:
            found = read_json(self.folder / resume.MANIFEST, "", "key", "split_hash", "data_hash")
        except (FileNotFoundError, ValueError):
            # The run itself says what is wrong.
            return None
        return found["key"] == self.plan.key_of(self.weights, found["split_hash"], found["data_hash"])

    def is_held(self):
        """Whether a process, on this machine or another, is carrying it out."""
        return is_locked(self.folder / resume.LOCK)

    def history(self):
        """Its epochs so far, as a DataFrame, which may be empty."""
        both = [folder / "history.csv" for folder in (self.folder, self.folder / resume.AGAIN)]
        try:
            # A killed `--again` may have left an older one.
            return pd.read_csv(max(filter(Path.exists, both), key=lambda path: path.stat().st_mtime))
        except (OSError, ValueError):
            return pd.DataFrame()

    def score(self):
        """The score that the recipe is selected by, of the finished run, with its name."""
        scores = SavedRun(self.folder).metrics["scores"]
        name = self.plan.resolved.monitor
        name = name if name in scores else next(iter(scores))
        return f"{name} {scores[name]['value']:.3f}"


def list_runs(plans, out=None, weights=None):
    """Returns a `ListedRun` of each plan, after those that it needs.

    Args:
        plans: Sequence of `Plan`s.
        out: Folder of all runs, as in `skinkit.experiments.run`.
        weights: As in `ListedRun`.
    """
    listed = {}

    def add(plan):
        folder = plan.folder(out).absolute()
        if folder not in listed:
            needs = [add(first) for first in plan.needs]
            listed[folder] = ListedRun(plan, folder, weights, needs)
        return listed[folder]

    for plan in plans:
        add(plan)
    return list(listed.values())
