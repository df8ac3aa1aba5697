"""bermeo2023: recipes and published numbers."""

from skinkit.papers.document import Document

DOCUMENT = Document(
    key="bermeo2023",
    title="A Platform for Classifying Melanoma",
    authors="Wilber Eduardo Bermeo Quito",
    year=2023,
    about="Master's thesis: ISIC 2019 and 2020 merged, ResNet-18 in eight trainings, a platform.",
    left_out="Tables 7.1 and 8.1 (abbreviations) and 6.4 (a calendar of colours); and the points of Figures "
    "8.1 to 8.12, which `curves.csv` holds",
    abbreviations={
        **{"R18M": "ResNet18_Melanoma", "R18DM": "ResNet18_Dropout_Melanoma", "SLR": "Step Learning Rate"},
        **{"CALR": "Cosine Annealing Learning Rate", "CAWR": "Cosine Annealing Warm Restarts"},
        **{"TT4": "Tesla T4, 16GB (GPU)", "NA100": "Nvidia A100, 80GB (GPU)"},
    },
)
