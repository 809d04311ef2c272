"""HCL as positioned nodes in the shape of Terraform's JSON syntax."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.documents import hcl
from mlops_scan.documents.node import EXPRESSION, DocumentError, Node
from tests.documents.hostile import mutations

ALARM = """\
# an alarm
resource "aws_cloudwatch_metric_alarm" "drift" {
  for_each      = local.endpoints
  metric_name   = "feature_drift"
  threshold     = 0.2
  offset        = -3
  enabled       = true
  unit          = null
  alarm_actions = [aws_sns_topic.model.arn, "arn:b"]
  dimensions    = { Endpoint = each.value, "Stage" : "prod" }
  text = <<-EOT
    first
    second
  EOT
  pattern = jsonencode({ source = ["aws.s3"] })
  wait    = var.slow ? 10 : 5
}
"""


def _one(text: str) -> Node:
    (document,) = hcl.parse(text)
    return document


def _body() -> Node:
    body = _one(ALARM).path("resource", "aws_cloudwatch_metric_alarm", "drift")
    assert body is not None
    return body


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("metric_name", "feature_drift", 4),
        ("threshold", 0.2, 5),
        ("offset", -3, 6),
        ("enabled", True, 7),
        ("unit", None, 8),
        ("text", "    first\n    second", 11),
    ],
)
def test_literal_values_and_their_lines(key: str, value: object, line: int) -> None:
    node = _body().get(key)
    assert node is not None
    assert node.value == value and type(node.value) is type(value)
    assert node.at == line


def test_expressions_keep_their_text_and_are_marked() -> None:
    body = _body()
    for key, text in (("for_each", "local.endpoints"), ("wait", "var.slow ? 10 : 5")):
        node = body.get(key)
        assert node is not None and (node.text, node.tag) == (text, EXPRESSION)
    actions = body.get("alarm_actions")
    assert actions is not None
    assert [item.text for item in actions.items] == ["aws_sns_topic.model.arn", "arn:b"]
    assert [item.tag for item in actions.items] == [EXPRESSION, ""]


def test_objects_and_encoded_objects_are_mappings() -> None:
    body = _body()
    dimensions, pattern = body.get("dimensions"), body.path("pattern", "source")
    assert dimensions is not None and dimensions.keys() == ("Endpoint", "Stage")
    assert pattern is not None and pattern.strings() == ("aws.s3",)


def test_blocks_of_one_name_are_gathered() -> None:
    document = _one('a "x" "one" {\n}\nb = 1\na "x" "two" {\n  c {\n    d = 1\n  }\n  c {\n    d = 2\n  }\n}\n')
    held = document.path("a", "x")
    assert held is not None and held.keys() == ("one", "two")
    several = document.path("a", "x", "two", "c")
    assert several is not None and [item.get("d").number() for item in several.items] == [1, 2]  # type: ignore[union-attr]
    assert document.keys() == ("a", "b")
    two = held.get("two")
    assert two is not None and (two.at, two.end_line) == (4, 11)


def test_dynamic_block_stands_for_the_block_that_it_writes() -> None:
    text = 'r "a" "b" {\n  dynamic "alarms" {\n    for_each = x\n    content {\n      name = "n"\n    }\n  }\n}\n'
    name = _one(text).path("r", "a", "b", "alarms", "name")
    assert name is not None and (name.value, name.at) == ("n", 5)


@pytest.mark.parametrize("text", ["", "\n\n", '# resource "a" "b" {}\n', "/* x = 1 */\n"])
def test_nothing_but_comments_is_no_document(text: str) -> None:
    assert hcl.parse(text) == ()


def test_what_stands_before_a_broken_part_is_kept() -> None:
    with pytest.raises(DocumentError) as caught:
        hcl.parse('resource "a" "b" {\n  x = 1\n}\nresource "c" {{{\n')
    (partial,) = caught.value.partial
    assert partial.path("resource", "a", "b", "x") is not None
    assert caught.value.line >= 4


def test_too_deep_is_said() -> None:
    with pytest.raises(DocumentError, match="nested"):
        hcl.parse("a = " + "[" * 400 + "]" * 400)


def test_too_large_is_said() -> None:
    with pytest.raises(DocumentError, match="MB"):
        hcl.parse("# " + "x" * 2_100_000)


_NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_VALUES = st.one_of(
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.text(st.characters(codec="ascii", exclude_characters="$%", min_codepoint=32), max_size=20),
)


@given(st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=6))
def test_attributes_come_back_as_written(values: dict[str, bool | int | str]) -> None:
    document = _one("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    assert {name: node.value for name, node in document.entries} == values
    assert [node.at for _, node in document.entries] == list(range(1, len(values) + 1))


@given(mutations(ALARM))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents = hcl.parse(text)
    except DocumentError as error:
        documents = error.partial
    last = text.count("\n") + 1
    for document in documents:
        assert all(1 <= node.line <= node.end_line <= last + 1 for _, node in document.walk())
