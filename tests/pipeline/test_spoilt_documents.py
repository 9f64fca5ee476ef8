"""Manifests, cards, results and configs that are spoilt: they are read, or are one of our errors."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.documents import parse_front_matter
from alignrec.core.names import check_name
from alignrec.core.results import Results
from alignrec.core.sealed import seal_json
from alignrec.export.hub.card import render_card
from alignrec.export.hub.release_note import note_bytes, read_note
from alignrec.export.hub.repository import HubRepo
from alignrec.export.hub.versions import Version
from alignrec.export.hub.withdrawn import Withdrawal, parse_withdrawn, withdrawn_bytes
from alignrec.export.release.manifest import Manifest, SetEntry, describe_file
from alignrec.export.release.parquet import read_parts, write_parts
from alignrec.export.release.scores import scores_of
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.stages.evaluate.tables import results_tables
from tests.export.release.cases import make_release, make_set
from tests.pipeline.spoilt import EDITS, FUZZ, Edit, edited, only_ours, spoilt_json


@cache
def sound_release() -> tuple[Path, Manifest]:
    """A release, and its manifest."""
    import tempfile

    folder = make_release(Path(tempfile.mkdtemp(prefix="alignrec-fuzz-")) / "r")
    return folder, Manifest.read(folder)


@FUZZ
@given(st.data())
def test_manifests(data: st.DataObject) -> None:
    _, manifest = sound_release()
    spoilt = data.draw(spoilt_json(manifest.to_bytes()))
    only_ours(lambda: Manifest.from_bytes(spoilt))
    with suppress(ValueError, TypeError, AttributeError):  # as a publisher would who seals what is spoilt
        resealed = seal_json({k: v for k, v in json.loads(spoilt).items() if k != "sha256"})
        only_ours(lambda: render(Manifest.from_bytes(resealed)))


def render(manifest: Manifest) -> None:
    for name in manifest.sets:
        assert check_name(name)
    assert Manifest.from_bytes(manifest.to_bytes()) == manifest
    render_card("team/features", "1.0.0", manifest, {})


@FUZZ
@given(spoilt_json(note_bytes(Version(1, 0, 0), "ab" * 32, None)))
def test_release_notes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "release.json").write_bytes(data)
    repo = SimpleNamespace(name="team/features", document=lambda *_: tmp_path / "release.json")
    only_ours(lambda: read_note(cast(HubRepo, repo), "c" * 40, cast(Any, None)))


WITHDRAWN = withdrawn_bytes(
    {f"1.0.{n}": Withdrawal("wrong images", "2026-01-02", "a" * 40) for n in range(3)}
)


@FUZZ
@given(spoilt_json(WITHDRAWN))
def test_lists_of_withdrawn_versions(data: bytes) -> None:
    _, manifest = sound_release()
    only_ours(lambda: render_card("team/features", "1.0.0", manifest, parse_withdrawn(data)))


CARD = (
    b"---\nlicense: mit\nlanguage: [en, &a de]\nconfigs:\n- config_name: x\n  data_files: y\n"
    b"tags: {b: *a}\n---\n# Title\n\n<!-- alignrec: begin -->\nold\n<!-- alignrec: end -->\nText.\n"
)


@FUZZ
@given(st.builds(edited, st.just(CARD), EDITS))
def test_cards(card: bytes) -> None:
    _, manifest = sound_release()
    only_ours(lambda: parse_front_matter(card))
    only_ours(lambda: render_card("team/features", "1.0.0", manifest, {}, card))


def _record(**changed: object) -> dict[str, object]:
    record = {"protocol": "zero-shot", "subject": "text", "metric": "recall", "k": 20, "split": "test"}
    return record | {"value": 0.1, "low": 0.05, "high": 0.2, "seed": 1} | changed


METRICS = json.dumps(
    {
        "format": 1,
        "definitions": {"recall": "x"},
        "records": [_record(), _record(aggregate="mean", seed=None), _record(against="text", share=0.5)],
    }
).encode()


@FUZZ
@given(spoilt_json(METRICS))
def test_evaluations(data: bytes) -> None:
    _, manifest = sound_release()

    def show() -> None:
        results = Results.parse(data)
        scores_of(results)
        results_tables(results)
        render_card("team/features", "1.0.0", manifest, {}, metrics=data)

    only_ours(show)


CONFIG = b"""name: shop
seed: 3
catalog:
  items: {path: items.csv, id: item_id, image: null, text: "{title}. {brand}"}
  interactions: {path: log.csv, rating: stars, min_rating: 4.0, time_format: "%d.%m.%Y"}
split: {method: temporal, ratios: &r [0.8, 0.1, 0.1], k_core: 2}
evaluate: {k: [5, 10], seeds: [1, 2]}
export: {license: mit, sets: [text, aligned]}
"""


@FUZZ
@given(st.builds(edited, st.just(CONFIG), EDITS), st.text(max_size=12) | st.sampled_from(["a=[", "seed=*x"]))
def test_configs(tmp_path: Path, data: bytes, override: str) -> None:
    path = tmp_path / "alignrec.yaml"
    path.write_bytes(data)
    only_ours(lambda: load_config(path))
    only_ours(lambda: load_config(path, [override]))


@FUZZ
@given(EDITS)
def test_parts_of_a_release(tmp_path: Path, edits: list[Edit]) -> None:
    features = make_set()
    (path,) = write_parts(features, tmp_path)
    entry = SetEntry(dim=7, rows=5, valid=4)
    path.write_bytes(edited(path.read_bytes(), edits))
    listed = describe_file(tmp_path, path, 5)  # sealed by a publisher who spoilt it first
    only_ours(lambda: read_parts("image", entry, [(listed, path)]))
