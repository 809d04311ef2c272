"""The pre-commit hook: its manifest always, the real `pre-commit try-repo` where MLOPS_SCAN_HOOK_TEST=1 allows it.

The second part makes git commits in a temporary folder and lets pre-commit install this project from the package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mlops_scan.cli.main import COMMANDS
from mlops_scan.cli.scan import command

ROOT = Path(__file__).resolve().parents[2]
LEVEL_2 = ROOT / "fixtures" / "level2-dvc" / "repo"
SECONDS = 600
MADE_HERE = (".git", ".venv", "venv", "dist", "build", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info")


def _manifest() -> list[dict[str, Any]]:
    data = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert isinstance(data, list)
    return data


# -- the manifest ------------------------------------------------------------------------------------------------------


def test_the_manifest_has_one_hook_that_scans_the_whole_repository() -> None:
    (hook,) = _manifest()
    assert set(hook) <= {
        "id", "name", "description", "entry", "language", "pass_filenames", "always_run", "require_serial", "args",
        "minimum_pre_commit_version", "stages", "verbose",
    }  # fmt: skip
    assert hook["id"] == "mlops-scan"
    assert hook["language"] == "python"
    # a level is a property of the repository: the names of the staged files must not become arguments
    assert hook["pass_filenames"] is False
    assert hook["always_run"] is True


def test_the_manifest_starts_a_command_that_exists_with_options_that_it_has() -> None:
    (hook,) = _manifest()
    program, subcommand = hook["entry"].split()
    assert program == "mlops-scan"
    assert subcommand in COMMANDS
    result = CliRunner().invoke(command, [*hook["args"], "--help"])
    assert result.exit_code == 0, result.output
    options = {option for parameter in command.params for option in parameter.opts}
    assert options >= {argument for argument in hook["args"] if argument.startswith("-")}


def test_the_entry_with_the_default_arguments_passes_on_a_repository_without_errors(tmp_path: Path) -> None:
    (hook,) = _manifest()
    shutil.copytree(LEVEL_2, tmp_path / "target")
    words = [sys.executable, "-m", "mlops_scan", *hook["entry"].split()[1:], *hook["args"]]
    done = subprocess.run(words, cwd=tmp_path / "target", capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


# -- the real thing ----------------------------------------------------------------------------------------------------

real = pytest.mark.skipif(
    os.environ.get("MLOPS_SCAN_HOOK_TEST") != "1",
    reason="pre-commit was NOT tried: it installs from the package index; set MLOPS_SCAN_HOOK_TEST=1 to try it",
)


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    # line endings and hooks of whoever runs the tests must not change what is committed
    options = [*identity, "-c", "core.autocrlf=false", "-c", f"core.hooksPath={os.devnull}"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def _committed(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*MADE_HERE), symlinks=True)
    _git(target, "init", "--quiet", "--initial-branch=main")
    _git(target, "add", "--all")
    _git(target, "commit", "--quiet", "--message", "as it is")
    return target


@pytest.fixture(scope="module")
def pre_commit() -> list[str]:
    beside = Path(sys.executable).with_name("pre-commit")
    found = str(beside) if beside.exists() else shutil.which("pre-commit")
    if found is None or shutil.which("git") is None:
        pytest.fail("MLOPS_SCAN_HOOK_TEST=1 needs git and pre-commit: pip install -e '.[dev]'")
    return [found]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, str]]:
    """This project and a target as repositories of their own, and an environment with a fresh pre-commit store."""
    folder = tmp_path_factory.mktemp("hook")
    hooks, target = _committed(ROOT, folder / "hooks"), _committed(LEVEL_2, folder / "target")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return hooks, target, {**environment, "PRE_COMMIT_HOME": str(folder / "store"), "PRE_COMMIT_COLOR": "never"}


@real
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, "Passed"),  # the manifest's own
        (["--fail-below", "2"], 0, "Passed"),
        (["--fail-below", "3"], 1, "level 2 is below 3"),
    ],
)
def test_pre_commit_runs_it(
    pre_commit: list[str],
    place: tuple[Path, Path, dict[str, str]],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    hooks, target, environment = place
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=hooks, check=True, capture_output=True, encoding="ascii")
    hook: dict[str, Any] = {"id": "mlops-scan"} | ({"args": arguments} if arguments else {})
    config = {"repos": [{"repo": str(hooks), "rev": head.stdout.strip(), "hooks": [hook]}]}
    file = target.parent / "pre-commit.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    commands = [[*pre_commit, "run", "--all-files", "--config", str(file)]]
    if not arguments:
        commands.append([*pre_commit, "try-repo", str(hooks), "mlops-scan", "--all-files"])
    for words in commands:
        done = subprocess.run(
            words, cwd=target, env=environment, capture_output=True, encoding="utf-8", timeout=SECONDS
        )
        assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr
