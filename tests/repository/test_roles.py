from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.repository.listing import open_repository
from mlops_scan.repository.roles import RoleCatalogue, default_catalogue, role_of, strip_template
from mlops_scan.rolerules import RoleRule
from mlops_scan.words import Role
from tests.trees import context_of, scan_tree, write_tree


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("train.py", "source"),
        ("src/models/train.py", "source"),
        ("Makefile", "source"),
        ("build_pipeline/run.py", "source"),
        ("vendored_models.py", "source"),
        ("vendors/list.py", "source"),
        ("distance/dist.py", "source"),
        ("src/latest.py", "source"),
        ("src/contest.py", "source"),
        ("src/testimonials.py", "source"),
        ("attest/main.py", "source"),
        ("golden/old.py", "source"),
        ("sampler/demo.py", "source"),
        ("src/documents.py", "source"),
        ("charts/scoring/templates/deployment.yaml", "source"),
        ("requirements-test.txt", "source"),
        ("vendor/lib/train.py", "vendored"),
        ("web/node_modules/x/index.py", "vendored"),
        ("lib/python3.11/site-packages/mlflow/x.py", "vendored"),
        ("charts/app/charts/redis/values.yaml", "vendored"),
        ("vendor/lib/tests/test_x.py", "vendored"),
        ("dist/app.py", "generated"),
        ("mlruns/0/meta.yaml", "generated"),
        ("api/model_pb2.py", "generated"),
        ("api/model_pb2_grpc.py", "generated"),
        ("static/app.min.js", "generated"),
        ("tests/unit/helpers.py", "test"),
        ("Tests/unit/helpers.py", "test"),
        ("src/test_model.py", "test"),
        ("src/model_test.py", "test"),
        ("conftest.py", "test"),
        ("app/tests.py", "test"),
        ("tests/data/model.pkl", "test"),
        ("e2e/run.sh", "test"),
        ("fixtures/small/train.py", "test"),
        ("examples/train.py", "example"),
        ("legacy/train.ipynb", "example"),
        ("docs/conf.py", "docs"),
        ("docs/usage.ipynb", "docs"),
        ("README.md", "docs"),
        ("reports/plot.PNG", "docs"),
        ("notebooks/train.ipynb", "notebook"),
        ("models/model.pkl", "model artifact"),
        ("models/weights.PTH", "model artifact"),
        ("weights/best.pth", "model artifact"),
        ("model.safetensors", "model artifact"),
        ("data/train.csv", "data"),
        ("data/train.parquet", "data"),
        ("backup.tar.gz", "data"),
        ("pth/train.py", "source"),
        ("docs", "source"),
        ("", "source"),
    ],
)
def test_the_path_alone_gives_the_role(path: str, role: str) -> None:
    assert role_of(path) is Role(role)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("train.py.jinja", "template"),
        ("train.py.J2", "template"),
        ("notebook.ipynb.tmpl", "template"),
        ("{{ cookiecutter.name }}/train.py", "template"),
        ("{{ cookiecutter.name }}/eda.ipynb", "template"),
        ("{{ cookiecutter.x }}/tests/test_a.py", "test"),
        ("{{cookiecutter.x}}/docs/conf.py", "docs"),
        ("template/{{.input_root_dir}}/tests/a_test.py.tmpl", "test"),
        ("tests/{{cookiecutter.name}}_test.py", "test"),
        ("src/{{cookiecutter.name}}.py", "template"),
        ("examples/{{cookiecutter.name}}/train.py", "template"),
        ("tests/{{cookiecutter.name}}/train.py", "test"),
        ("vendor/{{cookiecutter.name}}/train.py", "vendored"),
        ("docs/{{cookiecutter.name}}/train.py", "template"),
        ("src/{{unclosed.py", "source"),
        ("src/}}{{/x.py", "source"),
        ("{{a/b}}/x.py", "source"),
        ("chart/templates/_helpers.tpl", "source"),
        ("cookiecutter.json", "source"),
        ("{% if docs %}notes{% endif %}/a.py", "template"),
        ("template/{% if t %}tests{% endif %}/a.py", "test"),
        ("tests/{% if t %}sub{% endif %}/a.py", "test"),
        ("template/src/{% if api %}serve.py{% endif %}.jinja", "template"),
        ("template/{% if api %}{{ name }}{% endif %}/eda.ipynb", "template"),
        ("vendor/{% if a %}b{% endif %}/c.py", "vendored"),
        ("src/{% unclosed/x.py", "source"),
        ("src/100%/x.py", "source"),
    ],
)
def test_files_of_templates(path: str, role: str) -> None:
    assert role_of(path) is Role(role)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/train.py", ("src/train.py", False)),
        ("{{ cookiecutter.x }}/src/train.py", ("src/train.py", True)),
        ("{{ cookiecutter.x }}/src/{{ cookiecutter.y }}/train.py", ("src/{{ cookiecutter.y }}/train.py", True)),
        (
            "template/{{.input_root_dir}}/{{template `a` .}}/x.py.tmpl",
            ("{{template `a` .}}/x.py", True),
        ),
        (
            "template/{{.input_root_dir}}/.github/workflows/{{.name}}-ci.yml.tmpl",
            (".github/workflows/{{.name}}-ci.yml", True),
        ),
        (".github/workflows/{{.name}}.yml", (".github/workflows/{{.name}}.yml", True)),
        ("pkg_{{ name }}_core/a.py", ("a.py", True)),
        ("Dockerfile.j2", ("Dockerfile", True)),
        ("chart/templates/a.yaml.tpl", ("chart/templates/a.yaml.tpl", False)),
        ("a.tmpl.py", ("a.tmpl.py", False)),
        ("{% if ci %}.github{% endif %}/workflows/ci.yml.jinja", (".github/workflows/ci.yml", True)),
        ("template/{% if ci %}.github{% endif %}/workflows/ci.yml", (".github/workflows/ci.yml", True)),
        ("template/src/{% if a %}core{% endif %}/x.py", ("template/src/core/x.py", True)),
        ("src/{% if a %}train.py{% endif %}.jinja", ("src/train.py", True)),
        ("t/{% if a %}{{ name }}{% endif %}/x.py", ("x.py", True)),
        ("t/{% if a %}{% endif %}/x.py", ("t/x.py", True)),
        ("src/{% if a/x.py", ("src/{% if a/x.py", False)),
    ],
)
def test_strip_template(path: str, expected: tuple[str, bool]) -> None:
    assert strip_template(path) == expected


