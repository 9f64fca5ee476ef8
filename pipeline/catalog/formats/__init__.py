"""Formats of table files, each an object of its own: found by the ending of a file's name."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
