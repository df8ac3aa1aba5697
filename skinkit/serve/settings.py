"""The settings of the server, from a TOML file that is read again when it changes."""

import logging
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skinkit.files import reading
from skinkit.names import did_you_mean

_LOG = logging.getLogger(__name__)
MIB = 2**20
# `skinkit run` names folders so, below that of the recipe.
_RUN_FOLDER = r"\w+-\w+-fold\d+-seed\d+.*"

# It stands in addresses.
Name = Annotated[str, Field(pattern=r"^[\w.+-]+$")]
Count = Annotated[int, Field(ge=1, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]


class _Part(BaseModel):
    """Settings that do not change, and of which none is unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSettings(_Part):
    """The settings of one served model; those that are `None` are the run's own.

    Args:
        run: String, path of the run folder; in a file, from the folder of that file.
        views: String, views whose mean is the prediction: `"none"`, `"flips"` or `"dihedral"`.
        threshold: Float, 0 to 1: from this calibrated score of the positive class on, `target` is true.
        sensitivity: Float, above 0 and up to 1: that the threshold has on validation, where none is set; by
            default 0.9.
        decision: String, how the class is chosen: `"likeliest"`, or `"balanced"`, the rule for macro recall
            that validation images chose.
        positive: String, the class of the score.
    """

    run: str
    views: str | None = None
    threshold: Share | None = None
    sensitivity: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    decision: Literal["likeliest", "balanced"] = "likeliest"
    positive: str | None = None


class Limits(_Part):
    """The limits of what is accepted.

    Args:
        file_mib: Integer, largest file in MiB.
        files: Integer, most files of a request.
        request_mib: Integer, largest request in MiB.
        uploads_mib: Integer, most MiB of all uploads that are on their way at a time.
        megapixels: Integer, largest image in millions of pixels.
        side: Integer, shortest side of an image in pixels.
        queue: Integer, most tasks that wait.
        posts: Integer, most uploads a minute of a token, or of an address where there are no tokens.
        reads: Integer, the same for all other requests.
    """

    file_mib: Count = 10
    files: Count = 64
    request_mib: Count = 128
    uploads_mib: Count = 512
    megapixels: Count = 40
    side: Count = 32
    queue: Count = 256
    posts: Count = 60
    reads: Count = 1200


class Times(_Part):
    """The times, in seconds, after which the server stops waiting or forgets.

    Args:
        upload: Integer, how long the files of a request may be on their way.
        answer: Integer, how long `/predict` and an explanation wait for a worker.
        task: Integer, how long a task and its images are kept.
        tombstone: Integer, how long it is known afterwards that there was such a task.
        worker: Integer, how long a worker may be silent.
    """

    upload: Count = 300
    answer: Count = 10
    task: Count = 3600
    tombstone: Count = 86400
    worker: Count = 15


class Settings(_Part):
    """All settings.

    Args:
        models: Mapping from the name of a model to its `ModelSettings`.
        default: String, model of requests that name none; by default the first.
        limits: `Limits`.
        times: `Times`.
    """

    models: dict[Name, ModelSettings] = {}
    default: str | None = None
    limits: Limits = Limits()
    times: Times = Times()


class LiveSettings:
    """Settings that follow their file.

    Args:
        path: Path of the TOML file, or `None`.
        runs: Paths of run folders that are served besides.

    Raises:
        FileNotFoundError: when the file is missing.
        ValueError: for what is wrong in it, or two runs of one name.
    """

    def __init__(self, path=None, runs=()):
        self.path = path and Path(path)
        self.runs = name_runs(runs)
        self._stamp = self._stamp_now()
        self.current = self._read()

    def refresh(self):
        """Reads the file again where it has changed; keeps the old settings where it is wrong now."""
        try:
            if (stamp := self._stamp_now()) == self._stamp:
                return
            self._stamp = stamp
            self.current = self._read()
        except (OSError, ValueError) as error:
            _LOG.error("The old settings stay: %s", error)

    def _stamp_now(self):
        if self.path is None:
            return None
        with reading(self.path, "--config is a TOML file of models, limits and times"):
            found = self.path.stat()
        return found.st_mtime_ns, found.st_size

    def _read(self):
        said = read_settings(self.path) if self.path else Settings()
        models = {**self.runs, **said.models}
        if said.default is not None and said.default not in models:
            raise ValueError(
                f"{self.path}: `default` is one of the models {', '.join(models)}. "
                f"Received: {said.default!r}.{did_you_mean(said.default, models)}"
            )
        return said.model_copy(update={"models": models})


def read_settings(path):
    """Returns the `Settings` of a TOML file.

    Raises:
        FileNotFoundError: when it is missing.
        ValueError: for broken TOML, unknown keys and wrong values, with what was expected.
    """
    try:
        found = Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ValueError(f"{path}: {_said(error.errors()[0])}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    here = {
        name: model.model_copy(update={"run": str(path.parent / model.run)})
        for name, model in found.models.items()
    }
    return found.model_copy(update={"models": here})


def _said(error):
    """What is wrong, in words."""
    *place, name = map(str, error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{'.'.join([*place, name])}: {error['msg']}. Received: {error['input']!r}"
    parts = {"": Settings, "models": ModelSettings, "limits": Limits, "times": Times}
    known = list(parts[place[0] if place else ""].model_fields)
    where = f"[{'.'.join(place)}] " if place else ""
    return f"{where}knows {', '.join(known)}. Received: {name!r}.{did_you_mean(name, known)}"


def name_runs(runs):
    """Returns `ModelSettings` of run folders by name: the recipe's last word, longer where two share it.

    Args:
        runs: Paths of run folders, `.../document/table/row/protocol-profile-fold-seed`.

    Raises:
        ValueError: for the same run twice.
    """
    folders = [Path(run).resolve() for run in runs]
    short = [f.parent.name if re.fullmatch(_RUN_FOLDER, f.name) else f.name for f in folders]
    names = [
        name if short.count(name) == 1 else f"{name}-{folder.name}"
        for name, folder in zip(short, folders, strict=True)
    ]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"Two runs would be served as {twice[0]}: name them in a file for --config")
    return {name: ModelSettings(run=str(run)) for name, run in zip(names, runs, strict=True)}
