"""Second tables of a release: lesion ids, confirmation, age, sex and site, and lists of duplicates."""

import pandas as pd

from skinkit.data.overlap import photograph_ids
from skinkit.data.tables.archive_table import archive_tables
from skinkit.data.tables.columns import rename_columns
from skinkit.data.tables.csv_file import read_sheet
from skinkit.data.tables.folder import tables_like
from skinkit.data.tables.image_ids import without_marks
from skinkit.names import counted

# What a second table may add; its other columns stay where they are.
_ADDED = ("lesion_id", "patient_id", "dx_type", "age", "sex", "site")
_ISIC2020_LESIONS = "isic_2020_training_groundtruth_v2*"


def join_second_table(sheet, files):
    """Adds what lies in a second file: lesion ids, confirmation, age, sex, site.

    The challenges have such files; an export of the ISIC archive tells it of all images of the archive.
    """
    if "lesion_id" in sheet.frame or "image_id" not in sheet.frame:
        return
    name, columns = sheet.path.name.lower(), set(sheet.frame)
    challenge = "groundtruth" in name and not {"dx", "target"} & columns
    names = [name.replace("groundtruth", word) for word in ("lesiongroupings", "metadata") if challenge]
    names += [_ISIC2020_LESIONS] if "target" in columns else []
    found = [path for other in names for path in tables_like(files, other) if path != sheet.path]
    if not any(_merge(sheet, path) for path in [*found[:1], *archive_tables(files)]) and challenge:
        sheet.note("no table LesionGroupings or Metadata beside it: its lesions are not known")


def _merge(sheet, path):
    """Adds the columns of one table, and returns whether it knows any of the images and its lesion."""
    other = read_sheet(path)
    rename_columns(other)
    other.require("image_id")
    ids, other_ids = sheet.frame["image_id"], other.frame["image_id"]
    if path == sheet.path or not ids.isin(other_ids).any():
        return False
    other.fail_where(other_ids.isna(), "image_id", "an image id")
    other.fail_where(other_ids.duplicated(keep=False), "image_id", "each image once")
    sheet.notices += other.notices
    absent, unused = int((~ids.isin(other_ids)).sum()), int((~other_ids.isin(ids)).sum())
    if absent or unused:
        sheet.note(f"{path.name} lacks {absent} of its images and has {unused} others")
    extra = other.frame.set_index("image_id").reindex(ids)
    for column in _ADDED:
        if column in extra and column not in sheet.frame:
            sheet.frame[column] = pd.array(extra[column], dtype="string")
    return "lesion_id" in sheet.frame


def drop_duplicates(sheet, rows, files):
    """ISIC 2020 lists pairs of equal photographs: the second of each pair goes."""
    found = tables_like(files, "*duplicates*.csv")
    if not found:
        # Other challenges have a column `target`, too.
        if "diagnosis" in sheet.frame:
            sheet.note("no list of duplicates (ISIC_2020_Training_Duplicates.csv): none dropped")
        return rows
    pairs = read_sheet(found[0], may_be_empty=True)
    names = ("image_name_1", "image_name_2")
    pairs.require(*names)
    first, second = (without_marks(pairs.frame[name]).str.lower() for name in names)
    ids = photograph_ids(rows)
    both = first.isin(ids) & second.isin(ids)
    again = ids.isin(second[both.to_numpy(dtype=bool)])
    listed = counted(len(pairs.frame), "pair")
    sheet.note(f"{counted(again.sum(), 'duplicate')} dropped ({listed} in {found[0].name})")
    again = again.to_numpy(dtype=bool)
    sheet.left_out |= {*rows.loc[again, "image_id"].str.lower()}
    return rows[~again]
