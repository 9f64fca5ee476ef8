"""What a killed process leaves beside a file that it was writing."""

from __future__ import annotations

import os
from pathlib import Path

from alignrec.core import files


def left_over(path: Path) -> Path:
    """A temporary file of `path`, as of an earlier process that had this one's number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{files._machine()}-{os.getpid()}-{'0' * 8}.tmp")
    temporary.write_bytes(b"half")
    return temporary
