"""Every pattern at the top of a module is valid, and is compiled only when it is used."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys

import pytest

import mlops_scan
from mlops_scan.regex import regex


def test_it_does_what_a_compiled_pattern_does() -> None:
    pattern = regex(r"(\w+)=(\d+)", re.I)
    assert pattern.fullmatch("A=1")
    assert pattern.findall("a=1 b=2") == [("a", "1"), ("b", "2")]
    assert pattern.sub("x", "a=1") == "x"
    assert (pattern.pattern, pattern.groups) == (r"(\w+)=(\d+)", 2)
    assert re.compile(pattern.pattern, pattern.flags) == re.compile(r"(\w+)=(\d+)", re.I)


def test_a_wrong_pattern_shows_at_its_first_use() -> None:
    pattern = regex("(")
    with pytest.raises(re.error):
        pattern.match("x")


def _patterns() -> list[tuple[str, str, object]]:
    found = []
    for info in pkgutil.walk_packages(mlops_scan.__path__, "mlops_scan."):
        if not info.name.endswith("__main__"):
            module = importlib.import_module(info.name)
            found += [
                (info.name, name, value) for name, value in vars(module).items() if type(value).__name__ == "_Lazy"
            ]
    return found


def test_every_pattern_of_the_package_is_valid() -> None:
    patterns = _patterns()
    assert len(patterns) > 200
    for module, name, value in patterns:
        assert value.flags >= 0, f"{module}.{name}"  # type: ignore[attr-defined]  # asking compiles it


def test_the_package_compiles_nothing_of_its_own_at_import() -> None:
    code = (
        "import re, sys; seen = []; plain = re.compile\n"
        "def note(*a, **k):\n"
        "    name = sys._getframe(1).f_globals.get('__name__', '')\n"
        "    name.startswith('mlops_scan') and seen.append(name)\n"
        "    return plain(*a, **k)\n"
        "re.compile = note\n"
        "import mlops_scan.engine.scan, mlops_scan.cli.scan, mlops_scan.detectors.ci\n"
        "print(sorted(set(seen)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
