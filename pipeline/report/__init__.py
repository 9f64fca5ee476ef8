"""The report: one HTML file that shows what a run made, whether it helped, and what the features know."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
