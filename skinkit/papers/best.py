"""Recipes to start from: the best that two processor cores train in about an hour, and what each part adds.

No document has them.
"""

import dataclasses

from skinkit.papers.baselines import EFFICIENTNET_LITE0_PLAIN
from skinkit.papers.recipe import Phase, choose

_OPTIMISER = {"learning_rate": 8e-4, "weight_decay": 0.05}
# An average over about 200 steps, less than an epoch: it forgets the untrained head.
_AVERAGE = {"use_ema": True, "ema_momentum": 0.995}


def _one_phase(epochs, **options):
    optimiser = choose("adamw", **_OPTIMISER, **options)
    return (Phase(epochs=epochs, optimiser=optimiser, schedule=choose("cosine", warmup=0.1)),)


_PARTS = choose("single_crop", evaluation="whole", smallest_area=0.6)
_QUICK = {"image_size": (168, 224), "crop_size": (144, 192)}
_SMOKE = {"image_size": (56, 72), "crop_size": (48, 64), "epochs": (1,), "subset": 160}


# skinkit/best/{lite0,lite1,lite2}
def _best(number):
    return dataclasses.replace(
        EFFICIENTNET_LITE0_PLAIN,
        name=f"skinkit/best/lite{number}",
        title=f"EfficientNet-Lite{number} on random parts of images, with AdamW and averaged weights",
        model=choose(f"efficientnet_lite{number}", weights="imagenet", drop_connect=0.0),
        image_size=(252, 336),
        crop_size=(216, 288),
        input=_PARTS,
        phases=_one_phase(20, **_AVERAGE),
        # They only watch: the last epoch is taken.
        selection_every=0.2,
        profiles={"quick": _QUICK, "smoke": _SMOKE},
    )


LITE0, LITE1, LITE2 = map(_best, range(3))


def _in_folds(recipe, name, title, **changes):
    """The same on three folds that test each image once, without a validation part."""
    split = choose("out_of_fold_split", folds=3, group="lesion+patient")
    return dataclasses.replace(recipe, name=name, title=title, split=split, **changes)


# skinkit/folds/{plain,lite0,lite1,lite2}
FOLDS = tuple(
    _in_folds(recipe, f"skinkit/folds/{row}", f"{recipe.name} on three folds that test each image once")
    for row, recipe in zip(
        ("plain", "lite0", "lite1", "lite2"), (EFFICIENTNET_LITE0_PLAIN, LITE0, LITE1, LITE2), strict=True
    )
)


def _short(image_size, epochs=(12,), **sizes):
    """Twelve epochs, which take twenty minutes at most where the plain recipe takes ten."""
    smoke = {k: _SMOKE[k] for k in ("image_size", *sizes)} | {"subset": 160, "epochs": (1,) * len(epochs)}
    if image_size[0] == image_size[1]:
        smoke |= {k: (side, side) for k, side in (("image_size", 64), ("crop_size", 48))}
    return {"quick": {"image_size": image_size, "epochs": epochs, **sizes}, "smoke": smoke}


# What each row adds to the one above it; "parts" is the best recipe in fewer epochs, the last goes beyond.
_ADDED = {
    "adamw": (
        "AdamW with warm-up and one cosine in place of two phases of Adam",
        {"phases": _one_phase(20), "profiles": _short((120, 160))},
    ),
    "average": ("The same, and averaged weights", {"phases": _one_phase(20, **_AVERAGE)}),
    "larger": ("The same, on larger images", {"profiles": _short((144, 192))}),
    "parts": (
        "The same, on random parts of images",
        {
            **{"input": _PARTS, "image_size": LITE0.image_size, "crop_size": LITE0.crop_size},
            "profiles": _short(**_QUICK),
        },
    ),
    "orientations": (
        "The same in eight orientations, for which images are squares",
        {
            "augmentation": {**LITE0.augmentation, "transpose": 0.5},
            "tta": choose("dihedral"),
            **{"image_size": (288, 288), "crop_size": (252, 252)},
            "profiles": _short((192, 192), crop_size=(168, 168)),
        },
    ),
}


# skinkit/ablation/{plain,adamw,average,larger,parts,orientations}
def _ablation():
    last = _in_folds(
        EFFICIENTNET_LITE0_PLAIN,
        "skinkit/ablation/plain",
        "The plain EfficientNet-Lite0, in twelve epochs on three folds",
        profiles=_short((120, 160), epochs=(1, 11)),
    )
    yield last
    for row, (title, changes) in _ADDED.items():
        last = dataclasses.replace(last, name=f"skinkit/ablation/{row}", title=title, **changes)
        yield last


ABLATION = tuple(_ablation())
RECIPES = (LITE0, LITE1, LITE2, *FOLDS, *ABLATION)

# First minus second, on the same test images. What is run on folds is compared by results/ablation_page.py.
COMPARISONS = (
    (LITE0.name, EFFICIENTNET_LITE0_PLAIN.name),
    (LITE1.name, LITE0.name),
    (LITE2.name, LITE1.name),
)
