"""`open_clip:NAME/PRETRAINED` and `open_clip:local-dir:PATH`: both sides of an open_clip model."""

from alignrec.core.packages import public
from alignrec.extractors.backends.openclip.backend import BACKEND as BACKEND  # light; the registry looks here

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"BACKEND": "alignrec.extractors.backends.openclip.backend"}
)
