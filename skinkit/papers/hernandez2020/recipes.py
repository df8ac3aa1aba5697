"""Hernandez Perez 2020: one image, or the images of a patient, on ISIC 2020 (EfficientNet-B0).

`as_published` scores training and validation together, as Table 4 does, with what the listings of the
appendices do where they differ from the text. `as_described` takes the text's word and scores validation, on
which the epoch is selected, too. `corrected` keeps a test part that is looked at once, and keeps an image out
of its own context. No protocol has a patient in two parts of the split. The document gives neither rates nor
epochs nor ranges of its augmentation: these are ours, and so are the tables of `controls.py`. So is the split
into five folds of patients, alike in the share of those with a melanoma, where the document says neither
ratio nor seed; so are the four images of a patient in a group of the contextual sampler. An image is called
malignant where that is the likelier class. Four things differ from the document in all protocols: its
autoencoder saw all images from the beginning, and ours learns from the training part; the text describes a
dense bottleneck, which neither its code has nor ours; the mean of a patient is of stored features, as Table 4
has it (EM), and not of those of the whole batch, as in appendix B; and an epoch of the contextual sampler has
as many images as the training part, in appendix A as many as it has patients, a sixteenth.
"""

from skinkit.papers.baselines import without_epochs
from skinkit.papers.pairs import pairs_of
from skinkit.papers.recipe import Phase, Recipe, choose

_FOLDS = choose("hernandez2020_split")
WRS = choose("weighted_random")
FLIPS = {"flip_left_right": 0.5, "flip_up_down": 0.5, "rot90": True}
# Context models start from a trained network: fewer epochs.
PROFILES = {
    "quick": {"image_size": (96, 96), "epochs": (1, 6)},
    "smoke": {"image_size": (48, 48), "epochs": (1, 1), "subset": 160},
}
CONTEXT_PROFILES = {**PROFILES, "quick": {"image_size": (96, 96), "epochs": (1, 3)}}
# 64 features, of a bottleneck with two positions in height and width, or one in smoke.
_NARROW = {"widths": (16, 32, 64, 64, 64)}
AUTOENCODER_PROFILES = {
    "quick": {"image_size": (64, 64), "epochs": (6,), "batch_size": 16, "model_size": _NARROW},
    "smoke": {
        **{"image_size": (32, 32), "epochs": (8,), "batch_size": 8, "model_size": _NARROW},
        "subset": 240,
    },
}


def phases_of(epochs, head=1e-3, trainable="all"):
    """The classifier first, then all layers, with a rate that falls as half a cosine."""
    return (
        Phase(epochs=1, optimiser=choose("adam", learning_rate=head, epsilon=1e-8), trainable="head"),
        Phase(
            epochs=epochs,
            optimiser=choose("adam", learning_rate=1e-4, epsilon=1e-8),
            schedule=choose("cosine"),
            trainable=trainable,
        ),
    )


