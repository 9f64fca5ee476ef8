"""What a Hub keeps: repositories of commits, branches, tags and large objects, in memory."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime


class RefusalError(Exception):
    """A request that the Hub refuses: the HTTP status, the message and the `X-Error-Code`."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(frozen=True)
class Blob:
    """One version of a file: its bytes, and whether it lives in large-file storage."""

    data: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def git_oid(self) -> str:
        """The git object id: of the content, or of the pointer file that stands for it."""
        content = self.data
        if self.lfs:
            lines = ("version https://git-lfs.github.com/spec/v1", f"oid sha256:{self.sha256}")
            content = "\n".join((*lines, f"size {len(self.data)}", "")).encode()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.git_oid


@dataclass(frozen=True)
class Commit:
    """A snapshot of all files."""

    oid: str
    parent: str | None
    title: str
    date: str
    files: dict[str, Blob]


@dataclass
class Repository:
    """One dataset repository; every change happens under its lock."""

    name: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._record("initial commit", None, {".gitattributes": Blob(b"*.parquet filter=lfs\n", False)})

    @property
    def head(self) -> Commit:
        return self.commits[self.branches["main"]]

    def resolve(self, revision: str) -> Commit:
        """The commit that a branch, a tag or a full hash names."""
        revision = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise RefusalError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]

    def commit(
        self, title: str, parent: str | None, add: dict[str, Blob], delete: list[str], branch: str = "main"
    ) -> Commit:
        """Apply additions and deletions to a branch at once, if its head is still `parent`."""
        with self.lock:
            if branch not in self.branches:
                raise RefusalError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            if parent is not None and parent != self.head.oid:
                raise RefusalError(412, "A commit has happened since. Please refresh and try again.")
            files = dict(self.head.files)
            for path in delete:
                gone = [p for p in files if p == path or (path.endswith("/") and p.startswith(path))]
                if not gone:
                    raise RefusalError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
                for p in gone:
                    del files[p]
            return self._record(title, self.head.oid, files | add)

    def _record(self, title: str, parent: str | None, files: dict[str, Blob]) -> Commit:
        seed = f"{self.name} {parent} {title} {sorted((p, b.git_oid) for p, b in files.items())}"
        oid = hashlib.sha1(seed.encode()).hexdigest()
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.commits[oid] = Commit(oid, parent, title, date, files)
        self.branches["main"] = oid
        return self.commits[oid]

    def tag(self, name: str, revision: str) -> None:
        """Name a commit; a name is given once."""
        with self.lock:
            if name in self.tags:
                raise RefusalError(409, f"Tag already exists: {name}")
            self.tags[name] = self.resolve(revision).oid

    def untag(self, name: str) -> None:
        with self.lock:
            if self.tags.pop(name, None) is None:
                raise RefusalError(404, f"Tag not found: {name}", "RevisionNotFound")
