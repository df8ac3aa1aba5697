"""What a beginner passes by mistake, and the message that says what to pass instead."""

import numpy as np
import pandas as pd
import pytest

from skinkit import data, evaluation, explain, models, pipeline, training

SPEC = pipeline.PipelineSpec(image_size=(32, 32))
ROWS = pd.DataFrame({"image_id": ["a"], "path": ["a.png"], "label": ["mel"]})
LABELS, HALF = ["mel", "nv"], np.full((2, 2), 0.5)
build_dataset = pipeline.build_dataset


@pytest.fixture(scope="module")
def network():
    return models.build("small_cnn", (32, 32, 3), classes=2)


@pytest.mark.parametrize(
    ("mistaken", "instead"),
    [
        (lambda: pipeline.PipelineSpec(image_size=64), r"Pass image_size=\(64, 64\), height and width"),
        (
            lambda: pipeline.PipelineSpec(augmentation={"rotation": 9}),
            r"an Augmentation .* Pass .*Augmentation\(",
        ),
        (
            lambda: build_dataset(ROWS, SPEC, training=True),
            "needs `labels`, .* labels=None makes .* images alone",
        ),
        (lambda: build_dataset(ROWS, SPEC, labels="mel"), r"such as \('mel', 'nv'\). Received: labels='mel'"),
        (lambda: build_dataset(ROWS, SPEC, labels=data.CLASS_MAPS["isic2018"]), "Pass its `labels`"),
        (lambda: build_dataset(ROWS, SPEC, labels=["mel", "mel"]), "sequence of different class codes"),
        (lambda: build_dataset(ROWS, (32, 32)), r"such as PipelineSpec\(image_size"),
        (lambda: build_dataset(["a.png"], SPEC), r"such as split.rows\(table, 'train'\). Received: list"),
        (lambda: build_dataset(ROWS.drop(columns="label"), SPEC, labels=LABELS), "DataFrame without label"),
        (lambda: models.build("small_cnn", (64, 64, 3), 7, hidden=512), r"Pass hidden=\(512,\)\."),
        (lambda: models.build("small_cnn", 64, 7), r"`input_shape` is \(height, width, channels\)"),
        (lambda: models.build("small_cnn", (64, 64), 7), r"`input_shape` is \(height, width, channels\)"),
        (lambda: models.build("small_cnn", (64, 64, 3), LABELS), r"such as len\(labels\)"),
        (lambda: models.build("small_cnn", (64, 64, 3), 7, widht=4), "mean width"),
        (lambda: training.build_loss("focal", gama=1.0), "mean gamma"),
        (lambda: training.build_optimiser("sgd", 0.1, momentun=0.5), "mean momentum"),
        (lambda: training.build_schedule("cosine", 0.1, 2, 3, warmpu=0.1), "mean warmup"),
        (lambda: training.class_weights(ROWS, LABELS), r"such as rows\['label'\]"),
        (lambda: training.sample_weights(["mel"], [1.0]), r"as class_weights\(labels, classes\) makes it"),
        (lambda: evaluation.summary(LABELS, HALF, "mel"), r"two different names. Received: labels=\['mel'\]"),
        (lambda: evaluation.summary(LABELS, LABELS, LABELS), "and not the labels that were predicted"),
        (lambda: evaluation.confusion_scores([1, 2]), "confusion_matrix makes it"),
        (lambda: evaluation.unpack_predictions(HALF), "is a DataFrame with the columns label and p_<class>"),
    ],
)
def test_a_message_says_what_to_pass(mistaken, instead):
    with pytest.raises(ValueError, match=instead):
        mistaken()


def test_grad_cam_says_what_it_takes(network):
    image = np.zeros((32, 32, 3))
    with pytest.raises(ValueError, match=r"of one image, pass image\[None\]. Received: float64"):
        explain.grad_cam(network, image)
    with pytest.raises(ValueError, match=r"labels.index\('mel'\). Received: target='mel'"):
        explain.grad_cam(network, image[None], target="mel")
    with pytest.raises(ValueError, match="of a batch.* Received: <U5"):
        explain.grad_cam(network, ["a.png"])


def test_images_alone_need_no_labels(tmp_path):
    table = data.synthetic(2, seed=0, folder=tmp_path, size=(32, 32))
    for labels in ((), None):
        (batch,) = build_dataset(table, SPEC, labels=labels)
        assert batch.shape == (2, 32, 32, 3)
