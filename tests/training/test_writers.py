import importlib.util
import json
import os
import struct
import sys
import types

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from serve_place import wait_until

from skinkit.training import TrainingPhase, check_writer, fit, open_writer
from skinkit.training.writers import WRITERS

ABOUT = {"recipe": "skinkit/test/tiny", "seed": 0}
COLUMNS = ["loss", "accuracy", "val_recall", "learning_rate"]


def batches(first_epoch):
    x = tf.random.stateless_normal((8, 3), seed=[first_epoch, 1])
    return tf.data.Dataset.from_tensors((x, tf.one_hot(tf.argmax(x, axis=-1), 3))).repeat(), 2


def train(folder, writer, epochs):
    """Trains up to an epoch in two phases, or goes on, and returns the history."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    loss = keras.losses.CategoricalCrossentropy()
    phases = [TrainingPhase(n, lambda: keras.optimizers.SGD(0.1), loss) for n in (1, epochs - 1)]
    with open_writer(writer, folder / "writers", ABOUT) as callbacks:
        validate = lambda model: {"recall": 0.25}  # noqa: E731 - a function of one number
        return fit(model, phases, batches, folder, validate=validate, callbacks=callbacks, verbose=0)


def is_installed(name):
    return importlib.util.find_spec(name) is not None


def from_event_files(folder):
    """Tag, step and value of all scalars."""
    rows = []
    for path in sorted(map(str, folder.glob("events.out.tfevents.*"))):
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "scalars"
                rows.append((value.tag, event.step, float(tf.make_ndarray(value.tensor))))
    return pd.DataFrame(rows, columns=["tag", "step", "value"])


def check(found, history):
    """Compares a table of scalars, each epoch once, with the history."""
    table = found.pivot(index="step", columns="tag", values="value")
    assert table.index.tolist() == history["epoch"].tolist()
    np.testing.assert_allclose(table[COLUMNS], history[COLUMNS], rtol=1e-6)


def test_tensorboard_reads_the_epochs_of_all_phases_and_of_a_training_that_goes_on(tmp_path):
    train(tmp_path, "tensorboard", 2)
    history = train(tmp_path, "tensorboard", 4)
    assert len(list((tmp_path / "writers").iterdir())) == 2
    check(from_event_files(tmp_path / "writers"), history)
    assert history["epoch"].tolist() == [1, 2, 3, 4]


@pytest.mark.skipif(not is_installed("tensorboard"), reason="needs tensorboard, its reader")
def test_tensorboards_own_reader_finds_the_same(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = train(tmp_path, "tensorboard", 3)
    reader = EventAccumulator(str(tmp_path / "writers")).Reload()
    tensors = [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in reader.Tensors("loss")]
    np.testing.assert_allclose(tensors, history[["epoch", "loss"]], rtol=1e-6)


@pytest.mark.skipif(not is_installed("mlflow"), reason="needs mlflow: pip install 'skinkit[mlflow]'")
# It uses what its own libraries call out of date.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_mlflow_has_one_run_of_a_training_that_goes_on(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.chdir(tmp_path)
    train(tmp_path / "run", "mlflow", 2)
    history = train(tmp_path / "run", "mlflow", 4)
    client = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    (run,) = client.search_runs([client.get_experiment_by_name("skinkit").experiment_id])
    assert run.info.status == "FINISHED" and run.data.params == {"recipe": ABOUT["recipe"], "seed": "0"}
    rows = [
        (name, each.step, each.value)
        for name in COLUMNS
        for each in client.get_metric_history(run.info.run_id, name)
    ]
    check(pd.DataFrame(rows, columns=["tag", "step", "value"]), history)


@pytest.mark.skipif(not is_installed("wandb"), reason="needs wandb: pip install 'skinkit[wandb]'")
def test_wandb_keeps_offline_what_it_cannot_send_under_one_id(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("WANDB_SILENT", "true")
    train(tmp_path, "wandb", 2)
    history = train(tmp_path, "wandb", 4)
    (identity,) = [path.read_text() for path in (tmp_path / "writers").glob("wandb.id")]
    name = f"wandb/offline-run-*-{identity}/run-{identity}.wandb"

    def rows():
        return [row for path in sorted((tmp_path / "writers").glob(name)) for row in from_wandb(path)]

    # Its own process writes to the end after it has said that it is done.
    wait_until(lambda: any(epoch == 4 for _, epoch, _ in rows()))
    check(pd.DataFrame(rows(), columns=["tag", "step", "value"]), history)


def from_wandb(path):
    """Name, step and value of all numbers in a file that waits to be sent."""
    from wandb.proto.wandb_internal_pb2 import Record

    for record in map(Record.FromString, leveldb_records(path.read_bytes())):
        items = {each.key or ".".join(each.nested_key): each.value_json for each in record.history.item}
        items = {name: json.loads(value) for name, value in items.items()}
        yield from ((name, items["_step"], items[name]) for name in COLUMNS if name in items)


def leveldb_records(content):
    """The records of a log file as LevelDB writes them: in blocks of 32 KiB, after 7 bytes of W&B's own."""
    place, record = 7, b""
    while place < len(content):
        if (left := 2**15 - place % 2**15) < 7:
            place += left
            continue
        size, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        record += content[place + 7 : place + 7 + size]
        place += 7 + size
        # The whole, or the last part.
        if kind in (1, 4):
            yield record
            record = b""


