"""The bill of materials says what the report knows, in the words of CycloneDX, and is the same each time."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from msgspec.structs import replace

from mlops_scan.reports import RenderOptions, render
from mlops_scan.reports.places import Places
from tests.reports import samples


def bill(options: RenderOptions | None = None) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(render(samples.report(), "cyclonedx", options or RenderOptions()))
    return data


def component(name: str, options: RenderOptions | None = None) -> dict[str, Any]:
    return next(item for item in bill(options)["components"] if item["name"] == name)


def test_kinds_and_types() -> None:
    types = {item["name"]: item["type"] for item in bill()["components"]}
    assert types == {
        "data/images": "data",
        "data/raw.csv.dvc": "data",
        "dvc.yaml": "application",
        "gpt-4o": "machine-learning-model",
        "models/m.onnx": "machine-learning-model",
        "org/base-7b": "machine-learning-model",
        "torch": "framework",
    }
    assert [item["name"] for item in bill()["services"]] == ["src/serve.py"]


def test_a_library_with_version_address_and_places() -> None:
    torch = component("torch")
    assert (torch["version"], torch["purl"]) == ("2.4.0", "pkg:pypi/torch@2.4.0")
    places = [(place["location"], place["line"]) for place in torch["evidence"]["occurrences"]]
    assert places == [("requirements.txt", 4), ("src/train.py", 2)]


def test_a_model_of_a_hub_has_an_address_and_a_hosted_one_has_none() -> None:
    assert component("org/base-7b")["purl"] == "pkg:huggingface/org/base-7b@8d3c1f"
    assert "purl" not in component("gpt-4o")


def test_digests_of_pointers() -> None:
    assert component("models/m.onnx")["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert component("data/raw.csv.dvc")["hashes"][0]["alg"] == "MD5"


def test_paths_are_those_of_the_repository() -> None:
    torch = component("torch", RenderOptions(places=Places("services/a")))
    assert torch["evidence"]["occurrences"][0]["location"] == "services/a/requirements.txt"


def test_no_time_but_the_day_that_was_asked_for() -> None:
    assert "timestamp" not in bill()["metadata"]
    assert bill(RenderOptions(as_of=date(2026, 3, 1)))["metadata"]["timestamp"].startswith("2026-03-01T00:00:00")


def test_the_serial_number_is_that_of_the_content() -> None:
    first = bill()["serialNumber"]
    assert first == bill()["serialNumber"]
    fewer = replace(samples.report(), inventory=samples.INVENTORY[1:])
    assert json.loads(render(fewer, "cyclonedx", RenderOptions()))["serialNumber"] != first


def test_what_was_not_read_is_said() -> None:
    said = {item["name"]: item["value"] for item in bill()["metadata"]["component"]["properties"]}
    assert said["mlops-scan:level"] == "2"
    values = [item["value"] for item in bill()["metadata"]["component"]["properties"]]
    assert "charts/values.yaml" in values
