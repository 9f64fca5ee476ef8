"""`vqkd:PATH`: the visual tokenizer of BEiT v2, whose codes BEiT-3 was pretrained to predict."""

from alignrec.core.packages import public
from alignrec.extractors.backends.vqkd.backend import BACKEND as BACKEND  # light; the registry looks here

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"BACKEND": "alignrec.extractors.backends.vqkd.backend"}
)
