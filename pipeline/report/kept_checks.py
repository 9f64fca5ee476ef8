"""The checks of the catalogue's quality, kept in the run's folder, so that later pages have them at once."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import TypeAdapter, ValidationError

from alignrec.core.files import digest, write_bytes
from alignrec.core.libraries import library_versions
from alignrec.core.sealed import read_sealed_json, seal_json
from alignrec.pipeline.report.contents import RunContents
from alignrec.pipeline.report.quality import VERSION, Check, check_quality
from alignrec.pipeline.runner.run_folder import RunFolder

_CHECKS = TypeAdapter(list[Check])


def kept_checks(run_folder: RunFolder, run: RunContents, seed: int) -> list[Check]:
    """What `check_quality` finds; of what was extracted and looked at before, without looking again.

    Args:
        run_folder: keeps them, beside the hash of all that decides them.
        run: what lies there.
        seed: see `check_quality`.
    """
    path, key = run_folder.cache("quality"), digest(_decides(run, seed))
    kept = read_sealed_json(path)
    if isinstance(kept, dict) and kept.get("key") == key:
        try:
            return _CHECKS.validate_python(kept.get("checks"))
        except ValidationError:
            pass
    checks = check_quality(run, seed)
    write_bytes(path, seal_json({"key": key, "checks": _CHECKS.dump_python(checks, mode="json")}))
    return checks


def _decides(run: RunContents, seed: int) -> list[Any]:
    libraries = library_versions(("numpy", "scipy"))
    return [VERSION, seed, libraries, *(_of_set(run, name, kind) for name, kind in run.kinds.items())]


def _of_set(run: RunContents, name: str, kind: str) -> list[Any]:
    features = run.sets[name]
    hashes = [hashlib.sha256(a.tobytes()).hexdigest() for a in (features.matrix, features.valid)]
    return [name, kind, sorted(run.columns[name]), *hashes]
