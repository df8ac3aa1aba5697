"""Decisions made of probabilities, and what they cost."""
