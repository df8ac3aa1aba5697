"""Datta et al. 2021: soft attention in networks with ImageNet weights, tested on 828 images of HAM10000.

The article leaves most settings open; they are those of public code that derives from the authors', which
also selects the epoch on the test images (`as_published`). `as_described` has the soft attention of the text
instead of the code's. `corrected` also selects on a validation part of its own. The test part has lesions
with a single image only, and is easier than HAM10000 as a whole. Three things differ from that code in all
protocols: images are augmented again in each epoch instead of up to a fixed number per class, with the same
share of each class; an epoch has as many images as the training part instead of a tenth of that number in
batches; and no run is stopped early: the code stops where the loss on the scored images has not fallen for 30
or 65 epochs, so that an epoch that it did not reach may be the best here.
"""

import dataclasses

from skinkit.papers.recipe import Phase, Recipe, choose

_DESCRIBED = {"kernel": "described", "gamma": "learnable"}
# The whole 180 degrees on either side, a tenth of the image, both flips.
_AUGMENTATION = {
    **{"flip_left_right": 0.5, "flip_up_down": 0.5, "rotation": 180.0, "zoom": 0.1, "shift": 0.1},
    **{"zoom_per_axis": True, "fill": "nearest"},
}


def _recipe(name, title, network, weights, image_size, **changes):
    given = {"weights": weights} if weights else {}
    released = choose(network, **given)
    described = choose(network, **given, soft_attention=_DESCRIBED)
    published = {"split": choose("datta2021_split"), "selection_part": "test"}
    fields = {
        "name": name,
        "title": title,
        "split": choose("datta2021_split", validation=0.1),
        "image_size": image_size,
        "augmentation": _AUGMENTATION,
        "model": described,
        "balancing": choose("oversampling", length="equal", weights={"mel": 5.0}),
        "batch_size": 16,
        "phases": (Phase(epochs=150, optimiser=choose("adam", learning_rate=0.01, epsilon=0.1)),),
        "monitor": "accuracy",
        "tolerance": {"accuracy": 0.02, "macro_recall": 0.05, "weighted_precision": 0.02},
        "protocols": {
            "as_published": {**published, "model": released},
            "as_described": published,
        },
        "profiles": {"smoke": {"image_size": (96, 96), "epochs": (1,), "subset": 80, "batch_size": 8}},
    }
    return Recipe(**{**fields, **changes})


def _irv2(name, title, **changes):
    return _recipe(name, title, "datta_irv2", "imagenet", (299, 299), **changes)


# koefler2023/table4c/vgg16-sa
VGG16_SA = _recipe(
    "koefler2023/table4c/vgg16-sa",
    "VGG16 with soft attention, 828 images",
    "datta_vgg16",
    None,
    (224, 224),
)
VGG16_SA = dataclasses.replace(
    VGG16_SA,
    profiles={
        "quick": {"image_size": (112, 112), "epochs": (10,), "subset": 3000, "model_size": {"width": 0.25}},
        "smoke": {**VGG16_SA.profiles["smoke"], "model_size": {"width": 0.0625}},
    },
)

# datta2021/abstract/soft-attention
# datta2021/networks/{resnet50,densenet201}-sa
RECIPES = (
    _irv2("datta2021/abstract/soft-attention", "Inception-ResNet-v2 with soft attention"),
    _recipe(
        "datta2021/networks/resnet50-sa",
        "ResNet-50 with soft attention",
        "datta_resnet50",
        "imagenet",
        (224, 224),
        published="",
    ),
    _recipe(
        "datta2021/networks/densenet201-sa",
        "DenseNet-201 with soft attention",
        "datta_densenet201",
        "imagenet",
        (224, 224),
        published="",
    ),
    VGG16_SA,
)
COMPARISONS = ()
