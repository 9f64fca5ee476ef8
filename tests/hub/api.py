"""The Hub's HTTP interface for dataset repositories, as far as the real client uses it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.hub.messages import Answer, Request, json_answer
from tests.hub.store import Blob, Commit, RefusalError, Repository

LFS_SUFFIXES = (".parquet", ".safetensors", ".npy", ".bin")
LFS_LIMIT = 10 * 1024 * 1024


Handler = Callable[["HubApi", Request, "re.Match[str]"], Answer]
REPO = r"(?P<repo>[^/]+/[^/]+)"
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(methods: str, pattern: str) -> Callable[[Handler], Handler]:
    """Register a handler for some methods and a full path."""

    def register(handler: Handler) -> Handler:
        ROUTES.extend((method, re.compile(pattern), handler) for method in methods.split())
        return handler

    return register


class HubApi:
    """All repositories, and the answers to requests about them."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.url = ""

    def answer(self, request: Request) -> Answer:
        """The Hub's answer; a refusal carries the error code that the client maps to an exception."""
        try:
            for method, pattern, handler in ROUTES:
                match = pattern.fullmatch(request.path)
                if match and method == request.method:
                    return handler(self, request, match)
            raise RefusalError(404, f"No such page: {request.method} {request.path}", "EntryNotFound")
        except RefusalError as refusal:
            headers = {"X-Error-Message": refusal.message, "Content-Type": "application/json"}
            if refusal.code:
                headers["X-Error-Code"] = refusal.code
            return Answer(refusal.status, json.dumps({"error": refusal.message}).encode(), headers)

    def repository(self, request: Request, match: re.Match[str], *, write: bool = False) -> Repository:
        """The repository that a path names, if the caller may see (or change) it."""
        repository = self.repositories.get(unquote(match["repo"]))
        role = request.role
        if repository is None or (repository.private and role is None):
            raise RefusalError(401 if role is None else 404, "Repository not found", "RepoNotFound")
        if write and role != "write":
            raise RefusalError(401 if role is None else 403, "You need a token with write access")
        return repository


