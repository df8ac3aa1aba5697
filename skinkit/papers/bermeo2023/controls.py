"""Our own recipes beside those of bermeo2023, on HAM10000: what its eight trainings mix up.

`lite0-…` are EfficientNet-Lite0 with ImageNet weights instead of ResNet-18. `as_described` splits by image,
`corrected` by lesion. At `quick`, M0 takes 805 steps and M4 630, as 1,260 and 1,000 in the document.
"""

import dataclasses

from skinkit.papers.baselines import few_blocks, without_epochs
from skinkit.papers.bermeo2023.recipes import NUMBERS, PLAIN, in_words, pairs, recipe
from skinkit.papers.members import ensemble
from skinkit.papers.recipe import choose

_LITE0 = choose("efficientnet_lite0", weights="imagenet", drop_connect=0.0)
# 1,260 steps of M0, by the 25 in an epoch of M4.
_EQUAL_EPOCHS = 51
_LONGER = {"twice": 2, "four-times": 4}


def _stand_in(row, what, number, **changes):
    fields = {"quick": {}, "image_size": (128, 128), "published": ""}
    made = recipe(f"schedules/lite0-{row}", f"Lite0 as {what}", number, _LITE0, **{**fields, **changes})
    return dataclasses.replace(made, profiles=few_blocks(made.profiles))


# bermeo2023/schedules/lite0-m{0,1,2,3,4,5,6,7}{,-one-view}
def _schedules():
    for number in NUMBERS:
        four = _stand_in(f"m{number}", in_words(number), number)
        yield four
        yield _one_view(four, number)


def _one_view(four, number):
    """The network of another recipe, asked for one view of an image instead of four."""
    return dataclasses.replace(
        four, name=f"{four.name}-one-view", title=f"Lite0 as M{number}, the same network asked for one view",
        start_from=four.name, phases=(), selection="last", tta=None,
        profiles=without_epochs(four.profiles),
    )  # fmt: skip


# bermeo2023/schedules/lite0-m4-{equal-updates,no-dropout,no-augmentation}
# bermeo2023/schedules/lite0-m{4,7}-{twice,four-times}
def _controls():
    yield _stand_in("m4-equal-updates", "M4 for as many updates as M0", 4, epochs=_EQUAL_EPOCHS)
    augmented = _stand_in("m4-no-dropout", "M4 with augmentation alone, no dropout", 4)
    yield dataclasses.replace(augmented, model=choose(_LITE0.name, **_LITE0.options, **PLAIN))
    yield _stand_in("m4-no-augmentation", "M4 with dropouts alone, no augmentation", 4, augmentation={})
    for number in (4, 7):
        for row, times in _LONGER.items():
            what = f"M{number} trained {row.replace('-', ' ')} as long"
            yield _stand_in(f"m{number}-{row}", what, number, epochs=40 * times)


# bermeo2023/scratch/resnet18-m{0,4}
def _scratch():
    for number in (0, 4):
        yield recipe(
            f"scratch/resnet18-m{number}", f"ResNet-18 from nothing as {in_words(number)}", number,
            choose("resnet18"), {}, image_size=(96, 96), published="",
        )  # fmt: skip


# bermeo2023/schedules/lite0-{rank-mean,mean}
def _ensembles():
    """The eight networks together; the winners of ISIC 2020, whom it quotes, took the ranks of eighteen."""
    first, *_ = networks = [_stand_in(f"m{number}", in_words(number), number) for number in NUMBERS]
    names = tuple(each.name for each in networks)
    for row, rule, what in (("rank-mean", "rank_mean", "ranks"), ("mean", "mean", "probabilities")):
        title = f"Lite0: the mean {what} of M0 to M7"
        yield ensemble(first, f"bermeo2023/schedules/lite0-{row}", title, rule, recipes=names)


_TABLES = (_schedules, _controls, _scratch, _ensembles)
RECIPES = tuple(each for table in _TABLES for each in table())

# Rows of our own, and the printed ones that they repeat.
STANDS_FOR = {
    f"bermeo2023/{row}{number}": f"bermeo2023/table8.2/m{number}"
    for number in NUMBERS
    for row in ("schedules/lite0-m", "scratch/resnet18-m")
}

_M = "bermeo2023/schedules/lite0-m{}"
# First minus second, on the same test images.
COMPARISONS = (
    *pairs(_M),
    *((_M.format(number), _M.format(f"{number}-one-view")) for number in NUMBERS),
    *(
        (_M.format(first), _M.format(second))
        for first, second in (
            *((f"4-{row}", "4") for row in ("equal-updates", "no-dropout", "no-augmentation")),
            ("4-equal-updates", "0"),
            *((f"{n}-{row}", other) for n in (4, 7) for row in _LONGER for other in (str(n), str(n - 4))),
        )
    ),
    ("bermeo2023/scratch/resnet18-m4", "bermeo2023/scratch/resnet18-m0"),
    ("bermeo2023/schedules/lite0-rank-mean", "bermeo2023/schedules/lite0-mean"),
    ("bermeo2023/schedules/lite0-mean", _M.format(0)),
)
