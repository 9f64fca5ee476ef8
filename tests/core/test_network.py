"""While nothing is to be fetched, the Hub's client asks nobody."""

from __future__ import annotations

import pytest
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

from alignrec.core.network import NotHereError, is_offline, keeps_here, offline
from tests.hub.server import HubServer


def test_the_client_asks_nobody_inside_and_asks_again_after(monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer() as hub:
        api = HfApi(endpoint=hub.url, token="hf_test")
        with offline():
            assert is_offline() and keeps_here()
            with pytest.raises(OfflineModeIsEnabled):
                api.whoami()
            with pytest.raises(LocalEntryNotFoundError):
                hf_hub_download("team/model", "config.json", endpoint=hub.url)
            with pytest.raises(NotHereError), offline():
                raise NotHereError("x")
            assert is_offline() and keeps_here()
        assert hub.log == [] and not is_offline() and not keeps_here()
        api.whoami()
        assert len(hub.log) == 1
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with offline():
        pass
    assert is_offline() and not keeps_here()
