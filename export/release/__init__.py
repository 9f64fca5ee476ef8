"""A release on disk: written, verified, loaded, extended and compared."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
