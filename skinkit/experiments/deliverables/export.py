"""Files of a run's model for other programs, each beside a text that says how to ask it."""

import importlib.util
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from skinkit.experiments.run_folder import SavedRun
from skinkit.names import check_name

_README = """# {recipe}, exported as {format}

Research and teaching only. Not for clinical use.

## What it is given

float32 `{shape}`, where n is the number of images:

{steps}

## What it answers

float32 `(n, {count})`, the probabilities of {labels}, in this order.

## How to ask it

```python
{code}
```
"""

# What `skinkit.pipeline.decode_file` does. With another filter a few answers differ much.
_DECODING = 'Decode the file to RGB; a JPEG as `tf.io.decode_jpeg(..., dct_method="INTEGER_ACCURATE")`'
_RESIZES = {
    "antialias": (
        f"{_DECODING}, with the largest `ratio` of 1, 2, 4 and 8 that divides both sides and leaves at least "
        "{size}.",
        "Resize it to {size}: by `tf.image.resize` where the ratio was above 1 and no side is more than 1.5 "
        "times too long; else by `tf.raw_ops.ResizeArea` where no side is too short; else by "
        "`tf.image.resize(..., antialias=True)`.",
    ),
    "bilinear": (f"{_DECODING}.", "Resize it to {size} by `tf.image.resize`."),
}


class Format(NamedTuple):
    """A format of exported models.

    Args:
        file: String, name of the file or folder.
        save: Function that writes a Keras model to a path.
        code: String, Python code that makes `probabilities` of `images`.
        package: String, the package that writes it, where Keras and TensorFlow do not suffice.
        since: Two integers, the first version of Keras that writes it.
    """

    file: str
    save: Callable
    code: str
    package: str = ""
    since: tuple[int, int] = (3, 0)


def _keras(model, path):
    model.save(path)


def _saved_model(model, path):
    model.export(path, format="tf_saved_model", verbose=False)


def _onnx(model, path):
    import keras
    import onnx

    # Without it, Keras refuses a model that was read and never asked.
    images = keras.InputSpec(shape=model.input_shape, dtype="float32", name="images")
    with warnings.catch_warnings():
        # Keras asks NumPy for a name that it no longer has.
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        model.export(path, format="onnx", verbose=False, input_signature=[images])
    # What ONNX has no word for is written as if it had, and only a log says so.
    onnx.checker.check_model(path)


def _litert(model, path):
    import tensorflow as tf

    # By default Keras takes operations of TensorFlow, too, which the interpreter alone does not know.
    target = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    model.export(path, format="litert", verbose=False, target_spec=target)


FORMATS = {
    "keras": Format(
        "model.keras",
        _keras,
        "import keras\nimport skinkit.layers\n"
        'model = keras.saving.load_model("model.keras", compile=False)\n'
        "probabilities = model.predict(images)",
    ),
    "savedmodel": Format(
        "saved_model",
        _saved_model,
        'import tensorflow as tf\nmodel = tf.saved_model.load("saved_model")\n'
        "probabilities = model.serve(images).numpy()",
    ),
    "onnx": Format(
        "model.onnx",
        _onnx,
        'import onnxruntime\nsession = onnxruntime.InferenceSession("model.onnx")\n'
        "name = session.get_inputs()[0].name\nprobabilities = session.run(None, {name: images})[0]",
        "tf2onnx",
    ),
    "litert": Format(
        "model.tflite",
        _litert,
        "from ai_edge_litert.interpreter import Interpreter\n"
        'ask = Interpreter("model.tflite").get_signature_runner()\n'
        "(name,) = ask.get_input_details()\n(probabilities,) = ask(**{name: images}).values()",
        since=(3, 13),
    ),
}


