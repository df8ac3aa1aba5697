"""Gessert et al. 2019: patch attention, input strategies and class balancing on HAM10000 and SPC (derm7pt).

No protocol shares lesions between the parts, as the document does not. `as_published` is the released code:
pixels from 0 to 1 whatever the weights expect, DenseNet's features before their last ReLU in networks of
ordered crops, brightness and saturation in random order with a clip after each, single crops evaluated on the
centre 336 of 450 x 600 pixels, diagnosis factors that meet the wrong images, an epoch of oversampling as long
as its whole pool, 4.7 times the images, and a look at validation after the first epoch and every fifth of 50.
`as_described` takes the text's word where it differs, and keeps pixels from 0 to 1. `corrected` scales the
pixels as the weights expect. In all three, batch normalisation of DenseNet and Inception has PyTorch's
momentum of 0.9, which the document trained with: that of Keras is ten times slower. Scores are those of the
last epoch, as in the released instructions; those of the best epoch on validation stand beside them. Loss
weights divide by their sum in the batch, as PyTorch does, diagnosis weights by the number of its images, as
the code does: the two differ in more than the factor. SE-ResNeXt-50 starts from nothing unless a file of
weights is given: Keras has none. The backbones `mobilenet` and `small`, and the tables `controls` and
`figure5`, are ours.
"""

import dataclasses

from skinkit.papers.recipe import Phase, Recipe, choose

PUBLISHED_BACKBONES = {
    "inceptionv3": "inception_v3",
    "densenet121": "densenet121",
    "seresnext50": "se_resnext50",
}
# For two CPU cores, and for the drawn images of the first lessons. So small networks learn at higher rates.
BACKBONES = {**PUBLISHED_BACKBONES, "mobilenet": "mobilenet_025", "small": "small_cnn"}
_RATE_FACTORS = {"mobilenet": 20, "small": 20}
PRETRAINED = ("inception_v3", "densenet121", "mobilenet_025")
EXPONENTS = ("0.50", "0.75", "1.00", "1.25", "1.50")
PATCH_DROPOUTS = ("0.0", "0.1", "0.2", "0.3", "0.4", "0.5")
# p_d of the released configurations: 0.1 for 5 crops of HAM10000, 0.2 for 9; for 16 we take that of 9.
_PATCH_DROPOUT = {5: 0.1, 9: 0.2, 16: 0.2}
_AUGMENTATION = {"flip_left_right": 0.5, "flip_up_down": 0.5, "brightness": 32 / 255, "saturation": 0.5}
_PROFILES = {
    "quick": {"image_size": (225, 300), "crop_size": 112, "subset": 3000},
    "smoke": {"image_size": (96, 128), "crop_size": 48, "epochs": (2,), "subset": 120},
}
# Keras' Inception takes 75 pixels at least; the image is as much larger than the crop as in `full`.
_SMOKE_SIZES = {"inceptionv3": {"image_size": (150, 200), "crop_size": 75}}

# Released for attention: 5 images of 5 (HAM10000) or 9 crops (SPC) a batch. For networks that see one crop
# nothing is: 20 images a batch at the rate of the challenge's configuration, and in proportion for others.
_ORDERED_RATE, _SPC_RATE, _RATE_AN_IMAGE = 1.25e-5 * 5 / 3, 1.25e-5, 2.5e-5 / 20


def _batches(backbone, ordered, batch_size=20, ordered_rate=_ORDERED_RATE):
    """Images a step, the phases, and the profiles."""
    rate = ordered_rate if ordered else batch_size * _RATE_AN_IMAGE
    schedule = choose("step", after=(18 / 50, 28 / 50, 38 / 50, 48 / 50))
    smoke = {**_PROFILES["smoke"], **_SMOKE_SIZES.get(backbone, {})}
    adam = choose("adam", learning_rate=_RATE_FACTORS.get(backbone, 1) * rate, epsilon=1e-8)
    return {
        "batch_size": 5 if ordered else batch_size,
        "phases": (Phase(epochs=50, optimiser=adam, schedule=schedule),),
        # So few epochs that steps count: all networks take about as many in `quick`.
        "profiles": {"smoke": smoke, "quick": {**_PROFILES["quick"], "epochs": (3 if ordered else 12,)}},
    }


def _recipe(name, title, **changes):
    fields = {
        "name": f"gessert2019/{name}",
        "title": title,
        "split": choose("gessert2019_split"),
        "image_size": (450, 600),
        "augmentation": _AUGMENTATION,
        "balancing": choose("class_weights"),
        # PyTorch divides a weighted loss by the sum of the weights in the batch.
        "loss": choose("categorical_crossentropy", reduction="mean_with_sample_weight"),
        "selection": "last",
        "score_best": True,
        "tolerance": {"macro_recall": 0.03, "macro_specificity": 0.01, "weighted_f1_by_pred": 0.03},
    }
    return Recipe(**{**fields, **changes})


