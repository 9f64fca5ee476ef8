"""Other systems on the same split, to be measured against."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
