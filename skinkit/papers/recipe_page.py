"""The page of a recipe: its settings, what differs from the document, and the numbers it aims at."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from skinkit.names import counted
from skinkit.papers.members import members_of
from skinkit.papers.published import DOCUMENTS, show_row
from skinkit.papers.recipe import PROFILES, PROTOCOLS, Choice, Phase
from skinkit.papers.recipe_source import find_source
from skinkit.papers.registry import recipes, same_method
from skinkit.registration import own_names

WIDTH = 110
GROUPS = {
    "data": ("dataset", "drawing", "classes", "target", "split", "offline", "external", "subset"),
    "input": (
        *("image_size", "input", "crop_size", "channel_order", "scaling", "resize", "colour_constancy"),
        *("augmentation", "mixing"),
    ),
    "model": ("model", "model_size", "start_from", "stages", "members", "teaching", "classifier"),
    "training": ("balancing", "loss", "batch_size", "phases", "refresh_steps", "revision"),
    "selection": ("selection", "score_best", "selection_every", "selection_part", "monitor"),
    "test": ("test_part", "out_of_fold", "tta", "rescoring", "positive", "tolerance"),
}
_FIELDS = tuple(field for fields in GROUPS.values() for field in fields)
# What an ensemble or two stages have from the recipe that theirs was made of, and do not use.
_TRAINING = ("model", "model_size", *GROUPS["training"], *GROUPS["selection"])
_MEMBERS_OWN = (*_TRAINING, *GROUPS["input"])
_PROTOCOLS = dict(zip(PROTOCOLS, ("the released code", "the text", "sound"), strict=True))
_UNSET = {
    **dict.fromkeys(("channel_order", "scaling"), "as the model's weights expect"),
    "refresh_steps": "when an epoch begins",
}
# A stand-in's row begins with the small network that takes the place of the document's.
_STAND_INS = ("mobilenet", "small", "lite0")
_STAND_IN = "a stand-in of ours, a smaller network: it can hold or refute an order, never reproduce a number"
_OURS = "a recipe of ours: no document has this row"


def recipe_page(recipe, profile="full", protocol="corrected"):
    """Returns what there is to know about a recipe before it is run, as text.

    Args:
        recipe: `Recipe` as registered.
        profile: String, `smoke`, `quick` or `full`.
        protocol: String, one that the recipe defines. The settings are those under these two; below them
            stands what the other protocols and the `full` profile have instead.

    Returns:
        String, lines of at most `WIDTH` characters. Settings that are off or left to the model are left out.

    Raises:
        ValueError: for an unknown profile or a protocol this recipe does not define.
    """
    here = recipe.resolve(profile, protocol)
    groups = [_settings(title, {f: getattr(here, f) for f in fields}) for title, fields in _groups(here)]
    parts = [_head(recipe, profile, protocol), *groups, *_differences(recipe, here, profile, protocol)]
    parts += [_notes(here, recipe), _numbers(here), _trained_first(here), _commands(here, protocol)]
    return "\n\n".join(filter(None, parts))


def settings_in_words(recipe):
    """Returns the text of each setting of a resolved recipe that is on: by group, then by field.

    Args:
        recipe: `Recipe`, resolved.
    """
    found = {title: {f: getattr(recipe, f) for f in fields} for title, fields in _groups(recipe)}
    return {title: {f: _text(v) for f, v in settings.items() if v} for title, settings in found.items()}


def _groups(recipe):
    """The groups with the fields that count for a recipe: those of a network are its members' own."""
    silent = _MEMBERS_OWN if recipe.members else _TRAINING if recipe.stages else ()
    return [(title, [f for f in fields if f not in silent]) for title, fields in GROUPS.items()]


def chosen_settings(document):
    """Returns what the recipes of a document's own rows have at `full` where the document states nothing.

    Args:
        document: String, key such as `"hernandez2020"`.

    Returns:
        Dictionary from the `open_settings` of the `Document` to dictionaries from values, as text, to the
        names of the recipes that have them; a recipe of the same experiment as another is left out.
    """
    found = {field: {} for field in DOCUMENTS[document].open_settings}
    for recipe in recipes(document) if found else ():
        if recipe.published_row and same_method(recipe)[0] is recipe:
            for field, values in found.items():
                values.setdefault(_said(field, getattr(recipe, field)), []).append(recipe.name)
    return found


def changed_fields(before, now):
    """Returns the names of the settings of the method that two resolved recipes differ in."""
    return [f for f in _FIELDS if f != "tolerance" and getattr(before, f) != getattr(now, f)]


