"""Köfler 2023: a CNN with and without soft attention on HAM10000, and what its split is worth.

`as_published` augments before it splits, counts the class weights over training and test images, and
selects the epoch on the test images. So does `as_described`: the text agrees with the code, but for the
kernels of the soft attention and its gamma. `corrected` splits by lesion, selects on a validation part of
its own, scales RGB pixels to 0..1, and uses the soft attention of the text. Rows of the table `controls` are
ours; those called split-then-augment are run `as_published`, and differ from it in the order alone.
"""

import dataclasses

from skinkit.papers.recipe import Phase, Recipe, choose

_COPIES = choose("augment_offline")
_RELEASED = {"kernel": "released", "gamma": None}

_AS_PUBLISHED = {
    "split": choose("koefler2023_split"),
    "offline": choose("augment_offline", before_split=True),
    "channel_order": "bgr",
    "scaling": "raw",
    # Text and code round them: 0.57, 0.57, 0.58, 1.23, 1.93, 4.45, 5.5.
    "balancing": choose("class_weights", normalise=True, over="all", decimals=2),
    "selection_part": "test",
}
_SPLIT_FIRST = {"as_published": {**_AS_PUBLISHED, "offline": _COPIES}, "corrected": None}

CNN = Recipe(
    name="koefler2023/table4a/cnn",
    title="CNN trained from nothing on 100 x 100 pixels",
    classes="koefler2023",
    split=choose(
        "stratified_group_split",
        group="lesion+patient",
        fractions={"train": 0.57, "validation": 0.10, "test": 0.33},
    ),
    offline=_COPIES,
    image_size=(100, 100),
    scaling="unit",
    resize="bilinear",
    # As Keras' `ImageDataGenerator` does it; its shear of 0.2 is 0.2 degrees: nothing.
    augmentation={"flip_left_right": 0.5, "zoom": 0.2, "zoom_per_axis": True, "fill": "nearest"},
    model=choose("koefler_cnn"),
    balancing=choose("class_weights", normalise=True),
    phases=(Phase(epochs=100, optimiser=choose("adam", learning_rate=1e-4, epsilon=1e-3)),),
    monitor="accuracy",
    tolerance={"accuracy": 0.02, "macro_recall": 0.03, "macro_f1": 0.03},
    protocols={"as_published": _AS_PUBLISHED, "as_described": _AS_PUBLISHED},
    profiles={
        "quick": {
            "image_size": (80, 80),
            "epochs": (40,),
            "batch_size": 8,
            "subset": 600,
            "model_size": {"width": 0.5},
        },
        "smoke": {"image_size": (80, 80), "epochs": (2,), "subset": 120, "model_size": {"width": 0.125}},
    },
)


def _variant(name, title, attention, protocols=None, published="", **soft_attention):
    options = {"soft_attention": soft_attention} if soft_attention else {}
    return dataclasses.replace(
        CNN,
        name=f"koefler2023/{name}",
        title=title,
        model=choose("koefler_cnn", attention=attention, **options),
        protocols=protocols or {},
        published=published,
    )


_SOFT_RELEASED = choose("koefler_cnn", attention="soft", soft_attention=_RELEASED)
_SOFT_PUBLISHED = {**_AS_PUBLISHED, "model": _SOFT_RELEASED}

# koefler2023/table4b/cnn-sa
CNN_SA = _variant(
    "table4b/cnn-sa",
    "CNN with soft attention, from nothing on 100 x 100 pixels",
    "soft",
    protocols={"as_published": _SOFT_PUBLISHED, "as_described": _AS_PUBLISHED},
    published=None,
)
# koefler2023/controls/cnn-{sa-released,doubled,random-map}
CONTROLS = (
    _variant("controls/cnn-sa-released", "CNN-SA as the public code has it", "soft", **_RELEASED),
    _variant("controls/cnn-doubled", "CNN as wide as CNN-SA, without attention", "doubled"),
    # Since revision 1 its maps come from NumPy: the same on every backend.
    dataclasses.replace(
        _variant(
            "controls/cnn-random-map", "CNN-SA with random maps in the place of learned ones", "random_map"
        ),
        revision=1,
    ),
)
# koefler2023/controls/{cnn,cnn-sa}-split-then-augment
SPLIT_FIRST = (
    dataclasses.replace(
        CNN,
        name="koefler2023/controls/cnn-split-then-augment",
        title="CNN, split by image before the copies are made",
        protocols=_SPLIT_FIRST,
        published="",
    ),
    _variant(
        "controls/cnn-sa-split-then-augment",
        "CNN-SA, split by image before the copies are made",
        "soft",
        protocols={
            **_SPLIT_FIRST,
            "as_published": {**_SPLIT_FIRST["as_published"], "model": _SOFT_RELEASED},
        },
    ),
)
# The published row that a control holds another exam for.
SPLIT_FIRST_OF = dict(zip((r.name for r in SPLIT_FIRST), (CNN.name, CNN_SA.name), strict=True))


def _external(recipe, name, title):
    """The recipe, tested on ISIC 2019; which 501 files the code has read is not known."""
    published = {"external": choose("isic2019", overlap="keep", sample=501), "selection_part": "validation"}
    protocols = {p: {**changes, **published} for p, changes in recipe.protocols.items()}
    return dataclasses.replace(
        recipe,
        name=f"koefler2023/{name}",
        title=title,
        external=choose("isic2019"),
        protocols=protocols,
        not_comparable="not internally consistent",
    )


# koefler2023/table5a/cnn
# koefler2023/table5b/cnn-sa
RECIPES = (
    CNN,
    CNN_SA,
    *CONTROLS,
    *SPLIT_FIRST,
    _external(CNN, "table5a/cnn", "The CNN on images of ISIC 2019"),
    _external(CNN_SA, "table5b/cnn-sa", "The CNN with soft attention on images of ISIC 2019"),
)

# First minus second, on the same test images.
COMPARISONS = (
    *((CNN_SA.name, other.name) for other in (CNN, *CONTROLS)),
    tuple(r.name for r in reversed(SPLIT_FIRST)),
    ("koefler2023/table5b/cnn-sa", "koefler2023/table5a/cnn"),
)
