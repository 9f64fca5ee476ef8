from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.catalog.formats.json_lines import open_json_lines


def test_objects_with_keys_of_their_own_make_one_table(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"b": [1, "x"], "a": "1"}\n{"c": {"d": null}, "a": 1.5}\n')
    table = open_json_lines(path)
    assert table.columns == ("a", "b", "c")
    assert list(table.rows(["c", "a", "b"])) == [
        {"c": None, "a": 1, "b": None},
        {"c": None, "a": "1", "b": [1, "x"]},
        {"c": {"d": None}, "a": 1.5, "b": None},
    ]
