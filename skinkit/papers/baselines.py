"""Our own references: recipes that no document has, to stand beside the documents' rows."""

import dataclasses

from skinkit.papers.recipe import Phase, Recipe, choose

# The size in `smoke` of a Lite or a MobileNet: most of so short a training is TensorFlow making graphs.
FEW_BLOCKS = {"max_blocks": 3}


def few_blocks(profiles):
    """Returns the profiles of an EfficientNet-Lite or a MobileNet, with its first blocks alone in `smoke`."""
    return {**profiles, "smoke": {**profiles["smoke"], "model_size": FEW_BLOCKS}}


def without_epochs(profiles):
    """Returns the profiles of a recipe without training."""
    return {p: {k: v for k, v in sizes.items() if k != "epochs"} for p, sizes in profiles.items()}


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
    title="A small CNN with soft attention, trained from nothing on drawn images",
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
        # The last epoch is taken: the small validation part is for watching only.
        fractions={"train": 0.80, "validation": 0.05, "test": 0.15},
    ),
    image_size=(216, 288),
    augmentation=_MILD,
    # So few epochs need no stochastic depth.
    model=choose("efficientnet_lite0", weights="imagenet", drop_connect=0.0),
    balancing=choose("class_weights", power=1.0, normalise=True),
    loss=choose("categorical_crossentropy", label_smoothing=0.05),
    phases=(
        Phase(epochs=1, optimiser=choose("adam", learning_rate=2e-3), trainable="head"),
        Phase(
            epochs=20,
            optimiser=choose("adam", learning_rate=3e-4),
            schedule=choose("cosine", warmup=0.05),
            trainable="all_but_batch_normalization",
        ),
    ),
    # The cosine ends at a rate of 0.
    selection="last",
    profiles=few_blocks(
        {
            "quick": {"image_size": (112, 144), "epochs": (1, 13)},
            "smoke": {"image_size": (64, 64), "epochs": (1, 1), "subset": 160},
        }
    ),
)

EFFICIENTNET_LITE0_PLAIN = dataclasses.replace(
    EFFICIENTNET_LITE0,
    name="skinkit/baseline/efficientnet-lite0-plain",
    title="EfficientNet-Lite0 as plainly as possible: batch normalisation learns, too; mean of four flips",
    balancing=choose("class_weights", power=0.75, normalise=True),
    phases=(
        EFFICIENTNET_LITE0.phases[0],
        Phase(epochs=20, optimiser=choose("adam", learning_rate=6e-4), schedule=choose("cosine")),
    ),
    tta=choose("flips"),
    profiles={
        "quick": {"image_size": (120, 160), "epochs": (1, 10)},
        "smoke": EFFICIENTNET_LITE0.profiles["smoke"],
    },
)

_SOFT_ATTENTION = {"heads": 16, "kernel": "described", "gamma": "learnable"}


# skinkit/baseline/efficientnet-lite0{,-plain}-sa
def _with_soft_attention(recipe):
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-sa",
        title=f"{recipe.title.partition(':')[0]}, and soft attention before the pooling",
        model=choose(recipe.model.name, **recipe.model.options, soft_attention=_SOFT_ATTENTION),
    )


EFFICIENTNET_LITE0_SA = _with_soft_attention(EFFICIENTNET_LITE0)
EFFICIENTNET_LITE0_PLAIN_SA = _with_soft_attention(EFFICIENTNET_LITE0_PLAIN)

# Of the size of the plain one in all profiles, so that the two differ in their training alone.
EFFICIENTNET_LITE0_FROZEN = dataclasses.replace(
    EFFICIENTNET_LITE0,
    name="skinkit/baseline/efficientnet-lite0-frozen",
    title="EfficientNet-Lite0 as the plain one, but batch normalisation keeps its ImageNet statistics",
    tta=EFFICIENTNET_LITE0_PLAIN.tta,
    profiles={
        **EFFICIENTNET_LITE0.profiles,
        "quick": EFFICIENTNET_LITE0.profiles["quick"] | {"image_size": (120, 160)},
    },
)

# Of the plain and the frozen one, that with the higher macro recall over three seeds (results/skinkit.md).
MAIN = dataclasses.replace(
    EFFICIENTNET_LITE0_FROZEN,
    name="skinkit/baseline/main",
    title=f"The main baseline: {EFFICIENTNET_LITE0_FROZEN.title}",
)


# skinkit/baseline/efficientnet-b0{,-sa}
def _b0(recipe):
    """The same recipe with EfficientNet-B0, whose weights Keras downloads."""
    options = {k: v for k, v in recipe.model.options.items() if k != "drop_connect"}
    smoke = {k: v for k, v in recipe.profiles["smoke"].items() if k != "model_size"}
    return dataclasses.replace(
        recipe,
        name=recipe.name.replace("lite0", "b0"),
        title=recipe.title.replace("Lite0", "B0"),
        model=choose("efficientnet_b0", **options),
        profiles={**recipe.profiles, "smoke": smoke},
    )


RECIPES = (
    DEMO,
    DEMO_SYNTHETIC,
    EFFICIENTNET_LITE0,
    EFFICIENTNET_LITE0_PLAIN,
    EFFICIENTNET_LITE0_SA,
    EFFICIENTNET_LITE0_PLAIN_SA,
    EFFICIENTNET_LITE0_FROZEN,
    MAIN,
    _b0(EFFICIENTNET_LITE0),
    _b0(EFFICIENTNET_LITE0_SA),
)

# First minus second, on the same test images.
COMPARISONS = (
    (EFFICIENTNET_LITE0_SA.name, EFFICIENTNET_LITE0.name),
    (EFFICIENTNET_LITE0_PLAIN_SA.name, EFFICIENTNET_LITE0_PLAIN.name),
    (EFFICIENTNET_LITE0_PLAIN.name, EFFICIENTNET_LITE0_FROZEN.name),
    (EFFICIENTNET_LITE0_SA.name.replace("lite0", "b0"), EFFICIENTNET_LITE0.name.replace("lite0", "b0")),
)
