"""What a catalogue holds, made safe and clean for a model: images, texts, text templates."""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
