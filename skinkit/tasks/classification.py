"""Classification of whole images, of one crop, or of several crops of an image."""

import dataclasses
import functools

import keras
import numpy as np

from skinkit import evaluation, explain, models, pipeline
from skinkit.tasks.batches import evaluation_images, pipeline_spec
from skinkit.tasks.task import Explanation, Task

# Images of a map at a time; each in all of its views.
_BATCH = 16


class Classification(Task):
    """Class probabilities of images by a network that sees each image alone.

    An epoch may be selected by the area under the curve of the positive class against the rest, too, such as
    `monitor="auc:mel"`.
    """

    monitors = ("accuracy", "macro_recall", "macro_auc")
    has_views = True
    mixes = True
    asks_one_image = True
    # Makes batches of images of manifest rows; of other things where an instance has another.
    read = staticmethod(evaluation_images)

    @staticmethod
    def suits(recipe):
        return recipe.input.name in ("downsampling", "single_crop")

    def __init__(self, recipe):
        super().__init__(recipe)
        self.monitors = (*self.monitors, f"auc:{recipe.positive}")
        if recipe.tta is not None:
            size = pipeline_spec(recipe, augment=False).input_shape[:2]
            pipeline.check_views(recipe.tta.name, size)
            evaluation.check_mean(**recipe.tta.options)

    @property
    def metrics(self):
        """What Keras watches in training; beside the accuracy the area of a class that selects the epoch."""
        _, _, label = self.recipe.monitor.partition("auc:")
        # Of mixed labels none is the true one.
        if not label or self.recipe.mixing:
            return super().metrics
        chosen = {"label_weights": [float(each == label) for each in self.labels], "num_thresholds": 1000}
        return (*super().metrics, keras.metrics.AUC(multi_label=True, **chosen, name=self.recipe.monitor))

    def validator(self, model, rows):
        recipe = self.recipe
        # Scores that only watch see the image as it is.
        views = {} if recipe.compares_epochs else {"tta": None}
        predict = type(self)(dataclasses.replace(recipe, **views)).predictor(model)
        truth, labels = rows["label"].to_numpy(), list(self.labels)
        watched = [n for n in self.monitors if n in Classification.monitors or n == recipe.monitor]

        def score():
            given = truth, predict(rows), labels
            scores = {name: evaluation.score(name, *given) for name in watched}
            return {"log_loss": evaluation.log_loss(*given), **scores}

        return score

    def predictor(self, model):
        ask = functools.partial(self.ask, model)
        return lambda rows: np.concatenate([ask(images) for images in self.images(rows)])

    def ask(self, model, images):
        """Returns the class probabilities of a batch of images, float32 `(n, classes)`."""
        if self.recipe.tta is None:
            return _predicted(model, images)
        views = np.stack(list(pipeline.image_views(images, self.recipe.tta.name)), axis=1)
        return _mean_over_views(model, views, **self.recipe.tta.options)

    def standalone(self, model):
        if self.recipe.tta is None:
            return model
        image = keras.Input(model.input_shape[1:], name="image")
        answers = [model(view) for view in pipeline.symbolic_views(image, self.recipe.tta.name)]
        return keras.Model(image, _mean(keras.ops.stack(answers, axis=1), **self.recipe.tta.options))

    def explain(self, model, rows, label=None):
        inputs, shown = self.inputs(rows), self.inputs(rows, channel_order="rgb", scaling="unit")
        # The class that all views name together, which one alone may not; a stage has a model of its own.
        batches = (inputs[i : i + _BATCH] for i in range(0, len(inputs), _BATCH))
        answers = np.concatenate([Classification.ask(self, model, batch) for batch in batches])
        target = answers.argmax(axis=1) if label is None else self.position(label)
        maps = {"Grad-CAM": explain.grad_cam(model, inputs, target)}
        if explain.has_attention(model):
            maps["soft attention"] = explain.attention_maps(model, inputs)
        return Explanation(shown, answers, maps)

    def position(self, label):
        """Returns the position of a label among the network's outputs; `None` for `None`."""
        return None if label is None else self.labels.index(label)

    def inputs(self, rows, **changes):
        """Returns the images of manifest rows as the network sees them, one array.

        Args:
            rows: Manifest rows.
            **changes: As in `evaluation_images`.
        """
        return np.concatenate(list(self.images(rows, **changes)))

    def images(self, rows, **changes):
        """Returns the same, an iterator over batches of them."""
        return self.read(self.recipe, rows, **changes)


