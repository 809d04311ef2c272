"""Variables and template parameters of Azure Pipelines, as far as the files give them values.

Facts: https://learn.microsoft.com/azure/devops/pipelines/process/variables : `$(name)` is filled in before a task runs,
names in any case; every variable is also an environment variable, in capitals, with `_` for dots and spaces. What the
service, a variable group or an earlier step sets is not known and stays as written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_MACRO = regex(r"\$\(([\w.-]{1,100})\)")
_EXPRESSION = regex(r"\$\{\{\s*(variables|parameters)(?:\.([\w-]{1,100})|\[\s*'([\w.-]{1,100})'\s*\])\s*\}\}")
_DEFAULT = regex(r"\$\[ ?coalesce\((?: ?variables\['[\w.-]{1,100}'\] ?,){1,4} ?'([^']{0,400})' ?\) ?\]")
_MAX_ROUNDS = 4  # variables that stand in variables
_MAX_VALUE = 4_000


class Given(Struct, frozen=True):
    """The variables and parameters that a place in a pipeline sees, by name in small letters."""

    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    def with_variables(self, own: Mapping[str, str]) -> Given:
        """This with more variables on top."""
        known = {name.lower(): _with_default(value) for name, value in own.items()}
        return replace(self, variables={**self.variables, **known})

    def with_parameters(self, reference: Node, template: Node) -> Given:
        """What a template sees: its parameters' defaults, and above them what the reference to it gives."""
        found: dict[str, str] = {}
        declared = template.get("parameters")
        if declared is not None and declared.kind == "mapping":
            found.update({name.lower(): _text(value) for name, value in declared.entries if value.kind == "scalar"})
        for item in declared.items if declared is not None else ():
            default = item.get("default")
            if default is not None and default.kind == "scalar":
                found[_text(item.get("name")).lower()] = _text(default)
        passed = reference.get("parameters")
        for name, value in passed.entries if passed is not None else ():
            if value.kind == "scalar":
                found[name.lower()] = self.filled(_text(value))
        return replace(self, parameters=found)

    def filled(self, text: str) -> str:
        """The text with known variables and parameters filled in; lines stay where they are."""
        for _ in range(_MAX_ROUNDS):
            if "$" not in text:
                break
            before = text
            text = _EXPRESSION.sub(self._expression, text)
            text = _MACRO.sub(lambda match: self._value(self.variables, match.group(1), match.group()), text)
            if text == before or len(text) > 500_000:
                break
        return text

    def _expression(self, match: re.Match[str]) -> str:
        known = self.variables if match.group(1) == "variables" else self.parameters
        return self._value(known, match.group(2) or match.group(3), match.group())

    @staticmethod
    def _value(known: Mapping[str, str], name: str, otherwise: str) -> str:
        value = known.get(name.lower())
        usable = value is not None and "\n" not in value and "$[" not in value and len(value) < _MAX_VALUE
        return value if usable and value is not None else otherwise

    def environment(self) -> dict[str, str]:
        """The environment variables that a script sees; those whose value is not known are left out."""
        named = {re.sub(r"[ .]", "_", name).upper(): self.filled(value) for name, value in self.variables.items()}
        return {name: value for name, value in named.items() if "$" not in value and value}


def _with_default(value: str) -> str:
    """The constant that `$[coalesce(variables['OVERRIDE'], 'constant')]` is unless somebody overrides it."""
    match = _DEFAULT.fullmatch(value.strip()) if value.startswith("$[") else None
    return match.group(1) if match is not None else value


def _text(node: Node | None) -> str:
    return "" if node is None or node.kind != "scalar" else node.value if isinstance(node.value, str) else node.text
