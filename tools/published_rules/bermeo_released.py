"""Bermeo Quito 2023: released matrices, scores of one view, curves and settings beside what is printed."""

import re

from published_rules.bermeo import GROUPS, MODELS
from published_rules.cells import confusions, decimals, matrix_classes, number, one, pick, verdict
from published_rules.rounding import possible_hits, printed
from skinkit.evaluation import class_confusion_scores, confusion_scores
from skinkit.papers.bermeo2023.curves import load_curves


def matrices(cells):
    """Rows of the matrices against a tenth of each class, and the scores they imply."""
    images = pick(cells, table="released", row="filtered", split="all").set_index("class")["value"]
    for row in MODELS:
        yield from matrix_classes(cells, f"released-{row}", images.astype(int), ("a tenth", 10))


def one_view(cells):
    """The test scores of one view that the matrices imply, beside those of four."""
    for row in MODELS:
        counts = confusions(cells, f"released-{row}")
        scores, classes = confusion_scores(counts), class_confusion_scores(counts)
        never = [f"no {label} predicted" for label in counts.columns[counts.sum() == 0]]
        found = [f"{_right(counts)} images right", f"macro recall {scores['macro_recall']:.3f}", *never]
        accuracy, recall = (_four_views(cells, row, metric) for metric in ("accuracy", "recall"))
        yield accuracy.name, f"implies: one view gets {', '.join(found)}"
        melanoma = list(counts).index("mel")
        found = f"{counts.loc['mel', 'mel']} of {classes['support'][melanoma]:.0f}"
        specificity = f"specificity {classes['specificity'][melanoma]:.3f}"
        yield recall.name, f"implies: one view finds {found}, with a {specificity}"


def views(cells):
    """Four views are said to improve predictions: images right in each part, beside those of one view."""
    validation, test = [], []
    for row in MODELS:
        one_each = pick(cells, row=f"{row}-one-view", split="validation", metric="images_right")
        before = int(one(one_each)["value"]), _right(confusions(cells, f"released-{row}"))
        after = (_hits(_four_views(cells, row, "accuracy", part)) for part in ("validation", "test"))
        for gains, now, then in zip((validation, test), after, before, strict=True):
            gains.append(now - then)
    four, alone = (
        number(one(cells, row=row, metric="accuracy", split="train", table="released"))
        for row in ("m0", "m0-one-view")
    )
    text = (
        f"images right with four views less one, M0 to M7: {_signed(validation)} in validation and "
        f"{_signed(test)} in test; training accuracy of M0 {four - alone:+.4f}"
    )
    yield (
        one(cells, table="text", metric="effect", row="test-time-augmentation").name,
        verdict(min(validation + test) > 0 and four > alone, text),
    )


def hardware(cells):
    """How far M0 and M1 lie apart while they differ in their machines alone, and a pair on one machine."""
    last = int(_released(cells, "m1", "step_size"))
    curves = load_curves().query("epoch <= @last").set_index(["row", "epoch"])[["val_auc", "val_accuracy"]]
    apart = []
    for pair in (("m0", "m1"), ("m4", "m5")):
        most = (curves.loc[pair[0]] - curves.loc[pair[1]]).abs().max()
        ran = " and ".join(f"{row.upper()} on {_released(cells, row, 'gpu')}" for row in pair)
        apart.append(f"{ran} {most['val_auc']:.4f} in AUC and {most['val_accuracy']:.4f} in accuracy")
    text = f"up to epoch {last}, before the rate drops, validation lies at most this far apart: "
    gpu = one(cells, table="released", row="m1", metric="gpu")
    yield gpu.name, f"note: {text}{'; '.join(apart)}"


def best_epochs(cells):
    """Kept epochs against the curves, and the longest wait for a better one against the patience."""
    for row, curve in load_curves().groupby("row"):
        areas = curve.set_index("epoch")["val_auc"]
        best = one(cells, table="released", row=row, metric="best_epoch")
        text = f"the curve is highest in epoch {areas.idxmax()}, with {areas.max():.4f}"
        yield best.name, verdict(areas.idxmax() == number(best), text)
        better = areas[areas > areas.cummax().shift(fill_value=0)].index
        wait = max(b - a for a, b in zip(better, [*better[1:], areas.index[-1]], strict=True))
        patience = one(cells, table="released", row=row, metric="patience")
        yield patience.name, verdict(wait <= number(patience), f"no wait was longer than {wait} epochs")


def scored_again(cells):
    """Validation scores of the kept weights against those of their epoch: both have four views."""
    points = load_curves().set_index(["row", "epoch"])
    for row in MODELS:
        epoch = int(_released(cells, row, "best_epoch"))
        for metric in ("auc", "accuracy"):
            again, point = (
                _four_views(cells, row, metric, "validation"),
                points.loc[(row, epoch), f"val_{metric}"],
            )
            same = printed(point, 4).holds(number(again))
            yield (
                again.name,
                f"{'ok' if same else 'note'}: in epoch {epoch} of the training it was {point:.4f}",
            )


