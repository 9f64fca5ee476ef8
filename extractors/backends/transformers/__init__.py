"""`transformers:ID_OR_PATH`: vision models, text models and dual encoders."""

from alignrec.core.packages import public
from alignrec.extractors.backends.transformers.backend import (
    BACKEND as BACKEND,
)  # light; the registry looks here

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"BACKEND": "alignrec.extractors.backends.transformers.backend"}
)
