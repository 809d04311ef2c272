"""Bicep declarations as positioned nodes."""

from __future__ import annotations

import pytest
from hypothesis import given

from mlops_scan.documents import bicep
from mlops_scan.documents.node import DocumentError, Node
from tests.documents.hostile import mutations

WORKSPACE = "Microsoft.MachineLearningServices/workspaces"
TEXT = f"""\
param location string = resourceGroup().location
// resource no 'Microsoft.X/y@2020-01-01' = {{}}
resource ml '{WORKSPACE}@2023-04-01' = {{
  name: 'ml-${{env}}'
  location: location
  properties: {{
    size: 3
    public: true
    names: [
      'a'
      location
    ]
  }}
  resource scoring 'onlineEndpoints@2023-04-01' = {{
    name: 'scoring'
  }}
}}
resource known 'Microsoft.X/y@2020-01-01' existing = {{
  name: 'x'
}}
resource maybe 'Microsoft.Insights/metricAlerts@2018-03-01' = if (alerts) {{
  name: 'drift'
}}
resource each 'Microsoft.X/y@2020-01-01' = [for i in range(0, 3): {{
  name: 'n'
}}]
module watch './modules/watch.bicep' = {{
  name: 'watch'
}}
"""


def _document() -> Node:
    (document,) = bicep.parse(TEXT)
    return document


def test_resources_by_type_and_name_with_their_lines() -> None:
    resources = _document().get("resource")
    assert resources is not None
    assert {(type_, name, node.at) for type_, held in resources.entries for name, node in held.entries} == {
        (WORKSPACE, "ml", 3),
        (f"{WORKSPACE}/onlineEndpoints", "scoring", 14),
        ("Microsoft.Insights/metricAlerts", "maybe", 21),
        ("Microsoft.X/y", "each", 24),
    }


def test_values_and_expressions() -> None:
    properties = _document().path("resource", WORKSPACE, "ml", "properties")
    assert properties is not None
    size, public, names = properties.get("size"), properties.get("public"), properties.get("names")
    assert size is not None and (size.value, size.at) == (3, 7)
    assert public is not None and public.value is True
    assert names is not None and [(item.text, bool(item.tag)) for item in names.items] == [
        ("a", False),
        ("location", True),
    ]


def test_module_has_its_source() -> None:
    source = _document().path("module", "watch", "source")
    assert source is not None and source.value == "./modules/watch.bicep"


@pytest.mark.parametrize("text", ["", "param x string\n", "// resource a 'B/c@1' = {}\n"])
def test_nothing_declared_is_no_document(text: str) -> None:
    assert bicep.parse(text) == ()


@given(mutations(TEXT))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents = bicep.parse(text)
    except DocumentError as error:
        documents = error.partial
    assert all(node.line >= 1 for document in documents for _, node in document.walk())
