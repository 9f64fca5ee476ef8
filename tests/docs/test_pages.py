"""The pages say what is so: commands exist, Python runs as printed, configs load, links lead somewhere."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from torch.distributed.run import get_args_parser
from typer.main import get_command
from typer.testing import CliRunner

from alignrec.pipeline.cli.app import app
from alignrec.pipeline.cli.hub import push_features_app
from alignrec.pipeline.config.reference import reference
from alignrec.pipeline.config.settings import Config
from docs.api import page as api_page
from tests.pipeline.catalogues import picture

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
# Their snippets belong together: tests/extractors/ runs those of one extractor, test_tasks.py the ten tasks,
# and test_notebook.py the guide's.
OWN_TESTS = ("adding-an-extractor.md", "tasks.md", "use-in-your-recommender.md")
# Commands that read the shop's run alone, and so can be run here.
LOCAL = ("status", "verify", "report", "doctor", "pull", "convert")


def snippets(language: str) -> list[Any]:
    found = []
    for page in PAGES:
        blocks = re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        if page.name not in OWN_TESTS:
            found += [pytest.param(block, id=f"{page.stem}-{n}") for n, block in enumerate(blocks)]
    return found


def commands() -> list[Any]:
    lines = [(p.id, line) for p in snippets("sh") for line in p.values[0].splitlines() if line.strip()]
    return [pytest.param(shlex.split(line), id=f"{page}: {line}") for page, line in lines]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop of the pages, with its config and a run of raw features and their evaluation."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "photos").mkdir()
    items = [["sku", "photo", "title", "category", "description"]]
    for number in range(12):
        (folder / "photos" / f"{number}.png").write_bytes(picture(number))
        items.append([f"sku-{number}", f"photos/{number}.png", f"thing {number}", "things", "fine " * number])
    orders = [
        ["customer", "sku"],
        *([f"c{c}", f"sku-{(c * 3 + n) % 12}"] for c in range(12) for n in range(6)),
    ]
    for name, rows in (("items.csv", items), ("orders.csv", orders)):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    (yaml_of_the_readme,) = (p.values[0] for p in snippets("yaml") if p.id == "README-0")
    (folder / "alignrec.yaml").write_text(yaml_of_the_readme)
    less = ["-o", "export.sets=[image, text]", "--quiet"]
    answer = CliRunner().invoke(app, ["run", "-c", str(folder / "alignrec.yaml"), *less])
    assert answer.exit_code == 0, answer.output
    return folder


@pytest.mark.parametrize("block", snippets("python"))
def test_python_runs_as_printed(block: str, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    exec(compile(block, "snippet", "exec"), {})


@pytest.mark.parametrize("words", commands())
def test_commands_are_known_with_their_options(words: list[str]) -> None:
    if words[0] == "torchrun":
        started = get_args_parser().parse_args(words[1:])
        words = [started.training_script, *started.training_script_args]
    program, *arguments = words
    command: Any = get_command({"alignrec": app, "push-features": push_features_app}[program])
    if program == "alignrec":
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(program, arguments)


@pytest.mark.parametrize("words", [c for c in commands() if c.values[0][1] in LOCAL])
def test_commands_on_a_run_of_ones_own_do_their_work(
    words: list[str], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any("YOUR-NAME" in word for word in words):
        pytest.skip("needs a published release: tests/export/ pulls and verifies those")
    monkeypatch.chdir(shop)
    answer = CliRunner().invoke(app, words[1:])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("block", snippets("yaml"))
def test_configs_load(block: str) -> None:
    Config.model_validate(yaml.safe_load(block))


def test_the_reference_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "config.md").read_text("utf-8") == reference(), "run `make docs`"


def test_the_page_of_python_is_that_of_the_docstrings() -> None:
    assert (ROOT / "docs" / "api.md").read_text("utf-8") == api_page(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", [None, *get_command(app).commands])  # type: ignore[attr-defined]
def test_help_fits_a_screen(name: str | None) -> None:
    for columns, most in (("80", 44), ("100", 40)):
        answer = CliRunner().invoke(app, [*([name] if name else []), "--help"], env={"COLUMNS": columns})
        assert answer.exit_code == 0
        assert len(answer.output.splitlines()) <= most


def test_the_help_loses_no_word_and_is_wrapped_by_the_terminal() -> None:
    for name, words in (
        ("demo", "needs the extra alignrec[audio]."),
        ("run", "what the config does not need"),
    ):
        answer = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "80"})
        assert words in " ".join(answer.output.split())
        _, _, text, *_ = re.split(r"\n *\n", answer.output)
        first, *_, last = [line.strip() for line in text.splitlines()]
        assert len(first) > 70 and last.endswith(".")


def test_the_help_tells_each_command_in_a_line() -> None:
    answer = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"})
    summaries = re.findall(r"^│ (\w+) +(\S.*\S) +│$", answer.output, re.MULTILINE)
    assert dict(summaries).keys() == get_command(app).commands.keys()  # type: ignore[attr-defined]
    assert all(line.endswith(".") for _, line in summaries)
