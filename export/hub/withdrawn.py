"""The list of withdrawn versions that a repository's main branch keeps in `withdrawn.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from alignrec.export.errors import VerificationError

WITHDRAWN = "withdrawn.json"


@dataclass(frozen=True)
class Withdrawal:
    """Why and when (UTC date) a version was taken back, and the commit that it was."""

    reason: str
    date: str
    commit: str


def parse_withdrawn(data: bytes | None) -> dict[str, Withdrawal]:
    """Withdrawals by version; empty where there is no file.

    Raises:
        VerificationError: the file is not such a list.
    """
    if data is None:
        return {}
    try:
        return {version: Withdrawal(**entry) for version, entry in json.loads(data).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise VerificationError(f"{WITHDRAWN} is not a list of withdrawn versions: {error}") from error


def withdrawn_bytes(withdrawn: Mapping[str, Withdrawal]) -> bytes:
    """The file's content: indented JSON, versions in order."""
    entries = {version: asdict(entry) for version, entry in withdrawn.items()}
    return (json.dumps(entries, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
