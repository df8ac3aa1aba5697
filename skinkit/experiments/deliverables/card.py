"""The model card of a run: a page for people who find the model without its results."""

import json
import math
from pathlib import Path

import pandas as pd

from skinkit import data, evaluation
from skinkit.experiments.deciding.operating_point import (
    SAME_IMAGES,
    calibration_text,
    decision_text,
    referral_text,
    threshold_table,
    with_ends,
)
from skinkit.experiments.deciding.rule import RANKS, calibrated_arrays
from skinkit.experiments.deciding.subgroups import read_subgroups, subgroups_text
from skinkit.experiments.deliverables.export import is_one_network, pixel_steps
from skinkit.experiments.evaluate import intervals_said
from skinkit.experiments.run_folder import SavedRun
from skinkit.files import read_json, writing

# Scores in the header, which a hub shows in its lists.
_HEADLINE = ("accuracy", "macro_recall", "macro_auc", "ece")
_SEEN = "test images also in training"
_CARD = """---
{header}
---

# {title}

**Research and teaching only. Not for clinical use.** No number below says how it does in a clinic.

## Intended use

To study how such networks are trained and scored, and as a start for other work of that kind. It is not a
medical device: nobody may decide from its answers about a lesion, in a clinic, an app or at home. It gives
every image one of its classes, whatever the image shows, and has seen only what stands under *Data*.

- recipe: `{recipe}`, profile `{profile}`, protocol `{protocol}`, fold {fold}, seed {seed}
- answers: probabilities of {classes}
- made by: `{command}`
{members}
## Data

{data}

## Split and leakage

{split}

## Scores

n = {n} {tested}; {intervals}.

{scores}
{per_class}
## Subgroups

{subgroups}

## Calibration

{calibration}

## Decisions

{decisions}

## What it is given

{steps}

## How to load it

In the folder that holds `{folder}`, with skinkit installed as its README says:

```python
from pathlib import Path
from skinkit import data
from skinkit.experiments import SavedRun
run = SavedRun(Path("{folder}"))
predictions = run.predictor()(data.load("images.csv"))
```

`images.csv` has the columns `image_id`, `path` and `label`.{export}

## Environment

{environment}
"""


def write_card(folder):
    """Writes `MODEL_CARD.md` into a run's folder, with the header that the Hugging Face hub reads.

    All numbers are read from the files of the run.

    Args:
        folder: Run folder.

    Returns:
        `pathlib.Path` of the card.

    Raises:
        FileNotFoundError: when the run, its scores or its predictions are missing.
        ValueError: when one of its files is damaged.

    Example:
        >>> write_card(folder)
    """
    run = SavedRun(Path(folder))
    m, release = run.manifest, data.CATALOG.get(run.manifest["dataset"])
    said = {name: m[name] for name in ("recipe", "profile", "protocol", "fold", "seed")}
    said |= {"title": run.recipe.title, "command": run.command, "classes": ", ".join(run.labels)}
    said |= {"header": _header(run, release), "data": _data(m, release), "split": _split(run)}
    said["tested"] = "images out of fold" if run.recipe.out_of_fold else "test images"
    said |= {"n": run.metrics["n"], "intervals": intervals_said(run.metrics), "folder": run.folder.name}
    said |= {"scores": _scores(run.metrics), "per_class": _per_class(run), "subgroups": _subgroups(run)}
    said |= {"calibration": _calibration(run), "decisions": _decisions(run), "environment": _environment(m)}
    said |= {"steps": _steps(run), "members": _members(run), "export": _export(run)}
    path = run.folder / "MODEL_CARD.md"
    with writing(path) as part:
        part.write_text(_CARD.format(**said), encoding="utf-8")
    return path


def _header(run, release):
    """The hub's metadata; JSON is YAML, too."""
    licence = release.licence.lower().replace(" ", "-") if release else ""
    scores = {name: run.metrics["scores"].get(name, {}).get("value") for name in _HEADLINE}
    metrics = [{"type": name, "value": round(value, 4)} for name, value in scores.items() if _known(value)]
    of = {"name": release.title if release else "images drawn by skinkit", "type": run.manifest["dataset"]}
    result = {"task": {"type": "image-classification"}, "dataset": of, "metrics": metrics}
    entries = {
        # What learned from images for one use has no wider licence than they have.
        "license": licence if licence.startswith("cc") else "other",
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["dermoscopy", "skin-lesion", "skinkit", "not-for-clinical-use", *_document(run)],
        "model-index": [{"name": run.manifest["recipe"], "results": [result]}],
    }
    return "\n".join(f"{name}: {json.dumps(value)}" for name, value in entries.items())


def _document(run):
    return [run.recipe.document] if run.recipe.document != "skinkit" else []


def _known(value):
    return value is not None and not math.isnan(value)


