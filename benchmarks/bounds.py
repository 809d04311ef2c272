"""The published bounds of docs/performance.md, and the comparison with what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MEMORY = ((350, 80.0), (20_000, 150.0), (60_000, 400.0))  # up to so many files, MiB


@dataclass(frozen=True, slots=True)
class Checked:
    """A figure and its bound; `goal` is what is aimed at."""

    what: str
    figure: float
    bound: float
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """`FAILS`, `ok`, or `goal met`."""
        if not self.figure <= self.bound:
            return "FAILS"
        return "goal met" if self.goal is not None and self.figure <= self.goal else "ok"


def check(results: Mapping[str, Any]) -> list[Checked]:
    """Every bound that the results have a figure for."""
    found = list(_startup(results.get("startup") or {}))
    for tree in results["trees"]:
        found += _tree(tree)
    return found


def _startup(figures: Mapping[str, float]) -> Iterator[Checked]:
    if figures:
        yield Checked("--version / import click", figures["ratio"], 2.0, 1.4)


def _tree(tree: Mapping[str, Any]) -> Iterator[Checked]:
    name, files = tree["name"], tree["files"]
    if files <= 350:
        yield Checked(f"{name}: seconds", tree["first"], 0.25, 0.14)
    if tree.get("rg") and files >= 5_000:
        yield Checked(f"{name}: scan / rg", tree["first"] / tree["rg"], 12.0, 6.0 if files <= 20_000 else None)
    if tree.get("semgrep"):
        yield Checked(f"{name}: scan / semgrep", tree["first"] / tree["semgrep"], 0.2)
    if tree.get("cold") and tree.get("repeat"):
        yield Checked(f"{name}: repeat / cold", tree["repeat"] / tree["cold"], 0.4, 0.15)
    limit = next((bound for most, bound in MEMORY if files <= most), None)
    if limit is not None:
        yield Checked(f"{name}: MiB", tree["memory"], limit)
    if tree.get("parts"):
        yield Checked(f"{name}: tree / sum of its parts", tree["whole"] / tree["parts"], 1.15)


def exponent(points: Iterable[tuple[float, float]]) -> float | None:
    """The slope of time over size in double logarithms by least squares: 1 is linear; None for a single size."""
    logs = [(math.log(size), math.log(seconds)) for size, seconds in points if size > 0 and seconds > 0]
    middle_x = sum(x for x, _ in logs) / len(logs) if logs else 0.0
    middle_y = sum(y for _, y in logs) / len(logs) if logs else 0.0
    spread = sum((x - middle_x) ** 2 for x, _ in logs)
    return sum((x - middle_x) * (y - middle_y) for x, y in logs) / spread if spread > 0 else None
