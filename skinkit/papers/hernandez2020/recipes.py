"""Hernandez Perez 2020: one image, or the images of a patient, on ISIC 2020 (EfficientNet-B0).

`as_published` scores training and validation together, as Table 4 does, with what the listings of the
appendices do where they differ from the text. `as_described` takes the text's word and scores validation, on
which the epoch is selected, too. `corrected` keeps a test part that is looked at once, and keeps an image out
of its own context. No protocol has a patient in two parts of the split. The document gives neither rates nor
epochs nor ranges of its augmentation: these are ours. The tables `controls` and `synthetic` are ours as well.
"""

from skinkit.papers.recipe import Phase, Recipe, choose

_FOLDS = choose("hernandez2020_split")
_WRS = choose("weighted_random")
_FLIPS = {"flip_left_right": 0.5, "flip_up_down": 0.5, "rot90": True}
# Context models start from a trained network: fewer epochs.
_PROFILES = {
    "quick": {"image_size": (96, 96), "epochs": (1, 6)},
    "smoke": {"image_size": (48, 48), "epochs": (1, 1), "subset": 160},
}
_CONTEXT_PROFILES = {**_PROFILES, "quick": {"image_size": (96, 96), "epochs": (1, 3)}}
# 64 features, of a bottleneck with two positions in height and width, or one in smoke.
_NARROW = {"widths": (16, 32, 64, 64, 64)}
_AUTOENCODER_PROFILES = {
    "quick": {"image_size": (64, 64), "epochs": (6,), "batch_size": 16, "model_size": _NARROW},
    "smoke": {
        **{"image_size": (32, 32), "epochs": (20,), "batch_size": 8, "model_size": _NARROW},
        "subset": 240,
    },
}
# What our own tables lay beside a network of single images: title, context, options of its layer.
_ARMS = {
    "attention": ("attention to the patient's other images", "attention", {}),
    "attention-self": ("attention to all of the patient's images", "attention", {"exclude_self": False}),
    "mean": ("the mean of the patient's other images", "mean", {}),
}


def _phases(epochs, head=1e-3, trainable="all"):
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


def _recipe(name, title, listing=None, text=None, **changes):
    """A recipe under three protocols; `listing` and `text` are what appendices and text have of their own."""
    fields = {
        "name": f"hernandez2020/{name}",
        "title": title,
        "dataset": "isic2020",
        "classes": "isic2020",
        "split": choose("hernandez2020_split", test=True),
        "augmentation": {**_FLIPS, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2},
        "positive": "malignant",
        "tolerance": {"auc": 0.02, "precision": 0.02, "recall": 0.04},
        "protocols": {
            "as_published": {"split": _FOLDS, "test_part": "train+validation", **(listing or {})},
            "as_described": {"split": _FOLDS, "test_part": "validation", **(text or {})},
        },
        "profiles": _PROFILES,
    }
    return Recipe(**{**fields, **changes})


def _b0(name, title, epochs, **changes):
    model = choose("efficientnet_b0", weights="imagenet")
    return _recipe(name, title, model=model, phases=_phases(epochs), **changes)


def _in_context(backbone, context, size=None, **options):
    """The network of an image and its patient; `options` are those of the context's layer."""
    given = {"context_options": options} if options else {}
    return choose("patient_network", backbone=backbone, context=context, **(size or {}), **given)


def _revision(context):
    """Since revision 1, the projections of attention start as they do in PyTorch."""
    return {"revision": 1} if context == "attention" else {}


def _context(name, title, context, listing=None, text=None, released=None, **changes):
    """A row which starts from WRS; `listing` and `text` are options of the layer under the two protocols."""
    models = [_in_context("efficientnet_b0", context, **(options or {})) for options in (listing, text, None)]
    fields = {
        "model": models[2],
        "balancing": _WRS,
        "start_from": "hernandez2020/table4/wrs",
        "phases": _phases(3, head=1e-4),
        "profiles": _CONTEXT_PROFILES,
        "listing": {"model": models[0], **(released or {})},
        "text": {"model": models[1]},
        **_revision(context),
    }
    return _recipe(name, title, **{**fields, **changes})


def _text():
    sizes = {**_PROFILES, "quick": {"image_size": (96, 96), "epochs": (1, 1)}}
    title = "EfficientNet-B0, images as they come (Figures 15 and 16)"
    yield _b0("text/vanilla", title, epochs=2, profiles=sizes)


