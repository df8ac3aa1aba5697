"""Sex, age and site of the images as numbers."""

from dataclasses import dataclass

import pandas as pd

from skinkit.data.tables.columns import SEXES

_MISSING = "missing"


@dataclass(frozen=True)
class MetadataEncoder:
    """Turns sex, age and site of manifest rows into columns of numbers.

    hernandez2020 names metadata as future work. Missing is a category of its own: that somebody did not
    write down an age may tell something, too, and whether it should is for the reader to judge.

    Args:
        sites: Sites that have a column, in alphabetical order.
        age_mean: Mean age in years.
        age_deviation: Standard deviation of the age in years.

    Example:
        >>> encoder = MetadataEncoder.fit(run_data.rows("train"))
        >>> encoder.encode(run_data.rows("test")).columns[:3].tolist()
        ['sex=female', 'sex=male', 'sex=missing']
    """

    sites: tuple[str, ...]
    age_mean: float
    age_deviation: float

    @classmethod
    def fit(cls, rows):
        """Returns the encoder of the sites and ages of these rows: the training rows, and no others."""
        ages = rows["age"].astype("Float64").dropna().astype(float)
        mean, deviation = (ages.mean(), ages.std(ddof=0)) if len(ages) else (0.0, 0.0)
        # One age, or none, has no deviation to divide by.
        return cls(tuple(sorted(rows["site"].dropna().unique())), float(mean), float(deviation) or 1.0)

    def encode(self, rows):
        """Returns the columns `sex=...`, `site=...`, `age` and `age=missing` of manifest rows.

        Args:
            rows: Manifest rows.

        Returns:
            float32 DataFrame with the rows' index. Sex and site are 0 or 1; a site that the encoder was not
            fitted on has 0 in all its columns. Age is in standard deviations from the mean, 0 where it is
            missing.
        """
        ages = rows["age"].astype("Float64")
        columns = {
            **_indicators("sex", rows["sex"], SEXES),
            **_indicators("site", rows["site"], self.sites),
            "age": ((ages - self.age_mean) / self.age_deviation).fillna(0.0),
            "age=missing": ages.isna(),
        }
        return pd.DataFrame(columns, index=rows.index).astype("float32")


def _indicators(name, values, known):
    values = values.astype("string").fillna(_MISSING)
    return {f"{name}={value}": values == value for value in (*known, _MISSING)}
