"""What the scan command passes on and writes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_scan.cli.main import run
from mlops_scan.engine.scan import ScanOptions
from tests.cli.fakes import FakeScan
from tests.reports import samples


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeScan:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return FakeScan(monkeypatch, samples.report())


@pytest.mark.parametrize("prefix", [[], ["scan"]])
def test_a_path_is_a_scan(fake: FakeScan, tmp_path: Path, prefix: list[str]) -> None:
    assert run([*prefix, str(tmp_path)]) == 0
    assert fake.path == tmp_path


@pytest.mark.parametrize("url", ["https://host.invalid/x.git", "git@host.invalid:x.git", "file:///x.git"])
def test_a_url_is_passed_on_and_no_configuration_is_looked_for(
    fake: FakeScan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    (tmp_path / "mlops-scan.toml").write_text('model = "of another tree"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run([url]) == 0
    assert (fake.path, fake.options.model) == (url, "default")


def test_no_argument_scans_here(fake: FakeScan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([]) == 0
    assert fake.path == Path()
    assert run(["--quiet"]) == 0


def test_options_reach_the_engine(fake: FakeScan, tmp_path: Path) -> None:
    options = "--model google --kind course --component a/b --select MLS301,MLS302 --select MLS303 --ignore MLS9"
    more = "--exclude vendor/,*.ipynb --jobs 4 --as-of 2026-02-03 --no-cache --rev v1.2 --submodules"
    assert run([str(tmp_path), *options.split(), *more.split()]) == 0
    assert replace(fake.options, stage=None) == ScanOptions(
        model="google",
        kind="course",
        component="a/b",
        select=("MLS301", "MLS302", "MLS303"),
        ignore=("MLS9",),
        exclude=("vendor/", "*.ipynb"),
        rev="v1.2",
        submodules=True,
        jobs=4,
        as_of=date(2026, 2, 3),
        cache=False,
    )


def test_json_alone_on_standard_output(fake: FakeScan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(tmp_path), "--format", "json"]) == 0
    output = capsys.readouterr()
    assert json.loads(output.out)["level"] == 2
    assert output.err == ""


def test_several_reports_in_one_run(fake: FakeScan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sarif, data = tmp_path / "out.sarif", tmp_path / "out.json"
    assert run([str(tmp_path), "-f", f"sarif:{sarif}", "-f", f"json:{data}", "-f", "text:-"]) == 0
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert json.loads(data.read_text(encoding="utf-8"))["schema_version"] == 1
    assert capsys.readouterr().out.startswith("Level 2 of 4")


def test_output_names_the_file_of_the_only_format(
    fake: FakeScan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.txt"
    assert run([str(tmp_path), "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8").startswith("Level 2 of 4")
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written(fake: FakeScan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(tmp_path), "-f", f"json:{tmp_path}/no/such/out.json"]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "environment", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_color(
    fake: FakeScan,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    environment: dict[str, str],
    colored: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run([str(tmp_path), *options]) == 0
    assert ("\x1b[" in capsys.readouterr().out) is colored


def test_timings_and_nothing_else_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    assert run(["scan", str(tmp_path), "--timings", "--no-cache", "-f", "json"]) == 0
    printed = capsys.readouterr()
    names = [line.partition(" ")[0] for line in printed.err.splitlines()]
    assert names[:2] == ["list", "rules"]
    assert names[-1] == "total"
    assert json.loads(printed.out)["level"] is None