def test_the_first_rule_wins_and_globs_match_whole_names() -> None:
    rules = [
        RoleRule(Role.GENERATED, folders=("*.egg-info", "out[0-9]"), names=("*_pb2.py",)),
        RoleRule(Role.TEST, folders=("tests",), names=("test_*.py", "*.py.bak")),
    ]
    catalogue = RoleCatalogue(rules)
    assert catalogue.role("a.egg-info/tests/test_a.py") is Role.GENERATED
    assert catalogue.role("tests/a_pb2.py") is Role.GENERATED
    assert catalogue.role("out1/x") is Role.GENERATED
    assert catalogue.role("out12/x") is Role.SOURCE
    assert catalogue.role("a_pb2.py/x.py") is Role.SOURCE
    assert catalogue.role("TESTS/x.py") is Role.TEST
    assert RoleCatalogue(reversed(rules)).role("tests/a_pb2.py") is Role.TEST


def test_a_catalogue_without_a_role() -> None:
    own = default_catalogue().without(frozenset({Role.VENDORED, Role.GENERATED}))
    assert own.role("vendor/dist/train.py") is Role.SOURCE
    assert own.role("vendor/tests/a.py") is Role.TEST
    assert default_catalogue().role("vendor/dist/train.py") is Role.VENDORED


def test_a_catalogue_without_rules_knows_nothing_but_templates() -> None:
    assert RoleCatalogue(()).role("vendor/a.py") is Role.SOURCE
    assert RoleCatalogue(()).role("a.py.jinja") is Role.TEMPLATE
    assert not RoleCatalogue(()).is_generated("# @generated\n")


