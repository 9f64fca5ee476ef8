"""What a modality may be called."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from alignrec.core.modality_names import ModalityName, check_modality


def test_a_modality_has_any_name_but_those_of_other_things() -> None:
    for name in ("image", "text", "title", "type", "back-cover", "Still_2"):
        assert TypeAdapter(ModalityName).validate_python(name) == check_modality(name) == name
    for name in ("multimodal", "aligned", "Content", "user", "cls", "half", "rejected", "a.b", "", "a b"):
        with pytest.raises(ValidationError):
            TypeAdapter(ModalityName).validate_python(name)
