"""AlignRec itself: the multimodal encoder, its alignments, and the protocols that judge them."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
