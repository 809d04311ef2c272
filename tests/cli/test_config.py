"""Configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.cli.config import Config, discover, load
from mlops_scan.cli.main import run
from mlops_scan.errors import ScanError
from tests.cli.fakes import FakeScan
from tests.reports import samples

TOML = 'target-level = 3\nfail-on = "error"\nmodel = "google"\nexclude = ["vendor/"]\nformat = "json"\n'


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mlops-scan.toml", TOML),
        ("pyproject.toml", "[tool.mlops-scan]\n" + TOML),
        (
            ".mlops-scan.yaml",
            "fail-below: 3\nfail-on: error\nmodel: google\nexclude:\n  - vendor/\nformat: [json]\n",
        ),
    ],
)
def test_three_places_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    path = _write(tmp_path, name, text)
    expected = Config(
        source=path, fail_below=3, fail_on="error", model="google", exclude=("vendor/",), formats=("json",)
    )
    assert discover(tmp_path) == expected
    assert load(path) == expected


def test_found_upwards_to_the_root_of_the_repository(tmp_path: Path) -> None:
    _write(tmp_path, "mlops-scan.toml", "target-level = 1")
    inner = tmp_path / "repository" / "services" / "a"
    inner.mkdir(parents=True)
    assert discover(inner).fail_below == 1
    (tmp_path / "repository" / ".git").mkdir()
    assert discover(inner) == Config()
    _write(tmp_path / "repository", "pyproject.toml", "[tool.mlops-scan]\ntarget-level = 2")
    _write(tmp_path / "repository" / "services", "pyproject.toml", "[project]\nname = 'x'")
    assert discover(inner).fail_below == 2


def test_the_file_of_its_own_comes_first(tmp_path: Path) -> None:
    _write(tmp_path, "pyproject.toml", "[tool.mlops-scan]\ntarget-level = 2")
    _write(tmp_path, "mlops-scan.toml", "target-level = 3")
    assert discover(tmp_path).fail_below == 3


def test_a_broken_pyproject_of_somebody_else_is_not_our_error(tmp_path: Path) -> None:
    _write(tmp_path, "pyproject.toml", "{% if cookiecutter.x %}")
    assert discover(tmp_path) == Config()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mlops-scan.toml", "targt-level = 3", "unknown key 'targt-level', did you mean 'target-level'?"),
        ("mlops-scan.toml", "fail_below = 3", "unknown key 'fail_below', did you mean 'fail-below'?"),
        ("mlops-scan.toml", "zzzz = 3", "unknown key 'zzzz'; known are attestations, baseline"),
        ("mlops-scan.toml", 'target-level = "3"', "'target-level' must be an integer, found a string"),
        ("mlops-scan.toml", "target-level = true", "must be an integer, found a boolean"),
        ("mlops-scan.toml", "target-level = -1", "must not be negative"),
        ("mlops-scan.toml", "target-level = 1\nfail-below = 2", "mean the same"),
        ("mlops-scan.toml", 'fail-on = "eror"', "unknown value 'eror', did you mean 'error'?"),
        ("mlops-scan.toml", 'kind = "libary"', "did you mean 'library'?"),
        ("mlops-scan.toml", "exclude = [1]", "'exclude' must be a list of non-empty strings"),
        ("mlops-scan.toml", 'format = "json:/tmp/x"', "unknown value 'json:/tmp/x'"),
        ("mlops-scan.toml", "= 3", "is not valid TOML"),
        (".mlops-scan.yaml", "a: [", "is not valid YAML"),
        (".mlops-scan.yaml", "- a", "expected a table of settings, found a list"),
        (".mlops-scan.yaml", "1: 2", "unknown key '1'"),
        ("pyproject.toml", "[tool]\nmlops-scan = 3", "expected a table of settings, found an integer"),
        ("pyproject.toml", "[tool.mlops-scan]\nx = 1\n[", "is not valid TOML"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = _write(tmp_path, name, text)
    with pytest.raises(ScanError) as caught:
        discover(tmp_path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_named_file_must_exist_and_have_settings(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="does not exist"):
        load(tmp_path / "x.toml")
    with pytest.raises(ScanError, match=r"has no \[tool\.mlops-scan\] table"):
        load(_write(tmp_path, "pyproject.toml", ""))
    with pytest.raises(ScanError, match=r"is not a \.toml or \.yaml file"):
        load(_write(tmp_path, "settings.ini", ""))


def test_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeScan(monkeypatch, samples.without_ml())
    _write(tmp_path, "mlops-scan.toml", TOML)
    assert run([str(tmp_path), "--model", "aws", "--exclude", "docs/"]) == 1
    assert (fake.options.model, fake.options.exclude) == ("aws", ("docs/",))
    assert capsys.readouterr().out.startswith("{")


def test_isolated_reads_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeScan(monkeypatch, samples.without_ml())
    _write(tmp_path, "mlops-scan.toml", "broken")
    assert run([str(tmp_path)]) == 2
    assert run([str(tmp_path), "--isolated"]) == 0
    assert fake.options.model == "default"
