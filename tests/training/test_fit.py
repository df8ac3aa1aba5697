import dataclasses
import errno
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from skinkit.training.checkpoint import Checkpoint
from skinkit.training.fit import TrainingPhase, fit
from skinkit.training.plateau import Plateau

STEPS = 4


def small_model():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="relu", name="body"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.5, name="drop"),
            keras.layers.Dense(3, activation="softmax", name="head"),
        ]
    )


def batches(first_epoch):
    """Endless batches that are a function of the epoch alone."""

    def epoch_batches(epoch):
        x = tf.random.stateless_normal((STEPS, 16, 6), seed=tf.stack([epoch, 1]))
        y = tf.one_hot(tf.argmax(x[..., :3], axis=-1), 3)
        return tf.data.Dataset.from_tensor_slices((x, y))

    epochs = tf.data.Dataset.range(first_epoch, 1000, output_type=tf.int32)
    return epochs.flat_map(epoch_batches), STEPS


def phases(first=2, second=3):
    loss = keras.losses.CategoricalCrossentropy()
    return [
        TrainingPhase(first, lambda: keras.optimizers.Adam(1e-2), loss, trainable=("head",)),
        TrainingPhase(second, lambda: keras.optimizers.SGD(1e-2, momentum=0.9), loss),
    ]


def scores(model):
    images, truth = next(iter(batches(500)[0]))
    return {
        "macro_recall": float(np.mean(model.predict(images, verbose=0).argmax(1) == truth.numpy().argmax(1)))
    }


def outputs(model):
    return model.predict(np.linspace(-1, 1, 60).reshape(10, 6), verbose=0)


WATCHED = {"validate": scores, "monitor": "macro_recall", "end_with": "last", "verbose": 0}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder and history of an undisturbed training, and the outputs after its last and its best epoch."""
    folder, model = tmp_path_factory.mktemp("whole"), small_model()
    history = fit(model, phases(), batches, folder, **WATCHED)
    found = {"last": outputs(model)}
    Checkpoint(folder / "checkpoint").load_best(model)
    return folder, history, found | {"best": outputs(model)}


class Killed(Exception):
    pass


class KillingValidation:
    """Scores as `scores` does, and dies in the given call, in the middle of an epoch's end."""

    def __init__(self, call):
        self.calls, self.call = 0, call

    def __call__(self, model):
        self.calls += 1
        if self.calls == self.call:
            raise Killed
        return scores(model)


def test_the_frozen_phase_trains_the_head_alone(tmp_path):
    model = small_model()
    body, head = (model.get_layer(n).get_weights()[0].copy() for n in ("body", "head"))
    fit(model, phases()[:1], batches, tmp_path, verbose=0)
    np.testing.assert_array_equal(model.get_layer("body").get_weights()[0], body)
    np.testing.assert_array_equal(model.get_layer("norm").get_weights()[2], np.zeros(8))
    assert np.abs(model.get_layer("head").get_weights()[0] - head).max() > 1e-3


def test_the_history_counts_epochs_through_all_phases_and_is_saved(whole):
    folder, history, _ = whole
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert history["phase"].tolist() == [1, 1, 2, 2, 2]
    saved = pd.read_csv(folder / "history.csv")
    assert {"loss", "accuracy", "val_macro_recall", "learning_rate", "seconds"} <= set(saved.columns)
    np.testing.assert_allclose(saved["loss"], history["loss"])


@pytest.mark.parametrize(
    ("killed_in_epoch", "options"),
    [
        (2, {}),
        (3, {"monitor": "macro_recall"}),
        (4, {"monitor": "macro_recall", "end_with": "last"}),
    ],
)
def test_a_training_that_died_ends_like_an_undisturbed_one(tmp_path, whole, killed_in_epoch, options):
    _, history, expected = whole
    killing = KillingValidation(killed_in_epoch)
    with pytest.raises(Killed):
        fit(small_model(), phases(), batches, tmp_path, validate=killing, **options, verbose=0)
    again = small_model()
    resumed = fit(again, phases(), batches, tmp_path, validate=scores, **options, verbose=0)
    end = options.get("end_with", "best" if options else "last")
    np.testing.assert_array_equal(outputs(again), expected[end])
    if "end_with" in options:
        Checkpoint(tmp_path / "checkpoint").load_best(again)
        np.testing.assert_array_equal(outputs(again), expected["best"])
    columns = ["epoch", "phase", "loss", "accuracy", "val_macro_recall"]
    pd.testing.assert_frame_equal(resumed[columns], history[columns])


