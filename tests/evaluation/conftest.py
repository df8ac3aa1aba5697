import numpy as np
import pytest

LABELS = ["mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"]


def draw(n, seed, labels=LABELS, skill=1.5, decimals=None):
    """Labels with HAM-like shares and probabilities that favour the truth a little."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.2, 0.4, 0.1, 0.1, 0.1, 0.05, 0.05])[: len(labels)]
    y_true = rng.choice(labels, size=n, p=shares / shares.sum())
    logits = rng.normal(size=(n, len(labels))) + skill * (np.array(labels) == y_true[:, None])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return y_true, probabilities if decimals is None else probabilities.round(decimals)


@pytest.fixture
def labels():
    return list(LABELS)


@pytest.fixture
def predictions():
    """Called as `predictions(n, seed, ...)`; returns `(y_true, probabilities)`."""
    return draw