def _data(manifest, release):
    counts = ", ".join(f"{n:,} {part}" for part, n in manifest["images"].items() if n)
    if release is None:
        return f"`{manifest['dataset']}`: {counts}. No release of real lesions is behind it."
    lines = [f"`{release.key}`: {release.title}: {counts}", f"page: {release.page}"]
    lines += [
        f"licence of the images, under which the model is handed on, too: {release.licence}",
        f"cite: {release.citation}",
    ]
    lines += [text for text in (release.note, manifest.get("lacking")) if text]
    if size := manifest.get("source_size"):
        said = "images as given: {} x {} (height x width), data hash `{}`"
        lines.append(said.format(*size, manifest["data_hash"]))
    return "\n".join(f"- {line}" for line in lines)


def _split(run):
    manifest = run.manifest
    shares = {
        kind: "not known" if v is None else f"{100 * v:.1f} %" for kind, v in manifest["leakage"].items()
    }
    said = ", ".join(f"{kind} {share}" for kind, share in shares.items())
    lines = [f"split `{manifest['split']}`, hash `{manifest['split_hash'][:16]}`", manifest.get("split_note")]
    seen = "images also in the training that answers for their fold" if run.recipe.out_of_fold else _SEEN
    lines += [f"share of {seen}, by {said}", run.leakage_line]
    return "\n".join(f"- {line}" for line in lines if line)


def _scores(metrics):
    found = pd.DataFrame(metrics["scores"]).T.rename_axis("score")
    found = found.astype(dict.fromkeys(("value", "low", "high"), float))
    return evaluation.to_markdown(found[~found.index.str.contains(":")])


def _per_class(run):
    table = evaluation.classification_table(*evaluation.unpack_predictions(run.predictions))
    return evaluation.to_markdown(evaluation.stamp(table, run.leakage_line))


def _subgroups(run):
    if (found := read_subgroups(run.folder)) is not None:
        return subgroups_text(found)
    return f"Not looked at: `skinkit evaluate {run.folder.as_posix()} --subgroups` does."


def _calibration(run):
    lines = [calibration_text(run)]
    # A card asks no model, and an older run would need its images to count them.
    if run.has_validation_predictions and "trained_on" in run.manifest:
        lines += decision_text(run).strip().splitlines()
    return "\n".join(f"- {line}" for line in lines)


def _decisions(run):
    if run.is_of_ranks:
        return f"None: {RANKS}."
    *arrays, groups = calibrated_arrays(run)
    lines = [referral_text(evaluation.risk_coverage(*arrays, coverages=(1.0, 0.8), groups=groups))]
    if run.has_validation_predictions:
        lines += [_operating_point(run, *each) for each in threshold_table(run).iterrows()]
        lines += [SAME_IMAGES] if run.recipe.out_of_fold else []
    return "\n".join(f"- {line}" for line in lines)


def _operating_point(run, wanted, row):
    said = [f"{name} {with_ends(row, name, f'{name}_')}" for name in ("sensitivity", "specificity")]
    rule = f"from a calibrated p_{run.positive} = {row['threshold']:.4g} on, chosen on {run.chosen_on} for"
    doubt = f". DOUBTFUL: {row['doubt']}" if row["doubt"] else ""
    return f"{rule} a sensitivity of {wanted:.2f}: {run.scored_on} {', '.join(said)}{doubt}"


def _export(run):
    """That the run has other formats, where one network that sees one image answers."""
    return " `skinkit export` makes files for other programs." if is_one_network(run, run.task()) else ""


def _members(run):
    if not run.members:
        return ""
    said = (f"{each['recipe']} fold {each['fold']} seed {each['seed']}" for each in run.manifest["built_on"])
    found = read_json(run.folder / "weights.json", "Join the members again: `--again`", "weights")
    numbers = ", ".join(f"{weight:.3g}" for weight in found["weights"])
    weighted = "" if len({*found["weights"]}) == 1 else f", with the weights {numbers}"
    return f"- an ensemble, by the {run.recipe.members.name} of: {', '.join(said)}{weighted}\n"


def _steps(run):
    """What is done to an image; for the members of an ensemble apart, where it is not the same."""
    told = {}
    for recipe in run.members or [run.recipe]:
        steps = "\n".join(f"{i}. {step}" for i, step in enumerate(pixel_steps(recipe), 1))
        told.setdefault(steps, {})[recipe.name] = None
    if len(told) == 1:
        return steps
    return "\n\n".join(f"For {', '.join(names)}:\n\n{steps}" for steps, names in told.items())


def _environment(manifest):
    facts = {**manifest.get("environment", {}), "parameters": f"{manifest['parameters']:,}"}
    # Not known of a run that was paused.
    if "seconds" in manifest:
        facts["seconds"] = f"{manifest['seconds']:.0f}"
    return "\n".join(f"- {name}: {value}" for name, value in facts.items() if value)
