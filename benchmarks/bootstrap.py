"""What do intervals of all scores cost by resampling lesions, as against scikit-learn with sample weights?

    python benchmarks/bootstrap.py [--images N ...] [--resamples B] [--repeats R] [--out CSV]

Random predictions of two classes, one in a thousand malignant as in ISIC 2024 (401,059 images), and of the
seven of HAM10000; four images to three lesions. skinkit is timed on all scores that a run saves, sorting and
intervals included; scikit-learn on the areas, a curve, the confusion matrix and the class scores of one
resample. Both on one core, in seconds of the processor.
"""

import argparse
import os
import time

import numpy as np
import pandas as pd
from result_table import show
from sklearn import metrics
from tqdm import tqdm

SHARES = {
    "2 classes": {"benign": 0.999, "malignant": 0.001},
    "7 classes": dict(
        zip(
            ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"),
            (0.033, 0.051, 0.110, 0.011, 0.111, 0.670, 0.014),
            strict=True,
        )
    ),
}


def main():
    arguments = parse_arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    kinds = [(kind, images) for images in arguments.images for kind in SHARES]
    rows = {}
    for kind, images in tqdm(kinds, desc="Timing", unit="set"):
        rows[kind, images] = compare(SHARES[kind], images, arguments.resamples, arguments.repeats)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["what", "images"])
    show(table, arguments.out, digits=1)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=(10_000, 400_000), help="numbers of images")
    parser.add_argument("--resamples", type=int, default=1000, help="of skinkit")
    parser.add_argument("--repeats", type=int, default=5, help="resamples of scikit-learn; the median counts")
    parser.add_argument("--out", help="CSV file for the table")
    return parser.parse_args()


def compare(shares, images, resamples, repeats):
    """Seconds of all resamples, milliseconds of one, and how many times scikit-learn takes."""
    truth, probabilities, lesions = sample_predictions(shares, images)
    labels = list(shares)
    ours = seconds(lambda: intervals(labels, truth, probabilities, lesions, resamples))
    random = np.random.default_rng(1)
    theirs = []
    for _ in range(repeats):
        times = np.bincount(random.integers(images, size=images), minlength=images)
        theirs.append(seconds(lambda: scores(truth, probabilities, times)))  # noqa: B023
    ms, compared = 1000 * ours / resamples, 1000 * np.median(theirs)
    return {"seconds": ours, "ms a resample": ms, "ms scikit-learn": compared, "ratio": compared / ms}


def sample_predictions(shares, images):
    random = np.random.default_rng(0)
    truth = random.choice(len(shares), size=images, p=list(shares.values()))
    logits = random.normal(size=(images, len(shares)))
    logits[np.arange(images), truth] += 1.5
    odds = np.exp(logits)
    return truth, odds / odds.sum(axis=1, keepdims=True), random.integers(images * 3 // 4, size=images)


def intervals(labels, truth, probabilities, lesions, resamples):
    """All scores that `experiments.scoring.score` asks for."""
    from skinkit import evaluation

    names = [*evaluation.summary_names(labels), *evaluation.table_metrics(labels)]
    y_true = np.array(labels, dtype=object)[truth]
    return evaluation.bootstrap_intervals(y_true, probabilities, labels, lesions, names, resamples)


def scores(truth, probabilities, times):
    """Most of them for one resample, as one would write it with scikit-learn."""
    weights, predicted = {"sample_weight": times}, probabilities.argmax(axis=1)
    metrics.confusion_matrix(truth, predicted, **weights)
    metrics.precision_recall_fscore_support(truth, predicted, zero_division=0, **weights)
    metrics.cohen_kappa_score(truth, predicted, **weights)
    metrics.matthews_corrcoef(truth, predicted, **weights)
    for index, column in enumerate(probabilities.T):
        is_it = truth == index
        metrics.roc_auc_score(is_it, column, **weights)
        metrics.average_precision_score(is_it, column, **weights)
    # Of the last class, for its sensitivity at a specificity.
    metrics.roc_curve(is_it, column, **weights)


def seconds(step):
    start = time.process_time()
    step()
    return time.process_time() - start


if __name__ == "__main__":
    main()
