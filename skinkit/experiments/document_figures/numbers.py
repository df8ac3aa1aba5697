"""Figures of printed and released numbers, and of settings."""

import contextlib
import re

import numpy as np
import pandas as pd

from skinkit import plots
from skinkit.experiments.document_figures.material import words_of
from skinkit.papers.published import load_published, printed_matrix
from skinkit.papers.registry import recipe
from skinkit.plots.style import grid_of_axes, one_axes

_PRINTED = "numbers of the document"
_RELEASED = "the document's released notebooks"
_PATIENTS = {"patients": "{:,} patients", "images": "{:,} images"}
_PATIENTS |= {"most_images_of_a_patient": "at most {:,} images of one"}


def learning_rate(material):
    """The learning rate of a recipe, epoch by epoch."""
    from skinkit.training import build_schedule

    (phase,) = recipe(material.of).phases
    given, rate = phase.schedule, phase.optimiser.options["learning_rate"]
    schedule = build_schedule(given.name, rate, phase.epochs, 1, **given.options)
    figure, ax = one_axes(None, (6, 3.5))
    epochs = np.arange(phase.epochs)
    ax.step(epochs + 1, [float(schedule(epoch)) for epoch in epochs], where="mid", color="#0072B2")
    ax.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
    ax.xaxis.get_major_locator().set_params(integer=True)
    return figure, f"{given} of {material.of}"


def class_counts(material):
    """Images of each class, as a table counts them."""
    document, table, row = material.of.split("/")
    cells = load_published(document).query("table == @table and row == @row and metric == 'images'")
    counts = cells[cells["class"].ne("all")].dropna(subset="value").astype({"value": int})
    counts = counts.sort_values("value", ascending=False)
    labels = np.repeat(counts["class"].astype(str), counts["value"])
    return plots.class_counts(pd.DataFrame({"label": labels})), f"numbers of {material.of}"


def printed_matrices(material):
    """Confusion matrices whose counts are known."""
    tables = material.of.split()
    figure, axes = grid_of_axes(len(tables), None, (6.5, 5.5))
    for name, ax in zip(tables, axes, strict=True):
        document, table = name.split("/")
        cells = load_published(document).query("table == @table and metric == 'images'")
        matrix = printed_matrix(cells)
        plots.confusion_matrix(matrix, list(matrix), ax)
        if len(tables) > 1:
            ax.set_title(f"{cells['model'].iloc[0]}: {ax.get_title()}", fontsize=9)
    return figure, f"numbers of {_RELEASED}" if "/released" in material.of else _PRINTED


def parameters(material):
    """Parameters of each part of a network, as printed."""
    document, table = material.of.split("/")
    cells = load_published(document).query("table == @table").astype({"value": int})
    figure, ax = one_axes(None, (7, 1 + 0.35 * len(cells)))
    bars = ax.barh(cells["row"].astype(str), cells["value"], color="#0072B2")
    ax.bar_label(bars, [f"{count:,}" for count in cells["value"]], padding=3, fontsize=8)
    ax.invert_yaxis()
    ax.set(xlabel="parameters", xmargin=0.15, title=f"{cells['value'].sum():,} parameters in all")
    return figure, _PRINTED


def schedule_curves(material):
    """The curves of two trainings, and those of our stand-ins beside them where there are runs."""
    from skinkit.experiments.results.schedule_figures import curve_panels

    ours = {}
    for run in material.runs:
        ours.setdefault(re.split("[/-]", run.manifest["recipe"])[-1], []).append(run)
    panels = {
        title: panel for title, panel in curve_panels(ours).items() if title.endswith(f" {material.of}")
    }
    pair = [row.lower() for row in panels[f"Figure {material.of}"][1]]
    if other := sorted({*ours} - {*pair}):
        raise ValueError(f"Figure {material.of} shows {' and '.join(pair)}. Received: a run of {other[0]}")
    words = f"curves of {_RELEASED} (curves.csv)" + (f" beside {words_of(material.runs)}" if ours else "")
    return plots.compared_curves(panels, columns=2), f"{words}; training solid, validation dashed"


def images_per_patient(material):
    """How many patients have how many images, or malignant images, with the printed numbers in words."""
    table, words = _patients(material.data_dir)
    cells = load_published("hernandez2020").query("row == 'isic2020' and `class` == @material.of")
    printed = cells.astype({"value": int}).drop_duplicates("metric").set_index("metric")["value"]
    said = [form.format(printed[metric]) for metric, form in _PATIENTS.items() if metric in printed]
    if material.of == "malignant":
        table = table[table["label"] == "malignant"]
    counts = table["patient_id"].dropna().value_counts()
    figure, ax = one_axes(None)
    ax.hist(counts, bins=np.arange(1, counts.max() + 2) - 0.5, color="#0072B2", edgecolor="white")
    title = f"{len(counts)} patients, {counts.sum()} images; median {counts.median():g}, most {counts.max()}"
    ax.set(xlabel="images of the patient", ylabel="patients", title=title)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)
    return figure, f"{words}; {title}; printed: {', '.join(said)}"


def _patients(data_dir):
    """The largest table of ISIC 2020, or a made-up one."""
    from skinkit.data import load
    from skinkit.data.releases.catalog import CATALOG
    from skinkit.data.synthetic.patients import sample_isic2020

    found = []
    for name in (None, *CATALOG["isic2020"].tables):
        with contextlib.suppress(FileNotFoundError):
            found.append(load("isic2020", data_dir, table=name, missing_images="keep", verbose=False))
    if found:
        table = max(found, key=len)
        words = f"{len(table):,} of the {CATALOG['isic2020'].images:,} images of ISIC 2020"
        return table, "; ".join([words, *table.attrs["notices"]])
    people = sample_isic2020(5000, balance=0)
    labels = np.where(people["dx"] == "mel", "malignant", "benign")
    words = "made-up patients: `skinkit data fetch isic2020` brings those of the release"
    return people.assign(label=labels, patient_id=people["patient"]), words
