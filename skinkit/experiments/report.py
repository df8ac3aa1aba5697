"""One self-contained page about a run."""

import base64
import html
import io
import json
from pathlib import Path

import pandas as pd

from skinkit import evaluation, plots
from skinkit.experiments.run_folder import SavedRun
from skinkit.files import writing

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; }}
body {{ max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
td, th {{ padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }}
td:first-child, th:first-child {{ text-align: left; }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; }}
img {{ max-width: 100%; }}
.leaky {{ background: #b00020; color: #fff; padding: .5rem 1rem; font-weight: 600; }}
.sound {{ background: #e7f3ea; padding: .5rem 1rem; }}
pre {{ overflow: auto; background: #f6f6f6; padding: 1rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p><strong>Research and teaching only. Not for clinical use.</strong></p>
{body}
</body>
</html>
"""


def write_report(folder):
    """Writes `report.html` into a finished run's folder, from the files that the run left there.

    Args:
        folder: Run folder with `manifest.json`, `metrics.json`, `history.csv`, `leakage.csv`,
            `predictions.csv.gz` and, after `skinkit explain`, `overlays.png`.

    Returns:
        `pathlib.Path` of the page.

    Raises:
        FileNotFoundError: when a file of the run is missing.
    """
    run = SavedRun(Path(folder))
    manifest = _escaped(run.manifest)
    sections = [
        _summary(manifest),
        "<h2>Scores</h2>",
        *_scores(run),
        "<h2>Leakage</h2>",
        *_leakage(run.leakage),
        "<h2>Training</h2>",
        *_training(run.history),
        *_overlays(run.folder / "overlays.png"),
        "<h2>Manifest</h2>",
        f"<pre>{json.dumps(manifest, indent=2)}</pre>",
    ]
    page = _PAGE.format(title=manifest["recipe"], body="\n".join(sections))
    path = run.folder / "report.html"
    with writing(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def _escaped(said):
    """The same as JSON; all of its strings are text on the page, whoever wrote them."""
    # JSON's own quotes stay.
    return json.loads(html.escape(json.dumps(said), quote=False))


def _summary(manifest):
    counts = ", ".join(f"{n:,} {part}" for part, n in manifest["images"].items() if n)
    stamp = manifest["stamp"]
    return (
        f"<p>{manifest['settings']['title']}. Profile <b>{manifest['profile']}</b>, protocol "
        f"<b>{manifest['protocol']}</b>, {manifest['dataset']} images ({counts}), split "
        f"{manifest['split']}, seed {manifest['seed']}, {manifest['seconds']:.0f} s.</p>"
        f'<p class="{"leaky" if stamp else "sound"}">{stamp or "No leakage found."}</p>'
    )


def _scores(run):
    truth, probabilities, labels = evaluation.unpack_predictions(run.predictions)
    metrics = run.metrics
    found = pd.DataFrame(metrics["scores"]).T.astype(dict.fromkeys(("value", "low", "high"), float))
    overall = found[~found.index.str.contains(":")]
    table = evaluation.classification_table(truth, probabilities, labels, intervals=found)
    matrix = evaluation.confusion_table(truth, probabilities, labels)
    group = html.escape(metrics["grouped_by"])
    drawn = f"95 % intervals from resampling whole {group}s unless another method is named"
    if found["low"].isna().all():
        drawn = f"no intervals: fewer than two groups to resample, by {group}"
    yield f"<p>n = {metrics['n']}; {drawn}.</p>"
    yield _table(overall)
    yield _table(table)
    yield _figure(plots.confusion_matrix(matrix, labels), "Confusion matrix, rows are the truth")
    yield _figure(
        plots.roc_curves(truth, probabilities, labels, intervals=found),
        "ROC curves, one class against the rest",
    )
    reliability = evaluation.reliability_table(truth, probabilities, labels)
    yield _figure(plots.reliability_diagram(reliability), "Calibration")


def _leakage(report):
    yield "<p>Share of test images whose photograph, lesion or patient is also in training.</p>"
    yield _table(report)
    yield _figure(plots.leakage_bars(report), "Leakage by class")


def _training(history):
    if history.empty:
        yield "<p>The run had no epochs of its own.</p>"
        return
    figure = plots.learning_curves(history, metrics=("loss", "accuracy", "macro_recall", "psnr"))
    yield _figure(figure, "Training and validation")


def _overlays(path):
    if path.exists():
        yield "<h2>Where the model looks</h2>"
        yield _image(
            path.read_bytes(),
            "Grad-CAM of the predicted class and, where it has them, attention maps",
        )


def _table(table):
    return table.to_html(float_format="{:.3f}".format, na_rep="–", border=0)


def _figure(figure, caption):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return _image(buffer.getvalue(), caption)


def _image(png, caption):
    text = html.escape(caption)
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    return f'<figure><img alt="{text}" src="{source}"><figcaption>{text}</figcaption></figure>'
