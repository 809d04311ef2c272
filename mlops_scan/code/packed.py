"""Facts of a module as plain tuples and back: to hand them from a worker process, or to keep them in the cache."""

from __future__ import annotations

import marshal
from operator import attrgetter
from typing import Any

from msgspec import Struct

from mlops_scan.code.facts import Call, Class, Function, Guard, Import, Module, Shield


def _getter(kind: type[Struct]) -> attrgetter[Any]:
    return attrgetter(*kind.__struct_fields__)


def pack(module: Module) -> bytes:
    """A module's facts as bytes that `unpack` of the same program, on the same Python, reads."""
    kinds = (Call, Function, Class, Guard, Import, Shield)
    call, function, item, guard, imported, shield = (_getter(kind) for kind in kinds)
    parts: Any = (
        module.path,
        [imported(i) for i in module.imports],
        [call(c) for c in module.calls],
        [function(f) for f in module.functions.values()],
        [item(c) for c in module.classes.values()],
        module.variables,
        module.constants,
        [guard(g) for g in module.guards],
        module.strings,
        module.main_line,
        module.statements,
        module.notebook,
        [shield(s) for s in module.shields],
    )
    return marshal.dumps(parts)


def unpack(data: bytes) -> Module:
    """The facts that `pack` made bytes of.

    Raises:
        ValueError: these are no such bytes.
    """
    try:
        path, imports, calls, functions, classes, variables, constants, guards, *rest = marshal.loads(data)  # noqa: S302
        strings, main_line, statements, notebook, shields = rest
        return Module(
            path=path,
            imports=tuple(Import(*i) for i in imports),
            calls=tuple(Call(*c) for c in calls),
            functions={f[0]: Function(*f) for f in functions},
            classes={c[0]: Class(*c) for c in classes},
            variables=variables,
            constants=constants,
            guards=tuple(Guard(*g) for g in guards),
            strings=strings,
            main_line=main_line,
            statements=statements,
            notebook=notebook,
            shields=tuple(Shield(*s) for s in shields),
        )
    except (EOFError, TypeError, ValueError) as error:
        raise ValueError("not the facts of a module") from error
