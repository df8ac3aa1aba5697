"""Gessert et al. 2019."""

from published_rules.cells import claimed_gain, number, one, pick, verdict

MODELS = ("inceptionv3", "densenet121", "seresnext50")
SCORES = ("macro_recall", "macro_specificity", "weighted_f1_by_pred")

# With a classifier of seven classes and without attention, moving averages of the normalisation included.
PARAMETERS = {"inceptionv3": 21_817_127, "densenet121": 7_044_679, "seresnext50": 25_593_463}

# One experiment printed in several tables.
REPEATS = (
    (
        ("table2", "multi-crop"),
        ("table3", "multi-crop-9"),
        ("table5", "loss-weighting"),
        ("table6", "k1.00"),
    ),
    (("table2", "initial"), ("table3", "attention-9")),
)

# Gain told in the text: the rows before it, and the rows of which the best is after it.
CLAIMS = {
    "attention-gain": ("table2", "multi-crop", ("initial", "end", "dual")),
    "diagnosis-weighting-gain": ("table5", "loss-weighting", ("diagnosis-weighting",)),
    "loss-weighting-gain": ("table5", "none", ("loss-weighting",)),
    "balanced-batches-gain": ("table5", "none", ("balanced-batches",)),
    "loss-weighting-over-balanced-gain": ("table5", "balanced-batches", ("loss-weighting",)),
    "five-crop-gap": ("table3", "attention-5", ("multi-crop-16",)),
}


def repeats(cells):
    """Multi-Crop of Table II = 9 crops of III = loss weighting of V = k 1.00 of VI, and so on."""
    for places in REPEATS:
        for model in MODELS:
            for metric in SCORES:
                same = [one(cells, table=table, row=f"{model}-{row}", metric=metric) for table, row in places]
                equal = len({(cell["value"], cell["sd"]) for cell in same}) == 1
                for cell in same:
                    others = [c["source"].rpartition(", ")[2] for c in same if c is not cell]
                    yield cell.name, verdict(equal, f"against {', '.join(others)}")


def counts(cells):
    """2500 against the released split, and the three sizes of the 7-point set."""
    for part in ("test", "train", "validation"):
        text = one(cells, table="text", row=f"ham-{part}")
        released = one(cells, table="released", row=f"ham-{part}")
        yield (
            text.name,
            verdict(text["value"] == released["value"], f"the released split has {released['value']}"),
        )
    ham = pick(cells, table="table1", row="ham10000")
    total = sum(ham["value"].astype(int))
    for index in ham.index:
        yield index, verdict(total == 10015, f"Table I adds up to {total} of 10015")
    spc = {
        "Table I": pick(cells, table="table1", row="spc"),
        "the text": pick(cells, table="text", row=["spc-test", "spc-train"]),
        "the released split": pick(cells, table="released", row=["spc-test", "spc-train"]),
    }
    sums = {name: sum(rows["value"].astype(int)) for name, rows in spc.items()}
    told = ", ".join(f"{name} {total}" for name, total in sums.items())
    for rows in spc.values():
        for index in rows.index:
            yield index, verdict(len(set(sums.values())) == 1, f"images in all: {told}")


def gains(cells):
    """Percentages of the text against the tables' mean sensitivities."""
    for row, (table, before, after) in CLAIMS.items():
        pairs = []
        for model in MODELS:
            found = pick(cells, table=table, metric="macro_recall").set_index("row", drop=False)
            best = max((found.loc[f"{model}-{name}"] for name in after), key=number)
            pairs.append((found.loc[f"{model}-{before}"], best))
        yield from claimed_gain(pick(cells, table="text", row=row), pairs)


def overhead(cells):
    """The parameters of attention on nine crops, a weight for each pair and a bias for each crop."""
    added = 9 * 9 + 9
    shares = ", ".join(f"{100 * added / total:.4f} % of {model}" for model, total in PARAMETERS.items())
    text = f"note: {added} parameters for nine crops are {shares}; Dual Attention adds twice as many"
    yield one(cells, table="text", row="attention-overhead").name, text


RULES = (repeats, counts, gains, overhead)
