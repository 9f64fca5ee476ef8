"""`curves.json`: how a training went, a number an epoch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from alignrec.core.files import write_bytes


def write_records(records: Sequence[dict[str, object]], path: Path) -> None:
    """Write `{"records": [{epoch, metric, value, split, seed}]}`."""
    write_bytes(path, (json.dumps({"records": records}, indent=1) + "\n").encode())
