"""Our own recipes beside those of butskova2021: what its table leaves out, and networks for two CPU cores."""

from skinkit.papers.baselines import few_blocks
from skinkit.papers.butskova2021.recipes import (
    CROPS,
    GAMMAS,
    GATE,
    MIXUP,
    REST,
    adam,
    b7,
    focal,
    pretrained,
    unpretrained,
)
from skinkit.papers.pairs import pairs_of
from skinkit.papers.recipe import Phase, choose

_OURS = {"published": ""}
_MIXUP_BETA = choose("mixup", alpha=0.2)
DISCOUNTS = ("0.25", "0.5", "1")
_FASTAI = {"flip_left_right": 0.5, "rotation": 10, "zoom": 0.1, "brightness": 0.2, "contrast": 0.2}
_DOWNSAMPLED = {
    **{"input": choose("downsampling"), "crop_size": None, "image_size": (128, 128)},
    "profiles": {
        "quick": {"image_size": (64, 64), "subset": 3000, "epochs": (6,)},
        "smoke": {"image_size": (32, 32), "subset": 120, "epochs": (1,)},
    },
}
_STANDIN_CROPS = few_blocks({**CROPS, "quick": {"image_size": (225, 300), "crop_size": 64}})
_LITE0 = few_blocks(
    {
        "quick": {"epochs": (1, 9)},
        "smoke": {"image_size": (32, 32), "subset": 120, "epochs": (1, 1)},
    }
)


# butskova2021/controls/{efficientnet-gamma1-no-mixup,efficientnet-gamma0-mixup,mixup-beta}
# butskova2021/controls/gate-discount{0.25,0.5,1}
def _b7_controls():
    """What the pretrained table mixes up: the network, mixup, gamma, and the weight of nevi."""
    alone = "EfficientNet-B7, gamma 1, no mixup"
    yield b7("controls/efficientnet-gamma1-no-mixup", alone, "1", mixing=None, **_OURS)
    yield b7("controls/efficientnet-gamma0-mixup", "EfficientNet-B7, gamma 0, and mixup", "0", **_OURS)
    drawn = "EfficientNet-B7, gamma 1, and mixup with weights from beta"
    yield b7("controls/mixup-beta", drawn, "1", mixing=_MIXUP_BETA, **_OURS)
    for discount in DISCOUNTS:
        alpha = [float(discount), 1.0]
        yield b7(
            f"controls/gate-discount{discount}", f"The gate with nevi at {discount} of their weight", "1",
            **{**GATE, "loss": focal(1, alpha=alpha), **_OURS},
        )  # fmt: skip


# butskova2021/controls/resnet50-gamma{0,1,1.5,2,5}-inverse-frequency
# butskova2021/controls/{scratch-256,downsampled-mixup,scratch-equal-steps,fastai-defaults}
def _scratch_controls():
    """What the document says it tried, and what its un-pretrained table does not tell apart."""
    for gamma in GAMMAS:
        yield unpretrained(
            f"controls/resnet50-gamma{gamma}-inverse-frequency", f"Gamma {gamma}, alpha by class frequency",
            gamma, loss=focal(gamma, alpha="inverse_frequency"), **_OURS,
        )  # fmt: skip
    larger = {**CROPS, "quick": {**CROPS["quick"], "crop_size": 128}}
    yield unpretrained(
        "controls/scratch-256", "ResNet-50 on crops of 256", "0", crop_size=256, profiles=larger, **_OURS
    )
    yield unpretrained(
        "controls/downsampled-mixup", "ResNet-50 from nothing on whole images, mixed", "1",
        mixing=MIXUP, **_DOWNSAMPLED, **_OURS,
    )  # fmt: skip
    # 30 epochs of a pretext task and 20 of classification.
    steps = {**CROPS, "quick": {**CROPS["quick"], "epochs": (15,)}}
    yield unpretrained(
        "controls/scratch-equal-steps", "Gamma 1 for as long as a pretext task and its classifier", "1",
        epochs=50, profiles=steps, **_OURS,
    )  # fmt: skip
    # Without the cycle of the momentum, and without the change of perspective that fastai calls warp.
    yield unpretrained(
        "controls/fastai-defaults", "Gamma 1, schedule and augmentation of fastai but its warp", "1",
        phases=(Phase(20, adam(), choose("cosine", warmup=0.25)),),
        augmentation=_FASTAI,
        scaling="imagenet", channel_order="rgb", selection="last", **_OURS,
    )  # fmt: skip


