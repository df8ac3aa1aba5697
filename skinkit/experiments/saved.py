"""A run folder, read back."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from skinkit.experiments.run_folder import not_a_run
from skinkit.experiments.scoring import read_predictions
from skinkit.papers.recipe import Recipe


@dataclass(frozen=True)
class SavedRun:
    """What a finished run left in its folder.

    Args:
        folder: `pathlib.Path` of the run folder.
    """

    folder: Path

    def __post_init__(self):
        if not (self.folder / "manifest.json").exists():
            raise FileNotFoundError(not_a_run(self.folder))

    @functools.cached_property
    def manifest(self):
        return json.loads((self.folder / "manifest.json").read_text())

    @functools.cached_property
    def metrics(self):
        return json.loads((self.folder / "metrics.json").read_text())

    @functools.cached_property
    def metrics_best(self):
        """Scores of the best epoch on validation and its `epoch`; `None` where the recipe wants none."""
        path = self.folder / "metrics_best.json"
        return json.loads(path.read_text()) if path.exists() else None

    @functools.cached_property
    def recipe(self):
        """The recipe as it was run."""
        return Recipe.from_json(json.dumps(self.manifest["settings"]))

    @functools.cached_property
    def predictions(self):
        return read_predictions(self.folder / "predictions.csv.gz")

    @property
    def labels(self):
        return tuple(c.removeprefix("p_") for c in self.predictions.columns if c.startswith("p_"))

    def load_model(self):
        """Returns the trained model.

        Raises:
            FileNotFoundError: when only the numbers of the run are here; models are not kept in git.
        """
        from skinkit.models import load_model

        path = self.folder / "model.keras"
        if not path.exists():
            m = self.manifest
            raise FileNotFoundError(
                f"{path} is missing: models are not kept with the results. Train it again elsewhere with "
                f"`skinkit run {m['recipe']} --profile {m['profile']} --protocol {m['protocol']} "
                f"--fold {m['fold']} --seed {m['seed']} --out FOLDER`"
            )
        return load_model(path)

    def model_to_start_from(self, name, split):
        """Returns the trained model for a run of another recipe, `name`, which starts from its weights.

        Args:
            name: Name of the other recipe.
            split: `skinkit.data.Split` of the other run. It must be this one's, or this network may have seen
                images that the other one is tested on.

        Raises:
            FileNotFoundError: when only the numbers of this run are here.
            ValueError: when this run had another split.
        """
        mine = self.manifest
        if mine["split_hash"] != split.hash:
            raise ValueError(
                f"{name} starts from {mine['recipe']}, which was trained on another split: {mine['split']}. "
                f"Received: {split.name}"
            )
        try:
            return self.load_model()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{name} starts from the trained weights of {mine['recipe']}. {error}, and give this run the "
                "same FOLDER"
            ) from error

    def material(self, data_dir=None):
        """Returns the run's `Material`: table and split, as they were."""
        from skinkit.experiments.material import build_material

        return build_material(self.recipe, self.manifest["profile"], self.manifest["fold"], data_dir)
