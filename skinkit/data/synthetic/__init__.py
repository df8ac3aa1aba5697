"""Drawn images in the files and tables of the real releases."""
