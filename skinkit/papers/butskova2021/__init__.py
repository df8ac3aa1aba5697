"""butskova2021: recipes and published numbers."""

from skinkit.papers.document import Document

DOCUMENT = Document(
    key="butskova2021",
    title="Skin lesions: HAM 10000 dataset. BIODS220 Project.",
    authors="Anastasia Butskova",
    year=2021,
    about="Course report: HAM10000, mixup, focal loss, two-stage EfficientNet, self-supervision.",
)
