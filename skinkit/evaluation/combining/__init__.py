"""Scores made of others: of members, of stages, of views, of a patient's other images."""