def isic2020_recipe(name, title, listing=None, text=None, **changes):
    """A recipe under three protocols; `listing` and `text` are what appendices and text have of their own."""
    fields = {
        "name": f"hernandez2020/{name}",
        "title": title,
        "dataset": "isic2020",
        "classes": "isic2020",
        "split": choose("hernandez2020_split", test=True),
        "augmentation": {**FLIPS, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
        "positive": "malignant",
        "tolerance": {"auc": 0.02, "precision": 0.02, "recall": 0.04},
        "protocols": {
            "as_published": {"split": _FOLDS, "test_part": "train+validation", **(listing or {})},
            "as_described": {"split": _FOLDS, "test_part": "validation", **(text or {})},
        },
        "profiles": PROFILES,
    }
    return Recipe(**{**fields, **changes})


def _b0(name, title, epochs, **changes):
    model = choose("efficientnet_b0", weights="imagenet")
    return isic2020_recipe(name, title, model=model, phases=phases_of(epochs), **changes)


def patient_network(backbone, context, size=None, **options):
    """The network of an image and its patient; `options` are those of the context's layer."""
    given = {"context_options": options} if options else {}
    return choose("patient_network", backbone=backbone, context=context, **(size or {}), **given)


def revision(context):
    """Since revision 1, the projections of attention start as they do in PyTorch."""
    return {"revision": 1} if context == "attention" else {}


def _context(name, title, context, listing=None, text=None, released=None, **changes):
    """A row which starts from WRS; `listing` and `text` are options of the layer under the two protocols."""
    models = [
        patient_network("efficientnet_b0", context, **(options or {})) for options in (listing, text, None)
    ]
    fields = {
        "model": models[2],
        "balancing": WRS,
        "start_from": "hernandez2020/table4/wrs",
        "phases": phases_of(3, head=1e-4),
        "profiles": CONTEXT_PROFILES,
        "listing": {"model": models[0], **(released or {})},
        "text": {"model": models[1]},
        **revision(context),
    }
    return isic2020_recipe(name, title, **{**fields, **changes})


# hernandez2020/text/vanilla
def _text():
    sizes = {**PROFILES, "quick": {"image_size": (96, 96), "epochs": (1, 1)}}
    title = "EfficientNet-B0, images as they come (Figures 15 and 16)"
    yield _b0("text/vanilla", title, epochs=2, profiles=sizes)


# hernandez2020/table4/{weighted-ce,wrs,contextual-sampler,attention-em,static-mean-em}
def _table4():
    title = "EfficientNet-B0, loss weighted by inverse class frequency"
    # PyTorch divides a weighted loss by the sum of the weights in the batch.
    loss = choose("categorical_crossentropy", reduction="mean_with_sample_weight")
    # Six times the iterations of the network above (4.1.2).
    yield _b0("table4/weighted-ce", title, epochs=12, balancing=choose("class_weights"), loss=loss)
    yield _b0("table4/wrs", "EfficientNet-B0, images sampled by inverse class frequency", 6, balancing=WRS)
    yield _context(
        "table4/contextual-sampler",
        "Attention among four images of a patient; half of the patients have a melanoma",
        "attention",
        listing={"variant": "listing_c"},
        # The listing takes one image of each of eight patients, who are no context for each other.
        released={"balancing": choose("contextual", images_per_patient=1), "batch_size": 8},
        balancing=choose("contextual"),
    )
    yield _context(
        "table4/attention-em",
        "Attention to the stored features of the patient's other images",
        "attention",
        listing={"variant": "listing_e"},
    )
    # "All the image features of a patient": the image's own among them.
    yield _context(
        "table4/static-mean-em",
        "The mean of the stored features of the patient's images beside the image's",
        "mean",
        listing={"exclude_self": False},
        text={"exclude_self": False},
    )


def _autoencoder(name, title, **changes):
    """An autoencoder that sees no labels; a forest classifies the means of its bottleneck's channels."""
    # The document took its autoencoder from public code, whose training and last layer these are.
    released = {"model": choose("segnet_autoencoder", final="as_released")}
    schedule = choose("plateau", factor=0.8, patience=8, stop=20)
    fields = {
        "model": choose("segnet_autoencoder"),
        "augmentation": {},
        "loss": choose("root_mean_squared_error"),
        "phases": (Phase(120, choose("adam", learning_rate=1e-4, epsilon=1e-8), schedule),),
        "monitor": "psnr",
        "classifier": extra_trees("bottleneck_mean"),
        "profiles": AUTOENCODER_PROFILES,
        "listing": released,
        "text": released,
    }
    return isic2020_recipe(name, title, **{**fields, **changes})


def classified(name, title, start, profiles, classifier, **changes):
    """A classifier on the features of a network that another recipe has trained."""
    fields = {"start_from": start, "phases": (), "selection": "last", "profiles": without_epochs(profiles)}
    return isic2020_recipe(name, title, classifier=classifier, **{**fields, **changes})


# hernandez2020/{table3,table4}/cae-extra-trees
# hernandez2020/table3/wrs-extra-trees
def _table3():
    # One experiment in two tables.
    for table in ("table3", "table4"):
        yield _autoencoder(f"{table}/cae-extra-trees", "A forest on features that an autoencoder has learned")
    yield classified(
        "table3/wrs-extra-trees", "A forest on features of EfficientNet-B0, images sampled by class",
        "hernandez2020/table4/wrs", PROFILES, extra_trees("pooled"),
        model=choose("efficientnet_b0", weights="imagenet"),
    )  # fmt: skip


def extra_trees(features, **options):
    """The forest of the document on features of a network."""
    return choose("extra_trees", features=features, n_estimators=500, **options)


_TABLES = (_text, _table3, _table4)
RECIPES = tuple(recipe for table in _TABLES for recipe in table())

# First minus second, on the same test images.
COMPARISONS = pairs_of(
    "hernandez2020",
    *((f"table4/{row}", "text/vanilla") for row in ("weighted-ce", "wrs")),
    ("table4/wrs", "table4/weighted-ce"),
    ("table4/contextual-sampler", "table4/wrs"),
    ("table4/attention-em", "table4/wrs"),
    ("table4/static-mean-em", "table4/wrs"),
    ("table4/attention-em", "table4/static-mean-em"),
    ("table3/cae-extra-trees", "table3/wrs-extra-trees"),
)
