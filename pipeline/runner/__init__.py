"""A run on disk: its folder, stages and manifests, checkpoints, lock and console."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
