"""Gates and exit codes: the same whatever the format."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_scan.cli.main import run
from mlops_scan.engine.report import Report
from mlops_scan.errors import ScanError
from mlops_scan.reports import FORMATS
from tests.cli.fakes import FakeScan
from tests.reports import samples

COMPLETE = replace(samples.report(), incomplete=())
NO_ML = samples.without_ml()
PARTIAL = samples.report()


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    ("report", "options", "code"),
    [
        (COMPLETE, [], 0),
        (COMPLETE, ["--fail-below", "2"], 0),
        (COMPLETE, ["--fail-below", "3"], 1),
        (COMPLETE, ["--target-level", "4"], 1),
        (COMPLETE, ["--fail-below", "5"], 2),
        (COMPLETE, ["--fail-below", "-1"], 2),
        (COMPLETE, ["--fail-on", "error"], 1),
        (COMPLETE, ["--fail-on", "note"], 1),
        (replace(COMPLETE, findings=COMPLETE.findings[:1]), ["--fail-on", "warning"], 0),
        (replace(COMPLETE, findings=COMPLETE.findings[:1]), ["--fail-on", "note"], 1),
        (COMPLETE, ["--fail-below", "3", "--exit-zero"], 0),
        (NO_ML, [], 0),
        (NO_ML, ["--fail-below", "1"], 1),
        (NO_ML, ["--fail-on", "error"], 0),
        (PARTIAL, [], 0),
        (PARTIAL, ["--fail-below", "1"], 2),
        (PARTIAL, ["--fail-below", "4"], 2),
        (PARTIAL, ["--fail-on", "error"], 2),
        (PARTIAL, ["--fail-below", "1", "--exit-zero"], 0),
    ],
)
def test_matrix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, report: Report, options: list[str], code: int, format_name: str
) -> None:
    FakeScan(monkeypatch, report)
    assert run([str(tmp_path), "-f", format_name, *options]) == code


def test_the_reason_and_the_missing_rows_are_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    FakeScan(monkeypatch, COMPLETE)
    assert run([str(tmp_path), "-f", "json", "--fail-below", "3"]) == 1
    output = capsys.readouterr()
    assert output.err.splitlines() == [
        "gate failed: level 2 is below 3; missing:",
        "  level 3: model tests in CI (ci/model-tests is implemented (needs wired))",
        "  level 3: automated deployment (1 more of: cd/model-deploy is absent, cd/pipeline-deploy is absent)",
    ]
    assert output.out.startswith("{")


@pytest.mark.parametrize(
    ("report", "options", "words"),
    [
        (NO_ML, ["--fail-below", "1"], "the repository has no level (no file trains"),
        (COMPLETE, ["--fail-on", "warning"], "1 finding of severity warning or above:\n  MLS301 Makefile:12: `pytest"),
        (PARTIAL, ["--fail-below", "1"], "the gate cannot decide, the scan is incomplete"),
        (COMPLETE, ["--fail-below", "9"], "has no level above 4"),
    ],
)
def test_reasons(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    report: Report,
    options: list[str],
    words: str,
) -> None:
    FakeScan(monkeypatch, report)
    run([str(tmp_path), *options])
    assert words in capsys.readouterr().err


def test_a_scan_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Report:
        raise ScanError("the folder is locked")

    FakeScan(monkeypatch, broken)
    assert run([str(tmp_path)]) == 2
    assert capsys.readouterr().err == "mlops-scan: error: the folder is locked\n"


def test_an_internal_error_is_not_a_verdict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Report:
        raise KeyError("oops\nsecond line")

    FakeScan(monkeypatch, broken)
    assert run([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("mlops-scan: error: internal error: KeyError")
    assert error.count("\n") == 1
    assert run([str(tmp_path), "--verbose"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted() -> Report:
        raise KeyboardInterrupt

    FakeScan(monkeypatch, interrupted)
    assert run([str(tmp_path)]) == 130


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no/such/folder"], "no/such/folder does not exist"),
        (["explian"], "did you mean the command 'explain'?"),
        ([".", "extra"], "unexpected extra argument"),
        ([".", "--fail-bellow", "2"], "No such option"),
        ([".", "-f", "yaml"], "unknown format 'yaml'; known are text, json, sarif"),
        ([".", "-f", "json", "-f", "text"], "only one report can go to standard output"),
        ([".", "-f", "json:a", "-f", "text:a"], "the same file"),
        ([".", "-f", "json:a", "-o", "b"], "--output needs exactly one"),
        ([".", "-q", "-v"], "exclude each other"),
        ([".", "--isolated", "-c", "x.toml"], "exclude each other"),
        ([".", "--as-of", "yesterday"], "does not match the format"),
        ([".", "--kind", "game"], "is not one of"),
    ],
)
def test_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    FakeScan(monkeypatch, COMPLETE)
    assert run(arguments) == 2
    output = capsys.readouterr()
    assert words in output.err
    assert output.err.startswith("mlops-scan: error: ")
    assert output.out == ""


def test_a_reader_that_leaves_does_not_change_the_verdict(tmp_path: Path) -> None:
    script = (
        "import pytest, sys; from tests.cli.fakes import FakeScan; from tests.cli.test_exit_codes import COMPLETE\n"
        "from mlops_scan.cli.main import run\n"
        "FakeScan(pytest.MonkeyPatch(), COMPLETE)\n"
        "sys.exit(run([sys.argv[1], '--fail-below', '3']))\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    try:
        root = Path(__file__).parent.parent.parent
        process = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            stdout=writer,
            stderr=subprocess.PIPE,
            cwd=root,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert process.returncode == 1, process.stderr
    assert process.stderr.startswith("gate failed")
    assert "BrokenPipe" not in process.stderr