def changed_settings(before, now):
    """Returns the same with the values, as `loss was A, now B`."""
    fields = changed_fields(before, now)
    return [f"{f} was {_said(f, getattr(before, f))}, now {_said(f, getattr(now, f))}" for f in fields]


def _head(recipe, profile, protocol):
    path, line = find_source(recipe.name)
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    document = DOCUMENTS.get(recipe.document)
    by = [f"{document.authors} ({document.year}): {document.title}"] if document else []
    said = [recipe.name, recipe.title, *by, f"profile {profile}, protocol {protocol}"]
    # A path stays in one piece, to be opened.
    return "\n".join([*map(_wrap, said), f"{path}:{line}"])


def _settings(title, settings):
    said = {field: value for field, value in settings.items() if value}
    return f"{title}\n{_columns(said)}" if said else ""


def _differences(recipe, here, profile, protocol):
    """What the full profile and the other protocols have instead; those that agree are one."""
    others = {"the full profile": recipe.resolve("full", protocol)}
    others |= {f"{p} ({_PROTOCOLS[p]})": recipe.resolve(profile, p) for p in recipe.known_protocols}
    titles, told = {}, [field for _, fields in _groups(here) for field in fields]
    for title, other in others.items():
        instead = {f: getattr(other, f) for f in told if getattr(other, f) != getattr(here, f)}
        titles.setdefault(_columns(instead), []).append(title)
    return [f"instead under {' and '.join(under)}\n{lines}" for lines, under in titles.items() if lines]


def _notes(here, recipe):
    """Where the recipe stands to the document."""
    said = []
    if not here.published_row:
        stands_in = here.document in DOCUMENTS and here.name.split("/")[2].split("-")[0] in _STAND_INS
        said.append(_STAND_IN if stands_in else _OURS)
    if others := [other.name for other in same_method(recipe) if other.name != here.name]:
        said.append(f"the same experiment as {', '.join(others)}: one run answers all")
    if here.not_comparable:
        said.append(f"no run can be compared with the published row: {here.not_comparable}")
    return "\n".join(_wrap(f"- {note}") for note in said)


def _numbers(here):
    """The numbers of the published row, with notes on what the checks found."""
    text = show_row(here.published_row) if here.published_row else ""
    return "\n".join(_wrap(line, "    ") for line in text.splitlines())


def _trained_first(here):
    """The runs that a run is handed, of fold 0 and seed 0."""
    members = members_of(here)
    runs = members.runs(0, 0) if members else [(name, 0, 0) for name in here.needs]
    lines = [f"  {name} fold {fold} seed {seed}" for name, fold, seed in runs]
    return "\n".join(["trained first where missing, for fold 0 and seed 0", *lines]) if runs else ""


def _commands(here, protocol):
    option = f" --protocol {protocol}" if protocol != "corrected" else ""
    option += "".join(f" --import {module}" for module in own_names({here.name}))
    releases = [here.dataset, *([here.external.name] if here.external else [])]
    # A path is a data set of one's own.
    lines = [f"skinkit data fetch {name}" for name in releases if name != "synthetic" and name.isidentifier()]
    lines += [_folded(f"skinkit run {here.name}{option} --profile {profile}") for profile in PROFILES]
    return "\n  ".join(
        ["to run it (smoke: drawn images, seconds; quick: minutes to hours; full: all of it)", *lines]
    )


def _folded(command):
    """A command as a shell reads it, in two lines where one is too long."""
    return command if len(command) <= WIDTH - 2 else command.replace(" --", " \\\n      --", 1)


def _columns(settings):
    width = max(map(len, settings), default=0) + 4
    said = {field: _said(field, value) for field, value in settings.items()}
    return "\n".join(_wrap(f"  {field}".ljust(width) + text, width * " ") for field, text in said.items())


def _said(field, value):
    return _UNSET.get(field, "none") if value is None else _text(value)


def _text(value):
    if isinstance(value, Phase):
        length = counted(value.epochs, "epoch")
        patience = f", patience {value.patience}" if value.patience else ""
        how = f"{_text(value.optimiser)}, {_text(value.schedule)}{patience}"
        return f"{length} of {value.trainable}, {how}"
    if isinstance(value, Choice):
        return value.name + (f"({_text(value.options)})" if value.options else "")
    if isinstance(value, Mapping):
        inner = {k: f"({_text(v)})" if isinstance(v, Mapping) else _text(v) for k, v in value.items()}
        return ", ".join(f"{k}={v}" for k, v in inner.items()) or "none"
    if isinstance(value, tuple):
        separator = {Phase: "; then ", int: " x "}
        return separator.get(type(next(iter(value), None)), " ").join(map(_text, value)) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _wrap(line, indent="  "):
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
