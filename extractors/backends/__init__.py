"""Model families, each behind the extractor contract."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
