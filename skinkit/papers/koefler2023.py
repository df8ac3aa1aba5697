"""Köfler 2023: a CNN with and without soft attention on HAM10000, and what its split is worth.

`as_published` augments before it splits, counts the class weights over training and test images, and
selects the epoch on the test images. `as_described` differs in one thing: it splits first, by image.
`corrected` splits by lesion, selects on a validation part of its own, scales RGB pixels to 0..1, and uses
the soft attention of the text. Rows of the table `controls` are ours.
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
    "balancing": choose("class_weights", normalise=True, over="all"),
    "selection_part": "test",
}
_AS_DESCRIBED = {**_AS_PUBLISHED, "offline": _COPIES}

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
    # The released code's shear of 0.2 is 0.2 degrees in Keras: nothing.
    augmentation={"flip_left_right": 0.5, "zoom": 0.2},
    model=choose("koefler_cnn"),
    balancing=choose("class_weights", normalise=True),
    phases=(Phase(epochs=100, optimiser=choose("adam", learning_rate=1e-4, epsilon=1e-3)),),
    monitor="accuracy",
    tolerance={"accuracy": 0.02, "macro_recall": 0.03, "macro_f1": 0.03},
    protocols={"as_published": _AS_PUBLISHED, "as_described": _AS_DESCRIBED},
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

CNN_SA = _variant(
    "table4b/cnn-sa",
    "The same CNN with soft attention",
    "soft",
    protocols={
        "as_published": {**_AS_PUBLISHED, "model": _SOFT_RELEASED},
        "as_described": {**_AS_DESCRIBED, "model": _SOFT_RELEASED},
    },
    published=None,
)
CONTROLS = (
    _variant("controls/cnn-sa-released", "Soft attention as the public code has it", "soft", **_RELEASED),
    _variant("controls/cnn-doubled", "As wide as CNN-SA, without attention", "doubled"),
    _variant("controls/cnn-random-map", "Random maps in the place of learned ones", "random_map"),
)


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


RECIPES = (
    CNN,
    CNN_SA,
    *CONTROLS,
    _external(CNN, "table5a/cnn", "The CNN on images of ISIC 2019"),
    _external(CNN_SA, "table5b/cnn-sa", "The CNN with soft attention on images of ISIC 2019"),
)

# First minus second, on the same test images.
COMPARISONS = tuple((CNN_SA.name, other.name) for other in (CNN, *CONTROLS))
