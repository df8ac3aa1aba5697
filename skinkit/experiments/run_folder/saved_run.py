"""The reader of a finished run's folder."""

import dataclasses
import functools
import json
from dataclasses import dataclass
from pathlib import Path

from skinkit import data
from skinkit.experiments.plan import run_command, run_folder_name
from skinkit.experiments.predictions import predictor, read_predictions, write_predictions
from skinkit.experiments.run_folder.no_run import not_a_run
from skinkit.experiments.run_folder.resume import VALIDATION_LOCK
from skinkit.files import locked, read_csv, read_json, reading
from skinkit.names import counted
from skinkit.papers.choice import Choice
from skinkit.papers.recipe import Recipe
from skinkit.registration import import_own

_MANIFEST = ("recipe", "profile", "protocol", "fold", "seed", "key", "settings", "split_hash")
_SCORES = ("n", "grouped_by", "scores")
_VALIDATION = "predictions_validation.csv.gz"
_IDS = ("image_id", "lesion_id", "patient_id", "label")


@dataclass(frozen=True)
class SavedRun:
    """A finished run, read from its folder.

    Args:
        folder: `pathlib.Path` of the run folder.
    """

    folder: Path

    def __post_init__(self):
        if not (self.folder / "manifest.json").exists():
            raise FileNotFoundError(not_a_run(self.folder))

    @functools.cached_property
    def manifest(self):
        """Recipe, versions, hashes, leakage and duration, as a dictionary."""
        remedy = "Take it from git or a copy; `skinkit run RECIPE --again` trains again into the same folder"
        return read_json(self.folder / "manifest.json", remedy, *_MANIFEST)

    @property
    def command(self):
        """The command that carries this run out."""
        depth = self.manifest["recipe"].count("/") + 2
        out = Path(*self.folder.parts[:-depth]).as_posix() if self.is_named_after_itself else None
        return run_command(self.manifest, out)

    @property
    def is_named_after_itself(self):
        """Whether the folder lies where a run of this recipe, profile, protocol, fold and seed does."""
        name = f"{self.manifest['recipe']}/{run_folder_name(self.manifest)}"
        return self.folder.as_posix().endswith(name)

    @property
    def remedy(self):
        """What to do about a file that is missing or damaged."""
        return (
            f"Take it from git or a copy. `{self.command}` makes predictions and scores again where "
            "model.keras is there; with --again it trains again and replaces all numbers of this folder"
        )

    @property
    def leakage_line(self):
        """The line over every metric: the stamp of a leaky split, or what is known not to be shared."""
        return data.leakage_line(self.manifest["stamp"], self.manifest["leakage"])

    @property
    def is_of_ranks(self):
        """Whether its predictions are ranks among the test images, of which the order alone counts."""
        # Also where names of its recipe are not registered here.
        members = self.manifest["settings"].get("members")
        return bool(members) and members["name"] == "rank_mean"

    @functools.cached_property
    def metrics(self):
        """Scores with intervals: `n`, `grouped_by` and `scores` by name."""
        return read_json(self.folder / "metrics.json", self.remedy, *_SCORES)

    @functools.cached_property
    def metrics_best(self):
        """Scores of the best epoch on validation and its `epoch`; `None` where the recipe wants none."""
        path = self.folder / "metrics_best.json"
        return read_json(path, self.remedy, "epoch", *_SCORES) if path.exists() else None

    @functools.cached_property
    def history(self):
        """One row per epoch; empty where the run had no epochs of its own."""
        # Runs of older versions do not say how many there were.
        epochs = self.manifest.get("epochs")
        return self._table("history.csv", "epoch", lambda table: epochs in (None, len(table)))

    @functools.cached_property
    def leakage(self):
        """The leakage report of the test part."""
        is_whole = lambda table: table["n"].iloc[1:].sum() == table["n"].iloc[0]  # noqa: E731
        return self._table("leakage.csv", "label", is_whole).set_index("label")

    def _table(self, name, column, is_whole):
        with reading(self.folder / name, self.remedy):
            found = read_csv(self.folder / name)
            if column not in found:
                raise ValueError(f"it lacks the column {column}")
            if not is_whole(found):
                raise ValueError(f"it ends after {counted(len(found), 'row')}")
            return found

    def import_own(self):
        """Imports the modules in which names of its recipe are registered.

        Raises:
            ValueError: for a module that is not there, or registers a name no longer.
        """
        import_own(self.manifest.get("own", {}), self.folder)

    @functools.cached_property
    def recipe(self):
        """The recipe as it was run, whose own names are registered."""
        self.import_own()
        return _recipe(self.manifest["settings"])

    @functools.cached_property
    def predictions(self):
        """Ids, `label` and `p_<label>` of each test image."""
        return self._predictions("predictions.csv.gz")

    @functools.cached_property
    def predictions_best(self):
        """Predictions of the best epoch on validation, where the recipe wants them."""
        return self._predictions("predictions_best.csv.gz")

    def validation_predictions(self, data_dir=None):
        """Returns predictions of the validation part, which the folder keeps once the model has made them.

        Where the run's own predictions are out of fold, they are these.

        Args:
            data_dir: Folder of the releases, for the images.

        Raises:
            FileNotFoundError: when they were not made and the model or the images are missing.
            ValueError: when the run has no validation part, or is tested on it.
        """
        if self.recipe.out_of_fold:
            return self.predictions
        path = self.folder / _VALIDATION
        if any((self.manifest.get("validation_leakage") or {}).values()):
            raise ValueError(
                f"{self.folder}: thresholds are chosen on images that no member was trained on. Received: "
                f"validation_leakage={self.manifest['validation_leakage']}"
            )
        has_one = self.manifest.get("images", {}).get("validation")
        if not has_one or "validation" in self.recipe.test_part.split("+"):
            raise ValueError(
                f"{self.folder}: thresholds are chosen on a validation part that is not the test part. "
                f"Received: test_part={self.recipe.test_part!r}, images={self.manifest.get('images')}"
            )
        if not path.exists():
            self._predict_validation(path, data_dir)
        return self._predictions(path.name)

    def _predict_validation(self, path, data_dir):
        """Predicts once, however many processes ask, as the workers of a server do."""
        # Without the model, the images need not be looked for.
        predict = self.predictor(data_dir)
        with locked(path.with_name(VALIDATION_LOCK)):
            if not path.exists():
                write_predictions(predict(self._same_run_data(path, data_dir).rows("validation")), path)

    @property
    def has_validation_predictions(self):
        """Whether the folder keeps them, so that neither the model nor images are needed; none of ranks."""
        kept = bool(self.recipe.out_of_fold) or (self.folder / _VALIDATION).exists()
        return kept and not self.is_of_ranks

    @property
    def chosen_on(self):
        """What `validation_predictions` are, in words."""
        return "out-of-fold predictions" if self.recipe.out_of_fold else "validation"

    @property
    def scored_on(self):
        """What `predictions` are, in words."""
        return self.chosen_on if self.recipe.out_of_fold else "test"

    def _predictions(self, name):
        path = self.folder / name
        with reading(path, self.remedy):
            found = read_predictions(path)
            if lacking := {*_IDS, *(f"p_{label}" for label in self.labels)} - {*found}:
                raise ValueError(f"it lacks the columns {', '.join(sorted(lacking))}")
            return found

    @property
    def labels(self):
        """Classes in the order of the probabilities."""
        # Runs of older versions do not say them.
        return tuple(self.manifest.get("labels") or self.target.labels)

    @property
    def positive(self):
        """The class whose sensitivity counts: the recipe's, or else melanoma or malignant; or `None`."""
        return self.positive_of(self.labels)

    def positive_of(self, labels):
        """Returns the same among the classes of other predictions."""
        from skinkit import evaluation

        asked = self.recipe.positive
        return asked if asked in labels else evaluation.positive_label(labels)

    @property
    def target(self):
        """The `skinkit.data.Target`: the labels that the network learned of the classes."""
        self.import_own()
        settings = self.manifest["settings"]
        # Those of older versions say nothing about it.
        target = settings.get("target")
        return data.target_of(settings["classes"], target and Choice(**target))

    def load_model(self):
        """Returns the trained model.

        Raises:
            FileNotFoundError: when only the numbers of the run are here; models are not kept in git.
            ValueError: when its file is damaged, or its own layers are not registered.
        """
        from skinkit.models import load_model

        self.import_own()
        path = self.folder / "model.keras"
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is missing: models are not kept with the results. `{self.command} --again` trains "
                "it again and replaces all numbers of this folder; with another --out instead they stay"
            )
        return load_model(path)

    def predictor(self, data_dir=None):
        """Returns the function from manifest rows to their predictions table, by the saved model.

        Needs no images of the run itself, but for a run of older versions whose classifier was not saved: it
        is fitted again.

        Args:
            data_dir: Folder of the releases, for such a run.

        Raises:
            FileNotFoundError: when the model is missing, or the images to fit the classifier again.
            ValueError: when a file is damaged.
        """
        return predictor(*self.load_task(data_dir))

    def load_task(self, data_dir=None, **changes):
        """Returns the run's `skinkit.tasks.Task`, ready to predict, and its trained model.

        Args:
            data_dir: As in `predictor`.
            **changes: Fields of the recipe that differ, such as `tta`.

        Raises:
            FileNotFoundError, ValueError: as in `predictor`.
        """
        task = self.task(**changes)
        model, path = self.load_model(), self.folder / "classifier.skops"
        task.restore(self.folder, model, lambda: self._same_run_data(path, data_dir), self.manifest["seed"])
        return task, model

    def task(self, **changes):
        """Returns the run's `skinkit.tasks.Task`, which knows what it was built on, but not what it learned.

        Args:
            **changes: As in `load_task`.
        """
        from skinkit import tasks

        task = tasks.of(dataclasses.replace(self.recipe, **changes))
        task.build_on([tasks.of(each) for each in self._built_on])
        return task

    @property
    def members(self):
        """The recipes of an ensemble's members, as they were run; empty for another run."""
        return self._built_on if self.recipe.members else []

    @property
    def _built_on(self):
        return [_recipe(each["settings"]) for each in self.manifest.get("built_on", ())]

    def seen(self, data_dir=None):
        """Returns the fingerprints of the images that the run learned from: see `seen_images`.

        Args:
            data_dir: Folder of the releases, for a run of older versions, which did not keep them.

        Raises:
            FileNotFoundError: when they were not kept and the release is not there.
            ValueError: when their file is damaged, or the release is another one now.
        """
        from skinkit.experiments.run_folder.seen_images import read_seen, seen_images

        path = self.folder / "seen.csv.gz"
        if path.exists():
            return read_seen(path)
        return seen_images(self._same_run_data(path, data_dir), self.recipe)

    def _same_run_data(self, path, data_dir):
        """The run's `RunData`, in the place of a file that it lacks."""
        why = f"{path} is missing, so that the run's own images are needed"
        try:
            run_data = self.run_data(data_dir)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{why}. {error}") from error
        if run_data.split.hash != self.manifest["split_hash"]:
            raise ValueError(
                f"{why}; but {run_data.source} gives another split here than the run had. Give the release "
                f"as it was with --data, or train again: `{self.command} --again`"
            )
        return run_data

    def model_for(self, name):
        """Returns the trained model for a run of another recipe, `name`, which needs it.

        Raises:
            FileNotFoundError: when only the numbers of this run are here.
        """
        try:
            return self.load_model()
        except FileNotFoundError as error:
            needed = self.manifest["recipe"]
            raise FileNotFoundError(f"{name} needs the trained weights of {needed}. {error}") from error

    def run_data(self, data_dir=None):
        """Returns the run's `RunData`, and those of an ensemble's members: table and split, as they were."""
        from skinkit.experiments.run_data import build_run_data

        profile = self.manifest["profile"]
        found = build_run_data(self.recipe, profile, self.manifest["fold"], data_dir)
        members = [
            build_run_data(recipe, profile, said["fold"], data_dir)
            for recipe, said in zip(self.members, self.manifest.get("built_on", ()), strict=False)
        ]
        return dataclasses.replace(found, members=tuple(members))


def _recipe(settings):
    return Recipe.from_json(json.dumps(settings))
