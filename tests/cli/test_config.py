"""Configuration files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_scan.cli.config import Config, discover, load
from mlops_scan.cli.main import run
from mlops_scan.errors import ScanError
from tests.cli.fakes import FakeScan
from tests.reports import samples

TOML = 'target-level = 3\nfail-on = "error"\nmodel = "google"\nexclude = ["vendor/"]\nformat = "json"\n'


def _write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mlops-scan.toml", TOML),
        ("pyproject.toml", "[tool.mlops-scan]\n" + TOML),
        (
            ".mlops-scan.yaml",
            "fail-below: 3\nfail-on: error\nmodel: google\nexclude:\n  - vendor/\nformat: [json]\n",
        ),
    ],
)
def test_three_places_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    path = _write(tmp_path, name, text)
    expected = Config(
        source=path, fail_below=3, fail_on="error", model="google", exclude=("vendor/",), formats=("json",)
    )
    for found in (discover(tmp_path), load(path)):
        assert replace(found, origins={}) == expected
        assert set(found.origins) == {"fail_below", "fail_on", "model", "exclude", "formats"}


def test_found_upwards_to_the_root_of_the_repository(tmp_path: Path) -> None:
    _write(tmp_path, "mlops-scan.toml", "target-level = 1")
    inner = tmp_path / "repository" / "services" / "a"
    inner.mkdir(parents=True)
    assert discover(inner).fail_below == 1
    (tmp_path / "repository" / ".git").mkdir()
    assert discover(inner) == Config()
    _write(tmp_path / "repository", "pyproject.toml", "[tool.mlops-scan]\ntarget-level = 2")
    _write(tmp_path / "repository" / "services", "pyproject.toml", "[project]\nname = 'x'")
    assert discover(inner).fail_below == 2


def test_the_file_of_its_own_comes_first(tmp_path: Path) -> None:
    _write(tmp_path, "pyproject.toml", "[tool.mlops-scan]\ntarget-level = 2")
    _write(tmp_path, "mlops-scan.toml", "target-level = 3")
    assert discover(tmp_path).fail_below == 3


def test_a_broken_pyproject_of_somebody_else_is_not_our_error(tmp_path: Path) -> None:
    _write(tmp_path, "pyproject.toml", "{% if cookiecutter.x %}")
    assert discover(tmp_path) == Config()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("mlops-scan.toml", "targt-level = 3", "unknown key 'targt-level', did you mean 'target-level'?"),
        ("mlops-scan.toml", "fail_below = 3", "unknown key 'fail_below', did you mean 'fail-below'?"),
        ("mlops-scan.toml", "zzzz = 3", "unknown key 'zzzz'; known are attestations, baseline"),
        ("mlops-scan.toml", 'target-level = "3"', "'target-level' must be an integer, found a string"),
        ("mlops-scan.toml", "target-level = true", "must be an integer, found a boolean"),
        ("mlops-scan.toml", "target-level = -1", "must not be negative"),
        ("mlops-scan.toml", "target-level = 1\nfail-below = 2", "mean the same"),
        ("mlops-scan.toml", 'fail-on = "eror"', "unknown value 'eror', did you mean 'error'?"),
        ("mlops-scan.toml", 'kind = "libary"', "did you mean 'library'?"),
        ("mlops-scan.toml", "exclude = [1]", "'exclude' must be a list of non-empty strings"),
        ("mlops-scan.toml", 'format = "json:/tmp/x"', "unknown value 'json:/tmp/x'"),
        ("mlops-scan.toml", "= 3", "is not valid TOML"),
        (".mlops-scan.yaml", "a: [", "is not valid YAML"),
        (".mlops-scan.yaml", "- a", "expected a table of settings, found a list"),
        (".mlops-scan.yaml", "1: 2", "unknown key '1'"),
        ("pyproject.toml", "[tool]\nmlops-scan = 3", "expected a table of settings, found an integer"),
        ("pyproject.toml", "[tool.mlops-scan]\nx = 1\n[", "is not valid TOML"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = _write(tmp_path, name, text)
    with pytest.raises(ScanError) as caught:
        discover(tmp_path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_named_file_must_exist_and_have_settings(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="does not exist"):
        load(tmp_path / "x.toml")
    with pytest.raises(ScanError, match=r"has no \[tool\.mlops-scan\] table"):
        load(_write(tmp_path, "pyproject.toml", ""))
    with pytest.raises(ScanError, match=r"is not a \.toml or \.yaml file"):
        load(_write(tmp_path, "settings.ini", ""))


def test_the_command_line_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeScan(monkeypatch, samples.without_ml())
    _write(tmp_path, "mlops-scan.toml", TOML)
    assert run([str(tmp_path), "--model", "aws", "--exclude", "docs/"]) == 1
    assert (fake.options.model, fake.options.exclude) == ("aws", ("docs/",))
    assert capsys.readouterr().out.startswith("{")


def test_isolated_reads_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeScan(monkeypatch, samples.without_ml())
    _write(tmp_path, "mlops-scan.toml", "broken")
    assert run([str(tmp_path)]) == 2
    assert run([str(tmp_path), "--isolated"]) == 0
    assert fake.options.model == "default"


# -- every key, where it comes from, what a repository may decide ------------------------------------------------------

FULL = """\
target-level = 2
no-regression = false
components = ["a", "b"]
rules = ["../rules"]
baseline = "base.json"
attestations = "claims.yaml"
rules-version = "abc"
plugins = false
[thresholds]
max-warnings = 3
min-progress = 0.5
[per-path-ignores]
"tests/" = ["MLS301"]
"*.ipynb" = "MLS1"
"""


def test_every_kind_of_key_is_read_with_paths_beside_the_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "conf", "mlops-scan.toml", FULL)
    found = load(path)
    assert found.thresholds == (("max-warnings", 3.0), ("min-progress", 0.5))
    assert found.per_path_ignores == (("tests/", ("MLS301",)), ("*.ipynb", ("MLS1",)))
    assert found.rules == (path.parent / "../rules",)
    assert (found.baseline, found.attestations) == (path.parent / "base.json", path.parent / "claims.yaml")
    assert (found.plugins, found.components, found.rules_version) == (False, ("a", "b"), "abc")
    assert found.origins["rules_version"] == f"{path}:7"
    assert found.origins["thresholds"] == f"{path}:9"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fail-below = 2\nmodl = 'x'\n", ":2: unknown key 'modl', did you mean 'model'?"),
        ("[thresholds]\nmax-warning = 1\n", "did you mean 'max-warnings'?"),
        ("[thresholds]\nmin-progress = 50\n", "a share from 0 to 1"),
        ("[thresholds]\nmax-errors = true\n", "needs a number of at least 0"),
        ("per-path-ignores = ['MLS301']\n", "must be a table"),
        ("plugins = 'no'\n", "must be true or false"),
        ("extends = 'none.toml'\n", ":1: 'extends' names"),
    ],
)
def test_wrong_values_name_the_line(tmp_path: Path, text: str, said: str) -> None:
    path = _write(tmp_path, "mlops-scan.toml", text)
    with pytest.raises(ScanError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_extends_adds_and_the_nearer_file_wins(tmp_path: Path) -> None:
    base = _write(tmp_path, "base.toml", "fail-below = 3\nmodel = 'google'\n")
    path = _write(tmp_path, "mlops-scan.toml", "extends = 'base.toml'\nfail-below = 1\n")
    found = load(path)
    assert (found.fail_below, found.model) == (1, "google")
    assert found.origins == {"fail_below": f"{path}:2", "model": f"{base}:2"}


def test_a_circle_of_files_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "a.toml", "extends = 'b.toml'\n")
    _write(tmp_path, "b.toml", "extends = 'a.toml'\n")
    with pytest.raises(ScanError, match=r"goes in a circle: a\.toml -> b\.toml -> a\.toml"):
        load(tmp_path / "a.toml")


def test_a_repository_extends_and_names_only_files_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = tmp_path / "repo"
    (repo / ".git").mkdir(parents=True)
    _write(tmp_path, "outside.toml", "fail-below = 1\n")
    _write(repo, "mlops-scan.toml", "extends = '../outside.toml'\n")
    with pytest.raises(ScanError, match="lies outside the repository"):
        discover(repo)
    _write(repo, "mlops-scan.toml", "baseline = '../b.json'\n")
    assert run([str(repo)]) == 2
    assert "'baseline' names" in capsys.readouterr().err


def test_show_names_value_and_origin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, ".mlops-scan.yaml", "model: google\nper-path-ignores:\n  docs/: [MLS301]\n")
    assert run(["config", "show", str(tmp_path)]) == 0
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert lines["model"] == ["model", "google", f"{path}:1"]
    assert lines["per-path-ignores"] == ["per-path-ignores", "docs/=MLS301", f"{path}:2"]
    assert lines["kind"] == ["kind", "-", "default"]
    assert lines["format"] == ["format", "text", "default"]


def test_show_knows_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path, "mlops-scan.toml", "model = 'google'\n")
    assert run(["config", "show", str(tmp_path), "--model", "aws", "--ignore", "MLS301,MLS302", "--no-plugins"]) == 0
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines()}
    assert lines["model"].split() == ["aws", "command", "line"]
    assert lines["ignore"].split() == ["MLS301,", "MLS302", "command", "line"]
    assert lines["plugins"].split() == ["false", "command", "line"]


def test_the_schema_accepts_what_the_reader_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    import jsonschema

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    assert run(["schema", "config"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(FULL), schema)
    for wrong in ({"modl": "x"}, {"fail-below": -1}, {"thresholds": {"max-warning": 1}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_options_are_stronger_and_everything_reaches_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeScan(monkeypatch, samples.report())
    repo = tmp_path / "repo"
    repo.mkdir()
    (tmp_path / "rules").mkdir()
    path = _write(tmp_path / "conf", "mlops-scan.toml", FULL)
    assert run([str(repo), "--config", str(path), "--baseline", "other.json", "--fail-below", "0"]) == 2
    assert fake.options.baseline == Path("other.json")
    assert fake.options.rules == (path.parent / "../rules",)
    assert fake.options.per_path_ignores == (("tests/", ("MLS301",)), ("*.ipynb", ("MLS1",)))
    assert (fake.options.plugins, fake.options.rules_version) == (False, "abc")


def test_a_pinned_version_of_the_rules_is_applied_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlops_scan import rulebook

    version = rulebook.load().version
    (tmp_path / "train.py").write_text("import sklearn\n")
    _write(tmp_path, "mlops-scan.toml", f"rules-version = '{version}'\n")
    assert run([str(tmp_path), "-q"]) == 0
    _write(tmp_path, "mlops-scan.toml", "rules-version = '0123456789ab'\n")
    assert run([str(tmp_path), "-q"]) == 2
    assert "pinned to 0123456789ab" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("limits", "code"),
    [("max-errors = 1", 0), ("max-errors = 0", 1), ("min-progress = 0.2", 0), ("min-progress = 0.3", 1)],
)
def test_thresholds_are_gates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: str, code: int) -> None:
    from msgspec.structs import replace

    FakeScan(monkeypatch, replace(samples.report(), incomplete=()))
    _write(tmp_path, "mlops-scan.toml", f"[thresholds]\n{limits}\n")
    assert run([str(tmp_path), "-q"]) == code
