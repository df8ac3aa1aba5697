"""The beginning of a run in its folder: new, resumed, finished already, or in the place of an old one."""

import contextlib
import json
import re

from skinkit.experiments.run_folder import changed_images
from skinkit.files import read_json, remove, remove_matching, write_json
from skinkit.papers.recipe import Recipe
from skinkit.papers.recipe_page import changed_settings

MANIFEST, PLAN, AGAIN, LOCK, WRITERS = "manifest.json", "plan.json", "again", ".lock", "writers"
VALIDATION_LOCK = ".validation.lock"
_REMEDY = "Give another `out` folder, delete this one, or train again into it with `--again`"
NUMBERS = ("metrics.json", "predictions.csv.gz")
# Every run folder has one of them, from its beginning on.
_MARKS = (MANIFEST, PLAN)
_OURS = {MANIFEST: {"key", "recipe", "settings"}, PLAN: {"key"}}
# All that is written into a run folder, but for the states of its training.
FILES = (
    *(*_MARKS, *NUMBERS, "metrics_best.json", "predictions_best.csv.gz", "predictions_validation.csv.gz"),
    *("history.csv", "leakage.csv", "model.keras", "classifier.skops", "weights.json", "seen.csv.gz"),
    *("overlays.png", "report.html", "MODEL_CARD.md", "subgroups.csv", "errors.csv"),
)
# What a run that was killed before its first epoch may have left, and one that has lost its manifest.
_BEGUN = {LOCK, VALIDATION_LOCK, "checkpoint", changed_images.NAME, AGAIN, f"{AGAIN}-ready", WRITERS}
_LOST = {*FILES, *_BEGUN, "evaluations", "exports"}
# What else decides a key, besides the settings.
_DECIDE = ("profile", "fold", "seed", "precision", "weights", "labels", "split_hash", "data_hash")


class OtherRun(ValueError):
    """The folder holds a run of another recipe, split or data."""


