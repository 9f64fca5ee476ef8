"""Files that strangers write, spoilt in every way that chance finds: they are read, or are one of our errors.

Each parser is given a sound file with bytes changed, cut, doubled and put in, and, where it is JSON, with any
value in the place of any other. A hang, an exhausted memory or an exception of another library is a fault.
The examples are the same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignrec.core.documents import parse_front_matter
from alignrec.core.errors import AlignRecError
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
from alignrec.extractors.modality import AUDIO
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.rankings import read_rankings
from alignrec.pipeline.catalog.sources.source import open_interactions, open_items
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.config.catalog import CatalogConfig, InteractionsConfig, ItemsConfig
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import SplitConfig
from alignrec.pipeline.stages import split
from alignrec.pipeline.stages.evaluate.tables import results_tables
from tests.export.release.cases import make_release, make_set

FUZZ = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What has meaning in one of the formats, or had in an attack.
TOKENS = [
    *(b'"', b"'", b",", b"\t", b"\n", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"{", b"}", b"[", b"]", b"---", b"---\n", b"&a ", b"*a", b"<<: ", b"!!python/object:os.system x"),
    *(b"[" * 3000, b'{"a":' * 3000, b"- " * 2000, b"9" * 5000, b"x," * 2000),
    *(b"1e999", b"NaN", b"-1", b"null", b"true", b"\\ud800", b"2024-99-99", b"PAR1"),
    *(b"../../x", b"/etc/passwd", b"\x1b[2J", b"\xe2\x80\xae"),
    *(b"<!-- alignrec: begin -->", b"<!-- alignrec: end -->"),
]
Edit = tuple[float, str, bytes]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(["flip", "cut", "end", "double", "put"]),
        st.sampled_from(TOKENS) | st.binary(min_size=1, max_size=4),
    ),
    max_size=4,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, -1, 2**64, "../x", "\x1b[2J", "x" * 5000, "NaN", "9" * 5000, "..", "con"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def edited(data: bytes, edits: list[Edit]) -> bytes:
    """Bytes after a few changes, each at a share of their length."""
    for share, how, token in edits:
        place = int(share * len(data))
        rest = data[place:]
        if how == "flip" and rest:
            rest = bytes([rest[0] ^ (token[0] or 1)]) + rest[1:]
        elif how == "cut":
            rest = rest[len(token) :]
        elif how == "end":
            rest = b""
        elif how == "double":
            rest = rest[:40] + rest
        else:
            rest = token + rest
        data = data[:place] + rest
    return data


def replaced(value: Any, path: list[int], new: Any) -> Any:
    """A JSON value with another one somewhere inside it, or a key more."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    if isinstance(value, list):
        place = path[0] % len(value)
        return [*value[:place], replaced(value[place], path[1:], new), *value[place + 1 :]]
    key = list(value)[path[0] % len(value)]
    return value | {key: replaced(value[key], path[1:], new)}


PATHS = st.lists(st.integers(0, 20), max_size=5)


def only_ours(parse: Callable[[], object]) -> None:
    """Let a parser read what it can; what it raises is ours, of one reason, and can be printed."""
    with suppress(AlignRecError):
        try:
            parse()
        except AlignRecError as error:
            assert 0 < len(str(error)) < 4_000
            str(error).encode()
            raise


@cache
def sound_release() -> tuple[Path, Manifest]:
    """A release, and its manifest."""
    import tempfile

    folder = make_release(Path(tempfile.mkdtemp(prefix="alignrec-fuzz-")) / "r")
    return folder, Manifest.read(folder)


def spoilt_json(sound: bytes) -> st.SearchStrategy[bytes]:
    """A JSON document, its bytes changed or a value of it replaced."""
    value = json.loads(sound)
    other = st.builds(lambda path, new: replaced(value, path, new), PATHS, VALUES)
    return st.builds(edited, st.just(sound), EDITS) | other.map(lambda new: json.dumps(new).encode())


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


ROWS = {
    "item_id": ["a", "b", "ж", "d"],
    "user_id": ["u", "v", "u", "w"],
    "title": ["One", 'two "2"', "three, or 3", ""],
    "time": ["2024-01-02", "2024-02-03T04:05:06Z", "2024-03-04", "2024-05-06"],
    "rank": ["1", "2", "3", "4"],
}


