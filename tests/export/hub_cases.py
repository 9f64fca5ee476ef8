"""What the Hub tests share: small releases, a client of the local server, a cache of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from huggingface_hub import HfApi

from alignrec.export import FeatureSet, Manifest, write_release
from tests.hub.server import HubServer

REPO = "team/features"
SETS = {"image": 8, "text": 6, "multimodal": 4}


def features(name: str, dim: int, seed: int = 0, n: int = 20) -> FeatureSet:
    valid = np.arange(n) % 5 != 0
    matrix = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    matrix[~valid] = 0
    return FeatureSet(name, [f"i{i:03d}" for i in range(n)], matrix, valid)


def make_release(
    folder: Path,
    seeds: Mapping[str, int] | None = None,
    licence: str | None = "cc-by-4.0",
    sets: Mapping[str, int] = SETS,
) -> Manifest:
    """A release of small sets; `seeds` changes the content of some."""
    return write_release(
        folder,
        [features(name, dim, (seeds or {}).get(name, 0)) for name, dim in sets.items()],
        [],
        {"licence": licence, "name": "demo", "extract": {"image": "packaged:efficientnet-lite0"}},
        extractors={"image": {"name": "packaged:efficientnet-lite0"}},
        metrics=b'{"format": 1}\n',
    )


def client(hub: HubServer, token: str | bool = "hf_test") -> HfApi:
    return HfApi(endpoint=hub.url, token=token)


def sent_sets(hub: HubServer, since: int) -> int:
    """How many large files were sent after a point of the log."""
    return sum(line.method == "PUT" for line in hub.log[since:])


def got(hub: HubServer) -> list[str]:
    """Paths of the files that were asked for."""
    return [
        line.path.partition("/resolve/")[2].partition("/")[2] for line in hub.requests("GET", "/resolve/")
    ]


def flip(body: bytes) -> bytes:
    """The same bytes but for one bit."""
    return body[:-9] + bytes([body[-9] ^ 4]) + body[-8:]
