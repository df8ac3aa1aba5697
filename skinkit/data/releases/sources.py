"""Sources of real images for a notebook: a publisher, a copy at Kaggle, one's own Drive."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skinkit.data.load import load
from skinkit.data.releases.catalog import CATALOG
from skinkit.data.releases.download import fetch
from skinkit.data.tables.folder import data_root
from skinkit.names import check_name

# Where Colab shows one's Drive.
_DRIVE = Path("/content/drive")


@dataclass(frozen=True)
class Source:
    """A place that images come from.

    Args:
        fill: Function `(release, root)` that completes the release's folder below `root`.
        cost: String, size and time, said before anything is done. Times are for 10 to 50 MB a second.
        releases: Strings, the releases that it has; the first is taken unless another is asked for.
    """

    fill: Callable
    cost: str
    releases: tuple[str, ...]


def get(source, name=None, *, to=None):
    """Brings real images to this machine and remembers where they are, for a notebook's next cells.

    They are complete in `<to>/<name>` afterwards, where `load` and every recipe find them: `SKINKIT_DATA` is
    set to `to`, and another notebook in the same folder looks in `datasets` by itself. What is there already
    is not fetched again. A machine of Colab forgets everything when it ends, except what is in Drive.

    Args:
        source: String, `"dataverse"`, `"kaggle"`, `"drive"`, `"dermamnist"` or `"dermamnist_224"`. In Drive,
            the folder `skinkit/<name>` of My Drive holds the publisher's files as they are, or the table and
            the unpacked images.
        name: String, a release of the catalog; default: the source's own, `"ham10000"` for the first three.
        to: Folder that holds one folder a release; default: as in `fetch`.

    Returns:
        The release's folder.

    Raises:
        ValueError: for a source that there is not, or a release that it does not have.
        FileNotFoundError: if Drive cannot be reached or lacks the folder, or images are missing.
        DownloadError: as `fetch`.

    Example:
        >>> folder = get("dermamnist")
        >>> table = load("dermamnist")
    """
    check_name("Sources", source, SOURCES)
    chosen = SOURCES[source]
    name = name or chosen.releases[0]
    check_name(f"Releases of the source {source!r}", name, chosen.releases)
    release, root = CATALOG[name], data_root(to).resolve()
    print(f"{release.title}\n{chosen.cost}. Licence: {release.licence}. Not for clinical use.")
    chosen.fill(release, root)
    table = load(release.key, root=root, verbose=False)
    os.environ["SKINKIT_DATA"] = str(root)
    there = table["path"].notna().sum()
    print("\n".join([*table.attrs["notices"], f"{there:,} images in {root / release.key}"]))
    return root / release.key


def _from_publisher(release, root):
    fetch(release, to=root)


def _from_kaggle(release, root):
    try:
        import kagglehub
    except ImportError:
        raise ImportError("The copy at Kaggle needs `pip install kagglehub`; Colab has it.") from None
    _link(Path(kagglehub.dataset_download(release.kaggle)), root / release.key)


def _from_drive(release, root):
    place = _mounted() / "MyDrive" / "skinkit" / release.key
    if not place.is_dir():
        raise FileNotFoundError(
            f"{place}: no such folder. Make it in Drive, as skinkit/{release.key}, and put into it the files "
            f"of {release.page} as they are, or the table and the unpacked images."
        )
    _link(place, root / release.key)
    if any((place / file.name).suffix == ".zip" and (place / file.name).exists() for file in release.files):
        fetch(release, to=root)


def _mounted():
    try:
        from google.colab import drive
    except ImportError:
        raise FileNotFoundError(
            "Drive is mounted in Colab only. Elsewhere, set the environment variable SKINKIT_DATA to the "
            "folder that holds one folder a release."
        ) from None
    drive.mount(str(_DRIVE))
    return _DRIVE


def _link(place, folder):
    """Links what lies in one folder into another; of names that differ only in case, the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_symlink() and not old.exists():
            old.unlink()
    there = {path.name.lower() for path in folder.iterdir()}
    for path in sorted(place.iterdir()):
        if path.name.lower() not in there and not path.name.startswith("."):
            (folder / path.name).symlink_to(path.resolve(), target_is_directory=path.is_dir())
            there.add(path.name.lower())


_AT_KAGGLE = tuple(key for key, release in CATALOG.items() if release.kaggle)
SOURCES = {
    "dataverse": Source(_from_publisher, "2.8 GB to download, 3 to 10 minutes", ("ham10000",)),
    "kaggle": Source(
        _from_kaggle, "5.6 GB to download for HAM10000 (each image twice), 4 to 15 minutes", _AT_KAGGLE
    ),
    "drive": Source(_from_drive, "Nothing to download; 2 to 5 minutes to check and unpack", tuple(CATALOG)),
    "dermamnist": Source(_from_publisher, "About 20 MB to download, 1 minute", ("dermamnist",)),
    "dermamnist_224": Source(_from_publisher, "About 1 GB to download, 2 to 5 minutes", ("dermamnist_224",)),
}
