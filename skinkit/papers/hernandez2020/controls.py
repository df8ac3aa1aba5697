"""Our own recipes beside those of hernandez2020: small networks, other features, and drawn patients."""

from skinkit.papers.baselines import few_blocks, without_epochs
from skinkit.papers.hernandez2020.recipes import (
    AUTOENCODER_PROFILES,
    CONTEXT_PROFILES,
    FLIPS,
    PROFILES,
    WRS,
    classified,
    extra_trees,
    isic2020_recipe,
    patient_network,
    phases_of,
    revision,
)
from skinkit.papers.pairs import pairs_of
from skinkit.papers.recipe import Phase, choose

# What our own tables lay beside a network of single images: title, context, options of its layer.
_ARMS = {
    "attention": ("attention to the patient's other images", "attention", {}),
    "attention-self": ("attention to all of the patient's images", "attention", {"exclude_self": False}),
    "mean": ("the mean of the patient's other images", "mean", {}),
}


# hernandez2020/controls/lite0-{base,zscore,longer,attention,attention-self,mean,contextual}
def _controls():
    """Ours, for two CPU cores: EfficientNet-Lite0, scored after the last epoch."""
    size, kept = {"drop_connect": 0.0}, "all_but_batch_normalization"
    ours = {"selection": "last", "published": "", "profiles": few_blocks(PROFILES)}
    alone = choose("efficientnet_lite0", weights="imagenet", **size)
    base = isic2020_recipe(
        "controls/lite0-base", "Lite0 on single images, sampled by inverse class frequency",
        model=alone, balancing=WRS, phases=phases_of(6, trainable=kept), **ours,
    )  # fmt: skip
    yield base
    yield isic2020_recipe(
        "controls/lite0-zscore", "How far Lite0's logit stands out from the patient's others; no training",
        model=alone, phases=(), start_from=base.name, rescoring=choose("patient_z_score"),
        **{**ours, "profiles": without_epochs(ours["profiles"])},
    )  # fmt: skip
    further = {**ours, "start_from": base.name, "profiles": few_blocks(CONTEXT_PROFILES), "balancing": WRS}
    further["phases"] = phases_of(3, head=1e-4, trainable=kept)
    title = "Lite0 on single images, trained as long as with context"
    yield isic2020_recipe("controls/lite0-longer", title, model=alone, **further)
    for row, (title, context, options) in _ARMS.items():
        model = patient_network("efficientnet_lite0", context, size, **options)
        arm = {**further, **revision(context)}
        yield isic2020_recipe(f"controls/lite0-{row}", f"Lite0 and {title}", model=model, **arm)
    model = patient_network("efficientnet_lite0", "attention", size)
    further |= {"balancing": choose("contextual"), "model": model, **revision("attention")}
    yield isic2020_recipe("controls/lite0-contextual", "Lite0 and attention among four images", **further)


# hernandez2020/controls/cae-extra-trees-{pca,metadata}
# hernandez2020/controls/lite0-{extra-trees,logistic}{,-metadata}
def _feature_controls():
    """Ours: other features for the forest, and sex, age and site beside them (the document's future work)."""
    released = {"model": choose("segnet_autoencoder", final="as_released")}
    for row, what, classifier in (
        ("pca", "the whole bottleneck, reduced", extra_trees("bottleneck_pca")),
        ("metadata", "its bottleneck, sex, age and site", extra_trees("bottleneck_mean", metadata=True)),
    ):
        yield classified(
            f"controls/cae-extra-trees-{row}", f"The forest of the autoencoder on {what}",
            "hernandez2020/table3/cae-extra-trees", AUTOENCODER_PROFILES, classifier,
            model=choose("segnet_autoencoder"), listing=released, text=released, published="",
        )  # fmt: skip
    linear = {"C": 0.01, "class_weight": "balanced"}
    for row, what, classifier in (
        ("extra-trees", "A forest on", extra_trees("pooled")),
        ("extra-trees-metadata", "A forest on sex, age, site and", extra_trees("pooled", metadata=True)),
        ("logistic", "A linear classifier on", choose("logistic_regression", features="pooled", **linear)),
        (
            "logistic-metadata",
            "A linear classifier on sex, age, site and",
            choose("logistic_regression", features="pooled", metadata=True, **linear),
        ),
    ):
        yield classified(
            f"controls/lite0-{row}", f"{what} features of Lite0, images sampled by class",
            "hernandez2020/controls/lite0-base", few_blocks(PROFILES), classifier,
            model=choose("efficientnet_lite0", weights="imagenet", drop_connect=0.0), published="",
        )  # fmt: skip


