"""The material of a figure: what is asked for, runs and images, with words for where they come from."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skinkit.experiments.run_folder import SavedRun

_SIZE = (225, 300)
DRAWN = "drawn images, no photographs"


@dataclass(frozen=True)
class Material:
    """What a drawing may use.

    Args:
        of: String, what is asked of the drawing.
        runs: `SavedRun`s, those to be preferred first.
        files: Image files of the reader.
        data_dir: Folder of the releases, or `None`.
    """

    of: str = ""
    runs: Sequence[SavedRun] = ()
    files: Sequence[Path] = ()
    data_dir: Path | None = None

    def images(self, count):
        """Returns `count` images, uint8 RGB, and words for them: those of the reader, or else drawn ones.

        Raises:
            FileNotFoundError, ValueError: for a file that is not an image, or too few of them.
        """
        if not self.files:
            from skinkit.data.synthetic.drawing import draw_lesion
            from skinkit.data.synthetic.traits import LABELS

            return [draw_lesion(LABELS[-1 - i % 7], i, _SIZE)[0] for i in range(count)], DRAWN
        if len(self.files) < count:
            raise ValueError(f"The figure shows {count} images. Received: {len(self.files)} with --images")
        return [_read(path) for path in self.files[:count]], "images of the reader"

    @functools.cached_property
    def one_of_each(self):
        """The first run of each recipe."""
        return list({run.manifest["recipe"]: run for run in reversed(self.runs)}.values())[::-1]

    @property
    def run(self):
        """The run to be preferred, of the first recipe."""
        return self.runs[0]


def words_of(runs):
    """Returns words for the runs that a figure shows."""
    names = dict.fromkeys(run.manifest["recipe"] for run in runs)
    m = runs[0].manifest
    images = DRAWN if m["dataset"] == "synthetic" else m["dataset"]
    one = "" if len(runs) > 1 else f", fold {m['fold']}, seed {m['seed']}"
    count = f"{len(runs)} runs of ours: " if len(runs) > 1 else "our run "
    leaks = " ".join(dict.fromkeys(run.leakage_line for run in runs))
    return f"{count}{', '.join(names)} ({m['profile']}, {m['protocol']}{one}; {images}). {leaks}".rstrip(".")


def _read(path):
    import cv2

    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no image {path}")
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path} is not an image that OpenCV can read")
    return cv2.resize(pixels[..., ::-1], _SIZE[::-1], interpolation=cv2.INTER_AREA)