def heads(cells):
    """Dropout in Table 7.2 against that of the architecture which the training notebook builds."""
    told = pick(cells, table="table7.2", metric="architecture").set_index("row")["value"]
    for row in MODELS:
        built = _released(cells, row, "architecture")
        others = [other for other in MODELS if other != row and told[other] == built]
        has = {one(cells, table="table7.2", row=other, metric="dropout")["value"] for other in others}
        dropout = one(cells, table="table7.2", row=row, metric="dropout")
        text = f"{built}, which the training notebook builds, has dropout: {', '.join(sorted(has))}"
        yield dropout.name, verdict(has == {dropout["value"]}, text)


def speed(cells):
    """Images a second that the training times imply, of a training that is said to need its machine."""
    seen = pick(cells, table="released", row="filtered", class_="all", split=["train", "validation"])
    images, speeds = seen["value"].astype(int).sum(), {}
    for row in MODELS:
        epochs, time = (one(cells, table="table7.2", row=row, metric=m) for m in ("epochs", "training_time"))
        speeds[row] = number(epochs) * images / _seconds(time["value"])
        yield time.name, f"implies: {speeds[row]:.1f} images/s in training and validation"
    workers = one(cells, table="released", metric="workers")["value"]
    listed = ", ".join(f"{row.upper()} {speed:.1f}" for row, speed in speeds.items())
    cause = one(cells, row="vicorob-machine", metric="cause")
    yield cause.name, f"note: images/s with {workers} worker processes to load them: {listed}"


def overfitting(cells):
    """Training areas of Table 8.2 less those of the other parts, and how far validation losses rise again."""
    areas = pick(cells, table="table8.2", row=MODELS, metric="auc").astype({"value": float})
    areas = areas.pivot(index="row", columns="split", values="value")
    gaps = {part: areas["train"] - areas[part] for part in ("validation", "test")}
    ranges = [
        f"{gap[rows].min():.3f} to {gap[rows].max():.3f} in {name.upper()} ({part})"
        for part, gap in gaps.items()
        for name, rows in GROUPS.items()
    ]
    losses = load_curves().groupby("row")["val_loss"]
    risen = (losses.last() - losses.min()).max()
    text = (
        f"training area less that of other images: {', '.join(ranges)}; "
        f"validation losses end at most {risen:.3f} above their lowest"
    )
    without, with_both = (gaps["validation"][rows] for rows in GROUPS.values())
    cause = one(cells, row="overfitting", metric="cause")
    yield cause.name, verdict(without.min() > with_both.max(), text)


def more_epochs(cells):
    """What more epochs are said to do, beside the updates there were; and what they are said to have done."""
    images = number(one(cells, table="released", row="filtered", split="train"))
    told = pick(cells, table="table7.2", metric=["epochs", "batch_size"])
    told = told.pivot(index="row", columns="metric", values="value").astype(int)
    updates = told["epochs"] * -(-images // told["batch_size"])
    text = " and ".join(
        f"{updates[rows].unique()[0]:.0f} updates of {name.upper()}" for name, rows in GROUPS.items()
    )
    yield one(cells, row="more-epochs", metric="effect").name, f"note: {text} were compared"
    columns = ["metric", "split"]
    sd = {
        name: pick(cells, table="table8.2", row=f"sd-{name}").set_index(columns)["value"] for name in GROUPS
    }
    first, second = (values.astype(float) for values in sd.values())
    larger = [f"{split} {metric}" for metric, split in first.index[second > first]]
    text = f"larger in {len(larger)} of the {len(first)} columns of Table 8.2: {', '.join(larger)}"
    yield one(cells, row="deviation", metric="cause").name, f"note: {text}"


def updates(cells):
    """One update after each sample, as the text describes it, against the batches of Table 7.2."""
    sizes = sorted({int(size) for size in pick(cells, table="table7.2", metric="batch_size")["value"]})
    text = f"Table 7.2 has batches of {', '.join(map(str, sizes))}"
    momentum = one(cells, table="released", metric="momentum")["value"]
    told = one(cells, table="text", metric="update_after")
    yield told.name, verdict(sizes == [1], f"{text}, and the notebooks a momentum of {momentum}")


def _released(cells, row, metric):
    return one(cells, table="released", row=row, metric=metric)["value"]


def _four_views(cells, row, metric, split="test"):
    return one(cells, table="released", row=row, metric=metric, split=split)


def _seconds(time):
    parts = re.findall(r"(\d+)([dhm])", time)
    return sum(int(count) * {"d": 86400, "h": 3600, "m": 60}[unit] for count, unit in parts)


def _hits(cell):
    (hits,) = possible_hits(cell["value"], int(cell["n"]), decimals(cell["value"]))
    return hits


def _right(counts):
    return int(counts.to_numpy().trace())


def _signed(gains):
    return ", ".join(f"{gain:+d}" for gain in gains)


RULES = (
    matrices,
    one_view,
    views,
    hardware,
    best_epochs,
    scored_again,
    heads,
    speed,
    overfitting,
    more_epochs,
    updates,
)
