"""Plug-ins: the example of the documentation works, a broken one is named and takes nothing down."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mlops_scan import detectors
from mlops_scan.cli.main import run
from mlops_scan.engine import detection, plugins
from mlops_scan.engine.scan import ScanOptions
from mlops_scan.reports import plugins as report_plugins
from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree, write_tree

EXAMPLE = Path(__file__).resolve().parent.parent / "docs" / "examples" / "plugin"
Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes entry points known as if a package had brought them."""

    def add(group: str, **entries: str) -> None:
        more = tuple(EntryPoint(name.replace("_", "-"), value, group) for name, value in entries.items())
        monkeypatch.setattr(plugins if group == plugins.GROUP else report_plugins, "entry_points", lambda _: more)

    monkeypatch.syspath_prepend(str(EXAMPLE))
    yield add
    for name in [name for name in sys.modules if name.startswith("acme_mlops_scan")]:
        del sys.modules[name]


TREE = {**ML, "approvals/v3.yaml": "model: churn\napproved_by: jane\n"}


def test_the_example_takes_part_and_is_named(tmp_path: Path, install: Install) -> None:
    install(plugins.GROUP, acme="acme_mlops_scan.detector:detect")
    report = scan_tree(tmp_path, TREE)
    assert grade(report, "governance/approval") is Grade.IMPLEMENTED
    assert "the plug-in acme (acme_mlops_scan.detector:detect) took part" in report.notices
    without = scan_tree(tmp_path, TREE, ScanOptions(plugins=False))
    assert grade(without, "governance/approval") is Grade.ABSENT
    assert not any("plug-in" in notice for notice in without.notices)


@pytest.mark.parametrize("text", ["model: churn\napproved_by:\n", "model: churn\n# approved_by: jane\n"])
def test_the_examples_near_misses(tmp_path: Path, install: Install, text: str) -> None:
    install(plugins.GROUP, acme="acme_mlops_scan.detector:detect")
    report = scan_tree(tmp_path, {**TREE, "approvals/v3.yaml": text})
    assert grade(report, "governance/approval") in (Grade.TRACE, Grade.ABSENT)


BROKEN = """\
from mlops_scan.words import Evidence, Grade, Location, Problem, Signal
HERE = (Evidence(Location("train.py", 1)),)
def raises(context):
    yield Signal("model/registry", "x", Grade.WIRED, HERE, fixed=True)
    raise ValueError("no such\\nthing")
def stops(context):
    return 3
def odd(context):
    return ["text"]
def unknown(context):
    return [Signal("no/such", "x", Grade.WIRED, HERE)]
def finding(context):
    return [Problem("ACME1", "m", Location("train.py", 1))]
def elsewhere(context):
    return [Signal("model/registry", "x", Grade.WIRED, (Evidence(Location("../etc/passwd", 1)),), fixed=True)]
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "failed and is left out: ValueError: no such thing"),
        ("stops", "failed and is left out: TypeError"),
        ("missing", "failed and is left out: AttributeError"),
        ("odd", "it gave a str, not a Signal"),
        ("unknown", "the unknown practice 'no/such'"),
        ("finding", "the unknown finding 'ACME1'"),
        ("elsewhere", "which is no file of the repository"),
    ],
)
def test_a_broken_one_is_named_and_left_out_whole(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    write_tree(tmp_path / "package", {"broken_plugin.py": BROKEN})
    monkeypatch.syspath_prepend(str(tmp_path / "package"))
    install(plugins.GROUP, broken=f"broken_plugin:{name}")
    report = scan_tree(tmp_path / "repo", ML)
    assert [notice for notice in report.notices if "plug-in broken" in notice and said in notice]
    assert report.headline.level == 1
    assert grade(report, "model/registry").strength < Grade.WIRED.strength
    sys.modules.pop("broken_plugin")


def test_the_report_of_the_example(tmp_path: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(report_plugins.GROUP, acme_chat="acme_mlops_scan.report:render", acme_bad="acme_mlops_scan.report:no")
    repo = write_tree(tmp_path, ML)
    assert run([str(repo), "--isolated", "-f", "acme-chat"]) == 0
    assert ": level 1, " in capsys.readouterr().out
    assert run([str(repo), "--isolated", "-f", "acme-chat", "--no-plugins"]) == 2
    assert run([str(repo), "--isolated", "-f", "acme-bad"]) == 2
    assert "the report plug-in acme-bad" in capsys.readouterr().err
    assert run([str(repo), "--isolated", "-f", "acme-none"]) == 2
    assert run([str(repo), "--isolated", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["level"] == 1


def test_the_example_declares_what_it_brings() -> None:
    text = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    for value in ("acme_mlops_scan.detector:detect", "acme_mlops_scan.report:render"):
        module, name = value.split(":")
        assert value in text
        sys.path.insert(0, str(EXAMPLE))
        try:
            assert callable(getattr(importlib.import_module(module), name))
        finally:
            sys.path.remove(str(EXAMPLE))


def test_a_kept_report_is_not_used_where_a_plug_in_or_a_file_of_the_user_decides(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "own.yaml"
    text = "tools:\n  - id: own\n    signals:\n      - {serves: PRACTICE, calls: [own_tool.go]}\n"
    tree = {**TREE, "go.py": "import own_tool\n\nown_tool.go()\n"}
    rules.write_text(text.replace("PRACTICE", "experiment/tracking"), encoding="utf-8")
    first = scan_tree(tmp_path / "repo", tree, ScanOptions(rules=(rules,)))
    rules.write_text(text.replace("PRACTICE", "model/registry"), encoding="utf-8")
    second = scan_tree(tmp_path / "repo", tree, ScanOptions(rules=(rules,)))
    assert grade(first, "experiment/tracking") is not Grade.ABSENT
    assert (grade(second, "experiment/tracking"), grade(second, "model/registry").strength > 0) == (Grade.ABSENT, True)
    assert grade(scan_tree(tmp_path / "repo", tree), "governance/approval") is Grade.ABSENT
    install(plugins.GROUP, acme="acme_mlops_scan.detector:detect")
    assert grade(scan_tree(tmp_path / "repo", tree), "governance/approval") is Grade.IMPLEMENTED


def test_every_module_with_a_detector_is_asked() -> None:
    folder = Path(detectors.__file__).parent
    with_one = {path.stem for path in folder.glob("*.py") if "\ndef detect(" in path.read_text(encoding="utf-8")}
    assert set(detection.OWN) == with_one
    assert list(detection.OWN) == sorted(detection.OWN)
