"""A finished run as a worker serves it: asked with the bytes of images, and explained."""

import dataclasses
import functools
import inspect
import io
from pathlib import Path

import numpy as np
from PIL import Image

from skinkit import explain
from skinkit.experiments import SavedRun
from skinkit.papers import choose
from skinkit.pipeline import contents_reader
from skinkit.serve.store import to_json
from skinkit.serve.worker.calibration import calibrate
from skinkit.serve.worker.model_card import NOTICE, model_card
from skinkit.tasks.batches import pipeline_spec

# Longer side of an overlay in pixels.
_OVERLAY = 1024


class ServedModel:
    """A run that answers.

    Args:
        name: String, under which it is served.
        settings: `skinkit.serve.settings.ModelSettings`.
        data_dir: Folder of the releases, for the run's validation images.

    Raises:
        FileNotFoundError: when the folder holds no run, or not its model.
        ValueError: for a run that does not classify single images, or settings that do not fit it.
    """

    def __init__(self, name, settings, data_dir=None):
        run = SavedRun(Path(settings.run))
        _check(run)
        views = settings.views
        changes = {} if views is None else {"tta": None if views == "none" else choose(views)}
        self.task, self.model = run.load_task(data_dir, **changes)
        self.labels = list(run.labels)
        self.calibration = calibrate(settings, run, self.task.recipe, data_dir)
        self.card = model_card(name, run, self.task.recipe, self.calibration)
        # From here on it is asked with bytes; validation images lay in files.
        self.task.read = _Reader()
        self._predict = self.task.predictor(self.model)
        # Traces what is asked, so that the first client does not wait for it.
        self.answers([("blank", _png(Image.new("RGB", (64, 64))))])

    def answers(self, images):
        """Returns the answers to a list of pairs of name and bytes, as JSON each."""
        probabilities = self._predict([content for _, content in images])
        targets = self._targets(probabilities)
        decided = self.calibration.classes(probabilities, self.labels).tolist()
        return [
            to_json(self._answer(*each))
            for each in zip((name for name, _ in images), probabilities, targets, decided, strict=True)
        ]

    def _targets(self, probabilities):
        found = self.calibration
        if found.positive is None:
            return [{"target": None, "score": None}] * len(probabilities)
        scores, least = found.scores(probabilities, self.labels).tolist(), found.threshold
        return [{"target": None if least is None else score >= least, "score": score} for score in scores]

    def _answer(self, name, probabilities, target, label):
        card = self.card
        return {
            "name": name,
            "probabilities": dict(zip(self.labels, probabilities.tolist(), strict=True)),
            "metadata": {key: card[key] for key in _METADATA},
            "prediction": {
                **target,
                "label": label,
                "prediction": self.labels[label],
                "positive": card["positive"],
                "threshold": card["threshold"],
                "notice": NOTICE,
            },
        }

    def overlay(self, content, label):
        """Returns the PNG of an image with Grad-CAM of a label over it.

        Args:
            content: Bytes of the image.
            label: String, one of the labels.
        """
        found = self.task.explain(self.model, [content], label)
        heatmap = next(each[0] for name, each in found.maps.items() if name.endswith("Grad-CAM"))
        shown = found.images[0]
        if self.task.recipe.input.name != "single_crop":
            # The network saw all of it, if smaller and in another shape.
            image = Image.open(io.BytesIO(content)).convert("RGB")
            image.thumbnail((_OVERLAY, _OVERLAY))
            shown = np.asarray(image)
        return _png(Image.fromarray(explain.overlay_map(shown, heatmap)))


_METADATA = (
    *("origin", "net_type", "img_size", "out_dim", "height", "width"),
    *("id", "recipe", "views", "temperature", "calibration", "decision"),
    *("stamp", "hashes"),
)


def _png(image):
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


class _Reader:
    """Makes batches of images of bytes, in the place of `skinkit.tasks.batches.evaluation_images`."""

    def __init__(self):
        self._traced = functools.cache(contents_reader)

    def __call__(self, recipe, contents, **changes):
        spec = dataclasses.replace(pipeline_spec(recipe, augment=False), **changes)
        read = self._traced(spec)
        for first in range(0, len(contents), recipe.batch_size):
            yield read(contents[first : first + recipe.batch_size])


def _check(run):
    task = run.task()
    if run.recipe.rescoring is not None or not task.asks_one_image:
        kind = inspect.getdoc(type(task)).splitlines()[0]
        raise ValueError(
            f"{run.folder} cannot be served: single images are asked about, and its classes do not come from "
            f"the pixels of one image alone. {run.recipe.name}: {type(task).__name__}, {kind}"
        )
