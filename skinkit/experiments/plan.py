"""One run: a recipe with its profile, protocol, fold and seed."""

import dataclasses
import hashlib
import json
import math
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from skinkit import data
from skinkit.experiments.run_data import find_images, table_hash
from skinkit.files import file_hash
from skinkit.names import check_name, did_you_mean
from skinkit.papers.choice import choice_fields, choose
from skinkit.papers.members import members_of
from skinkit.papers.recipe import Recipe
from skinkit.papers.registry import recipe as find_recipe
from skinkit.papers.registry import same_method
from skinkit.registration import own_names
from skinkit.values import check_value

# The numbers that a network computes with, and Keras' policy for it; weights, softmax and loss stay float32.
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}

_ASKED = ("profile", "protocol", "fold", "seed", "precision")


@dataclass(frozen=True)
class Plan:
    """A recipe x profile x protocol x fold x seed (x precision x file of a split), which has a run folder."""

    recipe: Recipe
    profile: str
    protocol: str
    fold: int
    seed: int
    precision: str = "float32"
    split_file: str | None = None

    @property
    def said(self):
        """What a manifest says of the plan: by these a run is asked for again."""
        said = {"recipe": self.recipe.name, **{name: getattr(self, name) for name in _ASKED}}
        further = {"split_file": self.split_file, "own": own_names(_names(self.resolved))}
        return {**said, **{name: value for name, value in further.items() if value}}

    @property
    def asked(self):
        """The arguments of `skinkit.experiments.run` that ask for it."""
        which = {name: getattr(self, name) for name in _ASKED}
        return {"recipe": self.recipe, **which, "split": self.split_file}

    @property
    def resolved(self):
        """The recipe as it is run: with the changes of profile and protocol, and perhaps another split."""
        resolved = self.recipe.resolve(self.profile, self.protocol)
        if self.split_file is None:
            return resolved
        return dataclasses.replace(resolved, split=choose("file", path=self.split_file))

    @property
    def needs(self):
        """The plans that are carried out first."""
        return [*self.handed, *self.folds]

    def with_needs(self, above=()):
        """Yields this plan, and all those that come first for it or for one of them.

        Raises:
            ValueError: for a recipe that needs itself.
        """
        if self in above:
            circle = " > ".join(plan.recipe.name for plan in (*above, self))
            raise ValueError(f"{self.recipe.name} needs itself: {circle}")
        yield self
        for first in self.needs:
            yield from first.with_needs((*above, self))

    @property
    def handed(self):
        """The plans whose trained models this one is handed."""
        recipe = self.resolved
        if (members := members_of(recipe)) is None:
            return [self._other(name) for name in recipe.needs]
        found = [self._other(*run) for run in members.runs(self.fold, self.seed)]
        said = [f"{each.recipe.name} fold {each.fold} seed {each.seed}" for each in found]
        if twice := [each for each in said if said.count(each) > 1]:
            raise ValueError(f"{recipe.name}: each member is in an ensemble once. Received twice: {twice[0]}")
        return found

    @property
    def folds(self):
        """The plans whose predictions stand for this one's own: those of `Recipe.out_of_fold`.

        Each fold has its own seed, as on the page of what each ingredient is worth.
        """
        if (name := self.resolved.out_of_fold) is None:
            return []
        split = find_recipe(name).resolve(self.profile, self.protocol).split
        count = data.split_folds(split.name, **split.options)
        if count is None:
            raise ValueError(
                f"{self.recipe.name}: `out_of_fold` names a recipe on folds. Received: {name}, {split}"
            )
        return [self._other(name, fold, self.seed + fold) for fold in range(count)]

    def _other(self, name, fold=None, seed=None):
        """The plan of another recipe, with the fold and seed of this one by default."""
        which = {"fold": self.fold if fold is None else fold, "seed": self.seed if seed is None else seed}
        return dataclasses.replace(self, recipe=same_method(find_recipe(name))[0], **which)

    def check(self, weights=None, data_dir=None, table_alone=False):
        """Raises an error for a run that cannot be carried out, before anything is read or written.

        Args:
            weights: As in `skinkit.experiments.run`.
            data_dir: Folder of the releases; the environment variable `SKINKIT_DATA` by default.
            table_alone: Boolean, whether the table will do without any image, as for a finished run.

        Raises:
            FileNotFoundError: for images or weights that are not there.
            ValueError: for an unknown profile, protocol, precision, split or recipe to start from, or a fold
                which the split does not have.
        """
        recipe = self.resolved
        check_name("Precisions", self.precision, PRECISIONS)
        # NumPy's seeds, and with them Keras', have 32 bits.
        check_value(recipe.name, "seed", self.seed, Annotated[int, (0, 2**32 - 1)])
        check_value(recipe.name, "fold", self.fold, int)
        if recipe.split.name == "file":
            data.read_split(recipe.split.options["path"])
        folds = data.split_folds(recipe.split.name, **recipe.split.options)
        if not 0 <= self.fold < (folds or math.inf):
            known = f"has the folds 0 to {folds - 1}" if folds else "is made again for each fold from 0"
            raise ValueError(f"{recipe.name}: {recipe.split} {known}. Received: fold={self.fold}")
        if weights not in (None, "imagenet", "none") and not Path(weights).is_file():
            hint = did_you_mean(weights, ("imagenet", "none"))
            raise FileNotFoundError(f"No file of weights at {weights}.{hint}")
        find_images(recipe, self.profile, data_dir, table_alone)
        for first in self.needs:
            first.check(weights, data_dir, table_alone)

    def folder(self, out):
        """The run's own folder below `out`; runs that only try the code lie apart by default."""
        out = out or ("results/smoke" if self.profile == "smoke" else "results/runs")
        return Path(out) / self.recipe.name / run_folder_name(self.said)

    def _own_labels(self):
        """The labels of a class map of one's own, whose name alone does not say them."""
        classes = self.resolved.classes
        own = own_names({classes}) and classes in data.CLASS_MAPS
        return list(data.CLASS_MAPS[classes].labels) if own else []

    def decided_by(self, weights, run_data):
        """What a manifest says that decides the result, with the key."""
        said = {**self.said, "key": self.key(weights, run_data), "weights": weights_identity(weights)}
        said |= {"labels": list(run_data.labels), "data_hash": table_hash(run_data.table)}
        said |= {"split_hash": run_data.split.hash, "settings": _settings(self.resolved)}
        built_on = [{**each.said, "settings": _settings(each.resolved)} for each in self.handed]
        return {**said, "built_on": built_on} if built_on else said

    def key(self, weights, run_data):
        """Hash of all that decides the result: equal keys, equal predictions."""
        return self.key_of(weights_identity(weights), run_data.split.hash, table_hash(run_data.table))

    def key_of(self, weights, split_hash, data_hash):
        """The same from what a manifest says of weights, split and data."""
        # Of a split's file, the hash of its rows counts, and not where it lies.
        method = self.recipe.resolve(self.profile, self.protocol) if self.split_file else self.resolved
        said = [method.hash, self.profile, self.fold, self.seed, weights or "", split_hash, data_hash]
        said += [] if self.precision == "float32" else [self.precision]
        said += ["split of a file"] if self.split_file else []
        said += self._own_labels()
        said += [first.key_of(weights, split_hash, data_hash) for first in self.needs]
        return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()[:16]


