from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from alignrec.core import plugins
from alignrec.core.plugins import PluginError
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import ConfigError


def _write(folder: Path, text: str) -> Path:
    path = folder / "alignrec.yaml"
    path.write_text(text)
    return path


def test_everything_but_the_items_has_a_default_and_paths_start_from_the_config(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path, "catalog: {items: {path: items.csv}}"))
    assert config.catalog.items.path == str(tmp_path / "items.csv")
    assert config.run_folder == tmp_path / "runs" / "alignrec"
    assert config.extract.image == "packaged:efficientnet-lite0"


def test_overrides_are_yaml_and_reach_any_depth(tmp_path: Path) -> None:
    path = _write(tmp_path, "catalog: {items: {path: items.csv}}")
    config = load_config(path, ["extract.batch_size=8", "catalog.items.image=null", "out=elsewhere"])
    assert config.extract.batch_size == 8
    assert config.catalog.items.image is None
    assert config.run_folder == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("catalog: {items: {path: x, imagee: y}}", "did you mean 'image'"),
        ("catalog: {items: {path: x}}\nextrct: {}", "did you mean 'extract'"),
        ("catalog: {items: {path: x}, interactions: {path: y, usr: z}}", "did you mean 'user'"),
        ("catalog: {items: {}}", "catalog.items.path is not set"),
        ("catalog: {items: {path: x}}\nextract: {max_rejected: 3}", "extract.max_rejected = 3"),
        ("catalog: {items: {path: x}}\nexport: {sets: [imge]}", "expected sets out of image, text"),
        ("catalog: {items: {path: x}}\nsplit: {k_cores: 3}", "did you mean 'k_core'"),
        ("catalog: {items: {path: x}}\npretrain: {epoch: 3}", "did you mean 'epochs'"),
        ("catalog: {items: {path: x}}\nsplit: {ratios: [1, 1, 1]}", "shares that add up to 1"),
        ("catalog: {items: {path: x}}\nsplit: {method: mmrec}", "split: method mmrec needs path"),
        ("catalog: {items: {path: x}}\nsplit: {path: y}", "other methods none of them"),
        ("catalog: {items: {path: x}}\nsplit: {method: temporal}", r"needs catalog\.interactions\.timestamp"),
        ("catalog: {items: {path: x, text: null}}\nexport: {sets: [text]}", r"catalog\.items\.text is null"),
        (
            "plugins: own.py\ncatalog: {items: {path: x}}",
            "plugins = 'own.py': expected a list of Python files",
        ),
        ("catalog: [", "not a readable YAML"),
        ("", "holds no settings"),
    ],
)
def test_a_wrong_config_says_what_is_wrong(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_config(_write(tmp_path, text))


def _bomb(key: str) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join([*lines, f"{key}: *a8"])


_ITEMS = "catalog: {items: {path: x}}\n"


@pytest.mark.parametrize(
    "text",
    [
        _bomb("name"),
        _ITEMS + "name: [" + "&a [x], *a, " * 10_000 + "]",
        _ITEMS + "evaluate: {k: [" + "x, " * 20_000 + "]}",
        _ITEMS + "".join(f"k{n}: 1\n" for n in range(20_000)),
        _ITEMS + "plugins: [" + "1, " * 20_000 + "]",
        _ITEMS + "export: {sets: [" + "x, " * 20_000 + "]}",
        _ITEMS + "x" * 100_000 + ": 1",
        "a: " + "[" * 50_000,
        "a: " + "9" * 5_000,
        "x" * 10**6,
        "\x00",
    ],
    ids=range(11),
)
def test_a_config_that_is_a_trap_is_one_short_error_and_soon(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path, text)
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert time.process_time() - began < 10  # of a bomb it would be hours
    assert len(str(caught.value)) < 4000


def test_a_config_is_a_file_in_utf_8(tmp_path: Path) -> None:
    (tmp_path / "alignrec.yaml").write_bytes(b"name: \xff")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "alignrec.yaml", tmp_path / "pipe", tmp_path):
        with pytest.raises(ConfigError, match="is not a readable YAML file"):
            load_config(path)


@pytest.mark.parametrize("override", ["a", "=b", "a..b=c", "name.x=1", "name=[", "catalog.itms.path=x"])
def test_a_wrong_override_is_named(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"override|unknown key"):
        load_config(_write(tmp_path, "name: n\ncatalog: {items: {path: x}}"), [override])


def test_an_absent_config_suggests_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="alignrec demo"):
        load_config(tmp_path / "none.yaml")


def test_plugins_lie_beside_the_config_and_run_before_it_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_files", {})
    monkeypatch.setenv("ALIGNREC_TEST_PLUGIN", "")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "plugin.py").write_text("import os\nos.environ['ALIGNREC_TEST_PLUGIN'] = 'ran'\n")
    path = _write(tmp_path, "plugins: [own/plugin.py]\ncatalog: {items: {path: x, imagee: y}}")
    with pytest.raises(ConfigError, match="did you mean 'image'"):
        load_config(path)
    assert os.environ["ALIGNREC_TEST_PLUGIN"] == "ran"
    path = _write(tmp_path, "plugins: [own/plugin.py]\ncatalog: {items: {path: x}}")
    assert load_config(path).plugins == (tmp_path / "own" / "plugin.py",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "there is no plugin file .*own.py"), ("1 / 0", "the plugin .*own.py fails: ZeroDivisionError")],
)
def test_a_plugin_that_cannot_be_loaded_is_named(tmp_path: Path, content: str | None, expected: str) -> None:
    if content is not None:
        (tmp_path / "own.py").write_text(content)
    with pytest.raises(PluginError, match=expected):
        load_config(_write(tmp_path, "plugins: [own.py]\ncatalog: {items: {path: x}}"))