def check_folder(folder, damaged=False):
    """Raises `ValueError` when a run would write among the files of others.

    Args:
        folder: `pathlib.Path` of a run folder, new or old.
        damaged: Whether a manifest or plan that cannot be read is taken for that of a run.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file, and a run needs a folder. Give another one")
    marks = [folder / name for name in _MARKS if (folder / name).exists()]
    if marks:
        # A broken manifest is that of a run only beside a run's numbers.
        return _check_mark(marks[0], damaged and all((folder / name).exists() for name in NUMBERS))
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    has_lost_manifest = {*NUMBERS} <= names <= _LOST
    if not has_lost_manifest and (others := sorted(names - _BEGUN)):
        raise ValueError(
            f"{folder} holds {', '.join(others[:3])} and no run: a run would write among these files. Give "
            "another folder"
        )
    return None


def _check_mark(path, damaged):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        ours = isinstance(found, dict) and _OURS[path.name] <= found.keys() and _is_key(found["key"])
    except ValueError:
        ours = damaged
    if not ours:
        raise ValueError(
            f"{path} is damaged, or is not from `skinkit run`. Give another folder, train again with "
            "`--again`, or move this file away"
        )


def _is_key(key):
    return isinstance(key, str) and re.fullmatch("[0-9a-f]{16}", key) is not None


def training_folder(folder, key, again):
    """Returns where a run is trained: in its folder, or in `again` below while the folder holds another one.

    What a killed `--again` has left there of another recipe, split or data is removed.

    Args:
        folder: `pathlib.Path` of the run folder.
        key: The key of the `Plan`.
        again: Boolean, whether what the folder holds is to be replaced.
    """
    work = folder / AGAIN
    holds_work = has_epochs(folder) or any((folder / name).exists() for name in (MANIFEST, *NUMBERS))
    if not again or not (holds_work or work.exists()):
        return folder
    if not _is_plan_of(work / PLAN, key):
        tidy(work)
        remove((work / name for name in FILES), work)
    return work


def begin(folder, said):
    """Begins a run, or goes on with it: writes its plan where nothing else is at work.

    Only work counts: finished numbers, or the state of an epoch. A plan alone, of a run that failed before
    its first epoch, gives way.

    Args:
        folder: `pathlib.Path` of the run folder.
        said: Dictionary, what its manifest will say that decides the result, with the `key` of the `Plan`.

    Returns:
        Whether the run is finished already.

    Raises:
        FileNotFoundError, ValueError: when the folder holds work of another run, or the manifest or plan of
            its work is missing or damaged.
    """
    key, finished, plan = said["key"], (folder / MANIFEST).exists(), folder / PLAN
    if finished or has_epochs(folder):
        path = folder / MANIFEST if finished else plan
        found = read_json(path, f"It says whose work lies there. {_REMEDY}", "key")
        if found["key"] != key:
            raise OtherRun(
                f"{folder} holds a run of another recipe, split or data ({path.name}: "
                f"{_changes(found, said)}). {_REMEDY}"
            )
    elif not _is_plan_of(plan, key) and (left := [name for name in NUMBERS if (folder / name).exists()]):
        raise FileNotFoundError(
            f"{folder / MANIFEST} is missing, and {left[0]} of a finished run lies there. Take it from git "
            f"or a copy. {_REMEDY}"
        )
    if not finished:
        write_json(plan, {**said, "finished": False})
    return finished


def _changes(found, now):
    """What differs between what two manifests or plans say, in words."""
    changes = []
    needed = zip(found.get("built_on", ()), now.get("built_on", ()), strict=False)
    for before, after in [(found, now), *needed]:
        of = "" if after is now else f"{after['recipe']}: "
        # Older plans have no settings, and older settings may have fields that there are no longer.
        with contextlib.suppress(KeyError, ValueError):
            both = [Recipe.from_json(json.dumps(each["settings"])) for each in (before, after)]
            changes += [of + change for change in changed_settings(*both)]
    differ = [name for name in _DECIDE if name in found and found[name] != now.get(name)]
    changes += [f"{name} was {found[name]}, now {now.get(name)}" for name in differ]
    return "; ".join(changes) or f"key {found['key']}, now {now['key']}"


def has_epochs(folder):
    """Returns whether the folder holds the state of an epoch, with which a run goes on."""
    return any((folder / "checkpoint").glob("epoch-*"))


def _is_plan_of(path, key):
    try:
        # In older versions, without `finished`, a plan outlived its run.
        return read_json(path, "", "key", "finished")["key"] == key
    except (FileNotFoundError, ValueError):
        return False


def tidy(folder):
    """Removes what only an unfinished run needs."""
    from skinkit.training import Checkpoint

    Checkpoint(folder / "checkpoint").delete()
    for name in (PLAN, changed_images.NAME):
        (folder / name).unlink(missing_ok=True)


def replace_by_again(folder):
    """Puts the finished run of `again` in the place of the run in `folder`; does nothing where there is none.

    Whenever it is killed, the next call completes it, and one of both runs is whole.

    Args:
        folder: `pathlib.Path` of the run folder.

    Returns:
        Whether there was one.
    """
    new, ready = folder / AGAIN, folder / f"{AGAIN}-ready"
    if (new / MANIFEST).exists():
        tidy(folder)
        remove((folder / name for name in FILES), folder)
        remove_matching(
            folder / "evaluations",
            [f"*/{name}" for name in (*NUMBERS, "submission.csv", "subgroups.csv", "errors.csv")],
        )
        for name in (WRITERS, "exports"):
            remove_matching(folder / name, ["**/*"])
        new.replace(ready)
    if found := ready.exists():
        # The manifest comes last: it says that all is there.
        for path in sorted(ready.iterdir(), key=lambda path: path.name == MANIFEST):
            path.replace(folder / path.name)
        ready.rmdir()
    return found
