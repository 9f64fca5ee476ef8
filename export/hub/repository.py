"""One dataset repository on the Hub: every request that publishing and loading make."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.hf_api import RepoFile

from alignrec.core.documents import MOST_BYTES
from alignrec.export.errors import HubError, ReleaseError, VerificationError
from alignrec.export.hub.errors import BusyError, UnreachableError, translated
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.versions import is_repo_name

PAUSES = (0.2, 1.0)  # seconds between attempts at a request that only reads
LONGEST_PAUSE = 60.0  # seconds; when the Hub asks for more, the user decides
_PATHS_PER_REQUEST = 500  # the Hub refuses more than 1,000

T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """The tip of the main branch, and whether only members see the repository."""

    commit: str
    private: bool


def pause_for(error: UnreachableError | BusyError, pause: float) -> None:
    """Wait before asking again; raise the error where waiting is no use or too long."""
    wanted = error.retry_after if isinstance(error, BusyError) else pause
    if wanted > LONGEST_PAUSE or (isinstance(error, UnreachableError) and not error.retriable):
        raise error
    time.sleep(wanted)


@dataclass(frozen=True)
class HubRepo:
    """A dataset repository, seen through one client.

    Methods raise `HubError` or one of its kinds in `hub/errors.py`; only those that read try again by
    themselves, because a failed answer to the others does not say whether they had their effect.

    Attributes:
        name: `OWNER/NAME`.
        api: the client, which knows the endpoint and the token.
        cache: where the client keeps downloads.
        home: where our own records of what was seen lie.
        away: why the Hub gives no answer, if it was found to give none: then the cache alone is asked.
    """

    name: str
    api: HfApi
    cache: Path
    home: Path
    away: str = ""

    def head(self) -> Head:
        """The tip of the main branch."""
        info = self._read("looking up", lambda: self.api.repo_info(self.name, repo_type="dataset"))
        return Head(str(info.sha), bool(info.private))

    def tags(self) -> dict[str, str]:
        """Each tag's commit."""
        refs = self._read(
            "listing the versions of", lambda: self.api.list_repo_refs(self.name, repo_type="dataset")
        )
        return {tag.name: tag.target_commit for tag in refs.tags}

    def titles(self) -> list[tuple[str, str]]:
        """Commit and title of all of main's history, newest first."""
        commits = self._read(
            "reading the history of", lambda: self.api.list_repo_commits(self.name, repo_type="dataset")
        )
        return [(commit.commit_id, commit.title) for commit in commits]

    def files(self, commit: str) -> dict[str, ExpectedFile]:
        """Every file of a commit."""
        tree = self._read(
            "listing the files of",
            lambda: list(
                self.api.list_repo_tree(self.name, repo_type="dataset", revision=commit, recursive=True)
            ),
        )
        return {entry.path: _expected(entry) for entry in tree if isinstance(entry, RepoFile)}

    def files_at(self, commit: str, paths: list[str]) -> dict[str, ExpectedFile]:
        """Those of `paths` that a commit has."""
        found: dict[str, ExpectedFile] = {}
        for start in range(0, len(paths), _PATHS_PER_REQUEST):
            some = paths[start : start + _PATHS_PER_REQUEST]
            ask = partial(self.api.get_paths_info, self.name, some, repo_type="dataset", revision=commit)
            entries = self._read("checking the files of", ask)
            found |= {entry.path: _expected(entry) for entry in entries if isinstance(entry, RepoFile)}
        return found

    def download(self, path: str, commit: str, expected: ExpectedFile) -> Path:
        """A checked local copy, from the cache where it is right and from the Hub otherwise.

        The client compares sizes alone, so the content is hashed here, each time; a copy that does not
        fit is deleted and fetched once more.

        Raises:
            VerificationError: the second copy does not fit either.
        """
        for first in (True, False):
            try:
                local = self._read(f"downloading {path} of", partial(self._fetch, path, commit))
            except UnreachableError as error:
                if first and self.away:
                    raise UnreachableError(f"{error}. {self.away}", retriable=False) from error
                if first:
                    raise
                raise VerificationError(
                    f"the cached copy of {path} of {self.name} was damaged and is removed, and no other "
                    f"can be fetched now: {error}"
                ) from error
            if expected.fits(local):
                return local
            self._remove(local)
        raise VerificationError(
            f"{path} of {self.name} at commit {commit} is not what its release announces "
            f"({expected.size} bytes, hash {expected.sha256 or expected.git_oid}), twice in a row; nothing "
            "was kept. Try another network, or tell the publisher"
        )

    def document(self, path: str, commit: str, expected: ExpectedFile) -> Path:
        """As `download`, for a file that is read into memory.

        Raises:
            VerificationError: it is larger than documents are, and is not fetched.
        """
        if expected.size > MOST_BYTES:
            raise VerificationError(
                f"{path} of {self.name} at commit {commit} has {expected.size:,} bytes, more than the "
                f"{MOST_BYTES:,} that are read. Tell its publisher"
            )
        return self.download(path, commit, expected)

    def _remove(self, local: Path) -> None:
        """Remove a cached copy that is damaged.

        Raises:
            VerificationError: the system does not let us.
        """
        try:
            local.resolve().unlink()
            local.unlink(missing_ok=True)
        except OSError as error:
            raise VerificationError(
                f"the cached copy {local} is damaged and cannot be removed ({error.strerror}): remove it, or "
                "name another cache by HF_HUB_CACHE"
            ) from error

    def _fetch(self, path: str, commit: str) -> Path:
        return Path(
            self.api.hf_hub_download(
                self.name,
                path,
                repo_type="dataset",
                revision=commit,
                cache_dir=self.cache,
                local_files_only=bool(self.away),
            )
        )

    def read(self, path: str, commit: str, files: Mapping[str, ExpectedFile]) -> bytes | None:
        """A document's checked content, or None if `files`, the commit's, has no such path."""
        return self.document(path, commit, files[path]).read_bytes() if path in files else None

    def create(self, private: bool) -> None:
        """Make the repository; one that exists stays as it is."""
        with translated("creating", self.name):
            self.api.create_repo(self.name, repo_type="dataset", private=private, exist_ok=True)

    def commit(self, title: str, parent: str, add: Mapping[str, Path | bytes], delete: list[str]) -> str:
        """One commit on top of `parent`, all or nothing.

        Raises:
            StaleHeadError: `parent` is not the head any more.
            UploadError: a file did not arrive whole; nothing was committed.
            UnreachableError: no answer; the commit may exist all the same.
        """
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationDelete(path, is_folder=False) for path in delete
        ]
        operations += [CommitOperationAdd(path, content) for path, content in add.items()]
        with translated("committing to", self.name):
            created = self.api.create_commit(
                self.name, operations, commit_message=title, repo_type="dataset", parent_commit=parent
            )
        return str(created.oid)

    def tag(self, tag: str, commit: str) -> None:
        """Give a tag, once.

        Raises:
            ConflictError: the tag exists.
        """
        with translated(f"tagging {tag} of", self.name):
            self.api.create_tag(self.name, tag=tag, revision=commit, repo_type="dataset", exist_ok=False)

    def untag(self, tag: str) -> None:
        """Take a tag away."""
        with translated(f"removing the tag {tag} of", self.name):
            self.api.delete_tag(self.name, tag=tag, repo_type="dataset")

    def neighbours(self) -> list[str]:
        """Names of the owner's repositories that the token may see; empty if they cannot be listed."""
        owner = self.name.partition("/")[0]
        try:
            with translated("listing repositories beside", self.name):
                return [str(known.id) for known in self.api.list_datasets(author=owner, limit=200)]
        except HubError:
            return []

    def _read(self, doing: str, call: Callable[[], T]) -> T:
        for pause in PAUSES:
            try:
                with translated(doing, self.name):
                    return call()
            except (UnreachableError, BusyError) as error:
                pause_for(error, pause)
        with translated(doing, self.name):
            return call()


def _expected(entry: RepoFile) -> ExpectedFile:
    return ExpectedFile(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)


@contextmanager
def read_afresh(repo: HubRepo) -> Iterator[HubRepo]:
    """The repository with an empty cache that goes when the block ends: all that is read is the Hub's own.

    Whoever writes to a repository compares what it stored, and needs no place on this machine that lasts.
    """
    with TemporaryDirectory(prefix="alignrec-") as scratch:
        yield replace(repo, cache=Path(scratch))


def open_repo(name: str, api: HfApi | None = None) -> HubRepo:
    """A repository by name; without a client, one with the environment's endpoint and token.

    Raises:
        ReleaseError: the name is not of the form OWNER/NAME.
    """
    if not is_repo_name(name):
        raise ReleaseError(f"{name!r} is neither a folder nor a repository name: expected OWNER/NAME")
    client = api or HfApi(library_name="alignrec", library_version=version("alignrec"))
    return HubRepo(name, client, Path(constants.HF_HUB_CACHE), Path(constants.HF_HOME) / "alignrec")
