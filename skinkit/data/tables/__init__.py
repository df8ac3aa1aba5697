"""Readers of published tables: from the files of a release to the columns of the manifest table."""
