"""Shared fixtures: the environment of the Hub client, the socket guard, the demo, the real catalogue."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read by huggingface_hub at import: set before anything imports it.
os.environ.setdefault("HF_HOME", tempfile.mkdtemp(prefix="alignrec-hf-"))
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["NO_PROXY"] = "127.0.0.1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Tests are small: threads that wait for one another only slow them down on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# A busy machine is no failure: no example has to be fast.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

if TYPE_CHECKING:
    from tests.pipeline.finished_demo import FinishedDemo

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address!r}: only loopback is allowed")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> FinishedDemo:
    """The demo as users see it, of its own size but with few epochs; not to be changed."""
    from tests.pipeline.finished_demo import finish_demo

    return finish_demo(tmp_path_factory.mktemp("shown") / "demo")


@pytest.fixture
def ml100k() -> Path:
    """The real catalogue, read in place; the test is skipped where it is absent."""
    folder = SHARED / "data" / "ml100k"
    if not folder.is_dir():
        pytest.skip("the ml100k catalogue is not beside the project")
    return folder
