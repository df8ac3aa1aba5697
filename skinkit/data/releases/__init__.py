"""Releases: the list of image sets, their download, and the check of what lies on disk."""
