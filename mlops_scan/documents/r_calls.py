"""What calls of R say by their shape: packages that are attached, paths that are put together, pipes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlops_scan.documents.r import RNode, walk

ATTACHING = frozenset({"library", "require", "requireNamespace", "loadNamespace", "attachNamespace", "p_load", "shelf"})
"""Functions that attach or load the packages that they are handed, most of them as bare names."""
_PACKAGES = ("librar", "packag", "require", "pkgs")
_NOT_LOADING = ("install", "remove", "detach", "update")
_JOINS = {"file.path": "/", "here": "/", "paste0": ""}
_HOLES = frozenset({".", "_", ".x"})


def lists_packages(name: str) -> bool:
    """Whether a function or a vector has a name like `load_libraries` or `packages`, but none for installing them."""
    lower = name.lower()
    return any(word in lower for word in _PACKAGES) and not lower.startswith(_NOT_LOADING)


def functions(statements: Sequence[RNode]) -> Iterable[str]:
    """The names that a file gives to functions; a variable of the same name hides none in a call."""
    for node in walk(tuple(statements)):
        if node.kind == "assign" and node.parts[1].kind == "function" and node.parts[0].kind in ("name", "string"):
            yield node.parts[0].text


def strings(*nodes: RNode) -> list[str]:
    """The strings that stand in some expressions, in vectors as well."""
    found: list[str] = []
    for node in nodes:
        if node.kind == "string":
            found.append(node.text)
        elif node.kind == "call" and node.parts[0].text in ("c", "list"):
            found += [part.text for part in node.parts[1:] if part.kind == "string"]
    return found


def attached(name: str, values: Sequence[RNode]) -> list[str]:
    """The packages that `library(x)`, `library("x")`, `p_load(x, y)`, `use_packages(c("x", "y"))` name."""
    bare = name in ATTACHING
    words = values[:1] if name in ("library", "require") else values
    return [*strings(*words), *(value.text for value in words if bare and value.kind == "name")]


def loads(values: Sequence[RNode]) -> bool:
    """Whether `lapply(c("x", "y"), library, character.only = TRUE)` attaches what it is given."""
    return len(values) > 1 and any(value.kind == "name" and value.text in ATTACHING for value in values[1:])


def joined(name: str, values: Sequence[RNode]) -> str | None:
    """The path that `file.path("R", "train.R")` and the like make, where all its parts are known."""
    if name not in _JOINS or not values or any(value.kind != "string" for value in values):
        return None
    return _JOINS[name].join(value.text for value in values)


def handed(node: RNode) -> RNode | None:
    """What `do.call(f, list(a, b = 1))` calls."""
    function, *rest = node.parts[1:]
    if function.kind == "string":
        function = RNode("name", function.line, function.end, function.text)
    if function.kind not in ("name", "from"):
        return None
    given = rest[0] if rest and rest[0].kind == "call" and rest[0].parts[0].text == "list" else None
    parts, names = (given.parts[1:], given.names) if given is not None else (tuple(rest), ("",) * len(rest))
    return RNode("call", node.line, node.end, "", (function, *parts), names)


def piped(left: RNode, right: RNode) -> RNode:
    """`left |> right` as the call that it is; the left side stands first, or in the place of a lone `.` or `_`."""
    if right.kind == "call":
        values = list(right.parts[1:])
        holes = [i for i, value in enumerate(values) if value.kind == "name" and value.text in _HOLES]
        if holes:
            values[holes[0]] = left
            return RNode("call", right.line, right.end, "", (right.parts[0], *values), right.names)
        return RNode("call", right.line, right.end, "", (right.parts[0], left, *values), ("", *right.names))
    if right.kind in ("name", "from", "get"):
        return RNode("call", right.line, right.end, "", (right, left), ("",))
    return RNode("block", left.line, right.end, "{", (left, right))
