"""gessert2019: recipes and published numbers."""
