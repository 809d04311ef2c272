"""What a terminal is asked to show."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mlops_scan.cli import progress, terminal
from mlops_scan.cli.main import run
from mlops_scan.cli.progress import Stages
from mlops_scan.reports import RenderOptions, render
from mlops_scan.reports.places import Places
from tests.cli.fakes import FakeScan
from tests.reports import samples


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "linked"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"TERM_PROGRAM": "vscode", "CI": "true"}, False),
        ({"TERM_PROGRAM": "iTerm.app", "TERM": "dumb"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"WT_SESSION": "1"}, True),
        ({"VTE_VERSION": "7003"}, True),
        ({"VTE_VERSION": "4803"}, False),
        ({"VTE_VERSION": "²"}, False),
        ({"FORCE_HYPERLINK": "1", "CI": "true"}, True),
        ({"FORCE_HYPERLINK": "0", "TERM_PROGRAM": "vscode"}, False),
    ],
)
def test_links_only_where_they_are_known_to_work(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], linked: bool
) -> None:
    monkeypatch.setattr("sys.stdout", Screen())
    assert terminal.shows_links(environment) is linked


def test_no_links_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert not terminal.shows_links({"TERM_PROGRAM": "vscode"})


def test_places_are_hyperlinks_to_the_file() -> None:
    options = RenderOptions(color=True, links=True, places=Places(root="/home/me/my repo"))
    text = render(samples.report(), "text", options)
    assert "file:///home/me/my%20repo/Makefile\x1b\\" in text
    assert "\x1b]8;" not in render(samples.report(), "text", RenderOptions(color=True, places=options.places))


def test_hostile_names_cannot_leave_their_hyperlink() -> None:
    options = RenderOptions(color=True, links=True, places=Places(root="/r"))
    for line in render(samples.hostile(), "text", options).splitlines():
        for address in line.split("\x1b]8;")[1:]:
            assert address.split("\x1b\\")[0].isascii()


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_color_needs_a_terminal_that_obeys(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr("sys.stdout", Screen())
    assert terminal.wants_color("auto", True) is (term == "xterm")
    assert not terminal.wants_color("auto", False)


@pytest.mark.parametrize(
    ("screen", "term", "options", "shown"),
    [
        (Screen(), "xterm", [], True),
        (Screen(), "dumb", [], False),
        (Screen(), "xterm", ["-q"], False),
        (io.StringIO(), "xterm", [], False),
    ],
)
def test_progress_only_on_a_terminal_that_obeys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, screen: io.StringIO, term: str, options: list[str], shown: bool
) -> None:
    asked: list[bool] = []

    class Recorded(Stages):
        def __init__(self, shown: bool = False) -> None:
            asked.append(shown)
            super().__init__()

    FakeScan(monkeypatch, samples.report())
    monkeypatch.setattr(progress, "Stages", Recorded)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", term)
    assert run([str(tmp_path), "-o", str(tmp_path / "out.txt"), *options]) == 0
    assert asked == [shown]