# butskova2021/gamma/mobilenet-gamma{0,1,1.5,2,5}
def _gamma_stand_ins():
    """The un-pretrained table on a small network."""
    for gamma in GAMMAS:
        yield unpretrained(
            f"gamma/mobilenet-gamma{gamma}", f"MobileNet-0.25 from nothing, gamma {gamma}", gamma,
            network="mobilenet_025", profiles=_STANDIN_CROPS, **_OURS,
        )  # fmt: skip


# butskova2021/stages/lite0-{gamma0,gamma1,gamma1-mixup,gamma0-mixup,gate,rest}
def _stage_stand_ins():
    """The pretrained table on a small network: gamma with and without mixup, and both stages."""
    gate = {"mixing": MIXUP, **GATE, "loss": focal(1, alpha=[0.5, 1.0])}
    for row, title, gamma, changes in (
        ("gamma0", "gamma 0", "0", {}),
        ("gamma1", "gamma 1", "1", {}),
        ("gamma1-mixup", "gamma 1 and mixup", "1", {"mixing": MIXUP}),
        ("gamma0-mixup", "gamma 0 and mixup", "0", {"mixing": MIXUP}),
        ("gate", "the first stage, nevi at half their weight", "1", gate),
        ("rest", "the second stage", "1", {"mixing": MIXUP, **REST}),
    ):
        yield pretrained(
            f"stages/lite0-{row}", f"EfficientNet-Lite0: {title}", gamma,
            choose("efficientnet_lite0", drop_connect=0.0), **{"profiles": _LITE0, **changes, **_OURS},
        )  # fmt: skip


_TABLES = (_b7_controls, _scratch_controls, _gamma_stand_ins, _stage_stand_ins)
RECIPES = tuple(each for table in _TABLES for each in table())

# Tables and rows of small networks, and the printed ones that they repeat.
STANDS_FOR = {
    "butskova2021/gamma": "butskova2021/unpretrained",
    "butskova2021/stages": "butskova2021/pretrained",
    "butskova2021/stages/lite0-gamma1-mixup": "butskova2021/pretrained/efficientnet-gamma1",
    **{
        f"butskova2021/stages/lite0-two-stage-{rule}": "butskova2021/pretrained/two-stage-efficientnet-gamma1"
        for rule in ("hard", "soft")
    },
}

# First minus second, on the same test images.
COMPARISONS = pairs_of(
    "butskova2021",
    ("controls/efficientnet-gamma1-no-mixup", "pretrained/resnet50-gamma1"),
    ("pretrained/efficientnet-gamma1", "controls/efficientnet-gamma1-no-mixup"),
    ("pretrained/efficientnet-gamma1", "controls/efficientnet-gamma0-mixup"),
    ("controls/mixup-beta", "pretrained/efficientnet-gamma1"),
    *(
        (f"controls/resnet50-gamma{gamma}-inverse-frequency", f"unpretrained/resnet50-gamma{gamma}")
        for gamma in GAMMAS
    ),
    ("controls/scratch-256", "unpretrained/resnet50-gamma0"),
    *(
        (f"controls/{row}", "unpretrained/resnet50-gamma1")
        for row in ("downsampled-mixup", "scratch-equal-steps", "fastai-defaults")
    ),
    *((f"gamma/mobilenet-gamma{gamma}", "gamma/mobilenet-gamma0") for gamma in GAMMAS[1:]),
    *(("gamma/mobilenet-gamma1", f"gamma/mobilenet-gamma{gamma}") for gamma in GAMMAS[2:]),
    ("stages/lite0-gamma1", "stages/lite0-gamma0"),
    *((f"stages/lite0-gamma{gamma}-mixup", f"stages/lite0-gamma{gamma}") for gamma in "01"),
    ("stages/lite0-gamma1-mixup", "stages/lite0-gamma0-mixup"),
)