@given(
    st.lists(st.text(alphabet="ab*?", min_size=1, max_size=5), min_size=1, max_size=3),
    st.text(alphabet="abc?* ", max_size=12),
)
def test_a_marker_stands_in_a_line_where_an_expression_would_find_it(phrases: list[str], line: str) -> None:
    rule = RoleRule(Role.GENERATED, markers=tuple(f"generated {phrase}" for phrase in phrases))
    parts = [".*?".join(map(re.escape, marker.split("*"))).replace(r"\?", ".") for marker in rule.markers]
    text = f"# generated {line}".rstrip()
    assert RoleCatalogue([rule]).is_generated(text) == any(re.search(part, text) for part in parts)


def test_a_marker_far_down_or_in_code_is_none() -> None:
    catalogue = default_catalogue()
    assert catalogue.is_generated("\n" * 30 + "# @generated\n")
    assert not catalogue.is_generated("\n" * 60 + "# @generated\n")
    assert not catalogue.is_generated("# " + "x" * 5000 + "\n# @generated\n")
    assert not catalogue.is_generated("x = '@generated'\n")


GENERATED = """# Code generated by deepmodel. DO NOT EDIT.
from sklearn.linear_model import LogisticRegression

model = LogisticRegression().fit([[1]], [1])
"""


def test_generated_code_is_no_evidence(tmp_path: Path) -> None:
    report = scan_tree(tmp_path / "a", {"client.py": GENERATED})
    assert not report.has_ml
    assert scan_tree(tmp_path / "b", {"client.py": GENERATED.replace("DO NOT", "You may")}).has_ml
    repository = context_of(tmp_path / "a", {}).repository
    assert [file.role for file in repository.files] == [Role.GENERATED]
    assert open_repository(tmp_path / "a").files[0].role is Role.SOURCE  # a path alone does not tell


@given(st.text(alphabet="a/{}.% _tmpljin2", max_size=40))
def test_any_path_has_a_role(path: str) -> None:
    assert isinstance(role_of(path), Role)


RECORD = """lib/__init__.py,sha256=a,3
"lib/a,b.py",sha256=b,3
tests/test_x.py,,
../../bin/run,,
lib-1.0.dist-info/RECORD,,
"""


def test_packages_installed_beside_ones_own_code_are_vendored(tmp_path: Path) -> None:
    names = ("lib/__init__.py", "lib/a,b.py", "tests/test_x.py", "lib/own.py", "handler.py", "tests/test_handler.py")
    tree = {f"{folder}/{name}": "x = 1\n" for folder in ("fn", "other") for name in names}
    write_tree(tmp_path, {**tree, "bin/run": "x\n", "fn/lib-1.0.dist-info/RECORD": RECORD})
    roles = {file.path: file.role for file in open_repository(tmp_path).files}
    assert [roles[f"fn/{name}"] for name in names] == [*[Role.VENDORED] * 3, Role.SOURCE, Role.SOURCE, Role.TEST]
    assert [roles[f"other/{name}"] for name in names] == [Role.SOURCE] * 2 + [Role.TEST] + [Role.SOURCE] * 2 + [
        Role.TEST
    ]
    assert roles["bin/run"] is Role.SOURCE  # outside of the folder


@pytest.mark.parametrize(
    ("path", "beside", "role"),
    [
        ("app/build/lib/nets/train.py", "app/nets/train.py", Role.GENERATED),
        ("build/lib/nets/train.py", "src/nets/train.py", Role.GENERATED),
        ("build/lib.linux-x86_64-3.11/nets/train.py", "nets/train.py", Role.GENERATED),
        ("build/lib/nets/train.py", "nets/old.py", Role.SOURCE),
        ("build/lib/nets/train.py", "other/nets/train.py", Role.SOURCE),
        ("build/nets/train.py", "nets/train.py", Role.SOURCE),
        ("rebuild/lib/nets/train.py", "nets/train.py", Role.SOURCE),
    ],
)
def test_what_setuptools_built_is_generated(tmp_path: Path, path: str, beside: str, role: Role) -> None:
    write_tree(tmp_path, {path: "x = 1\n", beside: "x = 1\n"})
    roles = {file.path: file.role for file in open_repository(tmp_path).files}
    assert (roles[path], roles[beside]) == (role, Role.SOURCE)
