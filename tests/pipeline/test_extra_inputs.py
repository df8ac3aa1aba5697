import keras
import numpy as np
import pytest

from skinkit.pipeline import ExtraInputs, PipelineSpec, build_dataset

SPEC = PipelineSpec(image_size=(8, 8), scaling="raw")


class Store:
    """Gives each row its position and how many batches were taken before."""

    def __init__(self):
        self.calls = 0

    def look_up(self, rows):
        self.calls += 1
        return rows[:, None].astype("float32"), np.full(len(rows), self.calls % 2 == 0)

    @property
    def extra_inputs(self):
        return ExtraInputs(self.look_up, {"position": ((1,), "float32"), "even": ((), "bool")})


@pytest.fixture
def store():
    return Store()


def dataset(table, store, **options):
    return build_dataset(
        table,
        SPEC,
        labels=("bkl", "mel", "nv"),
        batch_size=6,
        extra_inputs=store.extra_inputs,
        **options,
    )


@pytest.mark.parametrize("training", [True, False])
def test_extra_inputs_belong_to_the_images_they_stand_beside(plain_table, store, training):
    weights = np.arange(40.0)
    found = dataset(plain_table, store, training=training, sample_weight=weights)
    for inputs, labels, weight in found.take(9):
        # The plain grey of an image is its position in the table.
        position = inputs["image"].numpy()[:, 0, 0, 0]
        np.testing.assert_array_equal(inputs["position"].numpy()[:, 0], position)
        np.testing.assert_array_equal(weight, position)
        assert inputs["even"].shape == (len(position),)
        assert labels.shape == (len(position), 3)


def test_nothing_is_looked_up_ahead(plain_table, store):
    batches = iter(dataset(plain_table, store, training=True))
    assert store.calls == 0
    for taken in range(1, 10):
        inputs, _ = next(batches)
        assert store.calls == taken
        assert inputs["even"].numpy().all() == (taken % 2 == 0)


def test_nothing_is_looked_up_ahead_while_a_model_trains(plain_table, store):
    image, position = keras.Input((8, 8, 3), name="image"), keras.Input((1,), name="position")
    even = keras.Input((), dtype="bool", name="even")
    features = keras.layers.GlobalAveragePooling2D()(image)
    # Keras before 3.14 refuses an input that nothing is computed from.
    flag = keras.ops.expand_dims(keras.ops.cast(even, "float32"), 1)
    x = keras.layers.Concatenate()([features, position, flag])
    model = keras.Model([image, position, even], keras.layers.Dense(3, activation="softmax")(x))
    model.compile("sgd", "categorical_crossentropy")
    seen = []

    class Watching(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(store.calls)

    model.fit(
        dataset(plain_table, store, training=True),
        steps_per_epoch=3,
        epochs=2,
        shuffle=False,
        callbacks=[Watching()],
        verbose=0,
    )
    # Keras may take a batch before the first one, to see its shape.
    np.testing.assert_array_equal(np.array(seen) - seen[0], range(6))
