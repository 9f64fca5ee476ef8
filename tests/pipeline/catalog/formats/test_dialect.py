from __future__ import annotations

import pytest

from alignrec.pipeline.catalog.formats.dialect import Dialect, find_dialect, find_fault, tab_dialect


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], Dialect(",")),
        (["id"], Dialect(",")),
        (["id,t", "1,a"], Dialect(",")),
        (["id;t", "1;4,5"], Dialect(";")),
        (["id;a, b;t", "1;a;b"], Dialect(";")),
        (["id,a;b;c", "1,x"], Dialect(",")),
        (["id|t", "1|a"], Dialect("|")),
        (["id\tt", "1\ta"], Dialect("\t", quotes=False)),
        (['"id"\t"t"', '"1"\t"a"'], Dialect("\t")),
        (['"a;b",c', "1,2"], Dialect(",")),
        (["sep=;", "a,b;c", "1,2;3"], Dialect(";", skipped=1)),
        (["SEP=,\r", "a;b,c", "1;2,3"], Dialect(",", skipped=1)),
        (['"sep=|"', "", "a|b"], Dialect("|", skipped=1)),
        (["sep=\t", 'a\t"b"'], Dialect("\t", quotes=False, skipped=1)),
        (["sep=\t", '"a"\t"b"'], Dialect("\t", skipped=1)),
        (["sep=;"], Dialect(";", skipped=1)),
        (["sep=x", "1"], Dialect(",")),
        (["sep=;b", "1;2"], Dialect(";")),
    ],
)
def test_the_separator_makes_rows_of_equal_length(lines: list[str], expected: Dialect) -> None:
    assert find_dialect([line + "\n" for line in lines]) == expected


def test_tabs_leave_quotes_alone_unless_every_name_has_them() -> None:
    assert [tab_dialect(header).quotes for header in ('"a"\t"b"\n', '"a"\tb\n', "a", "")] == [
        *(True, False, False, False)
    ]


def test_the_first_fault_is_named_with_the_line_its_row_begins_on() -> None:
    lines = ["a,b\r\n", "\r\n", '1,"x\r\n', 'y"\r\n', "2\r\n", "3\r\n"]
    fault = find_fault(Dialect(","), iter(lines), ["a", "b"])
    assert fault is not None and fault.startswith("line 5: expected 2 fields, got 1: '2'.")
    assert find_fault(Dialect(","), iter(lines[:4]), ["a", "b"]) is None
