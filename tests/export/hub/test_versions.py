"""How versions and references are written and ordered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.export import ReleaseError
from alignrec.export.hub.versions import Version, is_repo_name, split_reference

NUMBER = st.integers(0, 10**6)
VERSIONS = st.builds(Version, NUMBER, NUMBER, NUMBER)


@given(VERSIONS)
def test_what_is_written_is_read(version: Version) -> None:
    assert Version.parse(str(version)) == version
    assert Version.of_tag(version.tag) == version
    assert split_reference(f"team/features@{version}") == ("team/features", str(version))


@given(VERSIONS, st.lists(VERSIONS, min_size=1))
def test_the_nearest_is_itself_where_it_is_there(version: Version, others: list[Version]) -> None:
    assert version.nearest([*others, version]) == version
    assert version.nearest(others) in others


@given(st.text())
def test_any_other_text_is_refused_or_canonical(text: str) -> None:
    try:
        version = Version.parse(text)
    except ReleaseError:
        return
    assert text in (str(version), version.tag)


def test_order_is_by_number() -> None:
    texts = ["1.10.0", "1.9.0", "2.0.0", "0.0.10"]
    assert [str(v) for v in sorted(map(Version.parse, texts))] == ["0.0.10", "1.9.0", "1.10.0", "2.0.0"]
    assert Version.parse("1.9.5").nearest([Version(1, 2, 0), Version(2, 9, 5)]) == Version(1, 2, 0)
    assert Version(1, 0, 0).nearest([]) is None


@pytest.mark.parametrize(
    "tag",
    ["1.0.0", "v1", "latest", "v1.0.0-rc1", "v1.0.0\n", f"v1.0.{'9' * 5000}", "v1.0.1٢", "v0.0.1000000000"],
)
def test_other_tags_are_not_ours(tag: str) -> None:
    assert Version.of_tag(tag) is None


def test_a_number_without_end_is_no_version() -> None:
    with pytest.raises(ReleaseError, match="is not a version") as caught:
        Version.parse("9" * 5000 + ".0.0")
    assert len(str(caught.value)) < 300
    assert Version.parse("999999999.0.0").major == 999_999_999


@pytest.mark.parametrize("reference", ["team/features", "runs/a@b/release", "x@1.0", "@"])
def test_a_reference_without_a_version(reference: str) -> None:
    assert split_reference(reference) == (reference, None)


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("team/features", True),
        ("Team-1/a_b.c", True),
        ("features", False),
        ("a/b/c", False),
        ("./x", False),
        ("~/x", False),
        ("/abs", False),
        ("a/b--c", False),
        ("a/b.git", False),
        ("a/b-", False),
        ("a/b\n", False),
        ("../x", False),
    ],
)
def test_names_of_repositories(name: str, fine: bool) -> None:
    assert is_repo_name(name) is fine
