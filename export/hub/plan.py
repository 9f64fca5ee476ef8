"""What a push would change: files to send, files to remove, and nothing that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alignrec.core.results import METRICS_FILE, POOLED_FILE
from alignrec.export.errors import RefusedError, VerificationError
from alignrec.export.hub.card import render_card
from alignrec.export.hub.card_metadata import refuse_other_licence
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.release_note import RELEASE_NOTE, note_bytes
from alignrec.export.hub.repository import HubRepo
from alignrec.export.hub.versions import Version
from alignrec.export.hub.withdrawn import WITHDRAWN, parse_withdrawn
from alignrec.export.release.manifest import MANIFEST, Manifest

CARD = "README.md"


@dataclass(frozen=True)
class Plan:
    """One commit to be: what it stands on, sends and removes.

    Attributes:
        parent: the head's commit; None if the repository does not exist yet.
        add: content or local file, by path in the repository.
        delete: paths that the release before had and this one has not.
    """

    parent: str | None
    add: Mapping[str, Path | bytes]
    delete: list[str]

    @property
    def bytes(self) -> int:
        """Total size of the files to send."""
        return sum(
            content.stat().st_size if isinstance(content, Path) else len(content)
            for content in self.add.values()
        )


def plan_push(repo: HubRepo, head: str | None, folder: Path, manifest: Manifest, version: Version) -> Plan:
    """Compare a release folder with the head of the repository.

    Files that already are in the head with the same content are not sent. Files of the release that
    the head holds are removed if this one has them no more; their own version's tag keeps them.

    Raises:
        RefusedError: a file or a configuration in the head that no release put there is in the way, or its
            card states another licence.
    """
    present = repo.files(head) if head else {}
    before = _release_in(repo, head, present) if head else None
    owned = {entry.path for entry in before.files} if before else set()
    if before:
        owned |= {MANIFEST, RELEASE_NOTE}
    ours: dict[str, Path | bytes] = {entry.path: folder / entry.path for entry in manifest.files}
    ours[MANIFEST] = folder / MANIFEST
    changed = {path: content for path, content in ours.items() if not _same(content, present.get(path))}
    foreign = sorted((set(changed) | {RELEASE_NOTE}) & set(present) - owned)
    if foreign:
        raise RefusedError(
            f"{repo.name} has files that no release put there, and this one would replace them: "
            f"{', '.join(foreign)}. Move them away, or publish to another repository"
        )
    changed[RELEASE_NOTE] = note_bytes(version, manifest.release_id, head)
    changed[CARD] = _card(repo, head, present, folder, manifest, version, before)
    return Plan(head, changed, sorted((owned & set(present)) - set(ours) - {RELEASE_NOTE}))


def _release_in(repo: HubRepo, head: str, present: Mapping[str, ExpectedFile]) -> Manifest | None:
    """The manifest of the release in the head, or None if what lies there is no release of ours."""
    data = repo.read(MANIFEST, head, present) if RELEASE_NOTE in present else None
    try:
        return Manifest.from_bytes(data) if data is not None else None
    except VerificationError:
        return None


def _card(
    repo: HubRepo,
    head: str | None,
    present: Mapping[str, ExpectedFile],
    folder: Path,
    manifest: Manifest,
    version: Version,
    before: Manifest | None,
) -> bytes:
    measured = [folder / name for name in (METRICS_FILE, POOLED_FILE)]
    metrics, pooled = (path.read_bytes() if path.is_file() else None for path in measured)
    if head is None:
        return render_card(repo.name, str(version), manifest, {}, metrics=metrics, pooled=pooled).encode()
    existing = repo.read(CARD, head, present)
    refuse_other_licence(existing or b"", manifest, before)
    withdrawn = parse_withdrawn(repo.read(WITHDRAWN, head, present))
    card = render_card(repo.name, str(version), manifest, withdrawn, existing, metrics, before, pooled)
    return card.encode()


def _same(content: Path | bytes, stored: ExpectedFile | None) -> bool:
    return stored is not None and isinstance(content, Path) and stored.fits(content)
