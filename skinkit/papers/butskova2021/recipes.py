"""Butskova 2021: focal loss, mixup and two decisions in a row on HAM10000.

No code was released, so that there is no `as_published`. `as_described` splits the images 80/20, so that
lesions are in both parts, chooses the epoch on the part that is scored, and keeps a rate of 1e-3, but in
`controls/fastai-defaults`. `corrected` splits by lesion, chooses on a validation part of its own, and tunes
pretrained networks at 1e-4.

The document leaves open, and we take: 32 images a batch; pixels scaled as the network's weights expect, also
without these; flips; the epoch with the best mean recall, as which its "normalized multi-class accuracy" is
read; seed 0; no training on both parts before the official test.
Networks without pretraining see a random 128 x 128 of 450 x 600 pixels, and the centre in evaluation;
pretrained ones the image at 128 x 128, because 6 % of it is not enough for an accuracy of 0.9. Their weights
are those of ImageNet, where the document says Imagenette; one epoch trains their head alone, of 512 and 128
units with ReLU. Batch normalisation has PyTorch's momentum of 0.9; that of EfficientNet-Lite0, in our own
rows, has 0.99. Alpha is 1, but 0.5 for nevi in the gate, their "discount"; the second stage learns the six
other classes by their true labels.
"""

from skinkit.papers.pairs import pairs_of
from skinkit.papers.recipe import Phase, Recipe, choose

GAMMAS = ("0", "1", "1.5", "2", "5")
EPOCHS = 20
MIXUP = choose("mixup", weight=0.7)
GATE = {"target": choose("one_against_rest", label="nv"), "positive": "rest"}
REST = {"target": choose("without", label="nv")}
HIDDEN = (512, 128)
MOMENTUM = {"batch_norm_momentum": 0.9}
_SPLIT = choose(
    "stratified_group_split",
    group="lesion+patient",
    # The document tests on a fifth.
    fractions={"train": 0.7, "validation": 0.1, "test": 0.2},
)
_AS_DESCRIBED = {
    "split": choose("butskova2021_split"),
    "selection_part": "validation",
    "test_part": "validation",
}
CROPS = {
    "quick": {"image_size": (225, 300), "crop_size": 64, "subset": 3000, "epochs": (6,)},
    "smoke": {"image_size": (48, 64), "crop_size": 32, "subset": 120, "epochs": (1,)},
}
_WHOLE = {
    "quick": {"image_size": (64, 64), "subset": 3000, "epochs": (1, 5)},
    "smoke": {"image_size": (32, 32), "subset": 120, "epochs": (1, 1)},
}
_B7 = {**_WHOLE, "quick": {"image_size": (64, 64), "subset": 1000, "epochs": (1, 2)}}


def focal(gamma, **options):
    """The focal loss; gamma 0 is the cross-entropy."""
    return choose("focal", gamma=float(gamma), **options)


def adam(rate=1e-3):
    """The optimiser, at the rate of the document."""
    return choose("adam", learning_rate=rate)


def recipe(name, title, described=None, **changes):
    """A recipe under both protocols; `described` is what the text has of its own."""
    fields = {
        "name": f"butskova2021/{name}",
        "title": title,
        "split": _SPLIT,
        "augmentation": {"flip_left_right": 0.5, "flip_up_down": 0.5},
        "tolerance": {"accuracy": 0.02, "macro_recall": 0.03},
        "protocols": {"as_described": {**_AS_DESCRIBED, **(described or {})}},
    }
    return Recipe(**{**fields, **changes})


def unpretrained(name, title, gamma, network="resnet50", epochs=EPOCHS, **changes):
    """A network trained from nothing on random crops."""
    fields = {
        "image_size": (450, 600),
        # One crop of the image's own scale; the centre in evaluation.
        "input": choose("multi_crop", count=1),
        "crop_size": 128,
        "model": choose(network, dropout=0.0, **MOMENTUM),
        "loss": focal(gamma),
        "phases": (Phase(epochs, adam()),),
        "profiles": CROPS,
    }
    return recipe(name, title, **{**fields, **changes})


def pretrained(name, title, gamma, model, **changes):
    """A network with ImageNet weights: its head first, then all of it."""
    head = Phase(1, adam(), trainable="head")
    fields = {
        "image_size": (128, 128),
        "model": choose(model.name, weights="imagenet", dropout=0.0, hidden=HIDDEN, **model.options),
        "loss": focal(gamma),
        "phases": (head, Phase(EPOCHS - 1, adam(1e-4))),
        "described": {"phases": (head, Phase(EPOCHS - 1, adam()))},
        "profiles": _WHOLE,
    }
    return recipe(name, title, **{**fields, **changes})


def b7(name, title, gamma, **changes):
    """EfficientNet-B7 with ImageNet weights, and mixup unless told otherwise."""
    model = choose("efficientnet_b7", **MOMENTUM)
    return pretrained(name, title, gamma, model, **{"mixing": MIXUP, "profiles": _B7, **changes})


# butskova2021/unpretrained/resnet50-gamma{0,1,1.5,2,5}
def _unpretrained():
    for gamma in GAMMAS:
        yield unpretrained(
            f"unpretrained/resnet50-gamma{gamma}",
            f"ResNet-50 from nothing, focal loss with gamma {gamma}",
            gamma,
        )


# butskova2021/pretrained/{resnet50-gamma0,resnet50-gamma1,efficientnet-gamma1}
def _pretrained():
    for gamma in ("0", "1"):
        yield pretrained(
            f"pretrained/resnet50-gamma{gamma}",
            f"ResNet-50 with ImageNet weights, focal loss with gamma {gamma}",
            gamma,
            choose("resnet50", **MOMENTUM),
        )
    yield b7("pretrained/efficientnet-gamma1", "EfficientNet-B7, gamma 1, and mixup at 70/30", "1")


# butskova2021/pretrained/two-stage-efficientnet-gamma1-{gate,rest}
def _stages():
    """Both networks of the row of two stages, which itself has none."""
    row = "pretrained/two-stage-efficientnet-gamma1"
    gate = {**GATE, "loss": focal(1, alpha=[0.5, 1.0])}
    yield b7(f"{row}-gate", "First of two EfficientNets: nevi, or not", "1", published="", **gate)
    yield b7(f"{row}-rest", "Second of two EfficientNets: the six other classes", "1", published="", **REST)


_TABLES = (_unpretrained, _pretrained, _stages)
RECIPES = tuple(each for table in _TABLES for each in table())

# First minus second, on the same test images.
COMPARISONS = pairs_of(
    "butskova2021",
    *((f"unpretrained/resnet50-gamma{gamma}", "unpretrained/resnet50-gamma0") for gamma in GAMMAS[1:]),
    *(("unpretrained/resnet50-gamma1", f"unpretrained/resnet50-gamma{gamma}") for gamma in GAMMAS[2:]),
    ("pretrained/resnet50-gamma1", "pretrained/resnet50-gamma0"),
    ("pretrained/efficientnet-gamma1", "pretrained/resnet50-gamma1"),
)
