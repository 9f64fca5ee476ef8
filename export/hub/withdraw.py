"""Take a version back: its tag goes, and the main branch says why."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from huggingface_hub import HfApi

from alignrec.core.errors import AlignRecWarning
from alignrec.core.results import METRICS_FILE, POOLED_FILE, ResultsError
from alignrec.export.errors import HubError, ReleaseError, VerificationError
from alignrec.export.hub.card import render_card
from alignrec.export.hub.errors import StaleHeadError, UnreachableError
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.find_version import published_tags
from alignrec.export.hub.plan import CARD
from alignrec.export.hub.release_note import RELEASE_NOTE, read_note
from alignrec.export.hub.repository import HubRepo, open_repo, read_afresh
from alignrec.export.hub.seen_versions import forget_record
from alignrec.export.hub.versions import Version
from alignrec.export.hub.withdrawn import (
    LONGEST_REASON,
    WITHDRAWN,
    Withdrawal,
    parse_withdrawn,
    withdrawn_bytes,
)
from alignrec.export.release.manifest import MANIFEST, Manifest

_ATTEMPTS = 3


def withdraw(repo: str, version: str, reason: str, *, api: HfApi | None = None) -> Withdrawal:
    """Withdraw a published version.

    The note goes into `withdrawn.json` and the card first, then the tag goes; interrupted in between,
    the same call finishes. The name is never used again. The commit stays in the repository's
    history: what must not be kept at all needs the repository deleted.

    Args:
        repo: OWNER/NAME.
        version: X.Y.Z.
        reason: one line of at most 1,000 characters, shown to every later reader of the version.
        api: the client; without it one with the environment's endpoint and token.

    Raises:
        ReleaseError: no reason, one that is too long, or no such version.
        HubError: no such repository, or the Hub failed; the version may still be there.
    """
    wanted = Version.parse(version)
    line = " ".join(reason.split())
    if not line:
        raise ReleaseError("a withdrawal needs a reason: it is shown to readers of the version")
    if len(line) > LONGEST_REASON:
        raise ReleaseError(f"the reason has {len(line):,} characters: at most {LONGEST_REASON:,} are shown")
    with read_afresh(open_repo(repo, api)) as target:
        published = published_tags(target)
        noted = _note(target, wanted, line, published.get(wanted))
        if wanted in published:
            target.untag(wanted.tag)
        forget_record(target, wanted)
    return noted


def _note(repo: HubRepo, version: Version, reason: str, commit: str | None) -> Withdrawal:
    """Write the withdrawal into the head, unless it is there already."""
    for left in reversed(range(_ATTEMPTS)):
        head = repo.head().commit
        present = repo.files(head)
        withdrawn = parse_withdrawn(repo.read(WITHDRAWN, head, present))
        if str(version) in withdrawn:
            return withdrawn[str(version)]
        if commit is None:
            raise ReleaseError(f"{repo.name} has no version {version} to withdraw")
        entry = Withdrawal(reason, datetime.now(UTC).date().isoformat(), commit)
        withdrawn[str(version)] = entry
        add: dict[str, Path | bytes] = {WITHDRAWN: withdrawn_bytes(withdrawn)}
        if (card := _card(repo, head, present, withdrawn)) is not None:
            add[CARD] = card
        try:
            repo.commit(f"Withdraw {version.tag}", head, add, [])
            return entry
        except (StaleHeadError, UnreachableError):
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _card(
    repo: HubRepo, head: str, present: Mapping[str, ExpectedFile], withdrawn: Mapping[str, Withdrawal]
) -> bytes | None:
    """README.md with the withdrawals; None, with a warning, where it cannot be rendered.

    A version is withdrawn for a reason: nothing that is damaged beside it may keep it visible.
    """
    try:
        data = repo.read(MANIFEST, head, present)
        if data is None or RELEASE_NOTE not in present:
            raise VerificationError("the head holds no release")
        manifest = Manifest.from_bytes(data)
        version = read_note(repo, head, present[RELEASE_NOTE]).version
        existing = repo.read(CARD, head, present)
        render = partial(render_card, repo.name, version, manifest, withdrawn, existing, before=manifest)
        try:
            metrics, pooled = (repo.read(name, head, present) for name in (METRICS_FILE, POOLED_FILE))
            return render(metrics=metrics, pooled=pooled).encode()
        except ResultsError as error:
            _warn(f"the card of {repo.name} shows no numbers, since {error}")
            return render().encode()
    except HubError:
        raise
    except ReleaseError as error:
        _warn(f"the card of {repo.name} stays as it is and does not tell of the withdrawal: {error}")
        return None


def _warn(message: str) -> None:
    warnings.warn(message, AlignRecWarning, stacklevel=2)
