"""The figures of bermeo2023: its eight trainings, and beside them our stand-ins on a smaller network."""

import pandas as pd

from skinkit.experiments.results.finished_runs import alike
from skinkit.papers.bermeo2023.curves import FIGURES, load_curves
from skinkit.papers.published import load_published

SCORES = ("auc:mel", "recall:mel", "accuracy")
_STAND_INS = "bermeo2023/schedules/lite0-"
_ROWS = tuple(f"m{number}" for number in range(8))
_BY_IMAGE, _BY_LESION = "ours, split by image", "ours, split by lesion"
_SPLITS = {"as_described": _BY_IMAGE, "corrected": _BY_LESION}
# What is averaged has these in common.
_SAME = ("profile", "weights", "precision", "dataset", "lacking")


def schedule_figures(runs):
    """Returns the figures of the eight trainings with what they show.

    Args:
        runs: List of `SavedRun`; those of other recipes and stale ones are left out.

    Returns:
        Dictionary from a name to `(figure, text)`; empty without a run of a stand-in.
    """
    from skinkit import plots
    from skinkit.plots.style import grid_of_axes

    found = runs_by_split(runs)
    if not found:
        return {}
    figure, axes = grid_of_axes(len(found), None, (6, 6))
    for ax, (split, rows) in zip(axes, found.items(), strict=True):
        plots.roc_of_runs({row.upper(): [_melanoma(run) for run in each] for row, each in rows.items()}, ax)
        ax.set_title(split)
    panels = curve_panels(found.get(_BY_LESION, {}))
    return {
        "bermeo2023": (
            scores_figure(found),
            "Table 8.2 and our stand-ins on test images: the mean, the smallest and the largest of the seeds",
        ),
        "bermeo2023-curves": (
            plots.compared_curves(panels, columns=6),
            "Figures 8.1 to 8.12, and our stand-ins beside each (split by lesion)",
        ),
        "bermeo2023-roc": (figure, "Figure 8.13, melanoma against the rest, by our stand-ins"),
    }


def runs_by_split(runs):
    """Returns the runs of the stand-ins as `{split: {row: list}}`: those carried out as most of them are."""
    rows = {f"{_STAND_INS}{row}": row for row in _ROWS}
    runs = [(run, alike(run)) for run in runs if run.manifest["recipe"] in rows]
    runs = [(run, said) for run, said in runs if said["protocol"] in _SPLITS and not said["stale"]]
    ways, found = [[said[name] for name in _SAME] for _, said in runs], {}
    for way, (run, said) in sorted(zip(ways, runs, strict=True), key=lambda each: each[1][1]["protocol"]):
        if way == max(ways, key=ways.count):
            of_split = found.setdefault(_SPLITS[said["protocol"]], {row: [] for row in _ROWS})
            of_split[rows[said["recipe"]]].append(run)
    return {split: {row: each for row, each in of.items() if each} for split, of in found.items()}


def scores_figure(found):
    """Returns the figure of the printed test scores and of ours, one panel for each of `SCORES`.

    Args:
        found: Result of `runs_by_split`.
    """
    from skinkit import plots
    from skinkit.plots.style import grid_of_axes

    figure, axes = grid_of_axes(len(SCORES), None, (5, 4.5))
    for ax, score in zip(axes, SCORES, strict=True):
        tables = {"document": _printed(score)}
        tables |= {split: _measured(score, rows) for split, rows in found.items()}
        plots.score_intervals(tables, [row.upper() for row in _ROWS], ax)
        ax.set(title=score, xlabel="")
    return figure


def curve_panels(rows):
    """Returns the panels of Figures 8.1 to 8.12 for `plots.compared_curves`.

    Args:
        rows: Dictionary from `m0` to `m7` to lists of `SavedRun`, whose curves stand beside each; or empty.
    """
    printed, panels = dict(list(load_curves().groupby("row"))), {}
    for number, (quantity, pair) in FIGURES.items():
        panels[f"Figure {number}"] = quantity, {row.upper(): printed[row] for row in pair}
        if rows:
            ours = {row.upper(): [_as_printed(run.history) for run in rows.get(row, ())] for row in pair}
            panels[f"ours beside {number}"] = quantity, ours
    return panels


def _printed(score):
    metric, _, label = score.partition(":")
    cells = load_published("bermeo2023").query("table == 'table8.2' and split == 'test' and row in @_ROWS")
    cells = cells[cells["metric"].eq(metric) & cells["class"].eq(label or "all")]
    value = cells.set_index(cells["model"].astype(str))["value"].astype(float)
    return pd.DataFrame({"value": value, "low": value, "high": value})


def _measured(score, rows):
    from skinkit import evaluation

    found = {}
    for row, runs in rows.items():
        values = [evaluation.score(score, *evaluation.unpack_predictions(run.predictions)) for run in runs]
        found[row.upper()] = {"value": sum(values) / len(values), "low": min(values), "high": max(values)}
    return pd.DataFrame(found).T


def _melanoma(run):
    return run.predictions["label"].eq("mel").to_numpy(bool), run.predictions["p_mel"].to_numpy()


def _as_printed(history):
    """Our history under the document's names: its area is that of melanoma, which selects the epoch."""
    return history.rename(columns={"auc:mel": "auc", "val_auc:mel": "val_auc", "val_log_loss": "val_loss"})
