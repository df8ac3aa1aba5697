"""The self-supervised rows of butskova2021, their controls, and stand-ins for two CPU cores.

The document tried both pretext tasks before the classification, for 30 epochs, and beside it, both losses
counting alike, and does not say which its table shows. Rotation is taken as the text tells it: first the
angle, then the class. Context restoration is taken as the one network of its Figure 4, with two losses: a
disordered image in, a restored one into MobileNet. The other form of each is a recipe of its own.

Also open, and taken: whole images; angles of 0, 60, ..., 300 degrees and a reflected border; EfficientNet-B7,
as in the pretrained rows; one dense layer; images in order in evaluation and after the pretext. No network
starts from ImageNet. The document turns "all the images in the dataset"; here both tasks learn from the
training part alone, under either protocol. Where the angle is learned, images are flipped sideways alone:
flipped both ways, an image is turned by 180 degrees, and nothing could tell the two apart. A pretext recipe
scores what it learns: the accuracy over six angles, of which chance reaches 1/6; the PSNR of restored
validation images in its history, while its predictions are those of a linear classifier on its bottleneck.
"""

from skinkit.papers.baselines import FEW_BLOCKS
from skinkit.papers.butskova2021.recipes import EPOCHS, MOMENTUM, adam, focal, pretrained, recipe
from skinkit.papers.pairs import pairs_of
from skinkit.papers.recipe import Phase, choose

_PRETEXT_EPOCHS = 30
_B7 = choose("efficientnet_b7", dropout=0.0, **MOMENTUM)
_MOBILENET = choose("mobilenet_025", dropout=0.0, **MOMENTUM)
# Both flips together are half a turn.
_SIDEWAYS = {"augmentation": {"flip_left_right": 0.5}}
# Filters of a restorer's levels.
_NARROW = {"widths": (8, 16, 32, 64)}
_SMOKE = {"image_size": (32, 32), "subset": 120, "epochs": (1,)}
_OURS = {"published": ""}
_QUICK = {"image_size": (96, 96)}
_STAND_IN = {**_OURS, "quick": _QUICK}


def _network(name, title, model, epochs=EPOCHS, quick=None, **changes):
    """A network from nothing, or from a pretext task, on whole images."""
    fields = {
        "image_size": (128, 128),
        "model": model,
        "loss": focal(1),
        "phases": (Phase(epochs, adam()),),
        "profiles": {"quick": quick or _quick_of(model, epochs), "smoke": _smoke_of(model)},
    }
    return recipe(name, title, **{**fields, **changes})