def _table4():
    title = "EfficientNet-B0, loss weighted by inverse class frequency"
    # PyTorch divides a weighted loss by the sum of the weights in the batch.
    loss = choose("categorical_crossentropy", reduction="mean_with_sample_weight")
    # Six times the iterations of the network above (4.1.2).
    yield _b0("table4/weighted-ce", title, epochs=12, balancing=choose("class_weights"), loss=loss)
    yield _b0("table4/wrs", "EfficientNet-B0, images drawn by inverse class frequency", 6, balancing=_WRS)
    yield _context(
        "table4/contextual-sampler",
        "Attention among four images of a patient; half of the patients have a melanoma",
        "attention",
        listing={"variant": "listing_c"},
        # The listing draws one image of each of eight patients, who are no context for each other.
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


def _controls():
    """Ours, for two CPU cores: EfficientNet-Lite0, scored after the last epoch."""
    size, ours = {"drop_connect": 0.0}, {"selection": "last", "published": ""}
    kept = "all_but_batch_normalization"
    alone = choose("efficientnet_lite0", weights="imagenet", **size)
    base = _recipe(
        "controls/lite0-base", "Lite0 on single images, drawn by inverse class frequency",
        model=alone, balancing=_WRS, phases=_phases(6, trainable=kept), **ours,
    )  # fmt: skip
    yield base
    yield _recipe(
        "controls/lite0-zscore", "How far the base's logit stands out from the patient's others; no training",
        model=alone, phases=(), start_from=base.name, rescoring=choose("patient_z_score"),
        profiles=_sizes(_PROFILES), **ours,
    )  # fmt: skip
    further = {"start_from": base.name, "profiles": _CONTEXT_PROFILES, "balancing": _WRS, **ours}
    further["phases"] = _phases(3, head=1e-4, trainable=kept)
    yield _recipe(
        "controls/lite0-longer", "The base, trained on for as long as those below", model=alone, **further
    )
    for row, (title, context, options) in _ARMS.items():
        model = _in_context("efficientnet_lite0", context, size, **options)
        arm = {**further, **_revision(context)}
        yield _recipe(f"controls/lite0-{row}", f"The base and {title}", model=model, **arm)
    model = _in_context("efficientnet_lite0", "attention", size)
    further |= {"balancing": choose("contextual"), "model": model, **_revision("attention")}
    yield _recipe("controls/lite0-contextual", "The base and attention among four images", **further)


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
        "classifier": _on("bottleneck_mean"),
        "profiles": _AUTOENCODER_PROFILES,
        "listing": released,
        "text": released,
    }
    return _recipe(name, title, **{**fields, **changes})


def _classified(name, title, start, profiles, classifier, **changes):
    """A classifier on the features of a network that another recipe has trained."""
    fields = {"start_from": start, "phases": (), "selection": "last", "profiles": _sizes(profiles)}
    return _recipe(name, title, classifier=classifier, **{**fields, **changes})


def _table3():
    # One experiment in two tables.
    for table in ("table3", "table4"):
        yield _autoencoder(f"{table}/cae-extra-trees", "A forest on features that an autoencoder has learned")
    yield _classified(
        "table3/wrs-extra-trees", "A forest on features of EfficientNet-B0, images drawn by class",
        "hernandez2020/table4/wrs", _PROFILES, _on("pooled"),
        model=choose("efficientnet_b0", weights="imagenet"),
    )  # fmt: skip


