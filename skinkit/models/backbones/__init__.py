"""Backbones: flat feature extractors by name."""
