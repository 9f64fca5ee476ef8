"""Mask-then-predict from pixels and word pieces: an encoder of both is fine-tuned on a catalogue."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
