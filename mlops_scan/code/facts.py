"""What one Python file states, as plain data: imports, calls, definitions, guards and assertions, each with its line.

A *name* is dotted and resolved through imports, aliases and assignments of the file: `xgboost.train`,
`sklearn.linear_model.LogisticRegression.fit`. Its root is `@` for a definition of the same file (`@.train`), `?` where
the receiver is not known (`?.fit`), `*` for a bare name that only a star import, or a later line, can explain.

`gc=False`: these hold nothing but text and numbers, so that no cycle is possible; it saves 16 bytes for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

MAX_PARTS = 100  # of a dotted name; what is longer is a chain of calls and names no module
MAIN = "__main__"  # the scope of statements under `if __name__ == "__main__":`


class Call(Struct, frozen=True, gc=False):
    """A call.

    `keywords` holds constants as text (`true`, `0.5`, `prod`) or None for other expressions; `refs` are the resolved
    names handed over as arguments (`PythonOperator(python_callable=train)`).
    """

    name: str
    line: int
    end_line: int
    scope: str
    args: tuple[str | None, ...] = ()
    keywords: tuple[tuple[str, str | None], ...] = ()
    refs: tuple[str, ...] = ()

    def keyword(self, name: str) -> str | None:
        """The constant given for a keyword, None when it is missing or no constant."""
        return dict(self.keywords).get(name)


class Function(Struct, frozen=True, gc=False):
    """A function or method. `returns` is the resolved name of what it returns (constructor or annotation), or empty.

    `optional` are the parameters that are None unless a caller gives them.
    """

    qualname: str
    line: int
    end_line: int
    decorators: tuple[str, ...] = ()
    returns: str = ""
    parameters: tuple[str, ...] = ()
    stub: bool = False  # nothing but a docstring, `pass`, `...`, a log line or `raise NotImplementedError`
    optional: tuple[str, ...] = ()


class Class(Struct, frozen=True):
    """A class with the resolved names of its bases and of what its attributes hold."""

    qualname: str
    line: int
    end_line: int
    bases: tuple[str, ...]
    methods: tuple[str, ...]
    attributes: Mapping[str, str]
    decorators: tuple[str, ...] = ()


class Guard(Struct, frozen=True, gc=False):
    """An `if` or `assert`, or a comparison whose value is used (`return score < bound`).

    `names` are the identifiers, attributes and string keys of the test (for `if`, also those its variables were made
    of), `numbers` the numeric constants. `stops` tells what the body does: "raise", "exit", "return", "assert" or ""
    (also for comparisons).
    """

    line: int
    end_line: int
    scope: str
    names: tuple[str, ...]
    numbers: tuple[float, ...]
    stops: str
    compares: bool
    trivial: bool = False  # `assert True`, `assert 1`
    body_end: int = 0
    ordered: bool = False  # something is compared by size, not only for equality or membership
    vague: bool = False  # it asks no more than whether something is there, or of which type: `isinstance(model, Ridge)`
    formal: bool = False  # nor more than that and which form something has: `y.shape == (2, 1)`, `"label" in answer`


class Shield(Struct, frozen=True, gc=False):
    """The body of a `try` whose `except` catches any error and lets the program go on.

    `unless` are the identifiers of the tests under which the handler raises or exits after all (`if not dry_run:
    raise`); it is empty where the handler never does. `handler` is the line of the `except`; `exits` tells that it
    catches `sys.exit`, too.
    """

    line: int
    end_line: int
    scope: str
    handler: int
    exits: bool = False
    unless: tuple[str, ...] = ()


class Import(Struct, frozen=True, gc=False):
    """One imported dotted name, absolute: `from a.b import c` gives `a.b.c`."""

    name: str
    line: int
    scope: str
    star: bool = False


class Module(Struct, frozen=True):
    """The facts of one Python file, or of the code cells of one notebook."""

    path: str
    imports: tuple[Import, ...]
    calls: tuple[Call, ...]
    functions: Mapping[str, Function]
    classes: Mapping[str, Class]
    variables: Mapping[str, str]  # module-level name -> resolved name of what it holds
    constants: Mapping[str, str]  # module-level name -> constant as text
    guards: tuple[Guard, ...]
    strings: tuple[tuple[int, str], ...]
    main_line: int  # line of the `if __name__ == "__main__":`, 0 without one
    statements: int  # executable statements, docstrings not counted
    notebook: bool = False
    shields: tuple[Shield, ...] = ()

    @property
    def roots(self) -> frozenset[str]:
        """The first segments of everything imported."""
        return frozenset(item.name.split(".", 1)[0] for item in self.imports)
