"""Own detectors in two processes: the same signals, problems and notes as in one, whatever happens to the other."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlops_scan.detectors.base import Context
from mlops_scan.engine import detection
from mlops_scan.engine.scan import gather
from mlops_scan.repository.listing import open_repository
from mlops_scan.rulebook import load
from mlops_scan.words import Evidence, Grade, Location, Problem, Signal

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no workers without fork")

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_FIRST, _LATER = detection.OWN[0], detection.OWN[-1]


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
            documents.counted,
            documents.parsed,
            documents.unrendered,
        )


@pytest.mark.parametrize("fixture", ["broken", "closed-loop", "level4-full", "monorepo", "near-misses"])
def test_the_number_of_processes_changes_nothing(fixture: str) -> None:
    assert _found(_FIXTURES / fixture / "repo", 2) == _found(_FIXTURES / fixture / "repo", 1)


def _replace(monkeypatch: pytest.MonkeyPatch, name: str, *given: object) -> None:
    """Let a detector be called as if `given` were all that it does: callables are called, the others given."""

    def detect(context: Context) -> Iterable[object]:
        for item in given:
            if callable(item):
                item(context)
            else:
                yield item

    monkeypatch.setattr(f"mlops_scan.detectors.{name}.detect", detect)


def _kill(context: Context, parent: int = os.getpid()) -> None:
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_does_not_hand_over_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _FIXTURES / "level4-full" / "repo"
    _replace(monkeypatch, _LATER)
    alone = _found(folder, 1)
    _replace(monkeypatch, _LATER, _kill)
    assert _found(folder, 2) == alone


def test_an_error_of_a_detector_is_the_same_in_either_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(context: Context) -> None:
        raise ZeroDivisionError("of a detector")

    for name in (_FIRST, _LATER):
        with monkeypatch.context() as patch:
            _replace(patch, name, fail)
            with pytest.raises(ZeroDivisionError, match="of a detector"):
                _found(_FIXTURES / "level4-full" / "repo", 2)


def test_what_both_note_of_a_file_is_what_one_alone_would_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch\n")
    odd = b"odd\xff.txt".decode("utf-8", "surrogateescape")
    (tmp_path / "weights.csv").write_text("a,b\n" * 5_000)
    (tmp_path / odd).write_text("text\n")
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
        Signal("code/unit-tests", "odd", Grade.TRACE, (evidence,), anchor=(odd, "scope")),
        Problem("MLS301", "odd", Location(odd, 1), (evidence,)),
    )
    alone, shared = _found(tmp_path, 1), _found(tmp_path, 2)
    assert shared == alone
    incomplete = shared[2]
    assert isinstance(incomplete, dict)
    assert {path: item.reason for path, item in incomplete.items()} == {"train.py": "noted first", odd: "noted later"}
