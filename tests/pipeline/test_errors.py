from __future__ import annotations

import pytest

from alignrec.core.errors import AlignRecError
from alignrec.pipeline.cli.app import main
from alignrec.pipeline.errors import CatalogError, ConfigError, PipelineError, RunFolderError


@pytest.mark.parametrize("kind", [ConfigError, CatalogError, RunFolderError])
def test_each_is_one_that_a_user_can_act_on(kind: type[PipelineError]) -> None:
    assert kind.__bases__ == (PipelineError,)
    assert issubclass(PipelineError, AlignRecError)
    assert (kind("what to do").exit_code, str(kind("what to do"))) == (2, "what to do")


@pytest.mark.parametrize("kind", [ConfigError, CatalogError, RunFolderError])
def test_a_command_says_it_in_a_line_and_exits_so(
    kind: type[PipelineError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object) -> None:
        raise kind("the config is wrong")

    monkeypatch.delenv("ALIGNREC_DEBUG", raising=False)
    monkeypatch.setattr("alignrec.pipeline.config.file.load_config", fail)
    monkeypatch.setattr("sys.argv", ["alignrec", "status"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr() == ("", "error: the config is wrong\n")