def test_a_finished_training_is_not_repeated(tmp_path, whole):
    folder = shutil.copytree(whole[0], tmp_path / "run")

    def no_batches(first_epoch):
        raise AssertionError("no batch was to be drawn")

    second = small_model()
    fit(second, phases(), no_batches, folder, **WATCHED)
    np.testing.assert_array_equal(outputs(second), whole[2]["last"])


def test_the_best_epoch_is_kept_not_the_last(tmp_path):
    seen = []

    def falling(model):
        seen.append(model.get_weights())
        return {"macro_recall": 1.0 - 0.1 * abs(len(seen) - 2)}

    model = small_model()
    fit(model, phases(), batches, tmp_path, validate=falling, monitor="macro_recall", verbose=0)
    for kept, expected in zip(model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_the_last_epoch_can_be_kept_with_the_best_one_beside_it(tmp_path):
    seen = []

    def falling(model):
        seen.append(model.get_weights())
        return {"macro_recall": 1.0 - 0.1 * abs(len(seen) - 2)}

    model = small_model()
    options = {"validate": falling, "monitor": "macro_recall", "end_with": "last", "verbose": 0}
    fit(model, phases(), batches, tmp_path, **options)
    for kept, expected in zip(model.get_weights(), seen[-1], strict=True):
        np.testing.assert_array_equal(kept, expected)
    assert Checkpoint(tmp_path / "checkpoint").load_best(model) == 2
    for kept, expected in zip(model.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(kept, expected)


def test_only_validated_epochs_are_selected(tmp_path):
    rising = iter(range(100))

    def validate(_):
        return {"macro_recall": next(rising)}

    options = {"validate": validate, "validate_every": 3, "monitor": "macro_recall", "end_with": "last"}
    history = fit(small_model(), phases(), batches, tmp_path, **options, verbose=0)
    assert history["val_macro_recall"].notna().tolist() == [True, False, True, False, False]
    assert Checkpoint(tmp_path / "checkpoint").latest()["best_file"] == "best-00003.npz"


def test_a_plateau_needs_every_epoch(tmp_path):
    phase = dataclasses.replace(phases()[0], plateau=Plateau("macro_recall", 2, 0.5, 1))
    with pytest.raises(ValueError, match="validate_every=2"):
        fit(small_model(), [phase], batches, tmp_path, validate=scores, validate_every=2, verbose=0)


def test_any_score_beats_one_that_is_no_number(tmp_path):
    found = iter([np.nan, 0.5, np.nan, 0.4, np.nan])
    model = small_model()
    fit(
        model,
        phases(),
        batches,
        tmp_path,
        validate=lambda _: {"macro_recall": next(found)},
        monitor="macro_recall",
        end_with="last",
        verbose=0,
    )
    assert Checkpoint(tmp_path / "checkpoint").load_best(model) == 2


def test_a_loss_that_is_not_finite_stops_with_the_place_and_the_causes(tmp_path):
    wild = [TrainingPhase(3, lambda: keras.optimizers.SGD(1e30), keras.losses.MeanSquaredError())]
    with pytest.raises(FloatingPointError, match=r"step \d+ of epoch \d.*learning rate") as caught:
        fit(_linear_model(), wild, batches, tmp_path, verbose=0)
    assert ("is kept in" in str(caught.value)) == (tmp_path / "checkpoint").exists()


def _linear_model():
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])


def test_a_full_disk_keeps_the_last_good_state_and_says_so(tmp_path, whole, monkeypatch):
    model, real = small_model(), keras.Model.save_weights
    calls = []

    def full_at_third(self, path, **kwargs):
        calls.append(path)
        if len(calls) == 3:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, path, **kwargs)

    monkeypatch.setattr(keras.Model, "save_weights", full_at_third)
    with pytest.raises(OSError, match="last good state is epoch 2.*same command") as raised:
        fit(model, phases(), batches, tmp_path, validate=scores, verbose=0)
    assert raised.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert Checkpoint(tmp_path / "checkpoint").latest()["epoch"] == 2
    assert not list(tmp_path.rglob("*.part"))
    again = small_model()
    fit(again, phases(), batches, tmp_path, validate=scores, verbose=0)
    np.testing.assert_array_equal(outputs(again), whole[2]["last"])


def test_only_the_newest_state_and_the_best_weights_stay(whole):
    names = sorted(p.name for p in (whole[0] / "checkpoint").iterdir())
    assert len(names) == 2
    assert names[0].startswith("best-")
    assert names[1] == "epoch-00005"


