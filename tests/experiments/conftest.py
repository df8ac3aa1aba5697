import dataclasses
import shutil

import pytest

from skinkit.papers import Phase, Recipe, choose

TINY = Recipe(
    name="skinkit/test/tiny",
    title="The smallest run that has everything",
    published="",
    image_size=(32, 32),
    subset=120,
    augmentation={"flip_left_right": 0.5, "brightness": 0.1},
    model=choose("small_cnn", soft_attention=True),
    balancing=choose("class_weights", power=0.5),
    phases=(
        Phase(1, choose("adam", learning_rate=1e-3), trainable="head"),
        Phase(3, choose("adam", learning_rate=2e-3), choose("cosine", warmup=0.1)),
    ),
    protocols={
        "as_published": {
            "offline": choose("augment_offline", before_split=True),
            "split": choose("koefler2023_split"),
            "selection_part": "test",
            "channel_order": "bgr",
            "scaling": "raw",
        },
        "as_described": {"offline": choose("augment_offline")},
    },
)


@pytest.fixture(scope="session")
def tiny():
    return TINY


@pytest.fixture(scope="session")
def finished(tmp_path_factory, tiny):
    """Folder of an undisturbed smoke run."""
    from skinkit.experiments import run

    return run(tiny, profile="smoke", out=tmp_path_factory.mktemp("runs"), verbose=0)


@pytest.fixture(scope="session")
def one_epoch(tiny):
    return dataclasses.replace(tiny, phases=tiny.phases[:1])


@pytest.fixture(scope="session")
def untrained(tiny):
    """A recipe with everything but epochs, which takes no time."""
    return dataclasses.replace(tiny, phases=(), selection="last", subset=60)


@pytest.fixture(scope="session")
def whole(tmp_path_factory, untrained):
    from skinkit.experiments import run

    return run(untrained, "smoke", out=tmp_path_factory.mktemp("runs"), verbose=0)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy of the run, to be damaged."""
    return shutil.copytree(whole, tmp_path / "run")


@pytest.fixture
def carry_out(untrained, folder):
    from skinkit.experiments import run

    return lambda **options: run(untrained, "smoke", folder=folder, **{"verbose": 0, **options})
