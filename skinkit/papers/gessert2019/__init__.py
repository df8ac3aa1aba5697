"""gessert2019: recipes and published numbers."""

from skinkit.papers.document import Document

DOCUMENT = Document(
    key="gessert2019",
    title="Skin Lesion Classification Using CNNs with Patch-Based Attention and Diagnosis-Guided Loss "
    "Weighting",
    authors="Nils Gessert, Thilo Sentker, Frederic Madesta, Rüdiger Schmitz, Helge Kniep, "
    "Ivo Baltruschat, René Werner, Alexander Schlaefer",
    year=2019,
    about="Paper: HAM10000 and 7-point criteria, attention across crops, class balancing.",
    abbreviations={
        **{"InceptV3": "Inception-V3", "Dense121": "Densenet-121", "SE-RX": "SE-Resnext50"},
        **{"GRU": "gated recurrent unit", "SPC": "7-point criteria"},
    },
)
