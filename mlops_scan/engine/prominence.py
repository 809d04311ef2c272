"""Which of equally strong pieces of evidence is shown first: the one that a reader would name."""

from __future__ import annotations

import re

from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above
from mlops_scan.rulebook import Subject
from mlops_scan.words import Role, Signal

_TWINS = (("/labs/", "/solutions/"), ("/exercises/", "/solutions/"))  # with blanks, and filled in
_UNIT_TESTS = "code/unit-tests"
_SERVING = "deploy/serving"
_PREDICTS = regex(r"\bdef \w*(predict|infer|scor)", re.I, words=("predict", "infer", "scor"))
_WHOLE = frozenset(
    {"integration", "integration_tests", "integration-tests", "integration_test", "e2e", "end2end", "end_to_end"}
    | {"functional", "acceptance", "system", "smoke"}
)
"""Folders of tests that ask the whole and no part of it."""

Rank = tuple[int, int, bool]


class Prominence:
    """Ranks the first places of signals; the lowest rank is the most telling. It decides no grade."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._training: dict[str, int] | None = None
        self._homes: frozenset[str] = frozenset()
        self._places: frozenset[tuple[str, int]] = frozenset()

    def rank(self, signal: Signal) -> Rank:
        """The rank of a signal among those of the same practice, grade and confidence."""
        if not signal.evidence or signal.grade.strength == 0:
            return 0, 0, False
        path = signal.evidence[0].location.path
        role = self._context.role(path)
        aside = 2 if role in ASIDE else int(role is Role.NOTEBOOK)
        practice = self._context.rules.practices.get(signal.practice)
        of_training = practice is not None and practice.subject is Subject.TRAINING
        distance = self._distance(signal, path) if of_training else 0
        if signal.practice == _UNIT_TESTS:  # a test of the whole comes after one of a part
            distance = int(not _WHOLE.isdisjoint(path.lower().split("/")[:-1]))
        if signal.practice == _SERVING:  # a handler that by its name predicts comes before others
            distance = int(_PREDICTS.search(signal.evidence[0].text) is None)
        files = self._context.documents.files
        blank = any(lab in path and path.replace(lab, other) in files for lab, other in _TWINS)
        return aside, distance, blank

    def _distance(self, signal: Signal, path: str) -> int:
        """0 for code that fits a model, what shows it, and files above; 1 for what leads to it or it runs; else 2."""
        if self._training is None:
            self._training = self._found()
            self._homes = frozenset(
                home
                for path, distance in self._training.items()
                if distance == 0
                for home in above(path.rpartition("/")[0])
            )
        if any((item.location.path, item.location.line) in self._places for item in signal.evidence[1:]):
            return 0
        if signal.anchor is not None and path not in self._context.index.modules:
            path = signal.anchor[0]
        if path in self._context.index.modules:
            return self._training.get(path, 2)
        if signal.practice.startswith("env/"):
            return 0 if path.rpartition("/")[0] in self._homes else 2
        return 1

    def _found(self) -> dict[str, int]:
        """Modules by their distance from training; where nothing trains, from what runs a model."""
        index = self._context.index
        uses = tuple(self._context.doing(*LEARNS)) or tuple(self._context.doing("load-model", "predict"))
        self._places = frozenset((use.location.path, use.location.line) for use in uses)
        nodes = {(use.location.path, use.scope) for use in uses}
        trains = {path for path, _ in nodes}
        leading = index.hops_to(nodes)
        entries = sorted(nodes | {(path, scope) for path in trains for scope in ("", MAIN)})
        near = {path for path, _ in leading} | {path for path, _ in index.reach(entries)}
        return {**dict.fromkeys(near, 1), **dict.fromkeys(trains, 0)}
