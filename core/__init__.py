"""What every room speaks: whole-or-nothing files, errors, feature sets, vectors, results. No torch."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
