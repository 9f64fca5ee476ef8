"""`transformers:ID_OR_PATH`: vision models, text models and dual encoders."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
