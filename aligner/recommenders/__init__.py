"""Multimodal recommenders of other papers, trained by the same loop as AlignRec."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