def export(folder, format="keras", preprocessing=False):
    """Writes a run's model in another format, with a README that says what it is given and answers.

    The file answers as the run does: several views or crops of an image, and their mean, are inside.

    Args:
        folder: Run folder.
        format: `"keras"`, `"savedmodel"`, `"onnx"` or `"litert"`.
        preprocessing: Whether the file takes RGB values from 0 to 255, and does the scaling and the order of
            the channels itself. Resizing, colour constancy and crops stay outside.

    Returns:
        `pathlib.Path` of the folder `exports/<format>` in the run folder; a former one is replaced.

    Raises:
        FileNotFoundError: when the run or its model is missing.
        RuntimeError: when the package that writes the format is missing, or Keras does not write it yet.
        ValueError: for an unknown format, a layer that the format cannot hold, or a run whose answers do not
            come from one network.

    Example:
        >>> export(folder, "keras")
    """
    check_name("Formats", format, FORMATS)
    _check_package(format)
    run = SavedRun(Path(folder))
    model = standalone(run)
    if preprocessing:
        model = _with_scaling(model, run)
    target = run.folder / "exports" / (format + ("-with-preprocessing" if preprocessing else ""))
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        save(model, format, part)
        (part / "README.md").write_text(_readme(run, model, format, preprocessing), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def _check_package(format):
    import keras

    package, since = FORMATS[format].package, FORMATS[format].since
    if package and importlib.util.find_spec(package) is None:
        raise RuntimeError(f"The format {format} needs the package {package}: pip install {package}")
    if tuple(int(part) for part in keras.__version__.split(".")[:2]) < since:
        needed = "{}.{}".format(*since)
        raise RuntimeError(
            f"The format {format} needs Keras {needed} or later: pip install 'keras>={needed}'. "
            f"Received: {keras.__version__}"
        )


def standalone(run):
    """Returns the Keras model that answers as a `SavedRun` does, from images as its recipe prepares them.

    Raises:
        FileNotFoundError: when the model is missing.
        ValueError: when the answers do not come from one network that sees one image.
    """
    task = run.task()
    if not is_one_network(run, task):
        raise task.not_one_network()
    return task.standalone(run.load_model())


def is_one_network(run, task):
    """Returns whether the answers of a `SavedRun`, whose `Task` it is, come from one network of one image."""
    from skinkit.tasks import Task

    has_own = type(task).standalone is not Task.standalone
    return has_own and task.asks_one_image and not run.recipe.rescoring


def _with_scaling(model, run):
    """The model behind the scaling and the order of channels that its recipe asks for."""
    import keras

    from skinkit import pipeline

    spec = _spec(run.recipe)
    pixels = keras.Input(model.input_shape[1:], name="pixels")
    scaled = keras.layers.Rescaling(*pipeline.pixel_scaling(spec.scaling))(pixels)
    if spec.channel_order == "bgr":
        scaled = keras.ops.flip(scaled, axis=-1)
    return keras.Model(pixels, model(scaled))


def save(model, format, folder):
    """Writes a Keras model in one of `FORMATS` into a folder.

    Raises:
        ValueError: naming the layers that the format cannot hold.
    """
    known = FORMATS[format]
    try:
        known.save(model, str(folder / known.file))
    except OSError:
        raise
    except Exception as error:  # Each converter has errors of its own.
        found = ", ".join(_not_held(model, format, folder)) or "the layers together"
        # A converter says where in its graph first, at length, and then what.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rpartition("): ")[2]
        raise ValueError(
            f"{format} cannot hold {found} of {model.name}: {reason}. Try another format"
        ) from error


def _not_held(model, format, folder):
    """Yields the name of one layer of each kind that a format cannot hold even alone."""
    import keras

    layers = [inner for layer in model.layers for inner in getattr(layer, "layers", [layer])]
    kinds = {type(layer): layer for layer in layers if not isinstance(layer, keras.layers.InputLayer)}
    for layer in kinds.values():
        try:
            FORMATS[format].save(keras.Model(layer.input, layer.output), str(folder / FORMATS[format].file))
        except Exception:
            yield f"{layer.name} ({type(layer).__name__})"


def _readme(run, model, format, preprocessing):
    shape = ", ".join(map(str, ("n", *model.input_shape[1:])))
    steps = "\n".join(f"{i}. {step}" for i, step in enumerate(pixel_steps(run.recipe, preprocessing), 1))
    said = {"recipe": run.manifest["recipe"], "format": format, "shape": f"({shape})", "steps": steps}
    said |= {"count": len(run.labels), "labels": ", ".join(run.labels), "code": FORMATS[format].code}
    return _README.format(**said)


def pixel_steps(recipe, preprocessing=False):
    """Yields in words what is done to an image before a recipe's model, one step at a time.

    Args:
        recipe: A resolved `Recipe`.
        preprocessing: As in `export`.
    """
    from skinkit import pipeline

    spec = _spec(recipe)
    height, width = spec.image_size
    yield from (text.format(size=f"{height} x {width} (height x width)") for text in _RESIZES[spec.resize])
    if spec.colour_constancy:
        yield "Shades-of-Gray colour constancy (p = 6): `skinkit.pipeline.shades_of_gray`."
    yield "Round to whole numbers from 0 to 255, halves up."
    if spec.crops:
        yield _crops(spec)
    if preprocessing:
        yield "Leave RGB values from 0 to 255: the file scales them itself."
        return
    scale, offset = ([f"{value:.6g}" for value in each] for each in pipeline.pixel_scaling(spec.scaling))
    yield f"The values of R, G, B times {', '.join(scale)}, plus {', '.join(offset)}."
    if spec.channel_order == "bgr":
        yield "Reverse the channels: B, G, R."


def _crops(spec):
    from skinkit import pipeline

    crops = spec.crops
    if crops.strategy == "single_crop":
        top, left, height, width = pipeline.centre_box(spec.image_size, crops.size, crops.evaluation)
        box = f"rows {top} to {top + height - 1}, columns {left} to {left + width - 1}"
        how = "tf.image.resize(..., antialias=True)" if spec.resize == "antialias" else "tf.image.resize"
        return f"Cut {box}, and resize them to {crops.sides[0]} x {crops.sides[1]} by `{how}`, unrounded."
    corners = pipeline.crop_corners(spec.image_size, crops.size, crops.count).tolist()
    return f"Cut {crops.size} x {crops.size} crops with the first (row, column) {corners}, in this order."


def _spec(recipe):
    from skinkit.tasks.batches import pipeline_spec

    return pipeline_spec(recipe, augment=False)
