"""Bermeo Quito 2023: one ResNet-18 in eight trainings, by four schedules, with and without augmentation.

`as_published` is the released code: images are split one by one, 80/10/10, and made smaller without
antialiasing, M7 has no dropout, and the elastic distortion moves whole images. In `as_described` M7 has
dropout, as Table 7.2 says, and elastic distortions bend. `corrected` keeps what shares a lesion or a patient
in one part. In all three the rate is constant within an epoch, SGD has a momentum of 0.9 (code alone), and
the epoch is selected by the area under the curve of melanoma against the rest, on the mean logits of four
views.

The document merges ISIC 2019 and ISIC 2020, and starts from torchvision's ImageNet weights. These recipes
take ISIC 2019 alone, four fifths of the merged images in the same eight classes, at the sizes of its
release; and they start from nothing where `--weights` does not name torchvision's file.

M4 to M7 differ from M0 to M3 in augmentation, dropout, batch size, epochs and patience at once; our own
recipes (`controls.py`) tell these apart.
"""

from skinkit.papers.recipe import Phase, Recipe, choose

# The list of Figure 7.5, whose elastic distortion can be seen; the released one is an affine jolt.
FIGURE_7_5 = {
    **{"transpose": 0.5, "flip_up_down": 0.5, "flip_left_right": 0.5},
    "distortions": "described",
}
_RELEASED = {"augmentation": {**FIGURE_7_5, "distortions": "as_published"}}
NUMBERS = range(8)
BY_IMAGE = choose("bermeo2023_split")
# Of R18M, and of R18DM: the mean of five dropouts before the last layer.
PLAIN, DROPOUTS = {"dropout": 0.0}, {"dropout": 0.5, "dropout_samples": 5}
_RATES = (
    "a constant rate",
    "a rate falling in steps",
    "a rate falling as a cosine",
    "a falling cosine every 5 epochs",
)


def _schedule(number, epochs):
    """The rate of each epoch; fewer epochs see the whole sequence."""
    return (
        choose("constant"),
        choose("step", after=tuple(epoch / epochs for epoch in range(15, epochs, 15)), factor=0.2),
        choose("cosine", end=0.2, parts=epochs),
        choose("cosine_restarts", cycles=epochs // 5, end=0.1, parts=epochs),
    )[number % 4]


def in_words(number):
    """Returns what M`number` is, in words."""
    regular = ", larger batches, augmented, five dropouts" if number > 3 else ""
    return f"M{number}: {40 if regular else 20} epochs at {_RATES[number % 4]}{regular}"


def recipe(name, title, number, model, quick, epochs=None, **changes):
    """A recipe with the training of M`number`.

    Args:
        name: String, without the document.
        title: String.
        number: Integer, 0 to 7.
        model: `Choice` of the network, without its dropout.
        quick: Dictionary of sizes of the `quick` profile, beside batch and epochs, which keep the ratio of
            the document's steps: an eighth and a quarter of the document's own.
        epochs: Integer, instead of the document's 20 or 40.
        **changes: Fields that differ.
    """
    regular = number > 3
    batch_size, own = (1024, 40) if regular else (400, 20)
    epochs = epochs or own
    sgd = choose("sgd", learning_rate=1e-3, momentum=0.9)
    # A quarter of the epochs, of fewer or more of them, too: in the document it ends no training.
    phase = Phase(epochs, sgd, _schedule(number, epochs), patience=epochs // 4)
    fields = {
        "name": f"bermeo2023/{name}",
        "title": title,
        "model": choose(model.name, **model.options, **(DROPOUTS if regular else PLAIN)),
        "phases": (phase,),
        "split": choose("bermeo2023_split", grouped=True),
        "augmentation": FIGURE_7_5 if regular else {},
        "tta": choose("flips", of="logits"),
        "batch_size": batch_size,
        "monitor": "auc:mel",
        "tolerance": {"auc": 0.01, "recall": 0.03, "accuracy": 0.01},
        "protocols": {"as_described": {"split": BY_IMAGE}},
        "profiles": {
            "quick": {"batch_size": batch_size // 8, "epochs": (round(epochs / 4),), **quick},
            "smoke": {"batch_size": 32, "epochs": (1,), "image_size": (32, 32), "subset": 120},
        },
    }
    return Recipe(**{**fields, **changes})


# bermeo2023/table8.2/m{0,1,2,3,4,5,6,7}
def _table8_2():
    quick = {"image_size": (96, 96), "subset": 3000}
    network = choose("resnet18")
    for number in NUMBERS:
        released, title = _RELEASED if number > 3 else {}, in_words(number)
        if number == 7:
            released = {**released, "model": choose(network.name, **PLAIN)}
            title += " (published: none)"
        yield recipe(
            f"table8.2/m{number}", title, number, network, quick,
            dataset="isic2019", classes="bermeo2023", image_size=(256, 256),
            not_comparable="the merged ISIC 2019 and 2020 are absent; the recipe takes ISIC 2019 alone",
            protocols={
                "as_published": {"split": BY_IMAGE, "resize": "bilinear", **released},
                "as_described": {"split": BY_IMAGE},
            },
        )  # fmt: skip


RECIPES = tuple(_table8_2())


def pairs(name):
    """Returns the pairs of the document's figures, with and without regularisation, then of schedules.

    Args:
        name: String with `{}` in place of the number.
    """
    numbers = [*((n, n - 4) for n in NUMBERS[4:]), *((n, n // 4 * 4) for n in NUMBERS if n % 4)]
    return tuple((name.format(first), name.format(second)) for first, second in numbers)


# First minus second, on the same test images.
COMPARISONS = pairs("bermeo2023/table8.2/m{}")
