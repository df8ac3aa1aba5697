import dataclasses

import numpy as np
import pytest

from skinkit import evaluation, tasks
from skinkit.papers import choose
from skinkit.papers.registry import recipe as find_recipe


def test_the_area_of_the_class_that_selects_is_watched_in_training():
    recipe = find_recipe("bermeo2023/table8.2/m0").resolve("smoke")
    task, rng = tasks.of(recipe), np.random.default_rng(0)
    accuracy, area = task.metrics
    assert (accuracy, area.name) == ("accuracy", "auc:mel")
    labels = list(task.labels)
    truth = rng.integers(0, len(labels), 400)
    # A rare class' probabilities lie near 0, where few thresholds would tell none apart.
    logits = rng.normal(size=(400, len(labels))) + 1.5 * np.eye(len(labels))[truth]
    logits[:, labels.index("mel")] -= 4
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for part in (slice(0, 250), slice(250, 400)):
        area.update_state(np.eye(len(labels))[truth[part]], probabilities[part])
    names = [labels[index] for index in truth]
    assert float(area.result()) == pytest.approx(
        evaluation.score("auc:mel", names, probabilities, labels), abs=5e-3
    )


@pytest.mark.parametrize("changes", [{"monitor": "macro_recall"}, {"mixing": choose("mixup", weight=0.7)}])
def test_no_area_is_watched_where_none_selects_or_labels_are_mixed(changes):
    recipe = find_recipe("bermeo2023/table8.2/m0").resolve("smoke")
    assert tasks.of(dataclasses.replace(recipe, **changes)).metrics == ("accuracy",)
