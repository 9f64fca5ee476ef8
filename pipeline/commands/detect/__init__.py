"""What `alignrec init` finds in a folder: columns, their roles, pictures, and a trial of its guesses."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
