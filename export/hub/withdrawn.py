"""The list of withdrawn versions that a repository's main branch keeps in `withdrawn.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from alignrec.core.documents import DocumentError, parse_as
from alignrec.export.errors import VerificationError
from alignrec.export.hub.versions import VersionText

WITHDRAWN = "withdrawn.json"
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Withdrawal:
    """Why and when (UTC date) a version was taken back, and the commit that it was."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=LONGEST_REASON)]
    date: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]


_LISTED = TypeAdapter(dict[VersionText, Withdrawal])


def parse_withdrawn(data: bytes | None) -> dict[str, Withdrawal]:
    """Withdrawals by version; empty where there is no file.

    Raises:
        VerificationError: the file is not such a list.
    """
    if data is None:
        return {}
    try:
        return parse_as(_LISTED, data)
    except DocumentError as error:
        raise VerificationError(f"{WITHDRAWN} is not a list of withdrawn versions: {error}") from None


def withdrawn_bytes(withdrawn: Mapping[str, Withdrawal]) -> bytes:
    """The file's content: indented JSON, versions in order."""
    entries = {version: asdict(entry) for version, entry in withdrawn.items()}
    return (json.dumps(entries, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
