"""The table of the catalog: every release with its address, terms, files and counts.

A byte count or checksum stands here only where two independent public records agree, or where one
agrees with a copy that was hashed for this table. Everything else is left blank, and `describe`
says so: a wrong checksum would be worse than none.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RemoteFile:
    """One file of a release.

    Args:
        name: file name, also on a mirror.
        urls: addresses, tried in this order; empty when an account or a form stands before it.
        bytes: size, or None when unknown.
        sha256: lower-case hex digest, or None when unknown.
        md5: lower-case hex digest, or None when unknown.
    """

    name: str
    urls: tuple[str, ...] = ()
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None

    @property
    def checksum(self) -> tuple[str, str] | None:
        """The strongest known digest as `(algorithm, hex)`, or None."""
        known = {"sha256": self.sha256, "md5": self.md5}
        return next(((name, digest) for name, digest in known.items() if digest), None)


@dataclass(frozen=True)
class Release:
    """One release of images with their tables.

    Args:
        key: name used by every command, and name of its folder.
        title, page, licence, citation: one line each; the page is the address a person opens.
        class_map: key of `CLASS_MAPS`.
        images: number of images that belong to it.
        counts: images per canonical label; empty when unknown.
        lesions, patients: numbers of known ids, or None.
        files: what to fetch.
        steps: how to get the files by hand where no address is open to everybody.
        note: what a user should know before using it.
    """

    key: str
    title: str
    page: str
    licence: str
    citation: str
    class_map: str
    images: int
    files: tuple[RemoteFile, ...]
    counts: dict[str, int] = field(default_factory=dict, hash=False)
    lesions: int | None = None
    patients: int | None = None
    steps: tuple[str, ...] = ()
    note: str = ""


# Size in bytes (- where unknown), algorithm, digest, file name.
# HAM10000 and the Dataverse test images: the MD5 Dataverse publishes, as several public records
# repeat it. LesionGroupings: one public record, equal to the file rebuilt from the HAM10000 table.
# ISIC 2019 and 2020 tables: public records, equal to copies hashed for this table (v2: two public
# records). ISIC 2019 images, ISIC 2018 ground truth: two public records.
_KNOWN = """
1366522108 md5 4639bfa73ab251610530a97c898e6e46 HAM10000_images_part_1.zip
1403566547 md5 da43d6cc50f6613013be07e8986b384b HAM10000_images_part_2.zip
690218 md5 8f85fb1aa29d80a2797247e434deb79d HAM10000_metadata.csv
- md5 0488b6f65849e310857d9207daa55a21 ISIC2018_Task3_Test_Images.zip
- md5 8302427e4ce0c107559531b9f444abe9 ISIC2018_Task3_Training_GroundTruth.zip
492996 md5 9517b6aa6902d6c27e234bac8279a64a ISIC2018_Task3_Training_LesionGroupings.csv
9771618190 sha256 5075020b720c8f1b9b7f3ff85326c55ce0435e5906c41fbd338994feef886df1 ISIC_2019_Training_Input.zip
1291479 sha256 aa88e9638fe4df9ef330dc4ba22fa4bd475c44af692fffb870c73091ab25cdcd ISIC_2019_Training_GroundTruth.csv
1214351 sha256 d93994a8ed201d474de9a7af7e17ec30929cbc4a5220659ecbde17cbe83e9316 ISIC_2019_Training_Metadata.csv
2056020 sha256 98c68a10eb669215e3458ad193a24a582c974a4401e539dbbf099b318584264b ISIC_2020_Training_GroundTruth.csv
2387418 sha256 a1c7c97c59e5f49232dfe3b6f6817efaaee5dbf9bcb4ce584c1889e641be5c4e ISIC_2020_Training_GroundTruth_v2.csv
11500 sha256 ddfd6c2d42430bd3581f3b2116bdb1433462a7109c715a02bf7f51115fcfabce ISIC_2020_Training_Duplicates.csv
"""  # noqa: E501


def _known(name: str) -> dict:
    for line in _KNOWN.strip().splitlines():
        size, algorithm, digest, known_name = line.split()
        if known_name == name:
            return {"bytes": None if size == "-" else int(size), algorithm: digest}
    return {}


def _dataverse(file_id: int, name: str) -> RemoteFile:
    # Dataverse serves tables re-written as .tab; only "original" are the bytes it has the MD5 of.
    suffix = "?format=original" if name.endswith(".csv") else ""
    url = f"https://dataverse.harvard.edu/api/access/datafile/{file_id}{suffix}"
    return RemoteFile(name, (url,), **_known(name))


def _challenge(year: int, *names: str) -> tuple[RemoteFile, ...]:
    # The challenge's own two addresses; both are in use in public code.
    hosts = (
        f"https://isic-archive.s3.amazonaws.com/challenges/{year}/",
        f"https://isic-challenge-data.s3.amazonaws.com/{year}/",
    )
    return tuple(RemoteFile(name, tuple(host + name for host in hosts), **_known(name)) for name in names)


def _counts(text: str) -> dict[str, int]:
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


_NC = "CC BY-NC 4.0"
_HAM = "Tschandl et al.: HAM10000. Sci Data 5, 180161 (2018), doi:10.1038/sdata.2018.161"
# HAM10000 and derm7pt were counted in their tables, ISIC 2019 and 2020 training in their ground truth.
# ISIC 2018 test: one public loader, whose sum is the known total; ISIC 2019 test: two public counts agree.
_HAM_COUNTS = _counts("mel 1113 nv 6705 bcc 514 akiec 327 bkl 1099 df 115 vasc 142")
_ISIC2019_COUNTS = _counts("mel 4522 nv 12875 bcc 3323 ak 867 bkl 2624 df 239 vasc 253 scc 628")
_ISIC2020_COUNTS = _counts("benign 32542 malignant 584")


def _isic(year: int, citation: str) -> dict:
    page = f"https://challenge.isic-archive.com/data/#{year}"
    return {"page": page, "licence": _NC, "citation": citation, "class_map": f"isic{year}"}


_ISIC2018 = _isic(2018, f"Codella et al.: Skin Lesion Analysis 2018, arXiv:1902.03368; {_HAM}")
_ISIC2019 = _isic(2019, f"Codella et al., arXiv:1710.05006; BCN20000, arXiv:1908.02288; {_HAM}")
_ISIC2020 = _isic(
    2020,
    "ISIC: SIIM-ISIC 2020 Challenge Dataset, doi:10.34970/2020-ds01; "
    "Rotemberg et al., Sci Data 8, 34 (2021), doi:10.1038/s41597-021-00815-z",
)


def _kaggle(name: str) -> dict:
    page = f"https://www.kaggle.com/datasets/cdeotte/{name}"
    return {
        "page": page,
        "files": (RemoteFile(f"{name}.zip"),),
        "steps": (
            f"Open {page} with a Kaggle account (free) and press Download,"
            f" or run `kaggle datasets download cdeotte/{name}`.",
        ),
    }


_RELEASES = (
    Release(
        key="ham10000",
        title="HAM10000, the training images of ISIC 2018 task 3, from Harvard Dataverse (v4)",
        page="https://doi.org/10.7910/DVN/DBW86T",
        licence=_NC,
        citation=_HAM,
        class_map="isic2018",
        images=10015,
        counts=_HAM_COUNTS,
        lesions=7470,
        files=(
            _dataverse(3172585, "HAM10000_images_part_1.zip"),
            _dataverse(3172584, "HAM10000_images_part_2.zip"),
            _dataverse(4338392, "HAM10000_metadata.csv"),
        ),
    ),
    Release(
        key="isic2018_train",
        title="ISIC 2018 task 3 training: the images of HAM10000 from the challenge's archive",
        **_ISIC2018,
        images=10015,
        counts=_HAM_COUNTS,
        lesions=7470,
        files=_challenge(
            2018,
            "ISIC2018_Task3_Training_Input.zip",
            "ISIC2018_Task3_Training_GroundTruth.zip",
            "ISIC2018_Task3_Training_LesionGroupings.csv",
        ),
        note="No age, sex or site; otherwise the same images as ham10000 (about 2.8 GB).",
    ),
    Release(
        key="isic2018_validation",
        title="ISIC 2018 task 3 validation",
        **_ISIC2018,
        images=193,
        files=_challenge(
            2018,
            "ISIC2018_Task3_Validation_Input.zip",
            "ISIC2018_Task3_Validation_GroundTruth.zip",
        ),
        note="No lesion ids are published: a lesion shared with training cannot be excluded.",
    ),
    Release(
        key="isic2018_test",
        title="ISIC 2018 task 3 test, as in the challenge",
        **_ISIC2018,
        images=1512,
        counts=_counts("mel 171 nv 909 bcc 93 akiec 43 bkl 217 df 44 vasc 35"),
        files=_challenge(2018, "ISIC2018_Task3_Test_Input.zip", "ISIC2018_Task3_Test_GroundTruth.zip"),
        note="The Dataverse copy (isic2018_test_dataverse) has one image less.",
    ),
    Release(
        key="isic2018_test_dataverse",
        title="ISIC 2018 task 3 test, the 1,511 images of the HAM10000 Dataverse",
        **{**_ISIC2018, "page": "https://doi.org/10.7910/DVN/DBW86T"},
        images=1511,
        files=(
            _dataverse(3855824, "ISIC2018_Task3_Test_Images.zip"),
            _dataverse(6924466, "ISIC2018_Task3_Test_GroundTruth.csv"),
        ),
        note="butskova2021 counts these 1,511 test images; the challenge itself has 1,512.",
    ),
    Release(
        key="isic2019",
        title="ISIC 2019 training",
        **_ISIC2019,
        images=25331,
        counts=_ISIC2019_COUNTS,
        lesions=11847,
        files=_challenge(
            2019,
            "ISIC_2019_Training_Input.zip",
            "ISIC_2019_Training_GroundTruth.csv",
            "ISIC_2019_Training_Metadata.csv",
        ),
        note="Contains all of HAM10000; 2,084 images have no lesion id.",
    ),
    Release(
        key="isic2019_test",
        title="ISIC 2019 test",
        **_ISIC2019,
        images=8238,
        counts=_counts("mel 1327 nv 2495 bcc 975 ak 374 bkl 660 df 91 vasc 104 scc 165 unk 2047"),
        files=_challenge(
            2019,
            "ISIC_2019_Test_Input.zip",
            "ISIC_2019_Test_GroundTruth.csv",
            "ISIC_2019_Test_Metadata.csv",
        ),
        note="No lesion ids; the class UNK does not occur in training.",
    ),
    Release(
        key="isic2020",
        title="ISIC 2020 training, JPEG",
        **_ISIC2020,
        images=33126,
        counts=_ISIC2020_COUNTS,
        patients=2056,
        files=_challenge(
            2020,
            "ISIC_2020_Training_JPEG.zip",
            "ISIC_2020_Training_GroundTruth.csv",
            "ISIC_2020_Training_GroundTruth_v2.csv",
            "ISIC_2020_Training_Duplicates.csv",
        ),
        note="About 25 GB. The list of duplicates names pairs of images that show one picture.",
    ),
    Release(
        key="isic2019_512",
        title="ISIC 2019 training, re-packed as 512 x 512 JPEG with a tfrecord column",
        **{**_ISIC2019, **_kaggle("jpeg-isic2019-512x512")},
        images=25331,
        counts=_ISIC2019_COUNTS,
        note="patient_id is -1 (unknown) in every row.",
    ),
    Release(
        key="isic2020_512",
        title="ISIC 2020 training, re-packed as 512 x 512 JPEG with a tfrecord column",
        **{**_ISIC2020, **_kaggle("jpeg-melanoma-512x512")},
        images=33126,
        counts=_ISIC2020_COUNTS,
        patients=2056,
        note="tfrecord is -1 for 425 duplicates, which the documents drop.",
    ),
    Release(
        key="derm7pt",
        title="Seven-point checklist data set (SPC), dermoscopic images of 1,011 cases",
        page="https://derm.cs.sfu.ca/Download.html",
        licence="as agreed in the download form",
        citation="Kawahara et al., IEEE JBHI 23(2), 538-546 (2019), doi:10.1109/JBHI.2018.2824327",
        class_map="isic2018",
        images=1011,
        counts=_counts("mel 252 nv 575 bcc 42 bkl 69 df 20 vasc 29"),
        files=(RemoteFile("release_v0.zip"),),
        steps=(
            "Fill in the form at https://derm.cs.sfu.ca/Download.html; a password comes by mail.",
            "Download https://derm.cs.sfu.ca/restricted/release_v0.zip with it.",
        ),
        note="A case has a clinical and a dermoscopic image; 987 cases have a class of the map.",
    ),
)

CATALOG: dict[str, Release] = {release.key: release for release in _RELEASES}
