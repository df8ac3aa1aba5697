"""hernandez2020: recipes and published numbers."""

from skinkit.papers.document import Document

DOCUMENT = Document(
    key="hernandez2020",
    title="Skin lesion analysis on the use of contextual information for melanoma identification in "
    "dermoscopic images",
    authors="Carlos Hernández Pérez",
    year=2020,
    about="Master's thesis: ISIC 2020, malignant or benign, with the patient's other images as context.",
    abbreviations={"CAE": "convolutional autoencoder", "WRS": "weighted random sampler"},
    open_settings=("batch_size", "phases", "augmentation", "classifier", "refresh_steps"),
)
