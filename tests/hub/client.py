"""Run code in a fresh process whose Hub client talks to the local server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def environment(url: str, home: Path, token: str | None = "hf_test", **extra: str) -> dict[str, str]:
    """The variables that the client reads at import, set for the local server alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    client = {
        "HF_ENDPOINT": url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
    }
    return kept | client | ({"HF_TOKEN": token} if token else {}) | extra


def run_python(
    code: str, env: dict[str, str], *arguments: str, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run a program text to its end, within `timeout` seconds; standard output and error are captured."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)
