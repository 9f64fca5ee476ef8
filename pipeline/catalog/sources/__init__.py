"""Catalogues as others publish them, each an object of its own with its detection."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
