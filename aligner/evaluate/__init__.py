"""Splits, rankings, metrics and protocols: what features and recommenders are worth."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
