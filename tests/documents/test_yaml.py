from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import yaml
from mlops_scan.documents.manifests import without_schemas
from mlops_scan.documents.node import DocumentError, Node
from tests.documents.hostile import mutations

WORKFLOW = """\
# ci
on: [push]
env: &env {LR: 1e-4}
jobs:
  test:
    <<: *env
    steps:
      - run: |
          pytest

          ruff check

      - uses: actions/checkout@v4
"""


def only(text: str) -> Node:
    (node,) = yaml.parse(text)
    return node


def test_a_number_keeps_its_text() -> None:
    node = only("x: 1.10").get("x")
    assert node is not None
    assert (node.text, node.string()) == ("1.10", "1.10")


def test_positions_and_merge_keys() -> None:
    root = only(WORKFLOW)
    assert root.keys() == ("on", "env", "jobs")
    job = root.path("jobs", "test")
    assert job is not None
    assert job.keys() == ("LR", "steps")
    assert (job.key_line, job.line, job.end_line) == (5, 6, 13)
    rate = job.get("LR")
    assert rate is not None and rate.line == 3
    steps = job.get("steps")
    assert steps is not None
    run = steps.items[0].get("run")
    assert run is not None
    assert (run.line, run.end_line, run.text_line, run.style) == (8, 11, 9, "|")
    assert run.value == "pytest\n\nruff check\n"


def test_explicit_keys_win_over_merged_and_earlier_sources_over_later() -> None:
    node = only("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 0\n").get("c")
    assert node is not None
    assert {name: child.value for name, child in node.entries} == {"x": 0, "y": 1, "z": 2}


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert only("a:\n  '<<': {x: 1}\n").path("a", "<<", "x") is not None


def test_an_alias_has_the_line_of_its_own_key() -> None:
    alias = only("a: &a [1]\n\nb: *a\n").get("b")
    assert alias is not None
    assert (alias.at, alias.line) == (3, 1)


@pytest.mark.parametrize(
    ("text", "tag", "kind"),
    [
        ("!reference [.a, script]", "!reference", "sequence"),
        ("!Ref Bucket", "!Ref", "scalar"),
        ("!If {a: 1}", "!If", "mapping"),
        ("!!python/name:a.b", "!!python/name:a.b", "scalar"),
        ("!!python/object/apply:os.system ['x']", "!!python/object/apply:os.system", "sequence"),
        ("!!map {a: 1}", "", "mapping"),
        ("plain", "", "scalar"),
    ],
)
def test_tags_are_kept_and_read_by_structure(text: str, tag: str, kind: str) -> None:
    node = only(f"x: {text}").get("x")
    assert node is not None
    assert (node.tag, node.kind) == (tag, kind)


def test_duplicate_keys_the_later_wins() -> None:
    node = only("a: 1\na: 2\n")
    assert node.keys() == ("a", "a")
    found = node.get("a")
    assert found is not None and found.value == 2


def test_several_documents() -> None:
    assert [node.kind for node in yaml.parse("a: 1\n---\n- 2\n---\nx\n")] == ["mapping", "sequence", "scalar"]
    assert yaml.parse("") == ()
    assert yaml.parse("# nothing\n") == ()


def test_what_stands_before_a_broken_document_is_kept() -> None:
    with pytest.raises(DocumentError) as caught:
        yaml.parse("a: 1\n---\nb: [\n")
    assert [node.keys() for node in caught.value.partial] == [("a",)]
    assert caught.value.line >= 3


@pytest.mark.parametrize("text", ["// one\n// two\na: 1\n", "a: 1\n// [note\nb: {c: 1}\n", "# x\n  // y\na: 1\n"])
def test_slash_comments(text: str) -> None:
    assert only(text).get("a") is not None


def test_slashes_inside_a_block_scalar_stay() -> None:
    node = only("// head\na: |\n  // kept\n  b\n// broken [\nc: 1\n").get("a")
    assert node is not None and node.value == "// kept\nb\n"


def test_template_tags() -> None:
    root = only(
        "kind: X\nsteps: {{STEPS}}\n{{- if .Values.a }}\nname: {{ .Values.n | quote }}-x\n"
        'q: "{{ keep }}"\n{{- end }}\nz: 1\n'
    )
    assert root.keys() == ("kind", "steps", "name", "q", "z")
    found = {name: (node.value, node.line) for name, node in root.entries}
    assert found["steps"] == ("TEMPLATE", 2)
    assert found["name"] == ("TEMPLATE-x", 4)
    assert found["z"] == (1, 7)


def test_a_document_that_parses_keeps_its_tags() -> None:
    node = only("run: echo ${{ github.sha }}\nx: '{{ y }}'\n")
    assert [child.value for _, child in node.entries] == ["echo ${{ github.sha }}", "{{ y }}"]


def test_a_multi_line_template_tag_keeps_the_lines() -> None:
    node = only("a: 1\n{{/* long\ncomment */}}\nb: {{ x }}\n").get("b")
    assert node is not None and node.line == 4


