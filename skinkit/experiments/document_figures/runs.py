"""Figures of runs: curves, matrices, and what their models make of images."""

import numpy as np

from skinkit import evaluation, plots
from skinkit.experiments.document_figures.material import words_of
from skinkit.experiments.explain import explanation_figure
from skinkit.plots.style import grid_of_axes, one_axes

_SHOWN = 500  # images in a plane, of more than a plot can tell apart


def learning_curves(material):
    """Curves of the first run of each recipe, a row of panels each."""
    runs, metrics = material.one_of_each, material.of.split()
    there = [[m for m in metrics if m in run.history or f"val_{m}" in run.history] for run in runs]
    if without := [run.manifest["recipe"] for run, names in zip(runs, there, strict=True) if not names]:
        raise ValueError(f"No such metric in history: {without[0]} has no curve of {' or '.join(metrics)}")
    figure, axes = grid_of_axes(sum(map(len, there)), None, (4.5, 3.5), max(map(len, there)))
    for run, names in zip(runs, there, strict=True):
        own, axes = axes[: len(names)], axes[len(names) :]
        plots.learning_curves(run.history, names, own)
        if len(runs) > 1:
            own[0].set_title(f"{run.manifest['recipe'].rpartition('/')[2]}: {names[0]}", fontsize=9)
    return figure, words_of(runs)


def matrices(material):
    """Confusion matrices on the parts that are asked for; without the model, on the test images."""
    run = material.run
    found, why = {"test": run.predictions}, " alone, as its model is not there"
    if (run.folder / "model.keras").exists():
        data, predict = run.run_data(material.data_dir), run.predictor(material.data_dir)
        found, why = {part: predict(data.rows(part)) for part in material.of.split()}, ""
    figure, axes = grid_of_axes(len(found), None, (6.5, 5.5))
    for (part, predictions), ax in zip(found.items(), axes, strict=True):
        truth, probabilities, labels = evaluation.unpack_predictions(predictions)
        plots.confusion_matrix(evaluation.confusion_matrix(truth, probabilities, labels), labels, ax)
        ax.set_title(f"{part}: {ax.get_title()}", fontsize=9)
    return figure, f"{words_of([run])}; of its {' and '.join(found)} images{why}"


def roc_curves(material):
    """ROC curve of each class."""
    return plots.roc_curves(*evaluation.unpack_predictions(material.run.predictions)), words_of(
        [material.run]
    )


def roc_of_trainings(material):
    """ROC curves of several trainings for their positive class."""
    curves = {}
    for run in material.runs:
        truth, probabilities, labels = evaluation.unpack_predictions(run.predictions)
        label = evaluation.positive_label(labels, run.recipe.positive)
        pair = np.asarray(truth) == label, np.asarray(probabilities)[:, list(labels).index(label)]
        curves.setdefault(run.manifest["recipe"].rpartition("/")[2], []).append(pair)
    return plots.roc_of_runs(curves), words_of(material.runs)


def patch_dropout(material):
    """A score of several runs against the share of crops that training drops."""
    figure, ax = one_axes(None, (6, 4))
    for run in material.runs:
        score = run.metrics["scores"][material.of]
        rate = run.recipe.model.options.get("patch_dropout", 0)
        ends = [[max(score["value"] - score["low"], 0)], [max(score["high"] - score["value"], 0)]]
        ax.errorbar([rate], [score["value"]], ends, fmt="o", color="#0072B2", capsize=3)
    ax.set(xlabel="patch dropout", ylabel=material.of.replace("_", " "))
    return figure, f"{words_of(material.runs)}; with the intervals of each run"


def where_it_looks(material):
    """Grad-CAM, and the attention maps of a network that has them, over images of the run or the reader's."""
    run, images = material.run, [str(path) for path in material.files]
    which = {} if images or material.of == "classes" else {"surest": 2, "largest_losses": 2}
    figure = explanation_figure(run, images or None, material.data_dir, **which)
    return figure, words_of([run]) + (", over images of the reader" if images else "")


def weights_of_crops(material):
    """The weights of the crops of test images, in the last attention block."""
    from skinkit import explain, tasks

    run = material.run
    model, task = run.load_model(), tasks.of(run.recipe)
    rows = run.run_data(material.data_dir).rows("test").drop_duplicates("label").head(int(material.of))
    layers = explain.crop_weighting_layers(model)
    if not layers:
        raise ValueError(
            f"The network of {run.manifest['recipe']} weights no crops. Give a run of another one"
        )
    weights = explain.crop_weights(model, task.inputs(rows), layers[-1])
    shown = task.inputs(rows, channel_order="rgb", scaling="unit")
    return plots.crop_weights(shown, weights, rows["label"].tolist(), columns=len(rows)), words_of([run])


def embedding(material):
    """Features of images, or means of the benign images of each patient, in the plane."""
    from skinkit import explain

    runs = material.one_of_each
    figure, axes = grid_of_axes(len(runs), None, (5.5, 5))
    for run, ax in zip(runs, axes, strict=True):
        rows = run.run_data(material.data_dir).rows("validation").head(_SHOWN)
        features, labels = _features(run, rows), rows["label"]
        if material.of == "patients":
            patients = rows["patient_id"].fillna(rows["image_id"])
            ill = labels.eq(evaluation.positive_label(run.labels, run.recipe.positive)).to_numpy(bool)
            means = explain.patient_means(features[~ill], patients[~ill])
            labels = np.where(means.index.isin(patients[ill]), "malignant", "benign")
            features = means.to_numpy()
        plots.embedding(explain.embed(features), labels, ax=ax)
        ax.set_title(run.manifest["recipe"], fontsize=9)
    return figure, words_of(runs)


def _features(run, rows):
    """The features that the classifier of a run sees, or those below the last layer of its network."""
    from skinkit.tasks.feature_classifier import image_features

    classifier = run.recipe.classifier
    of = classifier.options["features"] if classifier else "pooled"
    return image_features(run.load_model(), run.recipe, rows, of)
