from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from alignrec.pipeline.runner.arrow_files import read_arrow, table_sha256, write_arrow


def test_the_bytes_of_a_table_do_not_depend_on_its_chunks(tmp_path: Path) -> None:
    whole = pa.table({"id": ["a", None, "c"], "n": [1.0, 2.0, None]})
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    write_arrow(whole, tmp_path / "whole.arrow")
    write_arrow(parts, tmp_path / "parts.arrow")
    data = (tmp_path / "whole.arrow").read_bytes()
    assert (tmp_path / "parts.arrow").read_bytes() == data
    assert table_sha256(whole) == table_sha256(parts) == hashlib.sha256(data).hexdigest()
    assert read_arrow(tmp_path / "parts.arrow").equals(whole)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["parts.arrow", "whole.arrow"]
