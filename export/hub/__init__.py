"""Releases on the Hugging Face Hub: pushed, found, pulled and withdrawn."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
