"""Every regular expression of the package takes linear time on text made to be slow for it.

A new expression is found by itself. One that is only ever given short text may stand in `SHORT`, with the most
characters that it is given.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

import mlops_scan
from mlops_scan.fingerprints.patterns import compile_name
from mlops_scan.regex import _Lazy
from mlops_scan.rulebook import load
from tests.pathological import seeds

Pattern = re.Pattern[str] | re.Pattern[bytes]

METHODS = frozenset({"match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
SIZES = (24, 30, 36, 48, 100, 400, 6400)  # small steps first: exponential time must not become endless
FAST = 0.01  # seconds of CPU that need no second look
_PATH = 1000  # characters of a path; a part of one has 255 at most, and text between two `/` is what these run over
_NAME = 255
SHORT = {
    "mlops_scan.automation.infrastructure.model:_KINDS": 200,
    "mlops_scan.automation.tasks.recipes:_HEAD": 1000,
    "mlops_scan.automation.tasks.recipes:_NEEDED": 1000,
    "mlops_scan.ci.providers:PROVIDERS": _PATH,
    "mlops_scan.ci.providers:GATHERED": _PATH,
    "mlops_scan.detectors.ci:_SEEDS": _PATH,
    "mlops_scan.ci.find:_GENERIC_JSON": _NAME,
    "mlops_scan.code.look:_WRITTEN": 120,
    "mlops_scan.detectors.byhand:_COMMAND": 400,
    "mlops_scan.documents.requirements:_WHEEL": _NAME,
}


def patterns_in(value: object, depth: int = 0) -> Iterator[Pattern]:
    """The compiled expressions that a module's global is or holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, _Lazy):
        yield re.compile(*value._source)
    elif depth < 4 and isinstance(value, dict):
        for key, item in value.items():
            yield from patterns_in(key, depth + 1)
            yield from patterns_in(item, depth + 1)
    elif depth < 4 and isinstance(value, (tuple, list, set, frozenset)):
        for item in value:
            yield from patterns_in(item, depth + 1)
    elif depth < 4 and isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from patterns_in(getattr(value, name), depth + 1)


def collected() -> dict[str, tuple[Pattern, frozenset[str]]]:
    """Every expression by `module:name` (or `module:line`), with the methods that are called on it."""
    found: dict[str, tuple[Pattern, frozenset[str]]] = {}
    for info in pkgutil.walk_packages(mlops_scan.__path__, "mlops_scan."):
        module = importlib.import_module(info.name)
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        used: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr not in METHODS:
                continue
            owner = node.value
            used.setdefault(owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", ""), set()).add(
                node.attr
            )
        # what a pattern out of a tuple or a dict is asked for: the methods called on names that are no globals
        local = {method for name in used if name not in vars(module) for method in used[name]} - {"sub", "split"}
        for name, value in vars(module).items():
            for number, pattern in enumerate(patterns_in(value)):
                suffix = "" if isinstance(value, (re.Pattern, _Lazy)) else f"[{number}]"
                found[f"{info.name}:{name}{suffix}"] = (pattern, frozenset(used.get(name, ()) or local or {"search"}))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"re.{method}" for method in METHODS}:
                source = node.args[0]
                if isinstance(source, ast.Constant) and isinstance(source.value, (str, bytes)):
                    method = ast.unparse(node.func)[3:]
                    found[f"{info.name}:{node.lineno}"] = (re.compile(source.value), frozenset({method}))
    return found


COLLECTED = collected()


def _seconds(pattern: Pattern, method: str, text: str) -> float:
    given = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    call = getattr(pattern, method)
    start = time.process_time()
    if method in ("sub", "subn"):
        call(given[:0], given)
    elif method == "finditer":
        for _ in call(given):
            pass
    else:
        call(given)
    return time.process_time() - start


def slow(pattern: Pattern, method: str, limit: int = 10**9) -> str:
    """The text that takes more than linear time, described; empty when none of those tried does."""
    for before, pump, after in seeds(pattern):

        def once(size: int, seed: tuple[str, str, str] = (before, pump, after)) -> float:
            text = seed[0] + seed[1] * max(1, min(size, limit) // len(seed[1])) + seed[2]
            return _seconds(pattern, method, text)

        def best(size: int) -> float:
            return min(once(size) for _ in range(2))

        for size in SIZES:
            if once(size) < FAST or (taken := best(size)) < FAST:
                continue
            if taken > 0.5 or limit < size:
                return f"{before!r} + {pump!r} * n + {after!r}: {taken:.2f} s for {min(size, limit)} characters"
            ratios = [best(size) / max(best(size // 4), 1e-6) for _ in range(3)]
            if min(ratios) > 8:
                return f"{before!r} + {pump!r} * n + {after!r}: {min(ratios):.0f} times the time for 4 times the text"
    return ""


@pytest.mark.parametrize("name", sorted(COLLECTED))
def test_time_is_linear(name: str) -> None:
    pattern, methods = COLLECTED[name]
    limit = SHORT.get(name.partition("[")[0], 10**9)
    for method in sorted(methods):
        assert not slow(pattern, method, limit), f"{method} of {pattern.pattern!r}"


def test_the_list_of_short_ones_has_no_stale_entry() -> None:
    assert set(SHORT) <= {name.partition("[")[0] for name in COLLECTED}


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"(a+)+b", "match"),
        (r"(?:a|aa)+!", "fullmatch"),
        (r"\s+$", "search"),
        (r"^\s*x", "search"),
        (r"a.*b", "search"),
        (r"\s*\s*x", "match"),
        (r"[a-z]*e[a-z]*", "fullmatch"),
        (r"x(?: |\t)*\s*y", "match"),
        (rb"\(\s*\w+[^)]*\)", "findall"),
    ],
)
def test_slow_ones_are_found(pattern: str | bytes, method: str) -> None:
    flags = re.M if pattern == r"^\s*x" else 0
    assert slow(re.compile(pattern, flags), method)


@pytest.mark.parametrize(
    ("pattern", "method"),
    [(r"a+b", "match"), (r"[a-z]+\d?", "findall"), (r"(one|two|three)", "search"), (r"\s*x", "match")],
)
def test_good_ones_are_not(pattern: str, method: str) -> None:
    assert not slow(re.compile(pattern), method)


def test_patterns_of_the_rules_take_linear_time() -> None:
    texts: set[str] = set()
    for tool in load().tools.values():
        for signature in tool.signatures:
            for part in (signature.calls, signature.decorators, signature.bases, signature.all_calls):
                texts.update(getattr(item, "text", item) for item in part if "*" in str(getattr(item, "text", item)))
    shapes = {re.sub(r"[^\W_]+", "a", text) for text in texts}  # what they match does not matter, only how
    assert shapes
    for text in sorted(shapes):
        # a name has at most 200 parts (`code.facts.MAX_PARTS`), here of two characters with their dots
        assert not slow(compile_name(text), "fullmatch", limit=400), text
