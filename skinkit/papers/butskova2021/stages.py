"""Two decisions in a row of butskova2021: nevi against the rest, then the six other classes.

The document does not say how both stages are joined; we let the gate decide, at a probability above one half.
"""

import dataclasses

from skinkit.papers.butskova2021 import controls, recipes
from skinkit.papers.pairs import pairs_of
from skinkit.papers.recipe import choose

_KNOWN = {each.name: each for each in (*recipes.RECIPES, *controls.RECIPES)}
_ROW = "two-stage-efficientnet-gamma1"
# What changes training alone, which there is none of.
_UNTRAINED = {
    **{"phases": (), "target": None, "mixing": None, "augmentation": {}},
    "loss": choose("categorical_crossentropy"),
}


def _joined(name, title, rule, gate, rest, **changes):
    """The recipe that joins two others: of the second stage, but for its training."""
    fields = {
        "stages": choose(rule, gate=gate.name, rest=rest.name, label="nv"),
        "protocols": _without(rest.protocols, "phases"),
        "profiles": _without(rest.profiles, "epochs"),
    }
    return dataclasses.replace(
        rest, name=f"butskova2021/{name}", title=title, **{**_UNTRAINED, **fields, **changes}
    )


def _without(overrides, field):
    return {key: {f: v for f, v in fields.items() if f != field} for key, fields in overrides.items()}


def _both(row):
    return [_KNOWN[f"butskova2021/{row}-{stage}"] for stage in ("gate", "rest")]


# butskova2021/pretrained/two-stage-efficientnet-gamma1
# butskova2021/controls/two-stage-soft
# butskova2021/controls/two-stage-discount{0.25,0.5,1}
# butskova2021/stages/lite0-two-stage-{hard,soft}
def _validation():
    row = f"pretrained/{_ROW}"
    gate, rest = _both(row)
    yield _joined(row, "Two EfficientNets in a row, the first for nevi", "hard", gate, rest, published=None)
    soft = "Two EfficientNets in a row, the product of both"
    yield _joined("controls/two-stage-soft", soft, "soft", gate, rest, published="")
    for discount in controls.DISCOUNTS:
        gate = _KNOWN[f"butskova2021/controls/gate-discount{discount}"]
        title = f"Two EfficientNets in a row, nevi at {discount} of their weight in the first"
        yield _joined(f"controls/two-stage-discount{discount}", title, "hard", gate, rest, published="")
    for rule, title in (("hard", "the gate decides"), ("soft", "the product of both")):
        stages = _both("stages/lite0")
        yield _joined(f"stages/lite0-two-stage-{rule}", f"Both stages of Lite0: {title}", rule, *stages)


# butskova2021/test/two-stage-efficientnet-gamma1{,-gate,-rest}
def _official_test():
    """The one score without leakage; the stages once more, because a run has one set of test images."""
    stages = [_on_official_test(stage) for stage in _both(f"pretrained/{_ROW}")]
    yield from stages
    yield _joined(
        f"test/{_ROW}", "Two EfficientNets in a row, official test images", "hard", *stages, published=None
    )


def _on_official_test(recipe):
    described = {**recipe.protocols["as_described"], "test_part": "test"}
    return dataclasses.replace(
        recipe,
        name=recipe.name.replace("pretrained", "test"),
        external=choose("isic2018_test_dataverse"),
        protocols={"as_described": described},
    )


RECIPES = (*_validation(), *_official_test())

# First minus second, on the same test images.
COMPARISONS = pairs_of(
    "butskova2021",
    (f"pretrained/{_ROW}", "pretrained/efficientnet-gamma1"),
    *((f"stages/lite0-two-stage-{rule}", "stages/lite0-gamma1-mixup") for rule in ("hard", "soft")),
    ("stages/lite0-two-stage-hard", "stages/lite0-two-stage-soft"),
    # One stage that is not mixed has the higher recall.
    ("stages/lite0-two-stage-hard", "stages/lite0-gamma1"),
    (f"pretrained/{_ROW}", "controls/two-stage-soft"),
    *(
        (f"controls/two-stage-discount{discount}", "controls/two-stage-discount1")
        for discount in controls.DISCOUNTS[:-1]
    ),
)