# What drawn patients share, whether or not their images say something about one another.
_DRAWN = {
    **{"dataset": "synthetic", "image_size": (48, 48), "augmentation": FLIPS, "subset": 6000},
    **{"selection": "last", "published": "", "protocols": {}},
    "profiles": {
        "quick": {"subset": 3000, "epochs": (14,)},
        "smoke": {"subset": 160, "epochs": (2,), "model_size": {"width": 4}},
    },
}
_DRAWN_TRAINING = {
    "balancing": WRS,
    "phases": (Phase(20, choose("adam", learning_rate=2e-3), choose("cosine", warmup=0.1)),),
}
# A nevus that looks like another class could be told from a melanoma that is a nevus of another look.
_DRAWN_CONTEXT = {"informative": {"context": 1.0, "overlap": 0.0}, "uninformative": {"context": 0.0}}


# hernandez2020/synthetic/{informative,uninformative}-{base,attention,attention-self,mean,zscore}
def _synthetic():
    """Ours: drawn patients, whose images tell a melanoma only together, or each by itself."""
    for word, context in _DRAWN_CONTEXT.items():
        drawing = {"layout": "isic2020", "balance": 0.5, "size": (64, 64), **context}
        yield from _small_networks(word, {**_DRAWN, "drawing": drawing})


def _small_networks(word, drawn):
    """Small networks on patients of `word` context, which `drawn` describes."""
    name, trained, alone = f"synthetic/{word}", {**drawn, **_DRAWN_TRAINING}, choose("small_cnn")
    title = f"Small CNN on single images, {word} context"
    yield isic2020_recipe(f"{name}-base", title, model=alone, **trained)
    for row, (arm, context, options) in _ARMS.items():
        fields = {**trained, "model": patient_network("small_cnn", context, **options), **revision(context)}
        yield isic2020_recipe(f"{name}-{row}", f"Small CNN and {arm}, {word} context", **fields)
    fields = {**drawn, "profiles": without_epochs(drawn["profiles"]), "model": alone, "phases": ()}
    fields |= {"start_from": f"hernandez2020/{name}-base", "rescoring": choose("patient_z_score")}
    title = f"How far the logit of the small CNN stands out, {word} context"
    yield isic2020_recipe(f"{name}-zscore", title, **fields)


_TABLES = (_controls, _feature_controls, _synthetic)
RECIPES = tuple(recipe for table in _TABLES for recipe in table())

# Rows of a small network, and the printed ones that they repeat.
STANDS_FOR = {
    f"hernandez2020/controls/lite0-{row}": f"hernandez2020/{printed}"
    for row, printed in (
        ("base", "table4/wrs"),
        ("attention", "table4/attention-em"),
        ("mean", "table4/static-mean-em"),
        ("contextual", "table4/contextual-sampler"),
        ("extra-trees", "table3/wrs-extra-trees"),
    )
}

# First minus second, on the same test images.
COMPARISONS = pairs_of(
    "hernandez2020",
    *((f"controls/lite0-{row}", "controls/lite0-base") for row in (*_ARMS, "contextual", "zscore")),
    *((f"controls/lite0-{row}", "controls/lite0-longer") for row in (*_ARMS, "contextual")),
    ("controls/lite0-attention", "controls/lite0-mean"),
    ("controls/lite0-attention", "controls/lite0-attention-self"),
    *(
        (f"synthetic/{word}-{row}", f"synthetic/{word}-base")
        for word in ("informative", "uninformative")
        for row in (*_ARMS, "zscore")
    ),
    ("controls/cae-extra-trees-metadata", "table3/cae-extra-trees"),
    ("controls/lite0-extra-trees", "controls/lite0-base"),
    ("controls/lite0-extra-trees-metadata", "controls/lite0-extra-trees"),
    ("controls/lite0-logistic-metadata", "controls/lite0-logistic"),
)
