"""What a release says of its models is parsed strictly, and no path that it names is opened."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.core.errors import AlignRecError
from alignrec.export.errors import RefusedError, ReleaseError, VerificationError
from alignrec.export.release.manifest import Manifest
from alignrec.export.release.opened import Release
from alignrec.extractors.contract import ExtractorCard
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.pipeline.commands.released_models import EXTRACTORS, ReleasedModels
from tests.export.release.cases import make_release

CARD = ExtractorCard("packaged:all-minilm-l6-v2", "text", None, "a" * 64, 384, 384, {"size": [3]}, "mit")
SAYS = {"catalogue": {"template": "{title}"}}


def released(folder: Path, extractors: bytes | Any, **provenance: Any) -> Release:
    """A release of some extractors.json."""
    if not (folder / "release").exists():
        make_release(folder / "release")
    content = extractors if isinstance(extractors, bytes) else json.dumps(extractors).encode()
    (folder / "extractors.json").write_bytes(content)
    manifest = Manifest.read(folder / "release").model_copy(update={"provenance": SAYS | provenance})
    return Release("the release", manifest, lambda entry: folder / Path(entry.path).name)


def named(folder: Path, name: str, **provenance: Any) -> ReleasedModels:
    return ReleasedModels.of(released(folder, {"text": asdict(replace(CARD, name=name))}, **provenance))


def test_what_an_export_writes_is_read(tmp_path: Path) -> None:
    identity = {"weights_sha256": "a" * 64}
    models = ReleasedModels.of(
        released(tmp_path, {"text": asdict(CARD)}, identities={"text": identity}, precision="bfloat16")
    )
    assert models == ReleasedModels("the release", {"text": CARD}, {"text": identity}, "bfloat16", "{title}")
    assert models.names({}) == {"text": CARD.name}
    older = ReleasedModels.of(released(tmp_path, {"text": asdict(CARD)}))
    assert older.precision == "float32" and older.identities == {} and older.columns == {}
    catalogue = {"template": "{title}", "columns": {"id": "sku", "image": None}}
    newer = ReleasedModels.of(released(tmp_path, {"text": asdict(CARD)}, catalogue=catalogue))
    assert newer.columns == {"id": "sku"}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff", b"[" * 9999, [], 1, None, "x"),
        *({"text": value} for value in ([], None, 1, "x", {}, {"name": "packaged:x"})),
        *({"text": asdict(CARD) | {field: value}} for field in asdict(CARD) for value in (True, [1], 1.5)),
        *({"text": asdict(CARD) | {field: value}} for field in ("name", "modality") for value in (1, None)),
        *({"text": asdict(CARD) | {field: "384"}} for field in ("dim", "token_dim", "preprocessing")),
        *({name: asdict(CARD)} for name in ("", "..", "/x", "a/b", "a b", "\x1b[1m", "x" * 1000)),
    ],
)
def test_extractors_of_another_form_are_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(
        VerificationError, match=r"extractors\.json is not what an export writes: .+"
    ) as caught:
        ReleasedModels.of(released(tmp_path, content))
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    "provenance",
    [
        *({"precision": value} for value in ("float16", "", 1, [], {})),
        *({"catalogue": value} for value in ([], "x", {"template": 1}, {"template": ["{a}"]})),
        *({"catalogue": {"columns": value}} for value in ([], "x", {"id": 1}, {"image": ["a"]})),
        *({"identities": value} for value in ([], "x", {"text": []}, {"text": "x"}, {"text": 1})),
    ],
)
def test_a_provenance_of_another_form_is_refused(tmp_path: Path, provenance: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match="provenance is not what an export writes"):
        ReleasedModels.of(released(tmp_path, {"text": asdict(CARD)}, **provenance))


def test_what_is_not_enough_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="does not say which extractors"):
        ReleasedModels.of(released(tmp_path, {}))
    with pytest.raises(ReleaseError, match="model of 'batch_size', which this version does not know"):
        ReleasedModels.of(released(tmp_path, {"batch_size": asdict(CARD)}))
    with pytest.raises(ReleaseError, match="no template"):
        ReleasedModels.of(released(tmp_path, {"text": asdict(CARD)}, catalogue={}))


PATHS = [
    *("given:/etc/passwd", "given:feature.npy", "given:../x.npy", "transformers:/models/x", "transformers:."),
    *("transformers:..", "transformers:../x", "transformers:a/../../x", "transformers:~/x", "transformers:~"),
    *(
        "transformers:./x",
        "transformers:a//b",
        "transformers:a\\b",
        "transformers:C:\\x",
        "transformers:C:/x",
    ),
    *("transformers:\\\\server\\share", "transformers://server/share", "transformers:file:///x"),
    *(
        "transformers:org/name@../../x",
        "transformers:org/name@/x",
        "transformers:/x@main",
        "transformers:a\0",
    ),
    *(
        "open_clip:local-dir:/models/x",
        "open_clip:local-dir:x",
        "open_clip:/x",
        "packaged:/x",
        "packaged:../x",
    ),
    *("unknown:/x", "unknown:../x", "transformers:x y", "transformers:-x/..", "given:", "transformers:x/"),
]


@pytest.mark.parametrize("name", [name for name in PATHS if name.partition(":")[2]])
def test_a_path_is_refused_and_the_option_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    models = named(tmp_path, name)
    monkeypatch.setattr(Path, "exists", None)  # not even looked at
    with pytest.raises(RefusedError, match=r"say where: --extractor text=transformers:PATH") as caught:
        models.names({})
    assert str(caught.value).isprintable()
    assert models.names({"text": "transformers:/own"}) == {"text": "transformers:/own"}


@pytest.mark.parametrize(
    "name",
    ["transformers:org/name", "transformers:org/name@main", "transformers:bert", "open_clip:ViT-B-32/x"],
)
def test_a_published_name_is_refused_where_a_path_of_its_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    models = named(tmp_path, name)
    assert models.names({}) == {"text": name}
    for path in {name.partition(":")[2], name.partition(":")[2].partition("@")[0]}:
        (folder / path).mkdir(parents=True)
        with pytest.raises(RefusedError, match="--extractor text="):
            models.names({})
        (folder / path).rmdir()
    assert models.names({}) == {"text": name}
    (folder / "all-minilm-l6-v2").mkdir()
    assert named(tmp_path, CARD.name).names({}), "a packaged model is never a path"


def test_a_model_that_was_a_path_where_the_release_was_made_is_not_looked_for_elsewhere(
    tmp_path: Path,
) -> None:
    local = named(tmp_path, "transformers:bert", identities={"text": {"scheme": "transformers", "model": ""}})
    with pytest.raises(RefusedError, match="--extractor text="):
        local.names({})


def test_an_extractor_is_chosen_for_a_model_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no model of image; it has text"):
        named(tmp_path, CARD.name).names({"image": "packaged:efficientnet-lite0"})


def test_the_model_must_be_the_releases(tmp_path: Path) -> None:
    same = ExtractorIdentity("transformers", "", "text", None, "a" * 64, "b" * 64)
    models = named(tmp_path, "transformers:/x", identities={"text": asdict(same)})
    models.check_files("text", "transformers:/own", same)
    models.check_card("text", "transformers:/own", replace(CARD, name="transformers:/own", revision="main"))
    for field in ("weights_sha256", "files_sha256", "modality", "precision", "decoding"):
        with pytest.raises(RefusedError, match=f"transformers:/own is not the one.*: {field} differ"):
            models.check_files("text", "transformers:/own", replace(same, **{field: "other"}))
    for field, value in (("dim", 1), ("token_dim", 1), ("preprocessing", {"size": [4]})):
        with pytest.raises(RefusedError, match=f"{field} differ"):
            models.check_card("text", "transformers:/own", replace(CARD, **{field: value}))


def test_releases_of_earlier_versions_decoded_every_picture_in_full(tmp_path: Path) -> None:
    for decoding, in_full in ((None, {"text"}), ("full", {"text"}), ("reduced-1", set()), (["x"], set())):
        identity = {"model": "a/b"} if decoding is None else {"model": "a/b", "decoding": decoding}
        models = named(tmp_path, CARD.name, identities={"text": identity})
        assert models.decoded_in_full() == in_full


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.builds(
    "{}:{}".format,
    st.sampled_from(["given", "transformers", "open_clip", "packaged", "none", ""]),
    st.text(alphabet="ab./~@:\\-\0é ", max_size=8) | st.sampled_from(["local-dir:a", "a/b", "a@b"]),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_extractors_json_is_read_or_an_error_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    card = asdict(CARD) | {"name": data.draw(NAMES)}
    card |= data.draw(st.dictionaries(st.sampled_from([*card]), PLAIN, max_size=2))
    key = data.draw(st.sampled_from(["text", "text", "image", "../x"]))
    content = data.draw(st.just({key: card}) | PLAIN | st.binary(max_size=20))
    folder = tmp_path_factory.getbasetemp() / "any extractors"
    folder.mkdir(exist_ok=True)
    keys = st.sampled_from(["precision", "catalogue", "identities"])
    says = data.draw(st.dictionaries(keys, PLAIN, max_size=1))
    try:
        models = ReleasedModels.of(released(folder, content, **says))
        names = models.names({})
    except AlignRecError as error:
        assert str(error)
    else:
        assert set(names) <= {"text", "image"}
        assert not any(part in name for name in names.values() for part in ("..", "/a/", "~", ":/"))
    assert EXTRACTORS == "encoder/extractors.json"