class OrderedCrops(Classification):
    """Class probabilities by a network that sees all crops of an image at once, in their order."""

    has_views = False

    @staticmethod
    def suits(recipe):
        return recipe.input.name == "ordered_crops"

    def explain(self, model, rows, label=None):
        shown = self.inputs(rows, channel_order="rgb", scaling="unit", crops=None)
        return Explanation(shown, *self.maps(model, self.inputs(rows), label))

    def maps(self, model, crops, label=None):
        """Returns class probabilities, and maps over the whole images.

        Args:
            model: The recipe's trained model.
            crops: Array `(n, crops, height, width, 3)`, scaled as the model expects.
            label: As in `explain`.

        Returns:
            Tuple of an array `(n, classes)` and a dictionary by name, of Grad-CAM and of the weights of each
            patch attention, of arrays `(n, height, width)` over the whole images, whose largest values are 1.
        """
        answers, cams = self.answers(model, crops, self.position(label))
        maps = {"Grad-CAM": self._whole(cams)}
        for layer in explain.crop_weighting_layers(model):
            weights = explain.crop_weights(model, crops, layer)
            maps[layer.replace("_", " ")] = self._whole(weights[..., None, None])
        return answers, maps

    def answers(self, model, crops, target):
        """Returns class probabilities `(n, classes)` and Grad-CAM `(n, crops, rows, columns)` of crops."""
        return model.predict(crops, verbose=0), explain.grad_cam(model, crops, target, normalise=False)

    def _whole(self, maps):
        """Maps of whole images, with 1 as their largest value, from those of their crops."""
        size, side = self.recipe.image_size, self.recipe.crop_size
        corners = pipeline.crop_corners(size, side, maps.shape[1])
        joined = explain.join_crops(maps, corners, side, size)
        largest = joined.max(axis=(1, 2), keepdims=True)
        return joined / np.where(largest > 0, largest, 1)


class MultiCrop(OrderedCrops):
    """Mean class probabilities over the crops of an image, by a network that sees one crop."""

    @staticmethod
    def suits(recipe):
        return recipe.input.name == "multi_crop"

    def ask(self, model, images):
        return _mean_over_views(model, images)

    def standalone(self, model):
        side = self.recipe.crop_size
        crops = keras.Input(pipeline_spec(self.recipe, augment=False).shape(training=False), name="crops")
        answers = model(keras.ops.reshape(crops, (-1, side, side, 3)))
        answers = keras.ops.reshape(answers, (-1, crops.shape[1], answers.shape[-1]))
        return keras.Model(crops, _mean(answers))

    def answers(self, model, crops, target):
        count, stacked = crops.shape[1], crops.reshape(-1, *crops.shape[2:])
        each = model.predict(stacked, verbose=0)
        answers = evaluation.mean_over_views(each.reshape(-1, count, each.shape[-1]))
        if target is None:
            target = np.repeat(answers.argmax(axis=1), count)
        cams = explain.grad_cam(model, stacked, target, normalise=False)
        return answers, cams.reshape(-1, count, *cams.shape[1:])


def _mean_over_views(model, views, **options):
    """Mean class probabilities of views or crops `(n, views, height, width, 3)`, all in one call."""
    found = _predicted(model, views.reshape(-1, *views.shape[2:]))
    return evaluation.mean_over_views(found.reshape(*views.shape[:2], -1), **options)


def _mean(answers, of="probabilities"):
    """The same mean in a model, of answers `(n, views, classes)`."""
    if of == "probabilities":
        return keras.ops.mean(answers, axis=1)
    smallest = float(np.finfo(np.float32).tiny)
    return keras.ops.softmax(keras.ops.mean(keras.ops.log(keras.ops.maximum(answers, smallest)), axis=1))


def _predicted(model, images):
    # Here, because a training that compiles the model in between loses the graph.
    return models.traced(model).predict_on_batch(images)
