from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.documents import json as json_documents
from mlops_scan.documents import yaml as yaml_documents
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.patterns import (
    beginnings_of,
    compile_name,
    find_path,
    heads_of,
    match_words,
    roots_of,
    split_path,
)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("mlflow.log_metric", "mlflow.log_metric", True),
        ("mlflow.log_metric", "mlflow.log_metrics", False),
        ("mlflow.log_metric", "mlflowxlog_metric", False),
        ("mlflow.log_metric", "a.mlflow.log_metric", False),
        ("mlflow.*.autolog", "mlflow.sklearn.autolog", True),
        ("mlflow.*.autolog", "mlflow.autolog", False),
        ("mlflow.*.autolog", "mlflow.a.b.autolog", False),
        ("mlflow.*", "mlflow.log", True),
        ("mlflow.*", "mlflow", False),
        ("mlflow.log_*", "mlflow.log_metric", True),
        ("mlflow.log_*", "mlflow.log_", True),
        ("mlflow.log_*", "mlflow.log_a.b", False),
        ("a.*_x.b", "a.my_x.b", True),
        ("torch.optim.**.step", "torch.optim.step", True),
        ("torch.optim.**.step", "torch.optim.Adam.step", True),
        ("torch.optim.**.step", "torch.optim.a.b.step", True),
        ("torch.optim.**.step", "torch.optimizer.step", False),
        ("captum.**", "captum.attr.X", True),
        ("captum.**", "captum", False),
        ("a.**.*.fit", "a.B.fit", True),
        ("a.**.*.fit", "a.fit", False),
        ("a.{b,c}.fit", "a.b.fit", True),
        ("a.{b,c}.fit", "a.c.fit", True),
        ("a.{b,c}.fit", "a.d.fit", False),
        ("a.{b, c}.fit", "a.c.fit", True),
        ("a.{b.c,d}.fit", "a.b.c.fit", True),
        ("a.{make_*,d}", "a.make_private", True),
        ("a.{make_*,d}", "a.make.private", False),
        ("{a,b}.c", "b.c", True),
        ("?.fit", "?.fit", True),
        ("?.fit", "x.fit", False),
        ("a.b+c", "a.bbc", False),
    ],
)
def test_call_names(pattern: str, name: str, fits: bool) -> None:
    assert (compile_name(pattern).fullmatch(name) is not None) is fits


@pytest.mark.parametrize(
    ("pattern", "roots"),
    [
        ("mlflow.log", ("mlflow",)),
        ("print", ("print",)),
        ("{a,b}.c", ("a", "b")),
        ("{a.x,b}.c", ("a", "b")),
        ("{a.x,a.y}.c", ("a",)),
        ("{a*,b}.c", ("*", "b")),
        ("{a,b}_c.d", ("*",)),
        ("a{b,c}.d", ("*",)),
        ("*.fit", ("*",)),
        ("py*.fit", ("*",)),
        ("**.fit", ("*",)),
        ("?.fit", ("?.fit",)),
        ("?.fit_*", ("?",)),
        ("?.{fit,train}", ("?",)),
    ],
)
def test_roots(pattern: str, roots: tuple[str, ...]) -> None:
    assert roots_of(pattern) == roots


@pytest.mark.parametrize(
    ("pattern", "beginnings"),
    [
        ("sklearn.**.fit", ("sklearn",)),
        ("google.cloud.{storage,aiplatform}.**.Model", ("google.cloud.storage", "google.cloud.aiplatform")),
        ("{keras,tf_keras}.models.load_*", ("keras.models", "tf_keras.models")),
        ("a.b{c,d}.e", ("a",)),
        ("a.{b,c*}.e", ("a",)),
        ("?.fit", ()),
        ("*.fit", ()),
    ],
)
def test_literal_beginnings(pattern: str, beginnings: tuple[str, ...]) -> None:
    assert beginnings_of(pattern) == beginnings


