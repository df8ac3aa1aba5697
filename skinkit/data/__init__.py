"""Data: catalog, download, manifest tables, splits, leakage, offline augmentation.

Needs NumPy and pandas only; what is heavier is imported where it is used.
"""

from skinkit.data.classes import CLASS_MAPS, ClassMap, register_classes
from skinkit.data.dermamnist import dermamnist_split
from skinkit.data.external_test import external_test
from skinkit.data.leakage import (
    leakage_between,
    leakage_line,
    leakage_rate,
    leakage_report,
    leakage_stamp,
    pool_reports,
)
from skinkit.data.lesion_masks import lesion_mask
from skinkit.data.load import load, merge_bermeo2023, read_manifest, release_folder
from skinkit.data.manifest import validate
from skinkit.data.metadata import MetadataEncoder
from skinkit.data.offline_augmentation import augment_offline, augmented_split

# A function hides its module of the same name; imported here, at once, it always does.
from skinkit.data.overlap import fingerprint, overlap
from skinkit.data.releases.catalog import CATALOG, Release, describe, list_releases
from skinkit.data.releases.check_images import CheckReport, check_images
from skinkit.data.releases.download import DownloadError, fetch
from skinkit.data.releases.image_file import typical_size
from skinkit.data.releases.sources import SOURCES, get
from skinkit.data.splits.split import (
    Split,
    group_folds,
    out_of_fold_split,
    stratified_group_split,
    undivided_split,
    with_validation,
)
from skinkit.data.splits.split_files import read_split, split_from_file
from skinkit.data.splits.split_registry import SPLITS, register_split, split_folds
from skinkit.data.splits.splits_of_documents import (
    bermeo2023_split,
    butskova2021_split,
    datta2021_split,
    derm7pt_split,
    gessert2019_index_file,
    gessert2019_split,
    hernandez2020_split,
    koefler2023_split,
)
from skinkit.data.synthetic.dataset import draw_lesion, synthetic
from skinkit.data.tables.columns import COLUMNS, TRANSFORMS
from skinkit.data.targets import TARGETS, Target, target_of
