"""The card of a served model: what it is, what it was measured to be worth, and on what."""

import numpy as np

from skinkit import evaluation
from skinkit.experiments.predictions import score_with_intervals
from skinkit.files import file_hash, plain_json

NOTICE = "Research and teaching only. Not for clinical use."
_DRAWN = "Trained on drawn images, not on photographs: it knows nothing of real lesions."
_WORST = 5


def model_card(name, run, recipe, calibration):
    """Returns all that is said of a model, as JSON's own types.

    Args:
        name: String, under which it is served.
        run: `skinkit.experiments.SavedRun`.
        recipe: Its resolved `Recipe`, with the views that are served.
        calibration: `skinkit.serve.worker.calibration.Calibration`.
    """
    card = {"id": name, **_network(run, recipe), **_decision(calibration), **_data(run)}
    return card | _worth(run, recipe, calibration)


def _network(run, recipe):
    """Which run it is, and what it is asked."""
    height, width = recipe.image_size
    manifest = run.manifest
    asked = run.members or [recipe]
    return {
        "title": recipe.title,
        "recipe": recipe.name,
        **{key: manifest[key] for key in ("profile", "protocol", "fold", "seed")},
        "origin": manifest["dataset"],
        "net_type": _once(member.model.name for member in asked),
        "out_dim": len(run.labels),
        "labels": list(run.labels),
        "img_size": max(height, width),
        "height": height,
        "width": width,
        "views": _once(_views(member) for member in asked),
        "members": _members(run),
    }


def _members(run):
    """The runs that an ensemble is made of, each with its network and views; none for another run."""
    return [
        {
            **{key: said[key] for key in ("recipe", "fold", "seed")},
            **{"net_type": member.model.name, "views": _views(member)},
        }
        for member, said in zip(run.members, run.manifest.get("built_on", ()), strict=False)
    ]


def _views(recipe):
    return recipe.tta.name if recipe.tta else "none"


def _once(names):
    return ", ".join(dict.fromkeys(names))


def _decision(calibration):
    """How its probabilities become an answer."""
    return {
        "positive": calibration.positive,
        "temperature": calibration.rule.temperature,
        "threshold": calibration.threshold,
        "calibration": calibration.source,
        "decision": calibration.rule.words,
    }


def _data(run):
    """What it learned from, and what of that is in its test."""
    manifest = run.manifest
    return {
        "hashes": {
            "model": file_hash(run.folder / "model.keras"),
            "run": manifest["key"],
            "split": manifest["split_hash"],
        },
        "images": manifest["images"],
        "leakage": manifest["leakage"],
        "stamp": manifest["stamp"],
        "leakage_line": run.leakage_line,
    }


def _worth(run, recipe, calibration):
    """What it was measured to be worth."""
    return {
        **{key: run.metrics[key] for key in ("n", "grouped_by")},
        "scores": _scores(run, calibration.rule),
        "history": _columns(run.history),
        **_confusions(calibration.rule.decided(run.predictions)),
        # Out of fold, the same images have chosen the threshold.
        "operating_points": None if recipe.out_of_fold else calibration.operating_points(run.predictions),
        "notice": f"{NOTICE} {_DRAWN}" if run.manifest["dataset"] == "synthetic" else NOTICE,
    }


def _scores(run, rule):
    """The scores of the run; those that a decision changes are its own."""
    scores = run.metrics["scores"]
    if rule.decision is None:
        return scores
    changed = {*evaluation.confusion_scores(np.eye(2)), *evaluation.class_confusion_scores(np.eye(2))}
    decided = score_with_intervals(rule.decided(run.predictions), run.positive)["scores"]
    own = {name: found for name, found in decided.items() if name.split(":")[0] in changed}
    return scores | plain_json(own)


def _columns(table):
    """Columns of a table as lists; what is missing is null."""
    # Missing values have no place among numbers.
    filled = table.astype(object).where(table.notna(), None)
    return {name: filled[name].tolist() for name in filled}


def _confusions(predictions):
    """The confusion matrix, the classes most often missed, and the commonest wrong pairs."""
    table = evaluation.confusion_table(*evaluation.unpack_predictions(predictions))
    counts = table.sum(axis=1)
    missed = counts - np.diag(table)
    shares = (missed[missed > 0] / counts[missed > 0]).nlargest(_WORST)
    pairs = evaluation.error_pairs(predictions).head(_WORST)
    return {
        "confusion": table.to_numpy().tolist(),
        "most_missed": [
            {"label": label, "n": int(counts[label]), "missed": int(missed[label]), "share": share}
            for label, share in shares.items()
        ],
        "wrong_pairs": [
            {"truth": row.truth, "prediction": row.called, "n": int(row.n)} for row in pairs.itertuples()
        ],
    }