@given(st.text(alphabet="ab.*_", min_size=1, max_size=12), st.text(alphabet="ab._", min_size=1, max_size=8))
def test_a_name_that_fits_has_one_of_the_roots(pattern: str, name: str) -> None:
    if compile_name(pattern).fullmatch(name):
        assert {name.split(".", 1)[0], "*"} & set(roots_of(pattern))


@pytest.mark.parametrize(
    ("pattern", "command", "fits"),
    [
        ("dvc repro", "dvc repro", True),
        ("dvc repro", "dvc repro --force train", True),
        ("dvc repro", "dvc -v repro", True),
        ("dvc repro", "dvc --cd app repro", True),
        ("dvc repro", "dvc --cd=app repro", True),
        ("dvc repro", "dvc --cd=app other repro", False),
        ("dvc repro", "dvc status repro", False),
        ("dvc repro", "dvc", False),
        ("dvc repro", "xdvc repro", False),
        ("pytest", "pytest", True),
        ("pytest", "pytest tests -k fit", True),
        ("pytest", "pytest-watch", False),
        ("dvc pull|fetch", "dvc fetch", True),
        ("dvc pull|fetch", "dvc pull|fetch", False),
        ("docker|podman push", "podman push x", True),
        ("mlflow * serve", "mlflow models serve", True),
        ("mlflow * serve", "mlflow serve", False),
        ("aws s3 sync dags*|./dags*", "aws s3 sync ./dags/ s3://b", True),
        ("aws s3 sync dags*", "aws s3 sync s3://b dags", False),
        ("az ml model deploy", "az ml -g group model deploy -n x", True),
        ("az ml model deploy", "az ml model -w space deploy", True),
        ("az ml model deploy", "az ml model list deploy", False),
        ("helm upgrade|install --atomic", "helm upgrade --install app ./chart --atomic", True),
        ("helm upgrade|install --atomic", "helm upgrade app ./chart", False),
        ("az ml online-endpoint update --traffic", "az ml online-endpoint update --traffic blue=10", True),
        ("az ml online-endpoint update --traffic", "az ml online-endpoint update --traffic=blue", True),
        ("az ml online-endpoint update --traffic", "az ml online-endpoint update --trafficked", False),
        ("uses docker/build-push-action push=true", "uses docker/build-push-action context=. push=true", True),
        ("uses docker/build-push-action push=true", "uses docker/build-push-action context=. push=false", False),
        ("uses */deploy-*", "uses azure/deploy-model x=1", True),
        ("kubectl create -f", "kubectl create -f x.yaml", True),
    ],
)
def test_commands(pattern: str, command: str, fits: bool) -> None:
    assert match_words(pattern, tuple(command.split())) is fits


def test_no_words_fit_nothing() -> None:
    assert not match_words("pytest", ())


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a", ("a",)),
        ("a.b.*", ("a", "b", "*")),
        ('metadata."a.b/c".d', ("metadata", "a.b/c", "d")),
        ("a|b.c", ("a|b", "c")),
    ],
)
def test_split_path(path: str, parts: tuple[str, ...]) -> None:
    assert split_path(path) == parts


@given(st.text(alphabet='ab".*|', max_size=14))
def test_a_path_is_split_as_an_expression_would(path: str) -> None:
    parts = re.findall(r'"([^"]*)"|([^."]+)', path)
    assert split_path(path) == tuple(quoted or plain for quoted, plain in parts)


@given(st.lists(st.sampled_from(["a", "b_c", "*", "**", "?", "d*", ""]), max_size=5))
def test_beginnings_are_the_literal_segments_in_front(segments: list[str]) -> None:
    literal = []
    for segment in filter(None, segments):
        if set(segment) & set("*?"):
            break
        literal.append(segment)
    assert beginnings_of(".".join(segments)) == ((".".join(literal),) if literal else ())


_DOCUMENT = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  annotations:
    a.b/c: "yes"
    empty:
spec:
  predictor:
    minReplicas: 0
    on: true
  list:
    - name: first
      value: 1
    - name: second
      value: 2.50
