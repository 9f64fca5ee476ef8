"""Names of modalities: a catalogue may choose any that stand for nothing else."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StrictStr

from alignrec.core.names import check_name
from alignrec.core.vocabulary import FEATURE_SETS

# Words that stand beside names of modalities where these are listed: sets that are made of them, `[CLS]`,
# half of what is shown, what is left out, and what a vector is compared with.
_NO_MODALITIES = {
    *(name for name, definition in FEATURE_SETS.items() if not definition.raw),
    *("cls", "half", "rejected", "images", "concatenation", "consensus"),
}


def check_modality(name: str) -> str:
    """The name itself, where a modality of a catalogue can have it.

    Raises:
        ValueError: it is no name, has a dot, or is the word for something else.
    """
    check_name(name)
    if "." in name:
        raise ValueError(f"{name!r} is not the name of a modality: expected one without a dot")
    if name.lower() in _NO_MODALITIES:
        raise ValueError(f"{name!r} is the name of something else: choose another for a modality")
    return name


ModalityName = Annotated[StrictStr, AfterValidator(check_modality)]