def test_tabs_are_an_error_with_a_line() -> None:
    with pytest.raises(DocumentError) as caught:
        yaml.parse("a:\n\tb: 1\n")
    assert caught.value.line == 2


def test_cycles_and_unknown_aliases_are_text() -> None:
    node = only("x: &a [*a, *b]\n").get("x")
    assert node is not None
    assert node.strings() == ("*a", "*b")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "- " * 50_000,
        "{a: " * 50_000,
        "? " * 50_000,
        "{{" * 50_000,
        "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 5000)),
        "a: &a {"
        + ",".join(f"k{i}: 1" for i in range(5000))
        + "}\n"
        + "".join(f"b{i}: {{<<: *a}}\n" for i in range(5000)),
        "a: " + "x" * 2_000_001,
    ],
)
def test_bounds(text: str) -> None:
    start = time.process_time()
    with pytest.raises(DocumentError):
        yaml.parse(text)
    assert time.process_time() - start < 5


def test_an_alias_bomb_is_shared_and_its_strings_are_bounded() -> None:
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    node = only("a0: &a0 x\n" + levels).get("a29")
    assert node is not None
    assert 0 < len(node.strings()) <= 20_000
    assert sum(1 for _ in node.walk(limit=1000)) == 1000


def test_the_pure_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml as pyyaml

    fast = [(path, node.line, node.end_line, node.value) for path, node in only(WORKFLOW).walk()]
    monkeypatch.delattr(pyyaml, "CSafeLoader", raising=False)
    assert [(path, node.line, node.end_line, node.value) for path, node in only(WORKFLOW).walk()] == fast


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=300), mutations(WORKFLOW), st.text("{}[]:-&*!|>%\"' \nab<#?,/", max_size=200)))
def test_only_document_errors_escape(text: str) -> None:
    try:
        documents = yaml.parse(text)
    except DocumentError:
        return
    for document in documents:
        for _, node in document.walk(5000):
            assert 1 <= node.line <= node.end_line
            assert node.at >= 1


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_only_line_feeds_count_as_lines(separator: str) -> None:
    (document,) = yaml.parse(f"a: x{separator}y\n# {separator}\nb: 1\n")
    found = document.get("b")
    assert found is not None
    assert found.line == 3


def test_an_empty_value_at_the_end_stands_on_the_last_line() -> None:
    (document,) = yaml.parse("?")
    assert {node.line for _, node in document.walk()} == {1}
    assert {node.end_line for _, node in document.walk()} == {1}


class TestSchemas:
    """Definitions of Kubernetes' own resources, of which the schemas are no evidence."""

    TEXT = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: models.example.org
spec:
  group: example.org
  versions:
  - name: v1
    schema:
      openAPIV3Schema: {type: object, description: 'a # b'}

  # why
  {{- if .Values.old }}
  - name: v0
    deprecated: |
      spec:
        versions:
  {{- end }}
  scope: Namespaced
---
kind: Model
spec:
  versions:
  - name: v1
"""

    def test_they_are_left_out_and_nothing_else(self) -> None:
        definition, model = yaml.parse(self.TEXT)
        assert definition.path("metadata", "name").text == "models.example.org"  # type: ignore[union-attr]
        assert definition.path("spec", "group").text == "example.org"  # type: ignore[union-attr]
        assert definition.path("spec", "versions").kind == "scalar"  # type: ignore[union-attr]
        scope = definition.path("spec", "scope")
        assert scope is not None
        assert self.TEXT.split("\n")[scope.line - 1] == "  scope: Namespaced"
        names = model.path("spec", "versions")
        assert names is not None
        assert [item.get("name").text for item in names.items] == ["v1"]  # type: ignore[union-attr]
        assert self.TEXT.split("\n")[names.items[0].line - 1] == "  - name: v1"

    def test_where_that_breaks_the_text_it_is_read_whole(self) -> None:
        text = "a: 1\nkind: CustomResourceDefinition\nspec:\n  versions:\n  - name: 'v1\n  and'\n  served: true\n"
        (found,) = yaml.parse(text)
        assert found.path("spec", "served").value is True  # type: ignore[union-attr]

    def test_they_do_not_count_for_the_size(self) -> None:
        schema = "\n".join(f"        field{number}: {{type: string}}" for number in range(90_000))
        text = f"a: 1\nkind: CustomResourceDefinition\nspec:\n  versions:\n  - schema:\n{schema}\n  scope: x\n"
        assert len(text) > 2_000_000
        (found,) = yaml.parse(text)
        assert found.path("spec", "scope").line == text.count("\n")  # type: ignore[union-attr]
        with pytest.raises(DocumentError, match="larger than 2 MB"):
            yaml.parse(text.replace("CustomResource", "Resource"))

    def test_many_of_them_take_no_longer_for_each(self) -> None:
        text = "a: 1\nkind: CustomResourceDefinition\n" + "  versions:\n  - 1\n" * 300_000
        assert without_schemas(text).count("\n") == text.count("\n")  # in a second, not in minutes
