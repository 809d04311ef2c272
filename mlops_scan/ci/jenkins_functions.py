"""The functions that a Jenkinsfile can call: its own, those of files that it loads, and global variables in `vars/`.

Facts: https://www.jenkins.io/doc/book/pipeline/shared-libraries/#defining-global-variables
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_scan.ci.jenkins_groovy import Function, definition, plain
from mlops_scan.ci.jenkins_values import text_of
from mlops_scan.documents.groovy import Statement
from mlops_scan.documents.groovy_calls import Call
from mlops_scan.documents.store import Documents


class Functions:
    """Functions by the names that they are called by; `variable.name` for those of a loaded file."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: dict[str, Function] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def define(self, statements: Sequence[Statement], path: str, prefix: str = "") -> None:
        """All functions that the statements of a file define."""
        for statement in statements:
            found = definition(plain(statement), path)
            if found is not None:
                self._known[prefix + found[0]] = found[1]

    def add(self, name: str, function: Function) -> None:
        """A function that is defined on the way; the first of that name stays."""
        self._known.setdefault(name, function)

    def called(self, call: Call) -> tuple[str, Function] | None:
        """The function that a call names, None where nothing in the repository defines it."""
        name = call.name.removesuffix(".call")
        function = self._known.get(name)
        if function is None and "." not in name and call.receiver is None:
            function = self._global(name)
        return (name, function) if function is not None else None

    def _global(self, name: str) -> Function | None:
        """A global variable of a shared library that is the repository itself: `vars/NAME.groovy`."""
        path = f"vars/{name}.groovy"
        if path not in self._documents.files:
            return None
        for statement in self._documents.groovy(path):
            found = definition(plain(statement), path)
            if found is not None and found[0] == "call":
                self._known[name] = found[1]
                return found[1]
        return None


def arguments(function: Function, call: Call, values: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a function whose value a call gives as a known text; `map.key` for named arguments."""
    bound: dict[str, str] = {}
    for parameter, argument in zip(function.parameters, call.arguments, strict=False):
        if (text := text_of(argument, values)) is not None:
            bound[parameter] = text.value
    for key, argument in call.named:
        if function.parameters and (text := text_of(argument, values)) is not None:
            bound[f"{function.parameters[0]}.{key}"] = text.value
    return bound
