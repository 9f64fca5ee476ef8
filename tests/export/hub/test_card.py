"""The dataset card: metadata, tables, and values that try to break out."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt
from PIL import Image

from alignrec.core.documents import parse_front_matter
from alignrec.core.results import ResultsError
from alignrec.export import ReleaseError, verify_folder, write_release
from alignrec.export.hub.card import BEGIN, END, render_card
from alignrec.export.hub.withdrawn import Withdrawal
from alignrec.export.release.manifest import Manifest
from tests.export.hub_cases import SETS, features, make_release

REPO = "team/features"


def test_every_set_is_a_configuration(manifest: Manifest) -> None:
    card = DatasetCard(render_card(REPO, "1.2.0", manifest, {}))
    configs = {entry["config_name"]: entry for entry in card.data.to_dict()["configs"]}
    assert {name: entry["data_files"] for name, entry in configs.items()} == {
        name: f"data/{name}/*.parquet" for name in SETS
    }
    assert [name for name, entry in configs.items() if entry.get("default")] == ["multimodal"]
    assert card.data.license == "cc-by-4.0"


def test_the_page_says_what_is_needed(manifest: Manifest) -> None:
    text = render_card(REPO, "1.2.0", manifest, {})
    for needed in (
        "| `image` | `item_id` | 8 | 20 | 16 | an item's picture, as a frozen image model sees it |",
        'load_features("team/features", "multimodal", version="1.2.0")',
        'revision="v1.2.0"',
        manifest.release_id,
        "| extract.image | packaged:efficientnet-lite0 |",
        "2403.12384",
        "@software{alignrec,",
        "author  = {{The AlignRec contributors}},",
        "Licence: cc-by-4.0",
    ):
        assert needed in text
    assert "Withdrawn" not in text


def test_the_verdict_leads_and_long_tables_are_folded(manifest: Manifest) -> None:
    metrics = json.dumps({"records": [_record("image", 0.1), _record("text", 0.2)]}).encode()
    text = render_card(REPO, "1.2.0", manifest, {}, metrics=metrics)
    order = ("## What it is worth", "## Intended use and limits", "## How to load", "## Feature sets")
    places = [text.index(heading) for heading in (*order, "## Provenance")]
    assert places == sorted(places)
    folded = re.findall(r"<details>\n<summary>(.*?)</summary>\n\n(.*?)\n</details>", text, re.DOTALL)
    assert [name for name, _ in folded] == ["All features and landmarks", "Settings, models and software"]
    assert all("| --- |" in table for _, table in folded)
    assert "Not measured: this release has no evaluation." in render_card(REPO, "1.2.0", manifest, {})


def test_sets_that_have_seen_interactions_say_which(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "r", sets={"image": 4, "content": 4, "aligned": 4})
    text = render_card(REPO, "1.2.0", manifest, {})
    old = "`content`, `aligned` learned from interactions, and this release does not say from which."
    assert old in text
    entry = {"rule": "a | rule", "interactions": 4385, "held_out": 0, "last": None}
    learned = {"aligned": entry, "content": entry | {"held_out": 2, "rule": "part"}}
    provenance = manifest.provenance | {"learned_from": learned}
    text = render_card(REPO, "1.2.0", manifest.model_copy(update={"provenance": provenance}), {})
    assert "`aligned` learned from all 4,385 interactions (a \\| rule); nothing was held out" in text
    assert "`content` learned from 4,385 interactions (part); 2 were held out." in text
    assert "| learned_from" not in text and old not in text
    alone = make_release(tmp_path / "raw", sets={"image": 4})
    assert "learned from" not in render_card(REPO, "1.2.0", alone, {})


def test_withdrawn_versions_are_named(manifest: Manifest) -> None:
    gone = {"1.0.0": Withdrawal("bad | images", "2026-01-02", "0" * 40)}
    assert "> - **1.0.0** (2026-01-02): bad \\| images" in render_card(REPO, "1.2.0", manifest, gone)


def test_values_cannot_break_out(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "r")
    hostile = f"a | b\n{END}\n---\n# no\n<script>{'x' * 500}"
    manifest = manifest.model_copy(
        update={"provenance": {"licence": "mit", "name": hostile, "n": [{"a": 1}]}}
    )
    text = render_card(REPO, "1.0.0", manifest, {})
    assert text.count(END) == 1
    assert "<script>" not in text
    assert max(map(len, text.splitlines())) < 400
    assert "| n.0.a | 1 |" in text


def test_nothing_of_others_is_live_in_the_page(tmp_path: Path) -> None:
    hostile = "![](http://t.example/x.png)[a](http://b.example)<img src=http://c.example>\n\n![z](d.png) `|"

    def page(value: str) -> str:
        manifest = make_release(tmp_path / "r").model_copy(
            update={
                "provenance": {
                    "licence": value,
                    value: {value: [value]},
                    "extractors": {value: {"name": value}},
                    "software": {"alignrec": value},
                }
            }
        )
        record = _record(value, 0.1, protocol=value)
        withdrawn = {"1.0.0": Withdrawal(value, value, value)}
        metrics = json.dumps({"records": [record]}).encode()
        _, text = parse_front_matter(
            render_card(REPO, "1.2.0", manifest, withdrawn, metrics=metrics).encode()
        )
        return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))

    def parts(page: str) -> list[str]:
        return re.findall(r"<[^>]*>", page)

    # The same elements, down to their attributes, as where every value is a word.
    assert parts(page(hostile)) == parts(page("word"))
    assert "http://" in page(hostile)  # as words


def test_rendering_again_changes_only_our_part(manifest: Manifest) -> None:
    first = render_card(REPO, "1.0.0", manifest, {}, b"---\nlanguage: [en]\n---\nBefore.\n")
    edited = first.replace(BEGIN, f"Above.\n{BEGIN}")
    again = render_card(REPO, "1.1.0", manifest, {}, edited.encode())
    assert again.index("Above.") < again.index(BEGIN) < again.index(END) < again.index("Before.")
    assert "**1.1.0**" in again
    assert "**1.0.0**" not in again
    assert yaml.safe_load(again.split("---\n")[1])["language"] == ["en"]
    assert render_card(REPO, "1.1.0", manifest, {}, again.encode()) == again


@pytest.mark.parametrize(
    ("card", "kept", "text"),
    [
        (b"Only text.\n", {}, "Only text.\n"),
        (b"", {}, ""),
        (b"---\r\nlanguage: [en]\r\n---\r\nOne.\r\nTwo.\r\n", {"language": ["en"]}, "One.\r\nTwo.\r\n"),
        (b"\xef\xbb\xbf---\nlanguage: [en]\n---\nBehind a mark.\n", {"language": ["en"]}, "Behind a mark.\n"),
        (b"---  \nno metadata: 1\n", {}, "---  \nno metadata: 1\n"),
        (b"---\n# a comment\n---\nNothing else.\n", {}, "Nothing else.\n"),
        (b"---\na: null\nb: {c: [1, 2]}\nd: 2024-01-02\n---\n", {"a": None, "b": {"c": [1, 2]}}, ""),
        (b"---\na: 1\n---\nText\n\n---\n\nbelow a rule.\n", {"a": 1}, "Text\n\n---\n\nbelow a rule.\n"),
    ],
)
def test_what_others_wrote_is_kept(
    manifest: Manifest, card: bytes, kept: dict[str, object], text: str
) -> None:
    written = render_card(REPO, "1.0.0", manifest, {}, card)
    head, _, body = written.removeprefix("---\n").partition("\n---\n")
    metadata = yaml.safe_load(head)
    assert {name: metadata[name] for name in kept} == kept and metadata["license"] == "cc-by-4.0"
    assert body.startswith(BEGIN)
    assert body.partition(f"{END}\n")[2].strip() == text.strip()
    assert ("d" in metadata) == (b"d: 2024" in card)


def test_line_ends_of_another_system_do_not_grow(manifest: Manifest) -> None:
    first = render_card(REPO, "1.0.0", manifest, {}, b"---\r\na: 1\r\n---\r\nText.\r\n")
    edited = first.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    second = render_card(REPO, "1.0.0", manifest, {}, edited)
    assert "".join(second.split()) == "".join(first.split())
    assert len(second.splitlines()) == len(first.splitlines())


@pytest.mark.parametrize(
    "card",
    [
        b"---\n[a, b]\n---\nx",
        b"---\na: [\n---\nx",
        b"---\n1: a\n---\nx",
        b"---\na: 2024-99-99\n---\nx",
        b"---\na: !!python/object:os.system x\n---\nx",
        b"---\na: !!int ''\n---\nx",
        b"---\na: !!timestamp x\n---\nx",
        b"---\na: " + b"[" * 5000 + b"\n---\nx",
        b"---\n" + b"a: " + b"9" * 5000 + b"\n---\nx",
        b"---\na: &a [x, x]\n"
        + b"".join(b"%c: &%c [*%c, *%c, *%c]\n" % (n + 1, n + 1, n, n, n) for n in range(97, 121))
        + b"---\nx",
        b"---\n" + b"# x\n" * 100_000 + b"---\nx",
        b"\xff\xfe",
        b"---\na: \xff\n---\n",
    ],
    ids=range(13),
)
def test_a_card_that_cannot_be_read_is_not_overwritten(manifest: Manifest, card: bytes) -> None:
    with pytest.raises(ReleaseError, match=r"README\.md cannot be kept: .*Correct it first") as caught:
        render_card(REPO, "1.0.0", manifest, {}, card)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "body",
    ["---" + "\n" * 300_000, "---\n" + "\r\n" * 300_000 + "--", BEGIN * 40_000, "\n" * 300_000, END * 40_000],
    ids=range(5),
)
def test_a_card_takes_no_longer_than_it_is_long(manifest: Manifest, body: str) -> None:
    began = time.process_time()
    assert END in render_card(REPO, "1.0.0", manifest, {}, body.encode())
    assert time.process_time() - began < 5  # of work that grew with the square it would be minutes


def test_the_page_says_what_to_use_for_what(manifest: Manifest) -> None:
    def rows(*values: tuple[str, float]) -> list[dict[str, object]]:
        return [
            _record(name, value, protocol="item-cf", split=split)
            for name, value in values
            for split in ("valid", "test")
        ]

    metrics = json.dumps({"records": rows(("text", 0.2), ("a_b*c", 0.1))}).encode()
    text = render_card(REPO, "1.2.0", manifest, {}, metrics=metrics)
    assert "- **Similar items**: use text, no surer than a_b\\*c. On validation text has the highest" in text
    assert "- **New items**: not measured." in text and "- **A ranker's input**: not measured." in text
    assert "Similar items" not in render_card(REPO, "1.2.0", manifest, {})


def test_what_modalities_tell_of_one_another_stands_in_the_page(manifest: Manifest) -> None:
    numbers = {"items": 40, "explained": 0.25, "found_1": 0.1, "found_10": 0.5, "median_rank": 9.5}
    row = {"given": "a|b", "wanted": "text", "sure": True, **numbers}
    metrics = {"alignment": {"sentence": "in 1 of 2 *directions*", "directions": [row] * 15}}
    text = render_card(REPO, "1.2.0", manifest, {}, metrics=json.dumps(metrics).encode())
    assert "\nIn 1 of 2 \\*directions\\*.\n" in text
    rows = [line for line in text.splitlines() if line.startswith("| a")]
    expected = "| a\\|b | text | 40 | 25.0% | 10.0% (2.5%) | 50.0% (25.0%) | 9.5 (20.5) |"
    assert rows == [expected] * 12, "no more than anybody reads"
    assert "3 more directions are in `metrics.json`." in text
    assert "one another?" not in render_card(REPO, "1.2.0", manifest, {})


def test_without_a_licence_there_is_no_card(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "r", licence=None)
    with pytest.raises(ReleaseError, match=r"export\.license"):
        render_card(REPO, "1.0.0", manifest, {})


def _record(subject: str, value: float, **more: object) -> dict[str, object]:
    plain = {
        "protocol": "zero-shot",
        "metric": "recall",
        "k": 20,
        "split": "test",
        "seed": None,
        "share": None,
    }
    bounds = {"low": value - 0.01, "high": value + 0.01, "aggregate": None, "against": None}
    return {"subject": subject, "value": value, **plain, **bounds, **more}


EVALUATION = json.dumps(
    {
        "records": [
            _record("text, centred", 0.11),
            _record("multimodal", 0.2),
            _record("multimodal", 0.09, metric="ndcg"),
            _record("multimodal", 0.1, k=10),
            _record("multimodal", 0.3, split="valid"),
            _record("multimodal", 0.09, against="text, centred"),
            _record("multimodal", 0.05, protocol="mask-text", share=0.5),
            _record("aligned | x", 0.4, protocol="top-k", seed=1),
            _record("aligned | x", 0.5, protocol="top-k", seed=2),
            _record("aligned | x", 0.45, protocol="top-k", aggregate="mean"),
            _record("aligned | x", 0.07, protocol="top-k", aggregate="std"),
            _record("aligned without CCA", 0.4, protocol="top-k", seed=1),
            _record("aligned without CCA", 0.2, protocol="long-tail", seed=1),
            _record("aligned", 0.1, protocol="long-tail", seed=1),
        ]
    }
).encode()


def test_an_evaluation_becomes_a_table_and_a_chart(tmp_path: Path) -> None:
    sets = [features("image", 4)]
    manifest = write_release(tmp_path / "r", sets, [], {"licence": "mit"}, extractors={}, metrics=EVALUATION)
    text = render_card(REPO, "1.0.0", manifest, {}, metrics=EVALUATION)
    rows = [line for line in text.splitlines() if line.startswith(("| zero-shot", "| recomm", "| long"))]
    assert rows == [
        "| recommendation | aligned \\| x | 0.4500 ± 0.0700 | 0.4400 to 0.4600 |  |",
        "| recommendation | aligned without CCA | 0.4000 | 0.3900 to 0.4100 |  |",
        "| zero-shot | multimodal | 0.2000 | 0.1900 to 0.2100 | 0.0900 |",
        "| zero-shot | text, centred | 0.1100 | 0.1000 to 0.1200 |  |",
        # An ablation is listed once.
        "| long tail | aligned | 0.1000 | 0.0900 to 0.1100 |  |",
    ]
    assert "](chart.png)" in text and "± is the standard deviation over several trainings" in text
    verify_folder(tmp_path / "r")
    with Image.open(tmp_path / "r" / "chart.png") as chart:
        assert chart.format == "PNG" and chart.width > 600


def test_numbers_beside_sets_that_no_number_can_be_of_say_whose_they_are(tmp_path: Path) -> None:
    entry = {"rule": "the whole log", "interactions": 40, "held_out": 0, "last": None}
    texts = []
    for place, held_out in (("part", 4), ("all", 0)):
        provenance = {"licence": "mit", "learned_from": {"aligned": entry | {"held_out": held_out}}}
        sets = [features("aligned", 4)]
        manifest = write_release(tmp_path / place, sets, [], provenance, extractors={}, metrics=EVALUATION)
        texts.append(render_card(REPO, "1.0.0", manifest, {}, metrics=EVALUATION))
    assert ["No number here is of these very vectors" in text for text in texts] == [False, True]
    assert "for serving, and no interaction of this log can measure it" in texts[1]


def test_several_splits_have_a_table_of_their_own_and_decide_what_is_recommended(tmp_path: Path) -> None:
    words = {"splits": "2 random splits of the same interactions: the run's own, and another"}
    control = "aligned without content"
    own = [_record("aligned", 0.3, protocol="top-k"), _record(control, 0.2, protocol="top-k")]
    own.append(_record("aligned", 0.1, protocol="top-k", against=control))
    several = [dict(record, value=record["value"] / 2, low=-0.02, high=0.4) for record in own]
    metrics = json.dumps({"records": own}).encode()
    pooled = json.dumps({"records": several, "definitions": words}).encode()
    sets = [features("image", 4)]
    folder, licence = tmp_path / "r", {"licence": "mit"}
    manifest = write_release(folder, sets, [], licence, extractors={}, metrics=metrics, pooled=pooled)
    assert (folder / "pooled.json").read_bytes() == pooled
    verify_folder(folder)
    text = render_card(REPO, "1.0.0", manifest, {}, metrics=metrics, pooled=pooled)
    single = render_card(REPO, "1.0.0", manifest, {}, metrics=metrics)
    assert "2 random splits of the same interactions: the run's own, and another." in text
    row = "| recommendation | aligned | 0.1500 | -0.0200 to 0.4000 |  |"
    assert row in text and "| recommendation | aligned | 0.3000 |" in text and row not in single
    assert "use aligned: content helps" in single and "use aligned: content helps" not in text
    assert "`pooled.json` has every number" in text and "pooled.json" not in single
    with pytest.raises(ResultsError, match=r"pooled\.json is not an evaluation's metrics"):
        render_card(REPO, "1.0.0", manifest, {}, metrics=metrics, pooled=b"{")


def test_a_protocol_that_is_not_known_goes_by_its_name(manifest: Manifest) -> None:
    records = [_record("aligned", 0.3, protocol="top-k"), _record("aligned", 0.2, protocol="thin | <b>")]
    text = render_card(REPO, "1.0.0", manifest, {}, metrics=json.dumps({"records": records}).encode())
    rows = [line for line in text.splitlines() if " to " in line and line.startswith("|")]
    assert rows == [
        "| recommendation | aligned | 0.3000 | 0.2900 to 0.3100 |  |",
        "| thin \\| &lt;b> | aligned | 0.2000 | 0.1900 to 0.2100 |  |",
    ]


def test_damaged_metrics_are_named(manifest: Manifest) -> None:
    with pytest.raises(
        ResultsError, match=r"metrics\.json is not an evaluation's metrics: .*value of record 0"
    ):
        render_card(
            REPO,
            "1.0.0",
            manifest,
            {},
            metrics=json.dumps({"records": [_record("a", 1) | {"value": "x"}]}).encode(),
        )


def test_a_release_without_evaluation_has_no_chart(manifest: Manifest) -> None:
    assert "chart" not in render_card(REPO, "1.0.0", manifest, {}, metrics=b'{"format": 1}')
    assert all(entry.path != "chart.png" for entry in manifest.files)
