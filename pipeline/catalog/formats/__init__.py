"""Formats of table files, each an object of its own: found by the ending of a file's name."""
