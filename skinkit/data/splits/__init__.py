"""Splits: made by a rule, by a document, or read from a file."""
