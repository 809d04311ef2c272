"""Texts in a Jenkinsfile: what strings, sums of strings and known variables give, and the scripts made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from mlops_scan.documents.groovy import ESCAPED_DOLLAR, Element
from mlops_scan.regex import regex

_INTERPOLATION = regex(r"\$\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}|\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")

HERE: Mapping[str, str] = {"WORKSPACE": ".", "env.WORKSPACE": ".", "pwd()": "."}
"""Expressions that name the folder of the checkout."""


class Text(Struct, frozen=True):
    """A text with the line that it begins at."""

    value: str
    line: int


def filled(element: Element, values: Mapping[str, str]) -> str:
    """A string with the values that are known put in; an unknown expression stays as a variable of the shell."""
    if not element.interpolated:
        return element.text
    found = _INTERPOLATION.sub(lambda match: _value(match, values), element.text)
    return found.replace(ESCAPED_DOLLAR, "$")


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    expression = (match.group(1) or match.group(2) or "").strip()
    value = values.get(expression, HERE.get(expression))
    if value is not None and "\n" not in value:
        return value
    if "\n" in expression:
        return match.group()
    name = re.sub(r"\W+", "_", expression).strip("_")[:60] or "_"
    return f"${{{name if not name[0].isdigit() else '_' + name}}}"


def text_of(elements: Sequence[Element], values: Mapping[str, str]) -> Text | None:
    """The text of an argument: strings and names joined by `+`; what is called on it (`.trim()`) is left out.

    None where no part of it is known.
    """
    found = ""
    line = 0
    known = False
    for position, element in enumerate(elements):
        if element.kind == "string":
            found += filled(element, values)
            line = line or element.text_line
            known = True
        elif (
            element.kind == "("
            and (inner := text_of(element.items, values)) is not None
            and not _is_call(elements, position)
        ):
            found += inner.value
            line = line or inner.line
            known = True
        elif element.kind == "name":
            value = values.get(dotted(elements, position))
            known = known or value is not None
            if position == 0 or elements[position - 1].text == "+":
                found += value if value is not None else f"${{{element.text.strip('$')}}}"
                line = line or element.line
        elif element.kind == "op" and element.text in ("?", "?:"):
            return None
    return Text(found, line) if known else None


def _is_call(elements: Sequence[Element], position: int) -> bool:
    return position > 0 and elements[position - 1].kind == "name"


def dotted(elements: Sequence[Element], position: int) -> str:
    """The dotted name that begins at a position."""
    name = elements[position].text
    for dot, part in zip(elements[position + 1 :: 2], elements[position + 2 :: 2], strict=False):
        if dot.text not in (".", "?.") or part.kind != "name":
            break
        name += f".{part.text}"
    return name