@route("POST", "/api/repos/create")
def create(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    if request.role != "write":
        raise RefusalError(401 if request.role is None else 403, "You need a token with write access")
    wanted = request.json
    name = f"{wanted.get('organization') or 'tester'}/{wanted['name']}"
    url = f"{hub.url}/datasets/{name}"
    if name in hub.repositories:
        return json_answer({"url": url, "error": "You already created this dataset repo"}, 409)
    hub.repositories[name] = Repository(name, wanted.get("visibility") == "private")
    return json_answer({"url": url, "name": name})


@route("DELETE", "/api/repos/delete")
def delete(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    wanted = request.json
    name = f"{wanted.get('organization') or 'tester'}/{wanted['name']}"
    if hub.repositories.pop(name, None) is None:
        raise RefusalError(404, "Repository not found", "RepoNotFound")
    return json_answer({})


@route("GET", "/api/whoami-v2")
def whoami(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    if request.role is None:
        raise RefusalError(401, "Invalid username or password.")
    return json_answer({"type": "user", "name": "tester", "orgs": []})


@route("POST", "/api/validate-yaml")
def validate_yaml(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    return json_answer({"warnings": [], "errors": []})


@route("GET", "/api/datasets")
def listed(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    owner = request.query.get("author", [""])[0]
    known = [r for r in hub.repositories.values() if r.name.startswith(f"{owner}/")]
    return json_answer([{"id": r.name, "private": r.private} for r in known if request.role or not r.private])


@route("GET", f"/api/datasets/{REPO}")
@route("GET", f"/api/datasets/{REPO}/revision/(?P<rev>[^/]+)")
def info(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    repository = hub.repository(request, match)
    commit = repository.resolve(unquote(match.groupdict().get("rev") or "main"))
    siblings = [{"rfilename": path} for path in sorted(commit.files)]
    known = {"id": repository.name, "sha": commit.oid, "private": repository.private, "siblings": siblings}
    return json_answer(known | {"tags": [], "downloads": 0, "likes": 0, "gated": False})


@route("POST", f"/api/datasets/{REPO}/preupload/(?P<rev>[^/]+)")
def preupload(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    files = hub.repository(request, match, write=True).resolve(unquote(match["rev"])).files
    wanted = request.json["files"]
    if len(wanted) > 256:
        raise RefusalError(413, "too many files")
    answers = []
    for entry in wanted:
        path, current = entry["path"], files.get(entry["path"])
        large = path.endswith(LFS_SUFFIXES) or entry["size"] > LFS_LIMIT
        mode = "lfs" if large else "regular"
        oid = current.etag if current else None
        answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return json_answer({"files": answers})


@route("POST", f"/datasets/{REPO}\\.git/info/lfs/objects/batch")
def lfs_batch(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    repository = hub.repository(request, match, write=True)
    objects = []
    for wanted in request.json["objects"]:
        entry: dict[str, Any] = {"oid": wanted["oid"], "size": wanted["size"]}
        if wanted["oid"] not in repository.objects:
            base = f"{hub.url}/lfs/{repository.name}/{wanted['oid']}"
            entry["actions"] = {"upload": {"href": base}, "verify": {"href": f"{base}/verify"}}
        objects.append(entry)
    return json_answer({"transfer": "basic", "objects": objects})


@route("PUT", f"/lfs/{REPO}/(?P<oid>[0-9a-f]{{64}})")
def lfs_put(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    if "authorization" in request.headers:
        raise RefusalError(400, "Storage takes no authorization header")
    blob = Blob(request.body, True)
    if blob.sha256 != match["oid"]:
        raise RefusalError(400, "The content does not have the announced hash")
    hub.repositories[match["repo"]].objects[match["oid"]] = request.body
    return Answer(200)


@route("POST", f"/lfs/{REPO}/(?P<oid>[0-9a-f]{{64}})/verify")
def lfs_verify(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    stored = hub.repository(request, match, write=True).objects.get(match["oid"])
    if stored is None or len(stored) != request.json["size"]:
        raise RefusalError(404, "Object not found")
    return json_answer({})


@route("POST", f"/api/datasets/{REPO}/commit/(?P<rev>[^/]+)")
def commit(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    repository = hub.repository(request, match, write=True)
    header: dict[str, Any] = {}
    add: dict[str, Blob] = {}
    gone: list[str] = []
    for line in request.body.splitlines():
        item = json.loads(line)
        key, value = item["key"], item["value"]
        if key == "header":
            header = value
        elif key == "file":
            add[value["path"]] = Blob(base64.b64decode(value["content"]), False)
        elif key == "lfsFile":
            if value["oid"] not in repository.objects:
                raise RefusalError(400, f"LFS object was never uploaded: {value['oid']}")
            add[value["path"]] = Blob(repository.objects[value["oid"]], True)
        elif key in ("deletedFile", "deletedFolder"):
            gone.append(value["path"])
        else:
            raise RefusalError(400, f"Unknown operation: {key}")
    commit = repository.commit(
        header["summary"], header.get("parentCommit"), add, gone, branch=unquote(match["rev"])
    )
    return json_answer(
        {
            "success": True,
            "commitOid": commit.oid,
            "commitUrl": f"{hub.url}/datasets/{repository.name}/commit/{commit.oid}",
        }
    )


@route("POST DELETE", f"/api/datasets/{REPO}/tag/(?P<rev>[^/]+)")
def tag(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    repository = hub.repository(request, match, write=True)
    if request.method == "DELETE":
        repository.untag(unquote(match["rev"]))
    else:
        repository.tag(request.json["tag"], unquote(match["rev"]))
    return json_answer({})


@route("GET", f"/api/datasets/{REPO}/refs")
def refs(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    repository = hub.repository(request, match)

    def as_list(names: dict[str, str], kind: str) -> list[dict[str, str]]:
        return [
            {"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid} for n, oid in sorted(names.items())
        ]

    known = {"branches": as_list(repository.branches, "heads"), "converts": []}
    return json_answer(known | {"tags": as_list(repository.tags, "tags")})


@route("GET", f"/api/datasets/{REPO}/commits/(?P<rev>[^/]+)")
def commits(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    repository = hub.repository(request, match)
    listed = []
    current: Commit | None = repository.resolve(unquote(match["rev"]))
    while current is not None:
        line = {"id": current.oid, "title": current.title, "message": "", "date": current.date}
        listed.append(line | {"authors": [{"user": "tester"}]})
        current = repository.commits[current.parent] if current.parent else None
    return json_answer(listed)


def described(path: str, commit: Commit) -> dict[str, Any] | None:
    """A path as the tree and paths-info interfaces show it, or None where there is nothing."""
    blob = commit.files.get(path)
    if blob is not None:
        line: dict[str, Any] = {"type": "file", "path": path, "size": len(blob.data), "oid": blob.git_oid}
        if blob.lfs:
            line["lfs"] = {"oid": blob.sha256, "size": len(blob.data), "pointerSize": 130}
        return line
    if any(p.startswith(f"{path}/") for p in commit.files):
        return {"type": "directory", "path": path, "size": 0, "oid": "0" * 40}
    return None


def below(folder: str, recursive: bool, files: Iterable[str]) -> list[str]:
    """Files and folders in a folder, or in all of its folders."""
    prefix = f"{folder}/" if folder else ""
    found: set[str] = set()
    for path in files:
        if path.startswith(prefix):
            parts = path[len(prefix) :].split("/")
            depth = len(parts) if recursive else 1
            found.update(prefix + "/".join(parts[: i + 1]) for i in range(depth))
    return sorted(found)


@route("GET", f"/api/datasets/{REPO}/tree/(?P<rev>[^/]+)(?:/(?P<folder>.*))?")
def tree(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    found = hub.repository(request, match).resolve(unquote(match["rev"]))
    folder = unquote(match["folder"] or "").strip("/")
    recursive = request.query.get("recursive", ["false"])[0].lower() in ("true", "1")
    paths = below(folder, recursive, found.files)
    if not paths and folder:
        raise RefusalError(404, f"{folder} does not exist", "EntryNotFound")
    return json_answer([described(path, found) for path in paths])


@route("POST", f"/api/datasets/{REPO}/paths-info/(?P<rev>[^/]+)")
def paths_info(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    found = hub.repository(request, match).resolve(unquote(match["rev"]))
    paths = parse_qs(request.body.decode()).get("paths", [])
    if len(paths) > 1000:
        raise RefusalError(413, "too many parameters")
    return json_answer([line for path in paths if (line := described(path, found)) is not None])


@route("HEAD GET", f"/datasets/{REPO}/resolve/(?P<rev>[^/]+)/(?P<file>.+)")
def resolve(hub: HubApi, request: Request, match: re.Match[str]) -> Answer:
    found = hub.repository(request, match).resolve(unquote(match["rev"]))
    blob = found.files.get(unquote(match["file"]))
    if blob is None:
        raise RefusalError(404, "Entry not found", "EntryNotFound")
    headers = {"X-Repo-Commit": found.oid, "ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"}
    headers["Content-Type"] = "application/octet-stream"
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted is None:
        return Answer(200, blob.data, headers)
    first, last = int(wanted[1]), min(int(wanted[2] or len(blob.data) - 1), len(blob.data) - 1)
    if first > last:
        return Answer(416, b"", headers | {"Content-Range": f"bytes */{len(blob.data)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(blob.data)}"
    return Answer(206, blob.data[first : last + 1], headers)
