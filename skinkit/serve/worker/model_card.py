"""The card of a served model: what it is, what it was measured to be worth, and on what."""

import numpy as np

from skinkit import evaluation
from skinkit.files import file_hash

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
    height, width = recipe.image_size
    manifest = run.manifest
    return {
        "id": name,
        "title": recipe.title,
        "recipe": recipe.name,
        **{key: manifest[key] for key in ("profile", "protocol", "fold", "seed")},
        "origin": manifest["dataset"],
        "net_type": recipe.model.name,
        "out_dim": len(run.labels),
        "labels": list(run.labels),
        "img_size": max(height, width),
        "height": height,
        "width": width,
        "views": recipe.tta.name if recipe.tta else "none",
        "positive": calibration.positive,
        "temperature": calibration.temperature,
        "threshold": calibration.threshold,
        "calibration": calibration.source,
        "hashes": {
            "model": file_hash(run.folder / "model.keras"),
            "run": manifest["key"],
            "split": manifest["split_hash"],
        },
        "images": manifest["images"],
        "leakage": manifest["leakage"],
        "stamp": manifest["stamp"],
        **{key: run.metrics[key] for key in ("n", "grouped_by", "scores")},
        "history": _columns(run.history),
        **_confusions(run.predictions),
        "operating_points": calibration.operating_points(run.predictions),
        "notice": f"{NOTICE} {_DRAWN}" if manifest["dataset"] == "synthetic" else NOTICE,
    }


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
    pairs = table.mask(np.eye(len(table), dtype=bool), 0).stack()
    return {
        "confusion": table.to_numpy().tolist(),
        "most_missed": [
            {"label": label, "n": int(counts[label]), "missed": int(missed[label]), "share": share}
            for label, share in shares.items()
        ],
        "wrong_pairs": [
            {"truth": truth, "prediction": prediction, "n": int(n)}
            for (truth, prediction), n in pairs[pairs > 0].nlargest(_WORST).items()
        ],
    }
