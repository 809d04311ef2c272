"""What plain scalars and tags mean by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""

from __future__ import annotations

from typing import Any

from mlops_scan.documents.node import Scalar
from mlops_scan.regex import regex

_STANDARD = "tag:yaml.org,2002:"
_CORE = frozenset({"str", "int", "float", "bool", "null", "map", "seq", "merge", "value"})
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER_STARTS = frozenset("0123456789+-.")
TYPED_STARTS = _NUMBER_STARTS | {text[0] for text in (*_NULLS, *_BOOLS) if text}  # of scalars that may be no string
_DIGITS = frozenset("0123456789")
_FLOATING = _DIGITS | frozenset(".eE+-")
_BASED = regex(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_SPECIAL = regex(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


def scalar(text: str) -> Scalar:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > 400:
        return text
    digits = text[1:] if text[0] in "+-" else text
    if digits and _DIGITS.issuperset(digits):
        return int(text)
    if text[0] == "0" and _BASED.match(text):
        return int(text, 0)
    if _FLOATING.issuperset(text):
        try:
            return float(text)  # of these characters it takes what the schema calls a number
        except ValueError:
            return text
    if text[-1] in "fFnN" and _SPECIAL.match(text):
        return float(text.replace(".", ""))
    return text


def tagged(event: Any) -> tuple[Scalar, str]:
    """The value and the tag to keep of a scalar event that has a tag."""
    text: str = event.value
    tag = custom_tag(event.tag)
    core = not tag and event.tag.startswith(_STANDARD) and not event.tag.endswith(":str")
    return scalar(text) if core or (not event.style and event.implicit[0]) else text, tag


def custom_tag(tag: str | None) -> str:
    """A custom tag as written, `!!x` for those of the standard's namespace; core tags and none are empty."""
    if not tag or tag == "!":
        return ""
    if tag.startswith(_STANDARD):
        name = tag[len(_STANDARD) :]
        return "" if name in _CORE else "!!" + name
    return tag
