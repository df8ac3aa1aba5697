"""The finished runs in a folder, each once, and the stale ones among them."""

from pathlib import Path

from skinkit.experiments.plan import Plan, split_stem
from skinkit.experiments.run_folder import SavedRun
from skinkit.files import files_named
from skinkit.papers.registry import recipe as find_recipe

# The seed spread is as large as many differences: fewer runs decide nothing.
ENOUGH_RUNS = 3

# Runs that agree in these are carried out alike, but for fold and seed.
ALIKE = ("recipe", "profile", "protocol", "weights", "precision", "dataset", "lacking", "stale")


def finished_runs(folder, smoke=False, verbose=True):
    """Returns the finished runs under `folder` that count, each once.

    Runs of a protocol with equal keys, such as a folder and its copy, are one run.

    Args:
        folder: Folder which holds run folders at any depth, e.g. `results/runs`.
        smoke: Boolean, whether runs that only try the code count as well: those of the `smoke` profile, and
            those on drawn images in place of a release.
        verbose: Boolean, whether to print what is not counted.

    Returns:
        List of `SavedRun`, in the order of their folders.

    Raises:
        FileNotFoundError: when there is none.
    """
    counted, notices = {}, []
    found = list(_readable(folder, notices))
    # A copy has another name, or another place.
    found.sort(key=lambda run: not run.is_named_after_itself)
    for run in found:
        # Two protocols may carry out the same run, and each has its row.
        which = (run.manifest["key"], run.manifest["protocol"])
        if not smoke and _only_tries(run.manifest):
            notices.append(f"not counted, a smoke run: {run.folder}")
        elif (first := counted.setdefault(which, run)) is not run:
            notices.append(f"counted once, the same run: {first.folder} and {run.folder}")
    if not counted:
        raise FileNotFoundError(_nothing_counts(folder, len(found)))
    if verbose and notices:
        print("\n".join(notices))
    return list(counted.values())


def _readable(folder, notices):
    """The runs whose manifests can be read; notices of the others, which may be files of other programs."""
    for path in files_named("manifest.json", folder):
        try:
            run = SavedRun(path.parent)
            run.manifest  # noqa: B018 - it is read here
        except (ValueError, FileNotFoundError) as error:
            # Another process may have taken it away since.
            notices.append(f"not counted: {error}")
        else:
            yield run


def _nothing_counts(folder, found):
    there = "holds no finished run that counts" if Path(folder).is_dir() else "does not exist"
    tried = f", but {found} on drawn images, which say nothing about a document" if found else ""
    return (
        f"{folder} {there}{tried}. Give the folder of all runs; `skinkit run RECIPE --profile quick` makes "
        "one in results/runs"
    )


def _only_tries(manifest):
    drawn = manifest["dataset"] == "synthetic"
    return manifest["profile"] == "smoke" or (drawn and manifest["settings"]["dataset"] != "synthetic")


def alike(run):
    """Returns what a `SavedRun` says about `ALIKE`, as a dictionary of strings.

    `weights` is empty for the recipe's own, `stale` for a run of today's recipe.
    """
    m = run.manifest
    # With another split, it is not a run of the recipe that a document has.
    recipe = m["recipe"] + (f"+{split_stem(m['split_file'])}" if m.get("split_file") else "")
    return {
        **{"recipe": recipe, **{name: m[name] for name in ("profile", "protocol", "dataset")}},
        **{"weights": m.get("weights") or "", "precision": m.get("precision") or "float32"},
        # Runs of older versions do not say it.
        **{"lacking": m.get("lacking", "") or _own_split(m), "stale": staleness(run)},
    }


def _own_split(manifest):
    return "split of one's own: a file" if manifest.get("split_file") else ""


def staleness(run):
    """Returns why a `SavedRun` is not one of today's recipe, with the hash of its own settings; else `""`."""
    try:
        run.import_own()
    except ValueError:
        return f"not registered here: {', '.join(run.manifest['own'])}, a module of one's own"
    m, plan = run.manifest, _plan_of_today(run.manifest)
    if plan is None:
        return f"the recipe no longer exists, was {run.recipe.hash}"
    # The key decides: settings of old runs lack younger fields, and what a run started from counts as well.
    if plan.key_of(m.get("weights"), m["split_hash"], m["data_hash"]) == m["key"]:
        return ""
    return f"the recipe has changed, was {run.recipe.hash}"


def _plan_of_today(manifest):
    """The plan of the same name; `None` where recipe, profile or protocol are no longer known."""
    try:
        recipe = find_recipe(manifest["recipe"])
        said = [manifest[name] for name in ("profile", "protocol", "fold", "seed")]
        precision = manifest.get("precision") or "float32"
        plan = Plan(recipe, *said, precision, manifest.get("split_file"))
        plan.resolved  # noqa: B018 - unknown profiles and protocols stop here
    except ValueError:
        return None
    return plan