"""


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("kind", "", 2),
        ("kind", "InferenceService", 2),
        ("kind", "Inference", None),
        ("kind", "Other|InferenceService", 2),
        ("apiVersion", "serving.kserve.io/*", 1),
        ("missing", "", None),
        ("kind.deeper", "", None),
        ('metadata.annotations."a.b/c"', "", 5),
        ('metadata.annotations."a.b/c"', "yes", 5),
        ("metadata.annotations.empty", "", None),
        ("metadata.annotations", "", 4),
        ("metadata.annotations", "*", None),
        ("spec.predictor.on", "true", 10),
        ("spec.predictor.minReplicas", "0", 9),
        ("spec.*.on", "", 10),
        ("spec.pred*.on", "", 10),
        ("spec.other|predictor.on", "", 10),
        ("spec.list.*.name", "second", 14),
        ("spec.list.*.value", "2.50", 15),
        ("spec.list.name", "", None),
        ("*.*.*.name", "first", 12),
    ],
)
def test_key_paths(path: str, value: str, line: int | None) -> None:
    (document,) = yaml_documents.parse(_DOCUMENT)
    found = find_path(document, path, value)
    assert (found.at if found else None) == line


def test_the_top_of_a_document_may_be_a_list() -> None:
    found = find_path(json_documents.parse('[{"a": 1}, {"b": 2}]'), "*.b", "2")
    assert found is not None


_CONDITIONAL = """\
tagged: !If
  - rollout
  - !Ref AWS::NoValue
  - percent: 10
keyed:
  Fn::If:
    - rollout
    - !If
      - canary
      - {other: 1}
      - percent: 20
    - {Ref: "AWS::NoValue"}
listed: !If
  - rollout
  - - percent: 30
  - []
item:
  - !If [rollout, {percent: 40}, {}]
cut: !If [rollout, {percent: 50}]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("tagged.percent", 4),
        ("keyed.percent", 11),
        ("listed.*.percent", 15),
        ("item.*.percent", 18),
        ("listed.*.*.percent", None),  # a condition is no level of its own
        ("tagged.rollout", None),
        ("cut.percent", None),  # no condition: a branch is missing
    ],
)
def test_branches_of_conditions_are_looked_into(path: str, line: int | None) -> None:
    (document,) = yaml_documents.parse(_CONDITIONAL)
    found = find_path(document, path, "")
    assert (found.line if found else None) == line


def test_conditions_that_share_branches_take_no_time() -> None:
    node = Node("mapping", 1, 1, entries=(("percent", Node("scalar", 1, 1, value=1, text="1")),))
    for _ in range(60):
        node = Node("sequence", 1, 1, tag="!If", items=(node, node, node))
    assert find_path(node, "missing", "") is None
    assert find_path(node, "percent", "1") is not None


def test_shared_nodes_take_no_time() -> None:
    node = Node("scalar", 1, 1, value="x", text="x")
    for _ in range(8):
        node = Node("sequence", 1, 1, items=(node,) * 500)
    started = time.monotonic()
    assert find_path(node, "*.*.*.*.*.*.*.*", "missing") is None
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("pattern", "heads"),
    [
        ("ollama pull", ("ollama",)),
        ("docker|podman push", ("docker", "podman")),
        ("push=true docker buildx", ("docker",)),
        ("py* run", ("*",)),
        ("--atomic", ("*",)),
    ],
)
def test_heads(pattern: str, heads: tuple[str, ...]) -> None:
    assert heads_of(pattern) == heads


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("*.csv|*.tsv", "a.csv", True),
        ("!*.csv", "a.csv", False),
        ("!*.csv", "a.pkl", True),
        ("!*.csv|!*.pkl", "a.pkl", False),
        ("*model*|!*.csv", "models.csv", False),
        ("*model*|!*.csv", "models.bin", True),
        ("*model*|!*.csv", "rows.bin", False),
    ],
)
def test_values_that_are_excluded(value: str, text: str, expected: bool) -> None:
    assert (find_path(yaml_documents.parse(f"path: {text}\n")[0], "path", value) is not None) is expected
