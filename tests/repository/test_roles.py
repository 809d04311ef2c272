from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.repository.roles import role_of, strip_template
from mlops_scan.words import Role


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
    ],
)
def test_strip_template(path: str, expected: tuple[str, bool]) -> None:
    assert strip_template(path) == expected


@given(st.text(alphabet="a/{}.% _tmpljin2", max_size=40))
def test_any_path_has_a_role(path: str) -> None:
    assert isinstance(role_of(path), Role)
