"""What vectors alone say of a catalogue's faults: items that are there twice, alone, or wrongly put together.

Nothing here knows an interaction, and nothing is left out of a catalogue for it: it is for people to look at.
"""

from alignrec.core.packages import public

__getattr__, __dir__, __all__ = public(__name__, __path__)
