"""Precisions by name, and what a machine says that it has instructions for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from alignrec.extractors import precision
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.precision import check_precision, has_bfloat16

X86 = "processor\t: 0\nflags\t\t: fpu avx2 {}\n\nprocessor\t: 1\nflags\t\t: fpu\n"


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def test_what_is_no_precision_is_named() -> None:
    for known in ("float32", "bfloat16"):
        check_precision(known)
    with pytest.raises(ExtractorError, match="precision 'float16' is unknown"):
        check_precision("float16")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (X86.format("avx512_bf16"), True),
        (X86.format("amx_tile amx_bf16"), True),
        (X86.format("avx512f avx512bw"), False),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("Features\t: fp asimd\n", False),
        ("model name\t: avx512_bf16\n", False),
        ("", False),
    ],
)
def test_a_processor_is_asked_for_its_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str, expected: bool
) -> None:
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(precision, "CPU_INFO", path)
    assert not has_bfloat16("cpu")  # a system without that file
    path.write_text(stated)
    assert has_bfloat16("cpu") is has_bfloat16("auto") is expected


def test_a_gpu_is_asked_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(precision, "CPU_INFO", tmp_path / "none")
    assert has_bfloat16("cuda")  # none is here, which loading says
    for able in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, able=able: able)
        monkeypatch.setattr(precision, "DRIVERS", (tmp_path,))
        assert has_bfloat16("auto") is has_bfloat16("cuda:0") is able
        assert not has_bfloat16("cpu")
        monkeypatch.setattr(precision, "DRIVERS", (tmp_path / "none",))
        assert not has_bfloat16("auto"), "without a driver PyTorch is not asked"
        assert has_bfloat16("cuda")
