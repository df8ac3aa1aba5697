"""ImageNet weights before they are needed: what is missing of them."""

import os
from pathlib import Path

from skinkit.models.backbones.applications import APPLICATIONS, load_application
from skinkit.models.backbones.efficientnet_lite import LITE, imagenet_file


def missing_imagenet(names, fetch=True):
    """Returns sentences about backbones whose ImageNet weights are not there.

    Args:
        names: Keys of `skinkit.models.BACKBONES`. One without ImageNet weights is passed over.
        fetch: Boolean, whether weights that Keras downloads are fetched now, and are only missing where this
            fails.
    """
    found = []
    for name in names:
        try:
            _find(name, fetch)
        except FileNotFoundError as error:
            found.append(str(error))
    return found


def _find(name, fetch):
    if name in LITE:
        imagenet_file(name)
    elif name in APPLICATIONS and fetch:
        load_application(name, "imagenet")
    elif name in APPLICATIONS:
        home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        path = home / "models" / APPLICATIONS[name][1]
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there yet: the run would fetch it from the network")
