"""hernandez2020: recipes and published numbers."""
