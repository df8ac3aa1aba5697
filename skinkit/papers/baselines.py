"""Our own references: recipes that no document has, to stand beside the documents' rows."""

import dataclasses

from skinkit.papers.recipe import Phase, Recipe, choose

_MILD = {"flip_left_right": 0.5, "flip_up_down": 0.5, "brightness": 0.1, "saturation": 0.2}

DEMO = Recipe(
    name="skinkit/demo/ham10000",
    title="A small CNN with soft attention, trained from nothing on HAM10000",
    published="",
    image_size=(96, 128),
    augmentation=_MILD,
    model=choose("small_cnn", soft_attention=True),
    balancing=choose("class_weights", power=0.75, normalise=True),
    phases=(
        Phase(
            epochs=30,
            optimiser=choose("adam", learning_rate=2e-3),
            schedule=choose("cosine", warmup=0.1),
        ),
    ),
    profiles={
        "quick": {"image_size": (72, 96), "epochs": (6,), "batch_size": 64},
        "smoke": {"image_size": (48, 64), "epochs": (2,), "subset": 240},
    },
)

DEMO_SYNTHETIC = dataclasses.replace(
    DEMO,
    name="skinkit/demo/synthetic",
    title="The same on drawn images, which everybody has",
    dataset="synthetic",
    subset=1500,
    profiles={
        **DEMO.profiles,
        "quick": {"image_size": (72, 96), "epochs": (14,), "subset": 1000},
    },
)

EFFICIENTNET_LITE0 = Recipe(
    name="skinkit/baseline/efficientnet-lite0",
    title="EfficientNet-Lite0 with ImageNet weights: head first, then all layers",
    published="",
    split=choose(
        "stratified_group_split",
        group="lesion+patient",
        fractions={"train": 0.75, "validation": 0.10, "test": 0.15},
    ),
    image_size=(216, 288),
    augmentation={**_MILD, "rotation": 45.0, "zoom": 0.1, "contrast": 0.1},
    model=choose("efficientnet_lite0", weights="imagenet", drop_connect=0.1),
    balancing=choose("class_weights", power=0.75, normalise=True),
    loss=choose("categorical_crossentropy", label_smoothing=0.05),
    phases=(
        Phase(epochs=1, optimiser=choose("adam", learning_rate=2e-3), trainable="head"),
        Phase(
            epochs=20, optimiser=choose("adam", learning_rate=6e-4), schedule=choose("cosine", warmup=0.05)
        ),
    ),
    profiles={
        "quick": {"image_size": (108, 144), "epochs": (1, 10)},
        "smoke": {"image_size": (64, 64), "epochs": (1, 1), "subset": 160},
    },
)

RECIPES = (DEMO, DEMO_SYNTHETIC, EFFICIENTNET_LITE0)