def _model(backbone, published=False, **options):
    """The network of a backbone; with options of `crop_classifier`, its network of ordered crops."""
    network = BACKBONES[backbone]
    given = {"weights": "imagenet"} if network in PRETRAINED else {}
    if network in ("densenet121", "inception_v3"):
        given["batch_norm_momentum"] = 0.9
    if options:
        if published and network == "densenet121":
            given["final_relu"] = False
        return choose("crop_classifier", backbone=network, **given, **options)
    # The document's classifier is a linear layer without dropout.
    return choose(network, **given, dropout=0.0)


def _protocols(backbone, released=None, **options):
    """Both protocols of a recipe; `released` is what the code alone has."""
    described = {"scaling": "unit"}
    published = {
        **described,
        "model": _model(backbone, published=True, **options),
        "augmentation": {**_AUGMENTATION, "colour_order": "random"},
        "selection_every": 5 / 50,
    }
    return {"as_published": {**published, **(released or {})}, "as_described": described}


def _single(backbone, name, title, strategy, released=None, **changes):
    """A recipe whose network sees one image at a time: the whole photograph, or one crop of it."""
    crops = {} if strategy.name == "downsampling" else {"crop_size": 224}
    batch_size = changes.pop("batch_size", 20)
    return _recipe(
        name,
        title,
        **{
            "input": strategy,
            "model": _model(backbone),
            "protocols": _protocols(backbone, released),
            **crops,
            **_batches(backbone, ordered=False, batch_size=batch_size),
            **changes,
        },
    )


def _multi_crop(backbone, name, title, count=9, **changes):
    return _single(backbone, name, title, choose("multi_crop", count=count), **changes)


def _ordered(backbone, name, title, count=9, patch_dropout=None, rate=_ORDERED_RATE, **changes):
    """A recipe whose network sees all crops of an image; what is left of `changes` belongs to its model."""
    fields = {k: changes.pop(k) for k in ("dataset", "split", "classes", "score_best") if k in changes}
    dropout = _PATCH_DROPOUT[count] if patch_dropout is None else patch_dropout
    options = {**changes, "patch_dropout": dropout}
    return _recipe(
        name,
        title,
        input=choose("ordered_crops", count=count),
        crop_size=224,
        model=_model(backbone, **options),
        protocols=_protocols(backbone, **options),
        **_batches(backbone, ordered=True, ordered_rate=rate),
        **fields,
    )


_ARMS = {
    "gru": {"aggregation": "gru"},
    "initial": {"attention": "initial"},
    "end": {"attention": "end"},
    "dual": {"attention": "dual"},
}


# gessert2019/table2/{inceptionv3,densenet121,seresnext50,mobilenet,small}-
#   {downsampling,single-crop,multi-crop,gru,initial,end,dual}
def _table2(b):
    single = choose("single_crop")
    released = {"input": choose("single_crop", evaluation="centre336")}
    yield _whole_images(b)
    yield _single(b, f"table2/{b}-single-crop", f"{b}: one random part of the image", single, released)
    yield _multi_crop(b, f"table2/{b}-multi-crop", f"{b}: random crops, nine averaged")
    for arm, options in _ARMS.items():
        yield _ordered(b, f"table2/{b}-{arm}", f"{b}: nine ordered crops, {arm}", **options)


def _whole_images(b):
    profiles = _batches(b, ordered=False)["profiles"]
    squeezed = {
        profile: {**sizes, "image_size": 2 * (sizes["crop_size"],), "crop_size": None}
        for profile, sizes in profiles.items()
    }
    return _single(
        b, f"table2/{b}-downsampling", f"{b}: whole images", choose("downsampling"), image_size=(224, 224),
        profiles=squeezed,
    )  # fmt: skip


# gessert2019/controls/{inceptionv3,densenet121,seresnext50,mobilenet,small}-{ordered,shuffled}
def _controls(b):
    yield _ordered(b, f"controls/{b}-ordered", f"{b}: nine ordered crops averaged, without attention")
    shuffled = choose("diagnosis_weights", mode="shuffled")
    yield _balanced(b, f"controls/{b}-shuffled", f"{b}: diagnosis factors dealt out at random", shuffled)


# gessert2019/table3/{inceptionv3,densenet121,seresnext50,mobilenet,small}-{multi-crop,attention}-{5,9,16}
def _table3(b):
    for count in (5, 9, 16):
        yield _multi_crop(b, f"table3/{b}-multi-crop-{count}", f"{b}: {count} crops averaged", count)
        yield _ordered(
            b, f"table3/{b}-attention-{count}", f"{b}: {count} crops, initial attention", count,
            attention="initial",
        )  # fmt: skip


# gessert2019/table4/{inceptionv3,densenet121,seresnext50,mobilenet,small}-{multi-crop,gru,attention}
def _table4(b):
    # There is no validation part to be best on; the released configuration has the test in its place.
    spc = {
        "dataset": "derm7pt",
        "split": choose("derm7pt_split"),
        "classes": "derm7pt",
        "score_best": False,
    }
    yield _multi_crop(b, f"table4/{b}-multi-crop", f"{b} on SPC: random crops, nine averaged", **spc)
    for row, options in (("gru", _ARMS["gru"]), ("attention", _ARMS["initial"])):
        title = f"{b} on SPC: nine ordered crops, {row}"
        yield _ordered(b, f"table4/{b}-{row}", title, rate=_SPC_RATE, **options, **spc)


