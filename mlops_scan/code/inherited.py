"""Which methods of first-party classes belong together: what a class inherits, and what it gives in return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mlops_scan.code.facts import Call
from mlops_scan.code.resolve import Resolver

_MAX_BASES = 12  # classes looked at from one up to its bases


def derives(names: Resolver, method: tuple[str, str], base: tuple[str, str]) -> bool:
    """Whether the class of a method is `base` or inherits from it, a few classes up."""
    todo = [(method[0], method[1].rpartition(".")[0])]
    seen: set[tuple[str, str]] = set()
    while todo and len(seen) < _MAX_BASES:
        current = todo.pop()
        if current == base:
            return True
        seen.add(current)
        item = names.modules[current[0]].classes.get(current[1])
        for name in item.bases if item is not None else ():
            target = names.resolve(current[0], name)
            if target.path in names.modules and (target.path, target.qualname) not in seen:
                todo.append((target.path, target.qualname))
    return False


def hooks(
    names: Resolver, calls_in: Callable[[str, str], Iterable[Call]], receiver: tuple[str, str], method: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """The methods of a receiver's own class that a method which it inherits calls on itself.

    A base class has `fit`, which calls `self._fit_selected`, and only the class of the object says what that does.
    `receiver` is the file and the name in it by which the object is known, `method` what a call on it runs.
    """
    base = method[1].rpartition(".")[0]
    if not receiver[1] or base not in names.modules[method[0]].classes:
        return
    made = names.resolve(*receiver)
    item = names.modules[made.path].classes.get(made.qualname) if made.path in names.modules else None
    if item is None or (made.path, made.qualname) == (method[0], base):
        return
    todo, seen = [method[1]], {method[1]}
    while todo:
        for call in calls_in(method[0], todo.pop()):
            own, _, called = call.name.rpartition(".")
            if own != f"@.{base}" or call.name[2:] in seen:
                continue
            seen.add(call.name[2:])
            if called in item.methods:
                yield made.path, f"{made.qualname}.{called}"
            else:
                todo.append(call.name[2:])
