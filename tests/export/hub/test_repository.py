"""What is downloaded is checked, fetched again where it is wrong, and never kept wrong."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.export.errors import VerificationError
from alignrec.export.load import load_features, open_release
from tests.export.hub_cases import REPO, features, flip
from tests.hub.server import Fault, HubServer


@pytest.mark.parametrize("path", ["image/part", "manifest.json", "release.json"])
@pytest.mark.parametrize("wrong", [{"answer": flip}, {"cut": 40}])
def test_a_wrong_download_is_fetched_again(
    hub: HubServer, published: str, by_name: None, path: str, wrong: dict[str, object]
) -> None:
    fault = Fault("GET", path, **wrong)  # type: ignore[arg-type]
    hub.faults.append(fault)
    np.testing.assert_array_equal(load_features(REPO, "image").matrix, features("image", 8).matrix)
    assert fault.times == 0


@pytest.mark.parametrize("path", ["image/part", "manifest.json"])
def test_a_download_that_stays_wrong_is_refused_and_not_kept(
    hub: HubServer, published: str, by_name: None, path: str
) -> None:
    hub.faults.append(Fault("GET", path, answer=flip, times=2))
    with pytest.raises(VerificationError, match=path) as caught:
        load_features(REPO, "image")
    assert caught.value.exit_code == 3
    assert load_features(REPO, "image").dim == 8


def test_a_damaged_cache_is_mended_or_refused(hub: HubServer, published: str, by_name: None) -> None:
    def damage() -> None:
        found = open_release(REPO)
        (entry,) = found.manifest.parts("image")
        part = found.fetch(entry)
        part.resolve().write_bytes(flip(part.read_bytes()))

    damage()
    np.testing.assert_array_equal(load_features(REPO, "image").matrix, features("image", 8).matrix)
    damage()
    hub.stop()
    with pytest.raises(VerificationError, match="damaged"):
        load_features(REPO, "image")
