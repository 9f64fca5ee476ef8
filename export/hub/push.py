"""Publish a release: one commit, checked, then one tag; interrupted anywhere, the next call heals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi

from alignrec.core.files import sha256_file
from alignrec.export.errors import HubError, RefusedError, ReleaseError, VerificationError
from alignrec.export.hub.card_metadata import licence_of
from alignrec.export.hub.errors import (
    BusyError,
    ConflictError,
    MissingRepositoryError,
    StaleHeadError,
    UnreachableError,
    UploadError,
)
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.find_version import find_version, published_tags, withdrawals
from alignrec.export.hub.plan import CARD, Plan, plan_push
from alignrec.export.hub.repository import PAUSES, HubRepo, open_repo, pause_for, read_afresh
from alignrec.export.hub.seen_versions import Record, write_record
from alignrec.export.hub.versions import Version
from alignrec.export.release.manifest import MANIFEST, Manifest
from alignrec.export.release.verify import verify_folder


@dataclass(frozen=True)
class PushResult:
    """What a push did, or would do.

    Attributes:
        status: `published`; `healed`, when an interrupted push's commit was there and only the tag
            was missing; `already`, when this very release is that version; `planned` for a dry run.
        commit: the version's commit, 40 hex digits; None for a dry run.
        sent: paths of the files that the commit changes; files that are on the Hub are not sent.
        removed: paths that the head has no more; earlier versions keep them.
        bytes: total size of `sent`.
        private: whether only the repository's members see it.
        equal_to: another published version that holds the same content; None where there is none.
        card: of a dry run, the text of the README.md that would be sent.
    """

    status: Literal["published", "healed", "already", "planned"]
    repo: str
    version: str
    release_id: str
    commit: str | None
    sent: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    bytes: int = 0
    private: bool = True
    equal_to: str | None = None
    card: str | None = None


def push(
    folder: Path,
    repo: str,
    version: str,
    *,
    public: bool = False,
    with_images: bool = False,
    dry_run: bool = False,
    with_progress: Callable[[str], None] | None = None,
    api: HfApi | None = None,
) -> PushResult:
    """Publish a release folder as an immutable version of a Hub dataset repository.

    Args:
        folder: what `write_release` wrote.
        repo: OWNER/NAME; created if it does not exist.
        version: X.Y.Z; versions may be published in any order.
        public: make the repository public, or allow publishing to one that is.
        with_images: the folder holds its items' pictures (see `add_images`), and they may travel.
        dry_run: only say what would be sent; no request changes anything.
        with_progress: called with a line about each step.
        api: the client; without it one with the environment's endpoint and token.

    Raises:
        ReleaseError: no release there, no licence, a malformed version or name, or no pictures in a
            release that is to take them along.
        VerificationError: the folder, or what the Hub stored, is not what the manifest says.
        RefusedError: that version exists with other content or was withdrawn; the repository is
            public and `public` is not set; the folder holds pictures and `with_images` is not set; or a
            file that is not ours is in the way.
        HubError: the network or the Hub failed. No version is visible; the same call heals.
    """
    wanted = Version.parse(version)
    manifest = verify_folder(folder)
    licence_of(manifest)
    _check_images(folder, manifest, with_images)
    with read_afresh(open_repo(repo, api)) as target:
        return _Push(target, folder, manifest, wanted, with_progress or (lambda _: None)).run(public, dry_run)


def _check_images(folder: Path, manifest: Manifest, meant: bool) -> None:
    if manifest.images and not meant:
        raise RefusedError(
            f"{folder} holds its items' pictures, which are their owners'. Say --with-images if they may "
            "travel"
        )
    if meant and not manifest.images:
        raise ReleaseError(f"{folder} holds no pictures to take along")


@dataclass
class _Push:
    repo: HubRepo
    folder: Path
    manifest: Manifest
    version: Version
    say: Callable[[str], None]
    plan: Plan | None = None
    equal_to: Version | None = None

    @property
    def title(self) -> str:
        """The commit's title: what finds it again when the answer was lost."""
        return f"Publish {self.version.tag} (release {self.manifest.release_id})"

    def run(self, public: bool, dry_run: bool) -> PushResult:
        """The whole push."""
        private = self.prepare(public, dry_run)
        if private is None:
            self.plan = plan_push(self.repo, None, self.folder, self.manifest, self.version)
            return self.result("planned", None, not public)
        commit = self.published()
        if commit is not None:
            find_version(self.repo, str(self.version))  # refuses a tag that was moved
            return self.result("already", commit, private)
        self.refuse_withdrawn()
        self.equal_to = self.same_elsewhere()
        commit = self.committed()
        if dry_run:
            if commit is None:
                self.plan = self.planned()
            return self.result("planned", commit, private)
        healed = commit is not None
        commit = self.tag(commit or self.commit())
        self.remember(commit)
        return self.result("healed" if healed else "published", commit, private)

    def prepare(self, public: bool, dry_run: bool) -> bool | None:
        """Whether the repository is private; it is created if need be; None where a dry run may not."""
        try:
            private = self.repo.head().private
        except MissingRepositoryError:
            if dry_run:
                return None
            self.say(f"creating the {'public' if public else 'private'} repository {self.repo.name}")
            self.repo.create(private=not public)
            private = self.repo.head().private
        if not private and not public:
            raise RefusedError(
                f"{self.repo.name} is public: everybody could read this release. "
                "Say --public if that is meant, or choose a private repository"
            )
        return private

    def published(self) -> str | None:
        """The commit of this version if it is published with this very content.

        Raises:
            RefusedError: it is published with other content.
        """
        commit = self.repo.tags().get(self.version.tag)
        if commit is None:
            return None
        stored = self.manifest_at(commit)
        if stored is None or not stored.same_content(self.manifest):
            other = f"release {stored.release_id}" if stored else "not a release"
            if stored and stored.release_id == self.manifest.release_id:
                other = "the same release, but not with the same pictures"
            raise RefusedError(
                f"{self.repo.name} already has version {self.version} with other content (commit {commit} is "
                f"{other}, this one is release {self.manifest.release_id}). Versions never change: choose a "
                "higher one"
            )
        return commit

    def same_elsewhere(self) -> Version | None:
        """The highest published version with this content; the titles of commits say where to look."""
        ending = self.title.removeprefix(f"Publish {self.version.tag}")
        titled = {commit for commit, title in self.repo.titles() if title.endswith(ending)}
        for version, commit in sorted(published_tags(self.repo).items(), reverse=True):
            stored = self.manifest_at(commit) if commit in titled else None
            if stored is not None and stored.same_content(self.manifest):
                return version
        return None

    def refuse_withdrawn(self) -> None:
        """A withdrawn version's name is not given again."""
        entry = withdrawals(self.repo).get(str(self.version))
        if entry is not None:
            raise RefusedError(
                f"{self.repo.name}@{self.version} was withdrawn on {entry.date} ({entry.reason}), and its "
                "name is not used again: choose a higher version"
            )

    def committed(self) -> str | None:
        """A whole commit of this version that an interrupted push left without a tag."""
        for commit, title in self.repo.titles():
            if title == self.title and not self.differences(commit):
                return commit
        return None

    def commit(self) -> str:
        """Make the commit; replan when somebody was faster or the answer is unclear."""
        for pause in (*PAUSES, None):
            try:
                plan = self.plan = self.planned()
                self.say(f"sending {len(plan.add)} files, {plan.bytes} bytes at most")
                return self.repo.commit(self.title, str(plan.parent), plan.add, plan.delete)
            except (StaleHeadError, ConflictError, UnreachableError, BusyError, UploadError) as error:
                self.say(str(error))
                # A failed answer can hide a commit that was made: look before trying again.
                commit = self.committed_after(error)
                if commit is not None:
                    return commit
                if pause is None:
                    raise
                if isinstance(error, UnreachableError | BusyError):
                    pause_for(error, pause)
        raise AssertionError("the last attempt returns or raises")

    def committed_after(self, error: HubError) -> str | None:
        """The commit that a failed request made all the same; the first error where nobody can tell."""
        try:
            return self.published() or self.committed()
        except UnreachableError:
            raise error from None

    def planned(self) -> Plan:
        """The plan on top of the head as it is now."""
        return plan_push(self.repo, self.repo.head().commit, self.folder, self.manifest, self.version)

    def tag(self, commit: str) -> str:
        """Check what the Hub stored, then make it visible; return the version's commit."""
        differing = self.differences(commit)
        if differing:
            raise VerificationError(
                f"{self.repo.name}: what the Hub stored in commit {commit} is not this release: "
                f"{', '.join(differing)}. No version is visible; run the same command again"
            )
        self.say(f"tagging {commit} as {self.version.tag}")
        for pause in (*PAUSES, None):
            try:
                self.repo.tag(self.version.tag, commit)
                return commit
            except (ConflictError, UnreachableError, BusyError) as error:
                tagged = self.published()
                if tagged is not None:
                    return tagged
                if pause is None or isinstance(error, ConflictError):
                    raise
                pause_for(error, pause)
        raise AssertionError("the last attempt returns or raises")

    def differences(self, commit: str) -> list[str]:
        """Paths where a commit is not this release; its metrics and provenance are its own."""
        stored = self.manifest_at(commit)
        if stored is None or not stored.same_content(self.manifest):
            return [MANIFEST]
        found = self.repo.files_at(commit, [entry.path for entry in stored.files])
        return [
            entry.path
            for entry in stored.files
            if entry.path not in found
            or not self.holds(commit, entry.path, found[entry.path], ExpectedFile(entry.bytes, entry.sha256))
        ]

    def holds(self, commit: str, path: str, stored: ExpectedFile, expected: ExpectedFile) -> bool:
        """Whether a stored file is the expected one; a small one, without SHA-256, is read back."""
        if stored.sha256 is not None:
            return (stored.size, stored.sha256) == (expected.size, expected.sha256)
        return expected.fits(self.repo.download(path, commit, stored))

    def manifest_at(self, commit: str) -> Manifest | None:
        """The manifest of a commit, or None if it has none that is valid."""
        data = self.repo.read(MANIFEST, commit, self.repo.files_at(commit, [MANIFEST]))
        try:
            return Manifest.from_bytes(data) if data is not None else None
        except VerificationError:
            return None

    def remember(self, commit: str) -> None:
        """Record the version, so that a moved tag shows on this machine."""
        path = self.repo.download(MANIFEST, commit, self.repo.files_at(commit, [MANIFEST])[MANIFEST])
        record = Record(commit, self.manifest.release_id, sha256_file(path), path.stat().st_size)
        write_record(self.repo, self.version, record)

    def result(
        self, status: Literal["published", "healed", "already", "planned"], commit: str | None, private: bool
    ) -> PushResult:
        """What was done, for the caller."""
        return PushResult(
            status=status,
            repo=self.repo.name,
            version=str(self.version),
            release_id=self.manifest.release_id,
            commit=commit,
            sent=tuple(sorted(self.plan.add)) if self.plan else (),
            removed=tuple(self.plan.delete) if self.plan else (),
            bytes=self.plan.bytes if self.plan else 0,
            private=private,
            equal_to=None if self.equal_to is None else str(self.equal_to),
            card=self.card() if status == "planned" else None,
        )

    def card(self) -> str | None:
        """The card that the plan would send; None where the commit is there already."""
        content = self.plan.add[CARD] if self.plan else None
        return content.decode() if isinstance(content, bytes) else None
