"""`beit3:PATH`: a published BEiT-3 checkpoint, for pictures, texts, or both at once."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__, {})
