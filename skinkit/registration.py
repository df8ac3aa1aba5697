"""Registration of one's own networks, losses, layers, class maps, splits and recipes under names."""

import importlib
import sys
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """The name of a module, and a line in it."""

    module: str
    line: int


# From a kind of thing and its name to the `Place` where it was registered.
_OWN = {}


def register(kind, registry, name, entry, place):
    """Puts a thing of one's own into a registry.

    The same module may register a name again, as a notebook does whose cell is run twice.

    Args:
        kind: String, plural of what is registered, such as `"Losses"`.
        registry: Dictionary from names to entries, which is changed.
        name: String, its new key.
        entry: Its value.
        place: `Place` where it is registered: see `calling_place`.

    Raises:
        ValueError: for a name that the kit has, or another module.
    """
    before = _OWN.get((kind, name))
    owner = before.module if before else "skinkit" if name in registry else place.module
    if owner != place.module:
        raise ValueError(f"{kind}: {owner} has one called {name!r} already. Choose another name")
    registry[name] = entry
    _OWN[kind, name] = place


def calling_place():
    """Returns the `Place` of the call of the function which calls this one."""
    frame = sys._getframe(2)
    return Place(frame.f_globals["__name__"], frame.f_lineno)


def own_names(names):
    """Returns the things of one's own among names: a dictionary from modules to lists of `"kind: name"`."""
    found = {}
    for (kind, name), place in _OWN.items():
        if name in names:
            found.setdefault(place.module, []).append(f"{kind}: {name}")
    return found


def own_source(kind, name):
    """Returns the file, or else module, and the line where a name was registered; `None` for the kit's."""
    if place := _OWN.get((kind, name)):
        return Path(getattr(sys.modules.get(place.module), "__file__", place.module)), place.line
    return None


def import_modules(names):
    """Imports the modules in which things of one's own are registered, also from the current folder.

    Args:
        names: Strings, as after Python's `import`.

    Raises:
        ValueError: for a module that is not there, or that lacks another one.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    for name in names:
        if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(
                f"A module is named as after Python's import, such as my_module. Received: {name}"
            )
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name == name or name.startswith(f"{error.name}.")
            where = f"in {here}, nor where PYTHONPATH says" if missing else f"which {name} imports"
            raise ValueError(f"There is no module {error.name}, {where}") from error


def import_own(own, needed_by):
    """Imports what `own_names` found in another process.

    Args:
        own: Dictionary from modules to lists of `"kind: name"`.
        needed_by: What needs it, for the message.

    Raises:
        ValueError: for a module that is not there, or registers a thing no longer.
    """
    lacking = {module: names for module, names in own.items() if not _are_registered(names)}
    try:
        import_modules(module for module in lacking if module != "__main__")
    except ValueError as error:
        raise ValueError(f"{needed_by} needs a module of its own: {error}") from error
    for module, names in lacking.items():
        if not _are_registered(names):
            who = f"{module} does not register"
            if module == "__main__":
                who = "a notebook or script registered. Run its cells first, or move them into a module"
            raise ValueError(f"{needed_by} needs {'; '.join(names)}, which {who}")


def _are_registered(names):
    return {f"{kind}: {name}" for kind, name in _OWN} >= {*names}
