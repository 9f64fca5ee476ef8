"""Linear inter-content alignment in closed form: all views together, and what they tell of one another."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
