"""What functions of the facts give is worked out once in a scan."""

from types import SimpleNamespace
from typing import cast

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept

_asked: list[object] = []


def _scan() -> Context:
    _asked.clear()
    return cast("Context", SimpleNamespace(cache={}))


@kept
def _nothing(context: Context) -> None:
    _asked.append("nothing")


@kept
def _length(context: Context, path: str, *, doubled: bool = False) -> int:
    _asked.append((path, doubled))
    return len(path) * (2 if doubled else 1)


@kept
def _width(context: Context, path: str) -> int:
    _asked.append(path)
    return -len(path)


def test_each_argument_is_worked_out_once() -> None:
    context = _scan()
    for _ in range(2):
        assert _length(context, "a.py") == 4
        assert _length(context, "ab.py") == 5
        assert _length(context, "a.py", doubled=True) == 8
    assert _asked == [("a.py", False), ("ab.py", False), ("a.py", True)]


def test_functions_with_the_same_arguments_are_apart() -> None:
    context = _scan()
    assert (_length(context, "a.py"), _width(context, "a.py"), _length(context, "a.py")) == (4, -4, 4)


def test_no_result_is_a_result() -> None:
    context = _scan()
    _nothing(context)
    _nothing(context)
    assert _asked == ["nothing"]


def test_each_scan_has_its_own() -> None:
    assert _length(_scan(), "a.py") == 4
    assert _length(_scan(), "a.py") == 4
    assert _asked == [("a.py", False)]
