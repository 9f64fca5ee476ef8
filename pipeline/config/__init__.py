"""The configuration: its settings, its file, its reference page."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
