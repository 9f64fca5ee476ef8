"""An error of the operating system ends a command with one line that says what to do, and an exit code."""

from __future__ import annotations

import errno

import pytest

from alignrec.pipeline.cli.app import main
from alignrec.pipeline.cli.system_errors import describe

GOES_ON = "What is finished is kept, and the same command goes on from there."


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "x", "/run/items.arrow"),
            "/run/items.arrow: No space left on device. Make room on that disk (space, or inodes: df -i), or "
            "write elsewhere. ",
        ),
        (
            PermissionError(errno.EACCES, "x", "/run"),
            "/run: Permission denied. Give this user the right to it, or choose another place. ",
        ),
        (
            OSError(errno.EIO, "x"),
            "Input/output error. The disk or the network behind it failed: see the system's log. ",
        ),
        (OSError(errno.EXDEV, "x", b"/run"), "/run: Invalid cross-device link. "),
        (OSError("a message of its own"), "a message of its own. "),
    ],
)
def test_what_happened_where_and_what_to_do(error: OSError, line: str) -> None:
    assert describe(error) == (line + GOES_ON, 2)


def test_a_connection_is_no_matter_of_files() -> None:
    assert describe(ConnectionRefusedError(111, "refused")) == (
        "[Errno 111] refused. Check the network, then give the same command again.",
        4,
    )


def test_a_command_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.EROFS, "x", "/run")

    monkeypatch.delenv("ALIGNREC_DEBUG", raising=False)
    monkeypatch.setattr("alignrec.pipeline.config.file.load_config", fail)
    monkeypatch.setattr("sys.argv", ["alignrec", "status"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    line = f"error: /run: Read-only file system. That disk is read-only: choose another place. {GOES_ON}\n"
    assert capsys.readouterr() == ("", line)
    monkeypatch.setenv("ALIGNREC_DEBUG", "1")
    with pytest.raises(OSError, match="x"):
        main()