def _feature_controls():
    """Ours: other features for the forest, and sex, age and site beside them (the document's future work)."""
    released = {"model": choose("segnet_autoencoder", final="as_released")}
    for row, what, classifier in (
        ("pca", "the whole bottleneck, reduced", _on("bottleneck_pca")),
        ("metadata", "its bottleneck, sex, age and site", _on("bottleneck_mean", metadata=True)),
    ):
        yield _classified(
            f"controls/cae-extra-trees-{row}", f"The forest of the autoencoder on {what}",
            "hernandez2020/table3/cae-extra-trees", _AUTOENCODER_PROFILES, classifier,
            model=choose("segnet_autoencoder"), listing=released, text=released, published="",
        )  # fmt: skip
    linear = {"C": 0.01, "class_weight": "balanced"}
    for row, what, classifier in (
        ("extra-trees", "A forest on", _on("pooled")),
        ("extra-trees-metadata", "A forest on sex, age, site and", _on("pooled", metadata=True)),
        ("logistic", "A linear classifier on", choose("logistic_regression", features="pooled", **linear)),
        (
            "logistic-metadata",
            "A linear classifier on sex, age, site and",
            choose("logistic_regression", features="pooled", metadata=True, **linear),
        ),
    ):
        yield _classified(
            f"controls/lite0-{row}", f"{what} features of Lite0, images drawn by class",
            "hernandez2020/controls/lite0-base", _PROFILES, classifier,
            model=choose("efficientnet_lite0", weights="imagenet", drop_connect=0.0), published="",
        )  # fmt: skip


def _on(features, **options):
    return choose("extra_trees", features=features, n_estimators=500, **options)


def _sizes(profiles):
    """The profiles of a recipe without training."""
    return {p: {k: v for k, v in sizes.items() if k != "epochs"} for p, sizes in profiles.items()}


def _synthetic():
    """Ours: drawn patients, whose images tell a melanoma only together, or each by itself."""
    # A nevus that looks like another class could be told from a melanoma that is a nevus of another look.
    settings = {"informative": {"context": 1.0, "overlap": 0.0}, "uninformative": {"context": 0.0}}
    for word, drawn in settings.items():
        fields = {
            "dataset": "synthetic",
            "drawing": {"layout": "isic2020", "balance": 0.5, "size": (64, 64), **drawn},
            "image_size": (48, 48),
            "augmentation": _FLIPS,
            "subset": 6000,
            "selection": "last",
            "published": "",
            "protocols": {},
            "profiles": {
                "quick": {"subset": 3000, "epochs": (14,)},
                "smoke": {"subset": 160, "epochs": (2,), "model_size": {"width": 4}},
            },
        }
        trained = {
            **fields,
            "balancing": _WRS,
            "phases": (Phase(20, choose("adam", learning_rate=2e-3), choose("cosine", warmup=0.1)),),
        }
        name, alone = f"synthetic/{word}", choose("small_cnn")
        yield _recipe(f"{name}-base", f"Small CNN on single images, {word} context", model=alone, **trained)
        for row, (title, context, options) in _ARMS.items():
            model = _in_context("small_cnn", context, **options)
            arm = {**trained, **_revision(context)}
            yield _recipe(f"{name}-{row}", f"The same and {title}", model=model, **arm)
        fields |= {"profiles": _sizes(fields["profiles"]), "start_from": f"hernandez2020/{name}-base"}
        z = choose("patient_z_score")
        yield _recipe(f"{name}-zscore", "Its z-scores", model=alone, phases=(), rescoring=z, **fields)


_TABLES = (_text, _table3, _table4, _controls, _feature_controls, _synthetic)
RECIPES = tuple(recipe for table in _TABLES for recipe in table())

# First minus second, on the same test images.
COMPARISONS = tuple(
    (f"hernandez2020/{first}", f"hernandez2020/{second}")
    for first, second in (
        ("table4/attention-em", "table4/wrs"),
        ("table4/static-mean-em", "table4/wrs"),
        ("table4/attention-em", "table4/static-mean-em"),
        *((f"controls/lite0-{row}", "controls/lite0-base") for row in (*_ARMS, "contextual", "zscore")),
        *((f"controls/lite0-{row}", "controls/lite0-longer") for row in (*_ARMS, "contextual")),
        ("controls/lite0-attention", "controls/lite0-mean"),
        ("controls/lite0-attention", "controls/lite0-attention-self"),
        *(
            (f"synthetic/{word}-{row}", f"synthetic/{word}-base")
            for word in ("informative", "uninformative")
            for row in (*_ARMS, "zscore")
        ),
        ("table3/cae-extra-trees", "table3/wrs-extra-trees"),
        ("controls/cae-extra-trees-metadata", "table3/cae-extra-trees"),
        ("controls/lite0-extra-trees", "controls/lite0-base"),
        ("controls/lite0-extra-trees-metadata", "controls/lite0-extra-trees"),
        ("controls/lite0-logistic-metadata", "controls/lite0-logistic"),
    )
)
