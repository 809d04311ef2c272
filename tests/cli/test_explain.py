"""The commands that show the rules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mlops_scan import rulebook
from mlops_scan.cli.main import run
from mlops_scan.fingerprints.samples import count_samples
from mlops_scan.rulebook import load, rules_path
from tests.fingerprints.books import write_book


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("MLS301", "Why it matters"),
        ("mls301", "MLS301: "),
        ("ci/model-tests", "What does not count"),
        ("default", "Level 4: "),
    ],
)
def test_explain(capsys: pytest.CaptureFixture[str], name: str, words: str) -> None:
    assert run(["explain", name]) == 0
    assert words in capsys.readouterr().out


def test_everything_can_be_explained(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    book = rulebook.load()
    monkeypatch.setattr(rulebook, "load", lambda **_: book)
    for name in [*book.findings, *book.practices, *book.models, *book.tools]:
        assert run(["explain", name]) == 0
        assert capsys.readouterr().out.startswith(name)


def test_an_unknown_name_has_a_neighbour(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "ci/model-test"]) == 2
    assert "did you mean ci/model-tests" in capsys.readouterr().err
    assert run(["explain", "qqqqqqqqqqqq"]) == 2
    assert "`mlops-scan rules list` shows all" in capsys.readouterr().err


def test_rules_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "list"]) == 0
    everything = capsys.readouterr().out
    assert "MLS301  warning  " in everything
    assert run(["rules", "list", "models"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"models ({len(rulebook.load().models)})"


def test_rules_test_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "test", "no/such/folder"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_rules_test_refuses_a_folder_without_rules(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["rules", "test", str(tmp_path)]) == 2
    assert "holds no rule file" in capsys.readouterr().err


def test_rules_test_says_what_it_ran(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    samples = [
        {"path": "m.py", "text": "import lib\nlib.f()\n", "expect": ["does:train"]},
        {"path": "m.py", "text": "import lib\n", "expect": []},
    ]
    entry = {"id": "t", "signals": [{"does": "train", "calls": ["lib.f"]}], "samples": samples}
    book = write_book(tmp_path, {"tools/t.yaml": {"family": "f", "tools": [entry]}})
    assert run(["rules", "test", str(book)]) == 0
    assert "1 tool, 2 samples: every sample holds" in capsys.readouterr().out
    samples[1]["expect"] = ["does:train"]
    write_book(tmp_path, {"tools/t.yaml": {"family": "f", "tools": [entry]}})
    assert run(["rules", "test", str(book)]) == 1
    output = capsys.readouterr()
    assert "f/t: sample 2 (m.py) lacks does:train" in output.err
    assert "2 samples: 2 failures" in output.out


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["schema_version"] == {"const": 1}


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for name in ("scan", "explain", "rules", "schema"):
        assert f"\n  {name} " in text


# -- a whole set of rules ----------------------------------------------------------------------------------------------


def test_the_samples_of_every_kind_of_built_in_rule_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "test"]) == 0
    out = capsys.readouterr().out
    book = load()
    assert f"{len(book.tools)} tools, {len(book.roles)} roles, {len(book.assets)} assets, " in out
    assert f"{count_samples(book)} samples: every sample holds" in out
    assert count_samples(book) > sum(len(tool.samples) for tool in book.tools.values())


@pytest.mark.parametrize(
    ("file", "before", "after", "failure"),
    [
        (
            "tools/tracking.yaml",
            "expect: [experiment/tracking]",
            "expect: [data/versioning]",
            "wrongly claims experiment/tracking",
        ),
        ("roles/paths.yaml", "match: [", "match: [src/train.py, ", "src/train.py is source"),
        ("assets/models.yaml", "expect: [org/base-7b]", "expect: [org/other]", "names org/base-7b, expected org/other"),
    ],
)
def test_a_sample_that_fails_fails_the_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, before: str, after: str, failure: str
) -> None:
    root = tmp_path / "rules"
    shutil.copytree(rules_path(), root)
    text = (root / file).read_text(encoding="utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    assert run(["rules", "test", str(root)]) == 1
    printed = capsys.readouterr()
    assert failure in printed.err
    assert "1 failure" in printed.out
