"""butskova2021: published numbers."""
