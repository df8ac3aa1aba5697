"""Ensembles of butskova2021, which plans one: our own choice of members and their plain mean.

EfficientNet-B7 is not among them, because at `quick` it has a smaller subset, whose test images the others
train on.
"""

from skinkit.papers.butskova2021 import controls, recipes
from skinkit.papers.members import ensemble

_KNOWN = {each.name: each for each in (*recipes.RECIPES, *controls.RECIPES)}
_MEMBERS = {
    "controls/ensemble": [f"pretrained/resnet50-gamma{gamma}" for gamma in "01"],
    "stages/lite0-ensemble": [
        f"stages/lite0-gamma{gamma}{mixed}" for gamma in "01" for mixed in ("", "-mixup")
    ],
}
_TITLES = {
    "controls/ensemble": "Both pretrained ResNet-50",
    "stages/lite0-ensemble": "Four EfficientNet-Lite0: gamma 0 and 1, mixed and not",
}


# butskova2021/controls/ensemble
# butskova2021/stages/lite0-ensemble
def _ensembles():
    for row, members in _MEMBERS.items():
        names = tuple(f"butskova2021/{member}" for member in members)
        yield ensemble(_KNOWN[names[0]], f"butskova2021/{row}", _TITLES[row], recipes=names)


RECIPES = tuple(_ensembles())

# First minus second, on the same test images.
# A mean may help a weak member, and be worth nothing beside a strong one.
COMPARISONS = tuple(
    (f"butskova2021/{row}", f"butskova2021/{member}")
    for row, members in _MEMBERS.items()
    for member in members
)
