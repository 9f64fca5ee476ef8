"""The local Hub against the real client."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub.client import environment, run_python
from tests.hub.server import Fault, HubServer

REPO = "team/data"


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    client = HfApi(endpoint=hub.url, token="hf_test")
    client.create_repo(REPO, repo_type="dataset", private=True)
    return client


def parquet(n: int = 5) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"item_id": [str(i) for i in range(n)], "value": list(range(n))}), sink)
    return sink.getvalue()


def commit(
    api: HfApi, files: dict[str, bytes], parent: str | None = None, delete: tuple[str, ...] = ()
) -> str:
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    gone = [CommitOperationDelete(path) for path in delete]
    info = api.create_commit(
        REPO, [*operations, *gone], commit_message="a commit", repo_type="dataset", parent_commit=parent
    )
    return info.oid


def test_a_commit_is_read_back_as_it_was_sent(api: HfApi, tmp_path: Path) -> None:
    table = parquet()
    oid = commit(
        api, {"data/a.parquet": table, "README.md": b"---\nlicense: mit\n---\nhi", "notes/x.txt": b"x"}
    )
    assert api.repo_info(REPO, repo_type="dataset").sha == oid
    for path, data in {"data/a.parquet": table, "notes/x.txt": b"x"}.items():
        local = api.hf_hub_download(REPO, path, repo_type="dataset", cache_dir=tmp_path)
        assert Path(local).read_bytes() == data
    known = api.get_paths_info(REPO, ["data/a.parquet", "nothing", "notes"], repo_type="dataset")
    assert [entry.path for entry in known] == ["data/a.parquet", "notes"]
    assert known[0].lfs.sha256 == hashlib.sha256(table).hexdigest()
    listed = {entry.path for entry in api.list_repo_tree(REPO, repo_type="dataset", recursive=True)}
    assert {"data", "data/a.parquet", "README.md", "notes/x.txt"} <= listed
    assert next(c.commit_id for c in api.list_repo_commits(REPO, repo_type="dataset")) == oid
    assert api.whoami()["name"] == "tester"


def test_create_and_delete_a_repository(hub: HubServer, api: HfApi) -> None:
    assert api.create_repo(REPO, repo_type="dataset", exist_ok=True).repo_id == REPO
    with pytest.raises(HfHubHTTPError):
        api.create_repo(REPO, repo_type="dataset")
    assert hub.repository(REPO).private
    api.delete_repo(REPO, repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info(REPO, repo_type="dataset")


def test_a_stale_parent_is_refused_and_changes_nothing(hub: HubServer, api: HfApi) -> None:
    old = api.repo_info(REPO, repo_type="dataset").sha
    hub.add(REPO, "theirs.txt", b"t")
    with pytest.raises(HfHubHTTPError) as caught:
        commit(api, {"ours.txt": b"o"}, parent=old)
    assert caught.value.response.status_code == 412
    assert set(hub.repository(REPO).head.files) == {".gitattributes", "theirs.txt"}


def test_stored_objects_are_not_sent_twice(hub: HubServer, api: HfApi) -> None:
    commit(api, {"a.parquet": parquet()})
    commit(api, {"b.parquet": parquet(), "c.parquet": parquet(9)})
    assert len(hub.requests("PUT", "/lfs/")) == 2
    commit(api, {"d.txt": b"d"}, delete=("a.parquet",))
    assert "a.parquet" not in hub.repository(REPO).head.files


def test_tags_are_given_once_and_resolve(api: HfApi) -> None:
    oid = commit(api, {"a.txt": b"a"})
    api.create_tag(REPO, tag="v1.0.0", revision=oid, repo_type="dataset")
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_tag(REPO, tag="v1.0.0", repo_type="dataset")
    assert caught.value.response.status_code == 409
    refs = api.list_repo_refs(REPO, repo_type="dataset")
    assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1.0.0", oid)]
    commit(api, {"a.txt": b"b"})
    assert api.repo_info(REPO, repo_type="dataset", revision="v1.0.0").sha == oid
    api.delete_tag(REPO, tag="v1.0.0", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.repo_info(REPO, repo_type="dataset", revision="v1.0.0")


def test_what_is_missing_is_named(api: HfApi, tmp_path: Path) -> None:
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download(REPO, "no.txt", repo_type="dataset", cache_dir=tmp_path)
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(REPO, "no.txt", repo_type="dataset", revision="v9", cache_dir=tmp_path)


def test_tokens_decide(hub: HubServer, api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.url, token=False).repo_info(REPO, repo_type="dataset")
    with pytest.raises(HfHubHTTPError, match="403"):
        commit(HfApi(endpoint=hub.url, token="hf_read"), {"a.txt": b"a"})
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=hub.url, token="hf_unknown").repo_info(REPO, repo_type="dataset")


def test_faults_strike_as_told(hub: HubServer, api: HfApi, tmp_path: Path) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=500, applied=True))
    with pytest.raises(HfHubHTTPError):
        commit(api, {"a.txt": b"a"})
    assert "a.txt" in hub.repository(REPO).head.files
    hub.faults.append(Fault("PUT", "/lfs/", request=lambda body: body[:-1]))
    with pytest.raises(RuntimeError) as caught:
        commit(api, {"a.parquet": parquet()})
    assert isinstance(caught.value.__cause__, BadRequestError)
    commit(api, {"a.parquet": parquet()})
    hub.faults.append(Fault("GET", "a.parquet", answer=lambda body: bytes([body[0] ^ 1]) + body[1:]))
    local = api.hf_hub_download(REPO, "a.parquet", repo_type="dataset", cache_dir=tmp_path)
    assert Path(local).read_bytes() != parquet()  # the client itself does not see it


def test_datasets_reads_a_tagged_configuration(hub: HubServer, api: HfApi, tmp_path: Path) -> None:
    card = b"---\nconfigs:\n- config_name: image\n  data_files: data/image/*.parquet\n---\n"
    oid = commit(api, {"README.md": card, "data/image/part-00000.parquet": parquet()})
    api.create_tag(REPO, tag="v1.0.0", revision=oid, repo_type="dataset")
    commit(api, {"data/image/part-00000.parquet": parquet(9)})
    code = (
        "import datasets, sys\n"
        f"print(datasets.load_dataset({REPO!r}, 'image', revision='v1.0.0', split='train')['item_id'][:])"
    )
    ended = run_python(code, environment(hub.url, tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == str([str(i) for i in range(5)])


def test_the_server_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "tests.hub.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            client = HfApi(endpoint=url, token="hf_test")
            assert client.create_repo(REPO, repo_type="dataset").repo_id == REPO
        finally:
            process.terminate()