def _balanced(b, name, title, balancing, released=None, **changes):
    """A recipe of Multi-Crop with another balancing than the weighted mean of the loss."""
    released = {"balancing": released} if released else None
    plain = choose("categorical_crossentropy")
    return _multi_crop(b, name, title, balancing=balancing, loss=plain, released=released, **changes)


# gessert2019/table5/{inceptionv3,densenet121,seresnext50,mobilenet,small}-
#   {none,oversampling,balanced-batches,loss-weighting,diagnosis-weighting}
def _table5(b):
    yield _balanced(b, f"table5/{b}-none", f"{b}: no balancing", choose("none"))
    yield _balanced(
        b,
        f"table5/{b}-oversampling",
        f"{b}: oversampling",
        choose("oversampling", length="equal"),
        choose("oversampling", length="released"),
    )
    # 21 images, so that the seven classes divide the batch.
    yield _balanced(
        b, f"table5/{b}-balanced-batches", f"{b}: balanced batches", choose("balanced_batches"), batch_size=21
    )
    yield _multi_crop(b, f"table5/{b}-loss-weighting", f"{b}: loss weighted by inverse class frequency")
    yield _balanced(
        b,
        f"table5/{b}-diagnosis-weighting",
        f"{b}: loss weighted by class and by how the diagnosis was made",
        choose("diagnosis_weights"),
        choose("diagnosis_weights", mode="as_released", normalise=False),
    )


# gessert2019/table6/{inceptionv3,densenet121,seresnext50,mobilenet,small}-k{0.50,0.75,1.00,1.25,1.50}
def _table6(b):
    for k in EXPONENTS:
        # With k = 1.00 it is Multi-Crop of Table II again; equal options make equal runs.
        power = {} if k == "1.00" else {"power": float(k)}
        balancing = choose("class_weights", **power)
        yield _multi_crop(b, f"table6/{b}-k{k}", f"{b}: loss weights (N / N_i) ** {k}", balancing=balancing)


# gessert2019/figure5/{inceptionv3,densenet121,seresnext50,mobilenet,small}-p{0.0,0.1,0.2,0.3,0.4,0.5}
def _figure5(b):
    for p in PATCH_DROPOUTS:
        yield _ordered(
            b, f"figure5/{b}-p{p}", f"{b}: initial attention, patch dropout {p}", patch_dropout=float(p),
            attention="initial",
        )  # fmt: skip


_TABLES = (_table2, _table3, _table4, _table5, _table6, _controls, _figure5)


def _with_target(recipe):
    """The recipe; rows which the document does not have aim at none."""
    _, table, row = recipe.name.split("/")
    has_row = table.startswith("table") and row.split("-")[0] in PUBLISHED_BACKBONES
    return recipe if has_row else dataclasses.replace(recipe, published="")


RECIPES = tuple(_with_target(recipe) for table in _TABLES for b in BACKBONES for recipe in table(b))

_ORDERED = "controls/{}-ordered"
_BALANCINGS = ("oversampling", "balanced-batches", "loss-weighting", "diagnosis-weighting")
# First minus second, on the same test images.
COMPARISONS = tuple(
    (f"gessert2019/{first.format(b)}", f"gessert2019/{second.format(b)}")
    for b in BACKBONES
    for first, second in (
        ("table2/{}-single-crop", "table2/{}-downsampling"),
        ("table2/{}-multi-crop", "table2/{}-single-crop"),
        *((f"table2/{{}}-{arm}", other) for other in ("table2/{}-multi-crop", _ORDERED) for arm in _ARMS),
        (_ORDERED, "table2/{}-multi-crop"),
        *((f"table5/{{}}-{row}", "table5/{}-none") for row in _BALANCINGS),
        ("table5/{}-loss-weighting", "table5/{}-balanced-batches"),
        ("table5/{}-diagnosis-weighting", "table5/{}-loss-weighting"),
        ("table5/{}-diagnosis-weighting", "controls/{}-shuffled"),
        ("table2/{}-end", "table2/{}-gru"),
        ("table3/{}-multi-crop-9", "table3/{}-multi-crop-5"),
        ("table3/{}-multi-crop-16", "table3/{}-multi-crop-9"),
        ("table3/{}-attention-16", "table3/{}-attention-9"),
        ("table3/{}-attention-5", "table3/{}-multi-crop-16"),
        *(("table4/{}-attention", f"table4/{{}}-{other}") for other in ("multi-crop", "gru")),
        ("table6/{}-k1.00", "table6/{}-k0.50"),
        ("table6/{}-k1.50", "table6/{}-k1.00"),
        ("table5/{}-diagnosis-weighting", "table6/{}-k1.50"),
        ("figure5/{}-p0.2", "figure5/{}-p0.0"),
        ("figure5/{}-p0.5", "figure5/{}-p0.2"),
    )
)
