from __future__ import annotations

from pathlib import Path

import datasets

from alignrec.pipeline.commands.detect.tables import FoundTable, join, table_of_source, tables_below

IDS = [f"0{n}" for n in range(30)]


def _write(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n")


def _found(folder: Path) -> dict[str, FoundTable]:
    return {one.path: one for one in tables_below(folder)[0]}


def test_tables_of_a_folder_and_why_one_is_not_read(tmp_path: Path) -> None:
    _write(tmp_path / "items.csv", "sku,title", [f"{n},thing {n}" for n in IDS])
    (tmp_path / "broken.jsonl").write_text("{")
    parts = {
        "items": datasets.Dataset.from_dict({"sku": ["a"]}),
        "log": datasets.Dataset.from_dict({"u": ["b"]}),
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    found, unreadable = tables_below(tmp_path)
    assert [one.path for one in found] == ["saved#items", "saved#log", "items.csv"]
    assert len(unreadable) == 1 and unreadable[0].startswith("broken.jsonl was not read: ")
    assert found[2].ids("sku") == set(IDS) and found[2].id is not None and found[2].id.name == "sku"


def test_a_log_is_joined_by_what_its_columns_hold(tmp_path: Path) -> None:
    rows = [f"{n},u{n % 17},{IDS[n % 30]},{n % 5}" for n in range(120)]
    _write(tmp_path / "events.csv", "event,who,what,where", rows)
    joined = join(_found(tmp_path)["events.csv"], set(IDS), "sku")
    assert joined is not None and (joined.user.name, joined.item.name, joined.share) == ("who", "what", 1)
    assert join(_found(tmp_path)["events.csv"], {"x"}, "sku") is None


def test_numbers_that_are_ids_of_users_ratings_and_items_are_told_apart(tmp_path: Path) -> None:
    rows = [f"{n % 20},{n % 30},{n % 5 + 1}" for n in range(200)]
    _write(tmp_path / "log.csv", "user_id,item_id,rating", rows)
    joined = join(_found(tmp_path)["log.csv"], {str(n) for n in range(30)}, "item_id")
    assert joined is not None and (joined.user.name, joined.item.name) == ("user_id", "item_id")


def test_a_second_table_about_the_same_items_is_no_log(tmp_path: Path) -> None:
    _write(tmp_path / "prices.csv", "sku,price,shop", [f"{n},9,s{n[-1]}" for n in IDS])
    assert join(_found(tmp_path)["prices.csv"], set(IDS), "sku") is None


def test_names_say_that_a_table_without_items_is_a_log(tmp_path: Path) -> None:
    _write(tmp_path / "log.csv", "user_id,item_id", [f"u{n % 3},{n % 5}" for n in range(30)])
    _write(tmp_path / "shop.csv", "item_id,title,user_id", [f"{n},thing {n},u{n[-1]}" for n in IDS])
    assert {path: one.is_log for path, one in _found(tmp_path).items()} == {
        "log.csv": True,
        "shop.csv": False,
    }


def test_interactions_of_a_source(tmp_path: Path) -> None:
    (tmp_path / "a.inter").write_text("userID\titemID\tx_label\n0\t0\t0\n")
    (tmp_path / "i_id_mapping.csv").write_text("asin\titemID\nB1\t0\n")
    assert table_of_source("mmrec:.", tmp_path).ids("item_id") == {"B1"}


def test_columns_that_were_not_looked_at_are_counted(tmp_path: Path) -> None:
    header = ",".join(["item_id", "title", *(f"c{n}" for n in range(1500))])
    (tmp_path / "items.csv").write_text(header + "\n" + ",".join(["x"] * 1502) + "\n")
    (only,), notes = tables_below(tmp_path)
    assert [c.name for c in only.columns][:2] == ["item_id", "title"]
    assert notes == ["Of items.csv, the first 200 of 1,502 columns were looked at."]
