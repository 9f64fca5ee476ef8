"""What every section of a configuration is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Settings that do not change once they are read; a key that does not exist is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
