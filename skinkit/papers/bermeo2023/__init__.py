"""bermeo2023: published numbers."""
