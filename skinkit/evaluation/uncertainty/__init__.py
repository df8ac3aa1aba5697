"""Uncertainty of scores: over images, lesions or patients, and over runs."""
