"""koefler2023: recipes and published numbers."""

from skinkit.papers.document import Document

DOCUMENT = Document(
    key="koefler2023",
    title="Skin Cancer Classification - Attention to The Detail",
    authors="Markus Köfler",
    year=2023,
    about="Course report: HAM10000, a VGG-like network with and without soft attention.",
    left_out="Table 3 (the scheme of a confusion matrix)",
)