def _settings(recipe):
    return json.loads(recipe.to_json())


def _names(recipe):
    """All names in a resolved recipe that may be of one's own."""
    found = {recipe.name, recipe.classes, *recipe.needs}
    for each in (recipe, *recipe.phases):
        for choice in filter(None, (getattr(each, field) for field in choice_fields(type(each)))):
            found |= {choice.name, *(value for value in choice.options.values() if isinstance(value, str))}
    return found


def run_folder_name(said):
    """Returns the name of a run's own folder, below that of its recipe.

    Args:
        said: Mapping as in `run_words`.
    """
    name = "{protocol}-{profile}-fold{fold}-seed{seed}".format(**said)
    precision, split_file = said.get("precision"), said.get("split_file")
    name += f"-{precision}" if precision not in (None, "float32") else ""
    return name + (f"-split-{split_stem(split_file)}" if split_file else "")


def split_stem(split_file):
    """Returns the name of a split's file without ending, as part of a name."""
    return re.sub(r"[^\w.+-]", "_", Path(split_file).stem)


def run_command(said, out=None):
    """Returns the command that carries a run out, as text: see `run_words`."""
    return shlex.join(["skinkit", *run_words(said, out)])


def run_words(said, out=None):
    """Returns the words of the command that carries a run out, without `skinkit`.

    Args:
        said: Mapping such as a manifest, with `recipe`, `profile`, `protocol`, `fold`, `seed`, and perhaps
            `precision`, `weights`, `split_file` and `own`.
        out: Folder of all runs, where it is not the usual one.
    """
    words = ["run", said["recipe"]]
    for option in ("profile", "protocol", "fold", "seed"):
        words += [f"--{option}", str(said[option])]
    # The hash of a file stands behind its name.
    weights = (said.get("weights") or "").partition(" sha256:")[0]
    precision = said.get("precision") or "float32"
    further = {"weights": weights, "precision": "" if precision == "float32" else precision, "out": out}
    for option, value in {**further, "split": said.get("split_file")}.items():
        words += [f"--{option}", str(value)] if value else []
    return words + imported(said.get("own", ()))


def imported(modules):
    """Returns the words of a command that import modules."""
    return [word for module in modules for word in ("--import", module)]


def weights_identity(weights):
    """Returns a file of weights as its name and the hash of its content; other weights as they are."""
    if weights is None or not Path(weights).is_file():
        return weights
    return f"{Path(weights).name} sha256:{file_hash(weights)[:16]}"
