"""Own detectors in two processes: the same signals, problems and notes as in one, whatever happens to the other."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest

from mlops_scan.detectors.base import Context, Detector
from mlops_scan.engine import detection
from mlops_scan.engine.scan import gather
from mlops_scan.repository.listing import open_repository
from mlops_scan.rulebook import load
from mlops_scan.words import Evidence, Grade, Location, Problem, Signal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no workers without fork")

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_FIRST, _LATER = "ci", detection.OWN[-1]


@contextmanager
def _facts(folder: Path) -> Iterator[Context]:
    with open_repository(folder) as repository:
        yield gather(repository, load())


def _found(folder: Path, jobs: int) -> tuple[object, ...]:
    with _facts(folder) as context:
        given = list(detection.own(context, jobs))
        documents = context.documents
        return (
            [item for item in given if isinstance(item, Signal)],
            [item for item in given if isinstance(item, Problem)],
            documents.incomplete,
            documents.reads,
            documents.heads,
            documents.files_read,
            documents.bytes_read,
            documents.parsed,
            documents.unrendered,
        )


@pytest.mark.parametrize("fixture", ["broken", "closed-loop", "level4-full", "monorepo", "near-misses"])
def test_the_number_of_processes_changes_nothing(fixture: str) -> None:
    assert _found(_FIXTURES / fixture / "repo", 2) == _found(_FIXTURES / fixture / "repo", 1)


def _replace(monkeypatch: pytest.MonkeyPatch, name: str, *given: object) -> None:
    """Let a detector give `given`, or what these do where they can be called."""

    def detect(context: Context) -> Iterable[object]:
        for item in given:
            found = item(context) if callable(item) else item
            if isinstance(found, Signal | Problem):
                yield found

    monkeypatch.setattr(f"mlops_scan.detectors.{name}.detect", detect)


def test_two_processes_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def waiting(context: Context) -> Problem:
        time.sleep(0.05)
        return Problem("MLS301", str(os.getpid()), Location("train.py", 1))

    for name in detection.OWN:
        _replace(monkeypatch, name, waiting)
    found = _found(_FIXTURES / "level4-full" / "repo", 2)[1]
    assert isinstance(found, list)
    assert len(found) == len(detection.OWN)
    assert len({item.message for item in found}) == 2


def test_what_a_killed_process_does_not_hand_over_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, parent = _FIXTURES / "level4-full" / "repo", os.getpid()

    def deadly(detect: Detector) -> Detector:
        def killed(context: Context) -> Iterable[Signal | Problem]:
            if os.getpid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.01)  # for the other process to take a part
            return detect(context)

        return killed

    alone = _found(folder, 1)
    for name in detection.OWN:
        place = f"mlops_scan.detectors.{name}"
        monkeypatch.setattr(f"{place}.detect", deadly(import_module(place).detect))
    assert _found(folder, 2) == alone


@pytest.mark.parametrize("name", [detection.OWN[0], "tools", detection.OWN[-1]])
def test_an_error_of_a_detector_is_the_same_in_either_process(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(context: Context) -> None:
        raise ZeroDivisionError("of a detector")

    _replace(monkeypatch, name, fail)
    with pytest.raises(ZeroDivisionError, match="of a detector"):
        _found(_FIXTURES / "level4-full" / "repo", 2)


def test_what_both_note_of_a_file_is_what_one_alone_would_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch\n")
    odd = b"odd\xff.txt".decode("utf-8", "surrogateescape")
    (tmp_path / "weights.csv").write_text("a,b\n" * 5_000)
    (tmp_path / odd).write_text("text\n")
    (tmp_path / "empty.txt").write_text("")
    evidence = Evidence(Location(odd, 1), text="text")
    _replace(
        monkeypatch,
        _FIRST,
        lambda context: context.documents.note("train.py", "noted first"),
        lambda context: context.documents.first_line("weights.csv"),
    )
    _replace(
        monkeypatch,
        _LATER,
        lambda context: context.documents.note("train.py", "noted later"),
        lambda context: context.documents.note(odd, "noted later"),
        lambda context: context.documents.text("weights.csv"),
        lambda context: context.documents.text("empty.txt"),
        Signal("code/unit-tests", "odd", Grade.TRACE, (evidence,), anchor=(odd, "scope")),
        Problem("MLS301", "odd", Location(odd, 1), (evidence,)),
    )
    alone, shared = _found(tmp_path, 1), _found(tmp_path, 2)
    assert shared == alone
    incomplete = shared[2]
    assert isinstance(incomplete, dict)
    assert {path: item.reason for path, item in incomplete.items()} == {"train.py": "noted first", odd: "noted later"}
