"""What is carried out: a recipe with all that is chosen when it is run."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from skinkit.experiments.material import table_hash
from skinkit.papers.recipe import Recipe
from skinkit.papers.registry import recipe as find_recipe
from skinkit.papers.registry import same_method


@dataclass(frozen=True)
class Plan:
    """A recipe x profile x protocol x fold x seed: what one run folder holds."""

    recipe: Recipe
    profile: str
    protocol: str
    fold: int
    seed: int

    @property
    def resolved(self):
        return self.recipe.resolve(self.profile, self.protocol)

    @property
    def start(self):
        """The plan whose trained weights this one starts from, or `None`."""
        name = self.resolved.start_from
        return name and dataclasses.replace(self, recipe=same_method(find_recipe(name))[0])

    def folder(self, out):
        """The run's own folder below `out`; runs that only try the code lie apart by default."""
        out = out or ("results/smoke" if self.profile == "smoke" else "results/runs")
        name = f"{self.protocol}-{self.profile}-fold{self.fold}-seed{self.seed}"
        return Path(out) / self.recipe.name / name

    def key(self, weights, material):
        """Hash of all that decides the result: equal keys, equal predictions."""
        return self.key_of(weights_identity(weights), material.split.hash, table_hash(material.table))

    def key_of(self, weights, split_hash, data_hash):
        """The same from what a manifest says of weights, split and data."""
        said = [self.resolved.hash, self.profile, self.fold, self.seed, weights or "", split_hash, data_hash]
        if self.start:
            said.append(self.start.key_of(weights, split_hash, data_hash))
        return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()[:16]


def weights_identity(weights):
    """Returns a file of weights as its name and the hash of its content; other weights as they are."""
    if weights is None or not Path(weights).is_file():
        return weights
    return f"{Path(weights).name} sha256:{hashlib.sha256(Path(weights).read_bytes()).hexdigest()[:16]}"
