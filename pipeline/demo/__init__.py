"""The embedded catalogue: drawn products, their texts, and users who like them."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
