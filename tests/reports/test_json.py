"""The JSON report is a contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from mlops_scan.engine.report import Report
from mlops_scan.reports import RenderOptions, render
from mlops_scan.reports.json import schema_text
from mlops_scan.words import Grade
from tests.reports import samples


def _data(report: Report) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(render(report, "json", RenderOptions()))
    return data


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize(
    "report", [samples.report(), samples.without_ml(), samples.hostile()], ids=["full", "no ml", "hostile"]
)
def test_follows_the_schema(report: Report) -> None:
    Draft202012Validator(json.loads(schema_text())).validate(_data(report))


def test_keys_of_the_contract_in_order() -> None:
    data = _data(samples.report())
    assert list(data) == [
        "schema_version",
        "tool",
        "repository",
        "model",
        "component",
        "level",
        "level_name",
        "next_level",
        "progress",
        "levels",
        "attested_level",
        "ladder",
        "practices",
        "ahead",
        "gaps",
        "components",
        "findings",
        "incomplete",
        "notices",
        "statistics",
        "models",
        "suppressed",
        "baseline",
        "attestations",
    ]
    assert data["practices"]["ci/model-tests"]["evidence"][1] == {
        "path": "Makefile",
        "line": 12,
        "end_line": 12,
        "role": "source",
        "hop": "use",
        "text": "pytest tests/model || true",
    }
    assert data["levels"] == {"default": 2, "google": 0, "ml-test-score": 0.5, "genai": None}


def test_a_row_says_what_it_asks_for_beyond_its_practices() -> None:
    rows = (replace(samples.LADDER[1].rows[0], minimum=Grade.WIRED), samples.LADDER[1].rows[1])
    headline = replace(samples.HEADLINE, ladder=(replace(samples.LADDER[1], rows=rows),))
    data = _data(replace(samples.report(), headline=headline))
    assert [row["minimum"] for row in data["ladder"][0]["rows"]] == ["wired", None]
    Draft202012Validator(json.loads(schema_text())).validate(data)


def test_the_schema_requires_every_key_of_the_contract() -> None:
    schema = json.loads(schema_text())
    assert set(schema["properties"]) == set(_data(samples.report()))
    assert set(schema["properties"]) - set(schema["required"]) == {
        "attestations", "baseline", "component", "ladder", "models", "notices", "suppressed",
    }  # fmt: skip


def test_same_bytes_whatever_the_options() -> None:
    first = render(samples.report(), "json", RenderOptions())
    assert first == render(samples.report(), "json", RenderOptions(color=True, width=10, verbose=True, quiet=True))


def test_hostile_names_survive() -> None:
    text = render(samples.hostile(), "json", RenderOptions())
    text.encode("utf-8")
    paths = [item["path"] for item in json.loads(text)["incomplete"]]
    assert paths[:5] == list(samples.HOSTILE[:5])


@pytest.mark.parametrize("path", ["plain", 'ünï\u2028 \x1b"\\', "lone \udc80 surrogate"])
def test_it_is_indented_as_the_standard_library_does_it(path: str) -> None:
    text = render(replace(samples.report(), path=path), "json", RenderOptions())
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False).replace("\udc80", "\\udc80") + "\n"