def _lines(separator: str) -> bytes:
    rows = [list(ROWS), *zip(*ROWS.values(), strict=True)]
    quoted = ([f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in rows)
    return "".join(f"{separator.join(row)}\n" for row in quoted).encode()


def _parquet() -> bytes:
    out = BytesIO()
    pq.write_table(pa.table(ROWS), out)
    return out.getvalue()


OBJECTS = [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]
TABLES = {
    "csv": _lines(","),
    "tsv": _lines("\t"),
    "jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in OBJECTS),
    "parquet": _parquet(),
}


def read_as_all(path: Path) -> None:
    """Read a table as items, as interactions and as lists of recommendations."""
    items = ItemsConfig(path=str(path), image="title", text="{title}")
    only_ours(lambda: read_catalogue(items, FileHashes()))
    log = InteractionsConfig(path=str(path), timestamp="time")
    only_ours(lambda: read_interactions(log, ROWS["item_id"]))
    only_ours(lambda: read_rankings(path))


@pytest.mark.parametrize("ending", TABLES)
@FUZZ
@given(st.data())
def test_tables(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    path = tmp_path / f"table.{ending}"
    path.write_bytes(edited(TABLES[ending], data.draw(EDITS)))
    read_as_all(path)


WAVES = VALUES | st.fixed_dictionaries(
    {"array": VALUES | st.lists(st.floats(width=32)), "sampling_rate": VALUES}
)


@FUZZ
@given(st.lists(WAVES, min_size=1, max_size=4))
def test_cells_of_sounds_with_any_value(tmp_path: Path, cells: list[Any]) -> None:
    file = tmp_path / "table.jsonl"
    file.write_text("".join(f"{json.dumps({'item_id': str(n), 'a': one})}\n" for n, one in enumerate(cells)))
    config = CatalogConfig.model_validate(
        {"items": {"path": str(file)}, "modalities": {"a": {"type": "audio", "columns": "a"}}}
    )

    def read() -> None:
        catalogue = read_catalogue(config.items, FileHashes(), config.modalities)
        listed = {(one.row, one.part): one.digest for one in catalogue.inputs["a"] if one.value is None}
        held = {(row, part): data for row, part, data in catalogue.embedded(["a"], 0, len(cells), AUDIO)}
        assert {place: sha256(held[place]).hexdigest() for place in listed} == listed

    only_ours(read)


@FUZZ
@given(PATHS, VALUES, st.integers(0, 3))
def test_rows_of_json_lines_with_any_value(tmp_path: Path, path: list[int], new: Any, place: int) -> None:
    rows: list[Any] = [*OBJECTS[:place], replaced(OBJECTS[place], path or [0], new), *OBJECTS[place + 1 :]]
    file = tmp_path / "table.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    read_as_all(file)


FLAGS = "|".join("1" if n in (3, 4) else "0" for n in range(19)).encode()
# Of each published catalogue its files; the first are the items, the last the interactions.
PUBLISHED = {
    "amazon-2018": {
        "meta.json": b'{"asin": "1", "title": "One", "category": ["a", ["b"]], "brand": "x"}\n',
        "reviews.json": b'{"asin": "1", "reviewerID": "u", "overall": 5.0, "unixReviewTime": 1500000000}\n',
    },
    "amazon-2014": {
        "meta.json": b"{'asin': '1', 'title': 'One', 'categories': [['a', 'b']], 'imUrl': 'x'}\n",
        "reviews.json": b'{"asin": "1", "reviewerID": "u", "overall": 5.0, "unixReviewTime": 1500000000}\n',
    },
    "movielens": {
        "movies.csv": b'movieId,title,genres\r\n1,"Toy Story, The (1995)",Animation|Comedy\r\n',
        "ratings.csv": b"userId,movieId,rating,timestamp\r\n196,1,3.5,881250949\r\n",
    },
}
PUBLISHED["movielens-100k"] = {
    "u.item": b"1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/x|" + FLAGS + b"\n",
    "u.data": b"196\t1\t3\t881250949\n",
}
DENSE = {
    "a.inter": b"userID\titemID\trating\ttimestamp\tx_label\n0\t0\t1\t5\t0\n1\t1\t1\t5\t2\n",
    "i_id_mapping.csv": b"asin\titemID\na\t0\nb\t1\n",
    "u_id_mapping.csv": b"user_id\tuserID\nu\t0\nv\t1\n",
}


def all_rows(table: Table) -> list[Row]:
    """Every row of a table, with all of its columns."""
    return list(table.rows(table.columns))


@pytest.mark.parametrize("source", PUBLISHED)
@FUZZ
@given(EDITS, st.booleans())
def test_published_catalogues(tmp_path: Path, source: str, edits: list[Edit], first: bool) -> None:
    (items, metadata), (log, reviews) = PUBLISHED[source].items()
    (tmp_path / items).write_bytes(edited(metadata, edits) if first else metadata)
    (tmp_path / log).write_bytes(reviews if first else edited(reviews, edits))
    scheme = source.removesuffix("-100k")
    only_ours(lambda: all_rows(open_items(f"{scheme}:{tmp_path / items}", tmp_path)))
    only_ours(lambda: all_rows(open_interactions(f"{scheme}:{tmp_path / log}")))


@FUZZ
@given(EDITS, st.sampled_from(list(DENSE)))
def test_dense_ids_and_their_maps(tmp_path: Path, edits: list[Edit], spoilt: str) -> None:
    for name, data in DENSE.items():
        (tmp_path / name).write_bytes(edited(data, edits) if name == spoilt else data)
    only_ours(lambda: all_rows(open_items(f"mmrec:{tmp_path}", tmp_path)))
    only_ours(lambda: all_rows(open_interactions(f"mmrec:{tmp_path}")))
    paths = {key: tmp_path / name for key, name in zip(("path", "items", "users"), DENSE, strict=True)}
    only_ours(lambda: split._read(SplitConfig(method="mmrec", **paths), ["a", "b"], {"a": 0, "b": 1}))


def test_a_dense_id_beyond_any_table_takes_no_memory(tmp_path: Path) -> None:
    for name, data in DENSE.items():
        (tmp_path / name).write_bytes(data.replace(b"\n1\t1\t", b"\n1\t100000000000000000\t"))
    paths = {key: tmp_path / name for key, name in zip(("path", "items", "users"), DENSE, strict=True)}
    with pytest.raises(AlignRecError, match="has no id for 99,999,999,999,999,999 of the numbers"):
        split._read(SplitConfig(method="mmrec", **paths), ["a", "b"], {"a": 0, "b": 1})


def test_fields_without_end_are_one_error(tmp_path: Path) -> None:
    """A field may have 131,072 characters, by the limit of Python's csv."""
    long = b"9" * 200_000
    for name, data in DENSE.items():
        (tmp_path / name).write_bytes(data)
    for name in DENSE:
        (tmp_path / name).write_bytes(
            DENSE[name].replace(b"\n1\t", b"\n" + long + b"\t", 1) + long + b"\t1\n"
        )
        with pytest.raises(AlignRecError) as caught:
            all_rows(open_interactions(f"mmrec:{tmp_path}"))
        assert len(str(caught.value)) < 4000
        (tmp_path / name).write_bytes(DENSE[name])
    (tmp_path / "movies.csv").write_bytes(b"movieId,title,genres\n1," + long + b",x\n")
    with pytest.raises(AlignRecError, match="field larger than field limit"):
        all_rows(open_items(f"movielens:{tmp_path}/movies.csv", tmp_path))


def test_half_a_surrogate_pair_is_no_time_and_a_thousand_columns_make_no_page(tmp_path: Path) -> None:
    """What chance has found."""
    half = TABLES["jsonl"].replace(b"2024-02-03", b"2024\\ud800")
    for name, data in (("a.jsonl", half), ("b.csv", b"x," * 20_000 + TABLES["csv"])):
        (tmp_path / name).write_bytes(data)
        read_as_all(tmp_path / name)


@FUZZ
@given(EDITS)
def test_parts_of_a_release(tmp_path: Path, edits: list[Edit]) -> None:
    features = make_set()
    (path,) = write_parts(features, tmp_path)
    entry = SetEntry(dim=7, rows=5, valid=4)
    path.write_bytes(edited(path.read_bytes(), edits))
    listed = describe_file(tmp_path, path, 5)  # sealed by a publisher who spoilt it first
    only_ours(lambda: read_parts("image", entry, [(listed, path)]))
