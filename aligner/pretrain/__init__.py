"""Inter-content alignment: the multimodal encoder and its mask-then-predict training."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