def test_the_history_is_what_csv_means(tmp_path):
    with open_writer("csv", tmp_path / "writers", ABOUT) as callbacks:
        assert callbacks == []
    assert list(tmp_path.iterdir()) == []


def test_a_writer_must_be_known_and_installed(monkeypatch):
    with pytest.raises(ValueError, match=r"Writers are csv, .*Did you mean tensorboard\?"):
        check_writer("tensorbord")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name in ("csv", "tensorboard"):
        check_writer(name)
    with pytest.raises(RuntimeError, match=r"'wandb' needs Weights & Biases: pip install 'skinkit\[wandb\]'"):
        check_writer("wandb")


def test_a_folder_of_its_name_is_not_the_package(tmp_path, monkeypatch):
    (tmp_path / "mlflow").mkdir()
    # The folder is found alone, wherever the package is installed.
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    assert importlib.util.find_spec("mlflow").origin is None
    with pytest.raises(RuntimeError, match=r"skinkit\[mlflow\]"):
        check_writer("mlflow")


def test_what_a_writer_says_when_it_cannot_begin_is_one_line(tmp_path, monkeypatch):
    def unreachable(folder, about):
        raise ConnectionRefusedError("no server at http://localhost:1")

    monkeypatch.setitem(WRITERS, "mlflow", unreachable)
    with (
        pytest.raises(RuntimeError, match="^The writer 'mlflow' cannot begin: no server at"),
        open_writer("mlflow", tmp_path, ABOUT),
    ):
        pass


def test_a_training_that_goes_on_elsewhere_is_told_what_to_do(tmp_path, monkeypatch):
    class Absent(Exception):
        pass

    def start_run(begun, run_name):
        raise Absent(f"Run with id={begun} not found")

    mlflow = types.SimpleNamespace(MlflowException=Absent, set_experiment=str, start_run=start_run)
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    path = tmp_path / "mlflow.id"
    for begun, said in (
        (False, "id=None not found$"),
        (True, f"id=7 not found. {path} names .*_URI, delete"),
    ):
        if begun:
            path.write_text("7")
        with (
            pytest.raises(RuntimeError, match=f"^The writer 'mlflow' cannot begin: Run with {said}"),
            open_writer("mlflow", tmp_path, ABOUT),
        ):
            pass


def test_an_error_of_the_training_is_its_own(tmp_path):
    with pytest.raises(FloatingPointError), open_writer("tensorboard", tmp_path, ABOUT):
        raise FloatingPointError
