"""The extract stage: raw features of every modality, resumable shard by shard."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
