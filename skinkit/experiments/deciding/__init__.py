"""Decisions of a run, and the subgroups that it fails."""
