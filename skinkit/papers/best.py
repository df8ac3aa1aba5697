"""Recipes to start from, for two processor cores, and what each part of the best one adds.

No document has them.
"""

import dataclasses

from skinkit.papers.baselines import EFFICIENTNET_LITE0_PLAIN, few_blocks, without_epochs
from skinkit.papers.members import ensemble
from skinkit.papers.recipe import Phase, choose

_RATE = 8e-4
# An average over about 200 steps, less than an epoch: it forgets the untrained head.
_AVERAGE = {"use_ema": True, "ema_momentum": 0.995}


def _one_phase(epochs, rate=_RATE, **options):
    optimiser = choose("adamw", learning_rate=rate, weight_decay=0.05, **options)
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
        profiles=few_blocks({"quick": _QUICK, "smoke": _SMOKE}),
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


def _short(image_size, epochs=(9,), **sizes):
    """Nine epochs, so that no run of a ladder takes more than twenty minutes."""
    smoke = {k: _SMOKE[k] for k in ("image_size", *sizes)} | {"subset": 160, "epochs": (1,) * len(epochs)}
    if image_size[0] == image_size[1]:
        smoke |= {k: (side, side) for k, side in (("image_size", 64), ("crop_size", 48))}
    return few_blocks({"quick": {"image_size": image_size, "epochs": epochs, **sizes}, "smoke": smoke})


# What each row adds to the one above it; "parts" is the best recipe in fewer epochs, the last goes beyond.
_ADDED = {
    "adamw": (
        "AdamW with warm-up and one cosine, in place of two phases of Adam",
        {"phases": _one_phase(20), "profiles": _short((120, 160))},
    ),
    "average": ("AdamW and averaged weights", {"phases": _one_phase(20, **_AVERAGE)}),
    "larger": ("AdamW and averaged weights, larger images", {"profiles": _short((144, 192))}),
    "parts": (
        "AdamW and averaged weights, random parts of larger images",
        {
            **{"input": _PARTS, "image_size": LITE0.image_size, "crop_size": LITE0.crop_size},
            "profiles": _short(**_QUICK),
        },
    ),
    "orientations": (
        "AdamW and averaged weights, random parts of squares in eight orientations",
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
        "The plain EfficientNet-Lite0, in nine epochs on three folds",
        profiles=_short((120, 160), epochs=(1, 8)),
    )
    yield last
    for row, (title, changes) in _ADDED.items():
        last = dataclasses.replace(last, name=f"skinkit/ablation/{row}", title=title, **changes)
        yield last


ABLATION = tuple(_ablation())

# What the candidates are changes of: the best recipe in nine epochs.
BASE = ABLATION[4]


def _candidate(row, title, of=BASE, **changes):
    return dataclasses.replace(of, name=f"skinkit/candidates/{row}", title=title, **changes)


# skinkit/candidates/{resolution-start,resolution}
def _resolution():
    """Small images first, larger ones at the end, which takes less time than the base."""
    start = _candidate(
        "resolution-start", "Seven of nine epochs on smaller images",
        image_size=(210, 280), crop_size=(180, 240), phases=_one_phase(16, **_AVERAGE),
        profiles=_short((140, 186), epochs=(7,), crop_size=(120, 160)),
    )  # fmt: skip
    end = _candidate(
        "resolution", "Seven epochs on smaller images, then two on larger ones", start,
        start_from=start.name, image_size=(294, 392), crop_size=(252, 336),
        phases=_one_phase(4, rate=2e-4, **_AVERAGE),
        profiles=_short((196, 262), epochs=(2,), crop_size=(168, 224)),
    )  # fmt: skip
    return start, end


# skinkit/candidates/{head,metadata}
def _heads():
    """The head trained again, for balanced classes, on what the trained network has found in each image."""
    fields = {"start_from": BASE.name, "phases": (), "profiles": without_epochs(BASE.profiles)}
    # A strong penalty, chosen before any run: the network has fitted its features to these images already.
    head = {"features": "pooled", "class_weight": "balanced", "C": 1e-3}
    for row, title, options in (
        ("head", "The head trained again, on balanced classes", head),
        ("metadata", "The head trained again, with sex, age and site", {**head, "metadata": True}),
    ):
        yield _candidate(row, title, classifier=choose("logistic_regression", **options), **fields)


# skinkit/candidates/{illuminant,mixup,student}
def _candidates():
    light = {**BASE.augmentation, "illuminant": 0.15}
    yield _candidate("illuminant", "Light of other colours in training", augmentation=light)
    # Without smoothing, which comes before `alpha`, so that rare classes would get most of it.
    weighted = {"gamma": 0.0, "alpha": "inverse_frequency", "power": 0.75}
    yield _candidate(
        "mixup", "Mixed images in place of label smoothing, with the class weights in the loss",
        mixing=choose("mixup", alpha=0.2), balancing=choose("none"), loss=choose("focal", **weighted),
    )  # fmt: skip
    teachers = tuple(recipe.name for recipe in FOLDS[1:])
    yield _candidate(
        "student", "A student of the three networks of its fold",
        teaching=choose("distillation", teachers=teachers),
    )  # fmt: skip


CANDIDATES = (*_resolution(), *_heads(), *_candidates())


# skinkit/best/{final,final-folds}
# skinkit/best/ensemble-{lite0,lites,lites-weighted}
# skinkit/folds/ensemble
def _finals():
    """For other images: what learned from all of HAM10000, with thresholds from out-of-fold predictions."""
    all_images = {"split": choose("undivided_split"), "test_part": "train", "out_of_fold": FOLDS[1].name}
    yield dataclasses.replace(
        LITE0, name="skinkit/best/final", title=f"{LITE0.name} trained on all images", **all_images
    )
    yield ensemble(
        FOLDS[1], "skinkit/best/final-folds", "The networks of its three folds, for other images",
        folds=3, **all_images,
    )  # fmt: skip


def _ensembles():
    lites, name = tuple(f"skinkit/best/lite{number}" for number in range(3)), "skinkit/best/ensemble-"
    yield ensemble(LITE0, f"{name}lite0", "Three EfficientNet-Lite0 that differ in their seed", seeds=3)
    yield ensemble(LITE0, f"{name}lites", "EfficientNet-Lite0, 1 and 2", recipes=lites)
    yield ensemble(
        LITE0, f"{name}lites-weighted", "The same with weights chosen on validation",
        recipes=lites, weights="validation",
    )  # fmt: skip
    folds = tuple(recipe.name for recipe in FOLDS[1:])
    yield ensemble(FOLDS[1], "skinkit/folds/ensemble", "The three networks of each fold", recipes=folds)


ENSEMBLES = (*_finals(), *_ensembles())
RECIPES = (LITE0, LITE1, LITE2, *FOLDS, *ABLATION, *CANDIDATES, *ENSEMBLES)

# First minus second, on the same test images. What is run on folds is compared by results/ablation_page.py.
COMPARISONS = (
    (LITE0.name, EFFICIENTNET_LITE0_PLAIN.name),
    (LITE1.name, LITE0.name),
    (LITE2.name, LITE1.name),
    *((f"skinkit/best/ensemble-{row}", LITE0.name) for row in ("lite0", "lites")),
    ("skinkit/best/ensemble-lites-weighted", "skinkit/best/ensemble-lites"),
    ("skinkit/folds/ensemble", FOLDS[1].name),
)
