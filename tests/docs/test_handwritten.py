"""What the hand-written pages show really works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops_scan.cli.keys import KEYS, THRESHOLDS
from mlops_scan.cli.main import COMMANDS, run

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
BLOCKS = re.findall(r"```yaml\n(.*?)```", (DOCS / "own-rules.md").read_text(encoding="utf-8"), re.S)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_rules_of_the_page_pass_their_own_samples(tmp_path: Path, block: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(block, encoding="utf-8")
    assert run(["rules", "test", str(file)]) == 0


def test_the_model_of_the_page_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(BLOCKS[-1], encoding="utf-8")
    assert run(["models", "check", str(file)]) == 0
    assert "`acme` is valid" in capsys.readouterr().out


def test_every_key_of_the_configuration_is_documented() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in (*KEYS, *THRESHOLDS) if f"`{name}`" not in text] == []


def test_commands_on_the_pages_exist() -> None:
    for page in ("configuration.md", "own-rules.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        for word in re.findall(r"^mlops-scan ([a-z]+)", text, re.M):
            assert word in COMMANDS, (page, word)
