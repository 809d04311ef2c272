"""The schema of rule files knows what the reader knows: every key, the built-in rules and the examples of the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from mlops_scan import ruleentries, rulemodels
from mlops_scan.cli.main import run
from mlops_scan.cli.ruleschema import schema
from mlops_scan.errors import RuleError
from mlops_scan.rulebook import load, rules_path

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = schema(load())
VALIDATOR = Draft202012Validator(SCHEMA)
SECTIONS = ("tools", "practices", "findings", "models")
BUILT_IN = sorted(path for name in SECTIONS for path in rules_path().glob(f"{name}/*"))
_PAGE = (ROOT / "docs/own-rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n((?:tools|practices|findings):.*?)^```$", _PAGE, re.M | re.S)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("tool", ruleentries._TOOL_KEYS),
        ("signal", ruleentries._SIGNATURE_KEYS),
        ("sample", ruleentries._SAMPLE_KEYS),
        ("practice", ruleentries._PRACTICE_KEYS),
        ("finding", ruleentries._FINDING_KEYS),
        ("model", rulemodels._MODEL_KEYS),
        ("level", rulemodels._LEVEL_KEYS),
        ("row", rulemodels._ROW_KEYS),
        ("section", rulemodels._SECTION_KEYS),
        ("test", rulemodels._TEST_KEYS),
    ],
)
def test_every_key_of_the_reader_is_described(name: str, keys: set[str]) -> None:
    described = SCHEMA["$defs"][name]["properties"]
    assert set(described) == keys
    assert all(value["description"] for value in described.values())


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_built_in_rules_follow_it(path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(data, list):
        data = {path.parent.name: data}
    errors = [error for error in _errors(data) if error.validator != "pattern"]  # their ids begin with MLS
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []


def _errors(data: Any) -> Iterator[ValidationError]:
    yield from VALIDATOR.iter_errors(data)


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_documentation_follow_it(text: str, tmp_path: Path) -> None:
    assert [error.message for error in _errors(yaml.safe_load(text))] == []
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    load(extra=[tmp_path / "a.yaml"])


TOOL = "tools: [{id: a, signals: [{serves: ci/code-tests, calls: [a.b]}]}]"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("id: a, ", ""),
        ("signals", "signal"),
        ("calls: [a.b]", "call: [a.b]"),
        (", calls: [a.b]", ""),
        ("serves: ci/code-tests, ", ""),
        ("calls: [a.b]", "calls: [a.b], grade: wonderful"),
        ("calls: [a.b]", "calls: [a.b], confidence: total"),
        (TOOL, "findings: [{id: MLS999, title: a, severity: error, why: a, fix: a}]"),
        (TOOL, "findings: [{id: ACME999, title: a, severity: fatal, why: a, fix: a}]"),
        (TOOL, "practices: [{id: a/b, title: a, what: a, gap: ACME100, remedy: a}]"),
        (TOOL, "models: [{id: a, name: a, levels: [{number: 0, name: a}, {number: 1, name: b, row: []}]}]"),
        (TOOL, "models: [{id: a, name: a, levels: [{number: x, name: a}]}]"),
    ],
)
def test_what_the_reader_refuses_is_marked(before: str, after: str, tmp_path: Path) -> None:
    assert before in TOOL
    text = TOOL.replace(before, after)
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError):
        load(extra=[tmp_path / "a.yaml"])
    assert list(_errors(yaml.safe_load(text)))


def test_it_is_a_valid_schema_that_offers_known_ids(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "rules"]) == 0
    printed = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(printed)
    offered = printed["$defs"]["practice-ids"]["anyOf"][0]["anyOf"][0]["enum"]
    assert set(offered) == set(load().practices)
    assert not list(_errors(yaml.safe_load(TOOL.replace("ci/code-tests", "acme/review")))), "others are accepted"
