"""datta2021, on which koefler2023 rests: recipes and published numbers."""

from skinkit.papers.document import Document

DOCUMENT = Document(
    key="datta2021",
    title="Soft-Attention Improves Skin Cancer Classification Performance",
    authors="Soumyya Kanti Datta, Mohammad Abuzar Shaikh, Sargur N. Srihari, Mingchen Gao",
    year=2021,
    about="Paper on which koefler2023 rests; one of its reports is Köfler's Table 4c.",
    left_out="its own tables (only the abstract and Köfler's quotation were at hand)",
    beside="koefler2023",
)
