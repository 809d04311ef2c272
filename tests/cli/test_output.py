"""Where reports go, and what they know about the place of the scanned folder."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from mlops_scan.cli.main import run
from mlops_scan.cli.output import parse_targets, places_of
from mlops_scan.reports import FORMATS
from tests.cli.fakes import FakeScan
from tests.reports import samples

SHA = samples.report().revision or ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A subfolder of a repository, whose scan gives the sample report."""
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "BITBUCKET_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "models" / "a b"
    inner.mkdir(parents=True)
    FakeScan(monkeypatch, replace(samples.report(), path=str(inner)))
    return inner


def test_the_prefix_is_the_way_from_the_root_of_the_repository(folder: Path) -> None:
    assert places_of(replace(samples.report(), path=str(folder))).prefix == "models/a b"
    assert places_of(replace(samples.report(), path=str(folder.parent.parent))).prefix == ""
    assert places_of(replace(samples.report(), path="/no/such/folder")).prefix == ""
    assert places_of(replace(samples.report(), path="a\0b")).prefix == ""


def test_all_formats_in_one_run_have_the_same_findings(folder: Path, tmp_path: Path) -> None:
    targets = [part for name in FORMATS for part in ("-f", f"{name}:{tmp_path / name}")]
    assert run([str(folder), *targets]) == 0
    texts = {name: (tmp_path / name).read_text(encoding="utf-8") for name in FORMATS}
    expected = [("MLS301", "Makefile", 12), ("MLS401", "pyproject.toml", 1)]
    found = {
        "json": [
            (f["id"], f["location"]["path"], f["location"]["line"]) for f in json.loads(texts["json"])["findings"]
        ],
        "sarif": [_of_sarif(result) for result in json.loads(texts["sarif"])["runs"][0]["results"]],
        "gitlab-codequality": [
            (f["check_name"], f["location"]["path"].removeprefix("models/a b/"), f["location"]["lines"]["begin"])
            for f in json.loads(texts["gitlab-codequality"])
        ],
        "github": [
            (rule, path, int(line))
            for path, line, rule in re.findall(
                r"file=models/a b/([^,]+),line=(\d+),endLine=\d+,title=(MLS\d+)", texts["github"]
            )
        ],
        "markdown": [
            (rule, path, int(line))
            for rule, path, line in re.findall(r"`(MLS\d+)`\S* \[?`([^`]+):(\d+)`", texts["markdown"])
        ],
        "html": [
            (rule, path, int(line))
            for rule, path, line in re.findall(
                r"<strong>(MLS\d+)</strong>[^\n]*class=\"place\"[^>]*>([^<]+):(\d+)<", texts["html"]
            )
        ],
    }
    for name, findings in found.items():
        assert sorted(findings) == expected, name
    practices = {row["practice"] for row in csv.DictReader(io.StringIO(texts["csv"], newline=""))}
    assert practices == set(json.loads(texts["json"])["practices"])


def _of_sarif(result: dict[str, object]) -> tuple[str, str, int]:
    place = result["locations"][0]["physicalLocation"]  # type: ignore[index]
    path = unquote(place["artifactLocation"]["uri"])
    assert path.startswith("models/a b/")
    return str(result["ruleId"]), path.removeprefix("models/a b/"), place["region"]["startLine"]


def test_a_subfolder_has_its_own_alerts_and_the_json_keeps_its_paths(folder: Path, tmp_path: Path) -> None:
    assert run([str(folder), "-f", f"sarif:{tmp_path / 's'}", "-f", f"json:{tmp_path / 'j'}"]) == 0
    sarif = json.loads((tmp_path / "s").read_text(encoding="utf-8"))["runs"][0]
    assert sarif["automationDetails"]["id"] == "mlops-scan/models/a%20b/"
    data = json.loads((tmp_path / "j").read_text(encoding="utf-8"))
    assert data["findings"][0]["location"]["path"] == "pyproject.toml"


def test_links_to_the_forge_of_the_ci_job(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GITHUB_SERVER_URL": "https://f.example",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": SHA,
    }.items():
        monkeypatch.setenv(name, value)
    assert run([str(folder), "-f", f"markdown:{tmp_path / 'm'}", "-f", f"sarif:{tmp_path / 's'}"]) == 0
    assert f"https://f.example/o/r/blob/{SHA}/models/a%20b/Makefile#L12-L12" in (tmp_path / "m").read_text("utf-8")
    (provenance,) = json.loads((tmp_path / "s").read_text("utf-8"))["runs"][0]["versionControlProvenance"]
    assert (provenance["repositoryUri"], provenance["revisionId"]) == ("https://f.example/o/r", SHA)


def test_the_gate_is_the_target_of_junit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(folder), "-f", "junit", "--fail-below", "2", "--exit-zero"]) == 0
    assert 'tests="2" failures="0"' in capsys.readouterr().out


def test_a_windows_path_may_have_a_colon() -> None:
    (target,) = parse_targets((r"sarif:C:\out\r.sarif",), None)
    assert (target.format_name, str(target.file)) == ("sarif", r"C:\out\r.sarif")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("options", [["-v"], ["-q"], ["-f", "markdown"]])
def test_no_console_makes_it_fail(tmp_path: Path, encoding: str, options: list[str]) -> None:
    (tmp_path / "größe → x.py").write_text("from sklearn.svm import SVC\nSVC().fit(x, y)\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mlops_scan", str(tmp_path), *options],
        env={"PYTHONIOENCODING": encoding, "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    plain = options in (["-v"], ["-q"])
    text = done.stdout.decode(encoding if plain else "utf-8")
    assert "evel 1" in text
    if plain and encoding != "utf-8":
        assert "▸" not in text
        assert "\\u20" not in text, "typographic characters have a plain form"
