"""The recipe: everything that must be said to produce one row of one published table."""

import dataclasses
import functools
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from skinkit.names import did_you_mean
from skinkit.papers.choice import Choice, choice_fields, choose
from skinkit.values import Count, Natural, Share, check_fields

PROTOCOLS = ("as_published", "as_described", "corrected")
PROFILES = ("smoke", "quick", "full")

TRAINABLE = ("all", "all_but_batch_normalization", "head")

# A profile says how much is run, never how: these are the only fields it may change.
SIZES = frozenset({"image_size", "crop_size", "batch_size", "epochs", "subset", "model_size"})

# The parts of a recipe's name are those of a path.
_NAME = r"[\w+-][\w.+-]*(/[\w+-][\w.+-]*){2}"

# Fields that say something about the recipe and change nothing in a run.
_TEXT = frozenset({"name", "title", "tolerance", "published", "not_comparable"})


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one optimiser and one schedule.

    Args:
        epochs: Integer, passes over the training images, 1 or more.
        optimiser: `Choice` of `skinkit.training.build_optimiser`, with its learning rate.
        schedule: `Choice` of `skinkit.training.build_schedule`, by which the rate may change after every
            step; or `plateau` with the options of `skinkit.training.Plateau`, by the recipe's `monitor`.
        trainable: `"all"` layers; `"all_but_batch_normalization"`, which keeps the statistics that came with
            the weights; or only the `"head"` on top of the frozen backbone.
        patience: Integer, epochs without a better `monitor` after which it ends (as good is not better), with
            `selection="best"`; `None` for all its epochs.
    """

    epochs: Count
    optimiser: Choice
    schedule: Choice = choose("constant")
    trainable: Literal[TRAINABLE] = "all"
    patience: Count | None = None

    def __post_init__(self):
        check_fields("Phase", self)


@dataclass(frozen=True)
class Recipe:
    """Everything needed to produce one row of one published table.

    The fields describe the `corrected` protocol at the `full` profile. `protocols` and `profiles` hold
    what differs elsewhere; `resolve` applies them.

    Args:
        name: String, `document/table/row`, as in the document's `published.csv` where it has the row.
        title: String, one line for lists.
        model: `Choice` of `skinkit.models.build`.
        phases: Tuple of `Phase`s in order.
        dataset: String, name of the release (`skinkit data list`).
        drawing: Mapping of parameters of `skinkit.data.synthetic`, such as `layout` and `context`.
        classes: String, key of the class map, which fixes the order of the network's outputs.
        target: `Choice` of what the labels are: `one_against_rest` or `without` a `label`; `rotation`
            (`angles`, `disc`) or `pixels` (`patch`, `swaps`), beside the class with `joint` (`weight`); see
            `skinkit.data.targets`. `None` for the classes.
        split: `Choice` of a split maker; a fold and a seed are added when it is run.
        offline: `Choice` of offline augmentation with `before_split`, or `None`.
        external: `Choice` of another release, whose images become the test part, with the options
            `overlap`, `sample` and `seed` of `skinkit.data.external_test`; or `None`.
        image_size: Pair of integers, height and width in pixels of the whole image, before any crop.
        input: `Choice` of what the network sees of it: `downsampling` (all), `single_crop` (`evaluation`,
            `smallest_area`), `multi_crop` or `ordered_crops` (`count`); see `skinkit.pipeline.Crops`.
        crop_size: Integer, side of the crops in pixels; for `single_crop` also a pair, height and width; and
            `None` for `downsampling`.
        channel_order: String, `"rgb"`, `"bgr"`, or `None` for what the model's weights expect.
        scaling: String, scaling of the pixels, or `None` for what the model's weights expect.
        resize: String, `"antialias"` or `"bilinear"`.
        colour_constancy: Boolean, whether Shades of Gray is applied.
        augmentation: Mapping of fields of `skinkit.pipeline.Augmentation`.
        mixing: `Choice` of how the images and labels of a batch are mixed: `mixup`, with `weight` or `alpha`
            (`skinkit.pipeline.Mixup`); or `None`.
        model_size: Mapping of options of the model that only change its size; a profile may set them.
        start_from: String, name of the recipe whose trained weights it starts from, by layer name, instead of
            the model's own: of the same profile, protocol, fold and seed, which is run first; or `None`.
        stages: `Choice` of the rule, `soft` or `hard` (`threshold`), by which two recipes make the scores
            without training, run first like `start_from`: `gate`, whose target is `label` against the rest,
            and `rest`, without it (`skinkit.evaluation.combine`). Both see the pixels of `model`. Or `None`.
        members: `Choice` of the rule, `mean`, `geometric_mean` or `rank_mean`, by which the runs of other
            recipes, trained first, are one ensemble (`skinkit.papers.members.Members`). `model` and the
            fields of its images are then those of its first member. Or `None`.
        teaching: `Choice` of how trained networks of other recipes, run first like `start_from`, take part in
            the targets: `distillation`, with `teachers` and `share` (`skinkit.tasks.distillation`). They see
            the pixels of `model`. Or `None`.
        out_of_fold: String, name of the recipe of the same training on folds, run first, whose predictions
            of the images that each fold leaves out stand for this run's own: scores, temperature and
            thresholds. For a recipe that trains on all images; or `None`.
        balancing: `Choice` of one of these, with its options.
            `none`: each image once in an epoch.
            `class_weights`: loss weights by class (`power`, `normalise`, `over`).
            `diagnosis_weights`: loss weights by class and confirmation (`mode`, `normalise`, `seed`).
            `oversampling`: each class as often as the largest (`length`).
            `balanced_batches`: the classes in turn.
            `weighted_random`: images by inverse class frequency, with replacement.
            `contextual`: images in groups of a patient (`images_per_patient`, `malignant_fraction`).
            The last four sample images; with them, `weights` gives loss weights by label besides.
            A model with patient context sees the stored features of the training images, or, with
            `contextual`, the images of the batch.
        loss: `Choice` of `skinkit.training.build_loss`.
        classifier: `Choice` of a classifier that is fitted on features of the trained network and gives the
            predictions: `extra_trees` or `logistic_regression`; `None` for the network's own.
        refresh_steps: Integer, steps after which the stored features of a patient's images are computed again
            within an epoch; `None` for once, when it begins.
        tta: `Choice` of the views of an image whose mean is its prediction: `flips` (4) or `dihedral` (8,
            square images), with `of`, `probabilities` or `logits` (`skinkit.evaluation.mean_over_views`).
            Epoch selection uses the same views; progress scores do not. `None` for the image as it is.
        rescoring: `Choice` of a change of the predictions, without training, before they are scored:
            `patient_z_score` (`skinkit.evaluation.patient_z_scores`); or `None`.
        batch_size: Integer, images per step.
        selection: String, the `"last"` epoch, or the `"best"` by `monitor` on `selection_part`.
        score_best: Boolean, with `"last"`: whether the epoch that `"best"` would select is scored beside it.
        selection_every: Float, share of all epochs between two looks at `selection_part`, after the first; 0
            for one after each epoch.
        selection_part: String, part of the split that selects; a flaw to show if not `"validation"`.
        test_part: String, part of the split that the scores come from, looked at once, after training; parts
            joined by `+`, such as `"train+validation"`, are scored together.
        monitor: String, the score that selects, such as `macro_recall`, or `auc:` and the label `positive`.
        subset: Integer, most images taken of the release (stratified whole groups), from 3; `None` for all.
        positive: String, label whose sensitivity at fixed specificity is reported.
        tolerance: Mapping from scores to the largest absolute difference from the published value, from 0 to
            1, stated before any run.
        published: String, name of the published row where it differs from `name`; `""` for none.
        not_comparable: String, reason why no run can be compared with the published row, or `""`.
        revision: Integer, raised when the code that carries the recipe out changes what it computes and no
            other field says so: runs of older revisions have other keys, and are stale.
        protocols: Mapping from a protocol to the fields that it changes; `corrected=None` for a recipe that
            is a flaw itself, and has no corrected form.
        profiles: Mapping from a profile to the sizes that it changes.
    """

    name: str
    title: str
    model: Choice
    phases: tuple[Phase, ...]
    dataset: str = "ham10000"
    drawing: Mapping[str, Any] = field(default_factory=dict)
    classes: str = "isic2018"
    target: Choice | None = None
    split: Choice = choose("stratified_group_split", group="lesion+patient")
    offline: Choice | None = None
    external: Choice | None = None
    image_size: tuple[Count, Count] = (224, 224)
    input: Choice = choose("downsampling")
    crop_size: Count | tuple[Count, Count] | None = None
    channel_order: str | None = None
    scaling: str | None = None
    resize: str = "antialias"
    colour_constancy: bool = False
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    mixing: Choice | None = None
    model_size: Mapping[str, Any] = field(default_factory=dict)
    start_from: str | None = None
    stages: Choice | None = None
    members: Choice | None = None
    teaching: Choice | None = None
    out_of_fold: str | None = None
    balancing: Choice = choose("none")
    loss: Choice = choose("categorical_crossentropy")
    classifier: Choice | None = None
    refresh_steps: Count | None = None
    tta: Choice | None = None
    rescoring: Choice | None = None
    batch_size: Count = 32
    selection: Literal["last", "best"] = "best"
    score_best: bool = False
    selection_every: Share = 0.0
    selection_part: str = "validation"
    test_part: str = "test"
    monitor: str = "macro_recall"
    subset: Annotated[int, (3, math.inf)] | None = None  # an image for each part of a split
    positive: str = "mel"
    tolerance: Mapping[str, Share] = field(default_factory=lambda: {"macro_recall": 0.02})
    published: str | None = None
    not_comparable: str = ""
    revision: Natural = 0
    protocols: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self):
        check_fields(self.name, self)
        if not re.fullmatch(_NAME, self.name):
            raise ValueError(
                "A recipe is named document/table/row, each of letters, digits and _ . + - and not beginning "
                f"with a dot. Received: name={self.name!r}"
            )
        if self.score_best and self.selection == "best":
            raise ValueError(
                f"{self.name}: `score_best` scores the best epoch beside the last. Received: selection='best'"
            )
        if (self.crop_size is None) != (self.input.name == "downsampling"):
            raise ValueError(
                f"{self.name}: `crop_size` belongs to the inputs with crops, which need it. "
                f"Received: input={self.input}, crop_size={self.crop_size}"
            )
        _check_keys(self.protocols, PROTOCOLS, "protocol")
        _check_keys(self.profiles, PROFILES, "profile")
        fields = [f.name for f in dataclasses.fields(self)]
        for protocol, changes in self.protocols.items():
            _check_keys(changes or {}, fields, f"field in protocol {protocol!r}")
        for profile, changes in self.profiles.items():
            if method := sorted(set(changes) - SIZES):
                raise ValueError(
                    f"{self.name}: profile {profile!r} may change sizes only ({', '.join(sorted(SIZES))}). "
                    f"Received: {', '.join(method)}"
                )

    def with_(self, name, **changes):
        """Returns a recipe of one's own: this one with a name of its own and other fields.

        What protocols and profiles say about these fields no longer counts. Its runs stand beside the
        published row of this one, and are not comparable with it.

        Args:
            name: String, `document/table/row`, such as `"own/clinic/mobilenet"`.
            **changes: Fields of `Recipe`.

        Raises:
            ValueError: for an unknown field, or a value that cannot be right.

        Example:
            >>> demo = papers.recipe("skinkit/demo/ham10000")
            >>> own = demo.with_("own/demo/focal", loss=choose("focal", gamma=1.0))
            >>> str(own.resolve("quick").loss)
            'focal(gamma=1.0)'
        """
        _check_keys(changes, [f.name for f in dataclasses.fields(self)], "field of a recipe")
        told = {"model": ("model", "model_size"), "phases": ("phases", "epochs")}
        replaced = {each for field in changes for each in told.get(field, (field,))}
        published = changes.get("published", self.published_row)
        differs = f"a recipe of one's own: {self.name} with other {', '.join(changes) or 'name'}"
        title, before = re.fullmatch(r"(.*?)(?: \(other (.*)\))?", self.title).groups()
        others = dict.fromkeys([*(before.split(", ") if before else []), *changes])
        own = {
            "title": f"{title} (other {', '.join(others) or 'name'})",
            "published": published,
            "not_comparable": differs if published else "",
            "model_size": {} if "model" in changes else self.model_size,
            "protocols": {p: c and _without(c, replaced) for p, c in self.protocols.items()},
            "profiles": {p: _without(c, replaced) for p, c in self.profiles.items()},
        }
        return dataclasses.replace(self, name=name, **{**own, **changes})

    @property
    def document(self):
        """Key of the document that the recipe belongs to."""
        return self.name.split("/")[0]

    @property
    def published_row(self):
        """Name of the published row this recipe aims at, or `""`."""
        return self.name if self.published is None else self.published

    @property
    def needs(self):
        """Names of the recipes that are trained first, with the same fold and seed; `members` are beside."""
        stages = self.stages.options if self.stages else {}
        teachers = self.teaching.options.get("teachers", ()) if self.teaching else ()
        # What cannot be right is refused later, in the words of `recipe_check`.
        teachers = (teachers,) if isinstance(teachers, str) else teachers
        return tuple(filter(None, (self.start_from, stages.get("gate"), stages.get("rest"), *teachers)))

    @property
    def compares_epochs(self):
        """Whether the scores of `selection_part` single out an epoch, and do not only watch."""
        return self.selection == "best" or self.score_best

    @property
    def epochs_between_looks(self):
        """Epochs from one look at `selection_part` to the next, as `selection_every` says: 1 or more."""
        return max(1, round(self.selection_every * sum(phase.epochs for phase in self.phases)))

    @property
    def is_of_ranks(self):
        """Whether its answers are ranks among the images asked about, of which the order alone counts."""
        return self.members is not None and self.members.name == "rank_mean"

    @property
    def known_protocols(self):
        """Protocols that this recipe can be run under."""
        return tuple(p for p in PROTOCOLS if {"corrected": {}, **self.protocols}.get(p) is not None)

    def resolve(self, profile="full", protocol="corrected"):
        """Returns the recipe as it is run: overrides of protocol and profile applied.

        Raises:
            ValueError: for an unknown profile or a protocol this recipe does not define.
        """
        if profile not in PROFILES:
            raise ValueError(f"Profiles are {', '.join(PROFILES)}. Received: profile={profile!r}")
        if protocol not in self.known_protocols:
            raise ValueError(
                f"{self.name} is defined under {', '.join(self.known_protocols)}. "
                f"Received: protocol={protocol!r}"
            )
        changes = {**self.protocols.get(protocol, {}), **self.profiles.get(profile, {})}
        if "epochs" in changes:
            phases = changes.get("phases", self.phases)
            changes["phases"] = _with_epochs(phases, changes.pop("epochs"), self.name)
        return dataclasses.replace(self, **changes, protocols={}, profiles={})

    def to_json(self):
        """Returns the recipe as a JSON text with sorted keys."""
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text):
        """Returns the recipe that `to_json` wrote."""
        fields = json.loads(text)
        _check_keys(fields, [f.name for f in dataclasses.fields(cls)], "field of a recipe")
        fields["phases"] = tuple(_with_choices(Phase, phase) for phase in fields["phases"])
        pairs = {k: tuple(fields[k]) for k in ("image_size", "crop_size") if isinstance(fields.get(k), list)}
        return _with_choices(cls, {**fields, **pairs})

    @functools.cached_property
    def hash(self):
        """First 12 hex digits of the SHA-256 of the recipe's method: its name and texts do not count.

        Neither do fields at their default: a field which a later version adds changes no hash.
        """
        said = dataclasses.asdict(self)
        # Nor do younger fields of a phase, which are `None` where they are not set.
        said["phases"] = [{k: v for k, v in phase.items() if v is not None} for phase in said["phases"]]
        method = {
            f.name: said[f.name]
            for f in dataclasses.fields(self)
            if f.name not in _TEXT and getattr(self, f.name) != _default(f)
        }
        return hashlib.sha256(json.dumps(method, sort_keys=True).encode()).hexdigest()[:12]


def _with_choices(of, fields):
    # The settings of an older run lack younger fields, which then have their defaults.
    choices = {name: Choice(**fields[name]) for name in choice_fields(of) if fields.get(name)}
    return of(**{**fields, **choices})


def _without(fields, names):
    return {name: value for name, value in fields.items() if name not in names}


def _default(of):
    return of.default_factory() if of.default_factory is not dataclasses.MISSING else of.default


def _check_keys(mapping, allowed, what):
    if unknown := sorted(set(mapping) - set(allowed)):
        near = did_you_mean(unknown[0], allowed)
        raise ValueError(f"Unknown {what} {unknown}. Known: {', '.join(allowed)}.{near}")


def _with_epochs(phases, epochs, name):
    if not isinstance(epochs, (tuple, list)) or len(epochs) != len(phases):
        raise ValueError(f"{name} has {len(phases)} phases. Received: epochs={epochs!r}")
    return tuple(dataclasses.replace(p, epochs=e) for p, e in zip(phases, epochs, strict=True))
