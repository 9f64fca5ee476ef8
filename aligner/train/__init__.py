"""Content-category and user-item alignment: full AlignRec training."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
