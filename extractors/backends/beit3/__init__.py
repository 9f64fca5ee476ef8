"""`beit3:PATH`: a published BEiT-3 checkpoint, for pictures, for texts, or for both at once."""

from alignrec.core.packages import public
from alignrec.extractors.backends.beit3.backend import BACKEND as BACKEND  # light; the registry looks here

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"BACKEND": "alignrec.extractors.backends.beit3.backend"}
)
