"""datta2021, on which koefler2023 rests: recipes and published numbers."""
