"""Results: all finished runs beside all published numbers."""
