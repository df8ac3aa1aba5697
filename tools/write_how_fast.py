"""Writes the measured parts of docs/how_fast.md from the tables in results/benchmarks.

`make benchmarks` measures, and then writes them. A part stands between `<!-- measured: NAME -->` and
`<!-- end of measured -->`; what stands around it holds for any machine.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skinkit.evaluation import to_markdown
from skinkit.files import writing

ROOT = Path(__file__).parents[1]
PAGE = "docs/how_fast.md"
_PART = re.compile(r"(<!-- measured: ([^\n]+) -->\n).*?(<!-- end of measured -->)", re.S)
_PROCESSOR = ["processor", "features"]
_MACHINE = [*_PROCESSOR, "cores", "versions", "date"]
_NORMALISATION = "Keras' / skinkit's batch normalisation: "


@dataclass(frozen=True)
class Ratio:
    """A number that the page begins with.

    Args:
        text: What it says.
        table: Name of the table.
        row: Beginning of the names of its rows; the least of several counts.
        column: Of the table.
        low: Float, aim: at least so much.
        high: Float, aim: at most so much.
        cause: Why the aim is missed where it is.
    """

    text: str
    table: str
    row: str
    column: str = "ratio"
    low: float | None = None
    high: float | None = None
    cause: str = "the cause has not been looked for"

    @property
    def aim(self):
        said = {"at least": self.low, "at most": self.high}
        return " and ".join(f"{word} {value:g}" for word, value in said.items() if value is not None)

    def verdict(self, value):
        if not self.aim:
            return ""
        is_met = (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        return "met" if is_met else f"missed: {self.cause}"


RATIOS = (
    Ratio(
        "a training step of EfficientNet-Lite0 with Keras' batch normalisation / with the kit's",
        *("training_step", f"{_NORMALISATION}efficientnet_lite0 120 x 160"),
        low=1.5,
        cause="it was reached on the day on which the aim was set, when Keras' step took longer",
    ),
    Ratio(
        "the same, least of all networks that the kit builds itself", "training_step", _NORMALISATION, low=1
    ),
    *(
        Ratio(
            f"a training step in float32 / in bfloat16, {said}", "training_step", f"float32 / bfloat16: {row}"
        )
        for said, row in {
            "koefler2023's CNN": "koefler_cnn 100 x 100",
            "ResNet-50": "resnet50 128 x 128",
            "EfficientNet-Lite0": "efficientnet_lite0 120 x 160",
        }.items()
    ),
    Ratio(
        "a training step of PyTorch, tuned / of the kit, ResNet-50",
        *("training_step", "PyTorch tuned / skinkit: resnet50 128 x 128"),
        low=1,
        cause="the network is Keras' own, with Keras' batch normalisation; with the kit's it was not timed",
    ),
    Ratio(
        "the same, EfficientNet-Lite0",
        *("training_step", "PyTorch tuned / skinkit: efficientnet_lite0 120 x 160"),
        low=1,
    ),
    Ratio(
        "the same, koefler2023's CNN",
        *("training_step", "PyTorch tuned / skinkit: koefler_cnn 100 x 100"),
        low=1,
        cause="Adam of 57 million weights: Keras needs several operations for it, PyTorch one",
    ),
    Ratio("prediction of four views of an image / of one", "views", "four views / one", high=4.2),
    Ratio("four calls of Keras' `predict` / the four views in one call", "views", "four times keras.Model"),
    Ratio(
        "images a second from files / decoding alone",
        *("pipeline", "skinkit", "x limit"),
        low=0.8,
        cause="resizing, and flips, turns and colours, cost about as much each: see the rows without them",
    ),
    Ratio(
        "the same / Keras' directory of images and random layers", "pipeline", "skinkit", "x Keras", low=4.5
    ),
    Ratio("images a second from memory / decoding alone", "pipeline", "skinkit, cached", "x limit", low=1.3),
    Ratio(
        "images a second with mixup / without",
        *("pipeline", "skinkit, mixup", "x skinkit"),
        low=0.9,
        cause="each pixel is read and written four times, to scale, fetch, scale and add",
    ),
    Ratio(
        "the same / with `keras.layers.MixUp`",
        *("pipeline", "skinkit, mixup", "x MixUp"),
        low=1,
        cause="both do the same arithmetic, and differ by less than the quartiles",
    ),
    Ratio(
        "images a second with patches in disorder / without",
        "pipeline",
        "skinkit, disorder",
        "x skinkit",
        low=0.85,
    ),
    Ratio("images a second with turned images / without", "pipeline", "skinkit, turn", "x skinkit", low=0.6),
    Ratio(
        "images a second with all distortions of bermeo2023 / by albumentations",
        *("distortions", "skinkit, as published", "x albumentations"),
        low=1,
    ),
    Ratio("peak memory of 10,000 images / of 1,000, with mixup", "memory", "mixup", low=0.95, high=1.05),
    Ratio(
        "a training step with focal loss / with cross-entropy",
        "training_step",
        "focal loss / cross-entropy: mobilenet_025",
        high=1.03,
    ),
    Ratio("a training step with two heads / with one", "training_step", "two heads", high=1.05),
    Ratio("a training step with five dropouts / with none", "training_step", "five dropouts", high=1.03),
    Ratio("prediction by two stages / by one of them", "views", "two stages / one", high=2.1),
    *(
        Ratio(
            f"images a second served to {clients} clients / predicted without a server",
            *("serve", row),
            low=0.7,
            cause="reading and checking an upload takes about half of the time that the network takes",
        )
        for clients, row in ((8, "images/s of 8 clients"), (50, "images/s of 50 clients"))
    ),
    Ratio("memory of a server after 2,200 requests / after 200", "serve", "MiB after", high=1.05),
    Ratio("time until a server is ready / to load the network alone", "serve", "seconds until", high=1.5),
    Ratio("16 crops averaged / 5 crops with attention, the networks alone", "crops", "networks alone"),
    Ratio(
        "one resample by scikit-learn / by the kit, 2 classes, the least of 10,000 and 400,000 images",
        "bootstrap",
        "2 classes",
    ),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--benchmarks", type=Path, default=ROOT / "results/benchmarks", help="folder of tables"
    )
    tables = read_tables(parser.parse_args().benchmarks)
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    with writing(ROOT / PAGE) as part:
        part.write_text(fill(page, tables), encoding="utf-8")


def read_tables(folder):
    """Returns the tables by name, each with the names of its rows as index."""
    return {
        path.stem: pd.read_csv(path, index_col=0).rename(index=str) for path in sorted(folder.glob("*.csv"))
    }


def fill(page, tables):
    """Returns the page with its measured parts made anew."""
    return _PART.sub(lambda found: f"{found[1]}{measured(found[2], tables)}{found[3]}", page)


def measured(name, tables):
    """Returns the Markdown of one part: `aims`, or a table, or one kind of its rows."""
    if name == "aims":
        return aims(tables)
    name, _, rows = name.partition(": ")
    if name not in tables:
        return "Not measured.\n"
    table = tables[name]
    table = table[table.index.str.contains(rows)]
    if table.empty:
        return "Not measured.\n"
    return f"{to_markdown(told(table))}\n{machines(table, _MACHINE)}"


def aims(tables):
    rows = []
    for ratio in RATIOS:
        value = value_of(ratio, tables)
        if value is not None:
            verdict = ratio.verdict(value)
            rows.append({"A / B": ratio.text, "ratio": value, "aim": ratio.aim, "": verdict})
    used = pd.concat(tables[name] for name in {ratio.table: 0 for ratio in RATIOS} if name in tables)
    return f"{to_markdown(pd.DataFrame(rows), digits=3)}\n{machines(used, _PROCESSOR)}"


def value_of(ratio, tables):
    """The number of a ratio, or `None` where it was not measured."""
    table = tables.get(ratio.table)
    if table is None or ratio.column not in table:
        return None
    values = table.loc[table.index == ratio.row, ratio.column]
    if values.empty:
        values = table.loc[table.index.str.startswith(ratio.row), ratio.column]
    return None if values.empty else values.min()


def told(table):
    """The table without its machine; of float32 and bfloat16 with what follows."""
    if table.index.str.startswith("float32 / bfloat16").all():
        pays = ["pays" if low > 1 else "costs" if high < 1 else "open" for low, high in quartiles(table)]
        table = table.assign(bfloat16=pays)
    return table.drop(columns=[*_MACHINE, "device", "commit"], errors="ignore")


def quartiles(table):
    return zip(table["quartile 1"], table["quartile 3"], strict=True)


def machines(table, columns):
    """A line for each machine of the rows."""
    named = table.reindex(columns=columns).dropna().drop_duplicates()
    lines = ["; ".join(map(str, row)) for row in named.itertuples(index=False)] or ["machine not noted"]
    return "".join(f"- {line}\n" for line in lines)


if __name__ == "__main__":
    main()