def _quick_of(model, epochs):
    quick = {"image_size": (64, 64), "subset": 3000, "epochs": (epochs * 3 // 10,)}
    if model == _B7:
        quick |= {"subset": 1000, "epochs": (epochs // 10,)}
    return quick | ({"model_size": _NARROW} if "decoder" in model.options else {})


def _smoke_of(model):
    size = {"widths": (4, 8)} if "decoder" in model.options else {}
    if "mobilenet" in model.options.get("backbone", model.name):
        size |= FEW_BLOCKS
    return _SMOKE | ({"model_size": size} if size else {})


def _pretext(name, title, model, **changes):
    """A network that learns a pretext task alone."""
    return _network(name, title, model, _PRETEXT_EPOCHS, **{"selection": "last", **changes, **_OURS})


def _turned(name, network, disc=False, **changes):
    """First the angle, then the class."""
    what = "turned images in a disc" if disc else "turned images"
    yield _pretext(
        f"{name}-pretext", f"The angle of {what}", network,
        **changes | {"target": choose("rotation", disc=disc), "positive": "0", "monitor": "accuracy"},
        loss=choose("categorical_crossentropy"), **_SIDEWAYS,
    )  # fmt: skip
    start = {"start_from": f"butskova2021/{name}-pretext"}
    yield _network(name, f"First the angle of {what}, then the class", network, **changes | start)


def _turned_joint(name, network, **changes):
    """Angle and class at once."""
    changes |= {"target": choose("rotation", disc=False, joint=True), **_SIDEWAYS}
    return _network(name, "Angle and class of turned images at once", network, **changes)


def _restored(name, decoder="unet", widths=None, **changes):
    """A restorer alone."""
    return _pretext(
        name, f"The images before their patches traded places, decoder {decoder}",
        choose("restorer", decoder=decoder, **({"widths": widths} if widths else {})),
        **changes | {"target": choose("pixels", patch=8, swaps=20), "monitor": "psnr"},
        loss=choose("mean_squared_error"),
        classifier=choose("logistic_regression", features="bottleneck_mean"),
    )  # fmt: skip


def _chain(backbone, decoder="unet", **widths):
    """A restorer, and a network that reads what it restores."""
    given = {"backbone": backbone, "decoder": decoder, "dropout": 0.0, **MOMENTUM, **widths}
    return choose("restoration_classifier", **given)


def _encoder(**widths):
    """The half of a restorer that reads the image, as a classifier."""
    return choose("restoration_classifier", reuse="encoder", decoder="unet", dropout=0.0, **widths)


def _restored_joint(name, title, model=None, patch=8, **changes):
    """Image and class at once."""
    target = choose("pixels", patch=patch, swaps=20, joint=True)
    return _network(name, title, model or _chain("mobilenet"), **{"target": target, **changes})


# butskova2021/self-supervised/{rotation,rotation-pretext,rotation-joint}
# butskova2021/self-supervised/context-restoration{,-pretext,-sequential}
def _self_supervised():
    """Both rows; the other form of each aims at the same."""
    table = "self-supervised"
    yield from _turned(f"{table}/rotation", _B7)
    yield _turned_joint(f"{table}/rotation-joint", _B7, published=f"butskova2021/{table}/rotation")
    row = f"{table}/context-restoration"
    yield _restored_joint(row, "Image and class at once: U-Net, then MobileNet")
    yield _restored(f"{row}-pretext")
    yield _network(
        f"{row}-sequential", "First the images, then the class: U-Net, then MobileNet", _chain("mobilenet"),
        start_from=f"butskova2021/{row}-pretext", published=f"butskova2021/{row}",
    )  # fmt: skip


# butskova2021/controls/rotation-disc{,-pretext}
# butskova2021/controls/restoration-{patch16,90-epochs,light,encoder}
def _controls():
    """What the document says it tried or planned, and what its rows do not tell apart."""
    yield from _turned("controls/rotation-disc", _B7, disc=True, **_OURS)
    for row, title, changes in (
        ("patch16", "patches of 16 pixels", {"patch": 16}),
        ("90-epochs", "90 epochs of both, where the document plans 90 to 100 of the first", {"epochs": 90}),
        ("light", "a light decoder", {"model": _chain("mobilenet", "light")}),
        ("encoder", "the class from the restorer's encoder", {"model": _encoder()}),
    ):
        yield _restored_joint(f"controls/restoration-{row}", f"Image and class: {title}", **changes, **_OURS)


# butskova2021/pretext/mobilenet-{scratch,scratch-50-epochs,imagenet}
# butskova2021/pretext/mobilenet-rotation{,-pretext,-joint,-disc,-disc-pretext}
# butskova2021/pretext/mobilenet-restoration{,-pretext,-light-pretext,-light,-encoder,-joint}
def _stand_ins():
    """MobileNet-0.25: from nothing, from each pretext task or beside it, and from ImageNet."""
    name = "pretext/mobilenet"
    yield _network(f"{name}-scratch", "MobileNet-0.25 from nothing", _MOBILENET, **_STAND_IN)
    title = "MobileNet-0.25 from nothing, for as long as a pretext task and its classifier"
    yield _network(f"{name}-scratch-50-epochs", title, _MOBILENET, EPOCHS + _PRETEXT_EPOCHS, **_STAND_IN)
    imagenet = choose("mobilenet_025", **MOMENTUM)
    profiles = {"quick": _QUICK, "smoke": {**_smoke_of(imagenet), "epochs": (1, 1)}}
    title = "MobileNet-0.25 with ImageNet weights, head and rates as in the pretrained rows"
    yield pretrained(f"{name}-imagenet", title, "1", imagenet, profiles=profiles, **_OURS)
    yield from _turned(f"{name}-rotation", _MOBILENET, **_STAND_IN)
    yield from _turned(f"{name}-rotation-disc", _MOBILENET, disc=True, **_STAND_IN)
    yield _turned_joint(f"{name}-rotation-joint", _MOBILENET, **_STAND_IN)
    yield from _restored_stand_ins(f"{name}-restoration")


def _restored_stand_ins(name):
    chain = _chain("mobilenet_025", **_NARROW)
    yield _restored(f"{name}-pretext", **_NARROW, **_STAND_IN)
    yield _restored(f"{name}-light-pretext", "light", **_NARROW, **_STAND_IN)
    yield _restored_joint(f"{name}-joint", "Image and class at once", chain, **_STAND_IN)
    for row, title, pretext, model in (
        ("", "U-Net, then MobileNet-0.25", "-pretext", chain),
        ("-light", "light decoder", "-light-pretext", _chain("mobilenet_025", "light", **_NARROW)),
        ("-encoder", "U-Net's encoder", "-pretext", _encoder(**_NARROW)),
    ):
        start = f"butskova2021/{name}{pretext}"
        title = f"First the images, then the class: {title}"
        yield _network(f"{name}{row}", title, model, start_from=start, **_STAND_IN)


_TABLES = (_self_supervised, _controls, _stand_ins)
RECIPES = tuple(each for table in _TABLES for each in table())

# Rows of a small network, and the printed ones that they repeat: both forms, as one of them was printed.
STANDS_FOR = {
    "butskova2021/pretext/mobilenet-scratch": "butskova2021/unpretrained/resnet50-gamma1",
    **{
        f"butskova2021/pretext/mobilenet-{task}{form}": f"butskova2021/self-supervised/{row}"
        for task, row in (("rotation", "rotation"), ("restoration", "context-restoration"))
        for form in ("", "-joint")
    },
}

# First minus second, on the same test images.
COMPARISONS = pairs_of(
    "butskova2021",
    ("self-supervised/context-restoration", "self-supervised/rotation"),
    *(
        ("pretrained/resnet50-gamma1", f"self-supervised/{row}")
        for row in ("rotation", "context-restoration")
    ),
    *(("pretext/mobilenet-imagenet", f"pretext/mobilenet-{row}") for row in ("rotation", "restoration")),
    ("self-supervised/rotation-joint", "self-supervised/rotation"),
    ("self-supervised/context-restoration-sequential", "self-supervised/context-restoration"),
    ("controls/rotation-disc", "self-supervised/rotation"),
    *(
        (f"controls/restoration-{row}", "self-supervised/context-restoration")
        for row in ("patch16", "90-epochs", "light", "encoder")
    ),
    *(
        (f"pretext/mobilenet-{row}", "pretext/mobilenet-scratch-50-epochs")
        for row in (
            "rotation",
            "rotation-disc",
            "restoration",
            "restoration-light",
            "restoration-encoder",
        )
    ),
    *(
        (f"pretext/mobilenet-{row}", "pretext/mobilenet-scratch")
        for row in (
            *("scratch-50-epochs", "rotation", "rotation-joint", "restoration", "restoration-joint"),
            "imagenet",
        )
    ),
    ("pretext/mobilenet-rotation-disc", "pretext/mobilenet-rotation"),
    ("pretext/mobilenet-rotation-disc-pretext", "pretext/mobilenet-rotation-pretext"),
    ("pretext/mobilenet-restoration", "pretext/mobilenet-rotation"),
    ("pretext/mobilenet-restoration-joint", "pretext/mobilenet-rotation-joint"),
    ("pretext/mobilenet-restoration-joint", "pretext/mobilenet-restoration"),
    ("pretext/mobilenet-restoration-light", "pretext/mobilenet-restoration"),
)