def test_files_of_others_in_the_folder_of_the_states_outlive_all_that_is_done_there(tmp_path):
    names = ["notes.txt", "epoch-notes/a.txt", "epoch-00000/mine.txt", "best-photos.npz"]
    theirs = [tmp_path / "checkpoint" / name for name in [*names, "context/features-mine.npy"]]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("theirs")
    checkpoint = Checkpoint(tmp_path / "checkpoint")
    assert checkpoint.latest() is None
    fit(small_model(), phases(2, 1), batches, tmp_path, validate=scores, monitor="macro_recall", verbose=0)
    checkpoint.delete()
    left = [path for path in (tmp_path / "checkpoint").rglob("*") if path.is_file()]
    assert sorted(left) == sorted(theirs)


@pytest.mark.parametrize("name", ["state.json", "last.weights.h5", "seeds.npz", "best-00001.npz"])
def test_a_damaged_or_missing_state_is_named(tmp_path, name):
    options = {"validate": scores, "monitor": "macro_recall", "verbose": 0}
    # Going on for no more epochs reads all that is there.
    first = phases(first=1, second=0)[:1]
    fit(small_model(), first, batches, tmp_path, **options)
    (path,) = (tmp_path / "checkpoint").rglob(name)
    whole = path.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b'{"epoch": 1}'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name} is damaged.*Delete .*checkpoint.*begins anew"):
            fit(small_model(), first, batches, tmp_path, **options)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing.*begins anew"):
        fit(small_model(), first, batches, tmp_path, **options)


def test_a_model_of_two_outputs_has_losses_and_metrics_by_output(tmp_path):
    keras.utils.set_random_seed(0)
    image = keras.Input((6,))
    heads = {
        name: keras.layers.Dense(n, "softmax", name=name)(image) for name, n in (("kind", 3), ("sign", 2))
    }
    loss = dict.fromkeys(heads, keras.losses.CategoricalCrossentropy())
    phase = TrainingPhase(3, lambda: keras.optimizers.Adam(0.05), loss, metrics={"sign": ["accuracy"]})

    def two_targets(first_epoch):
        dataset, steps = batches(first_epoch)
        sign = lambda x: tf.one_hot(tf.cast(x[:, 0] > 0, tf.int32), 2)  # noqa: E731
        return dataset.map(lambda x, y: (x, {"kind": y, "sign": sign(x)})), steps

    for given in ({"kind": loss["kind"]}, {**loss, "sign": None}, loss["kind"]):
        lacking = dataclasses.replace(phase, loss=given)
        with pytest.raises(ValueError, match="needs a loss: kind, sign. Received: loss="):
            fit(keras.Model(image, heads), [lacking], two_targets, tmp_path, verbose=0)
    history = fit(keras.Model(image, heads), [phase], two_targets, tmp_path, verbose=0)
    assert {"loss", "kind_loss", "sign_loss", "sign_accuracy"} <= set(history)
    assert history["sign_accuracy"].iloc[-1] > 0.8 and history["kind_loss"].is_monotonic_decreasing
    np.testing.assert_allclose(history["loss"], history["kind_loss"] + history["sign_loss"], rtol=1e-5)
    weighted = dataclasses.replace(phase, loss_weights={"kind": 0.5, "sign": 2.0})
    again = fit(keras.Model(image, heads), [weighted], two_targets, tmp_path / "weighted", verbose=0)
    np.testing.assert_allclose(again["loss"], 0.5 * again["kind_loss"] + 2 * again["sign_loss"], rtol=1e-5)
    lacking = dataclasses.replace(phase, loss_weights={"kind": 0.5})
    with pytest.raises(ValueError, match="needs a weight of its loss: kind, sign. Received: .*0.5"):
        fit(keras.Model(image, heads), [lacking], two_targets, tmp_path / "lacking", verbose=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainable": ["haed"]}, "'haed'.*Did you mean.*head"),
        (
            {"monitor": "val_macro_recall", "validate": scores},
            "'val_macro_recall'.*Did you mean.*macro_recall",
        ),
        ({"monitor": "macro_recall"}, "comes from `validate`"),
    ],
)
def test_names_that_are_not_there_are_refused(tmp_path, changes, message):
    trainable = changes.pop("trainable", None)
    asked = [dataclasses.replace(phase, trainable=trainable) for phase in phases()[:1]]
    with pytest.raises(ValueError, match=message):
        fit(small_model(), asked, batches, tmp_path, verbose=0, **changes)


def test_a_state_for_which_the_disk_is_too_small_is_not_begun(tmp_path, monkeypatch):
    """HDF5 ends the whole process in the middle of a full disk."""
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    monkeypatch.setattr(keras.Model, "save_weights", None)
    with pytest.raises(OSError, match="bytes are needed") as caught:
        fit(small_model(), phases(1, 0), batches, tmp_path, verbose=0)
    assert caught.value.errno == errno.ENOSPC
