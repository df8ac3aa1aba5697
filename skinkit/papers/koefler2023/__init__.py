"""koefler2023: recipes and published numbers."""
