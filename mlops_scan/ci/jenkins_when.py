"""When a declarative Jenkins stage runs: its `when` block as the kinds of triggers that are left, or never.

Facts: https://www.jenkins.io/doc/book/pipeline/syntax/#when
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mlops_scan.documents.groovy import Element, Statement
from mlops_scan.documents.groovy_calls import Call, calls
from mlops_scan.regex import regex

_CAUSES = {
    "TimerTrigger": "schedule", "ParameterizedTimerTriggerCause": "schedule", "UserIdCause": "manual",
    "SCMTrigger": "push", "BranchEventCause": "push", "BranchIndexingCause": "push", "UpstreamCause": "chained",
    "BuildUpstreamCause": "chained",
}  # fmt: skip
_ALL = frozenset(
    {"push", "pull_request", "tag", "schedule", "manual", "chained", "external", "merge_queue", "release", "server"}
)
_PARAMETER = regex(r"(?:return )?params\.(\w+)(?: == true| == 'true'|\.toBoolean ?\( ?\))?")
_MAX_DEPTH = 10


class When(Struct, frozen=True):
    """What a `when` leaves: `kinds` None for all of them; `never` why it never holds; `manual` a box to tick."""

    kinds: frozenset[str] | None = None
    never: str = ""
    manual: bool = False
    text: str = ""
    line: int = 0


def read(block: Element, unticked: frozenset[str]) -> When:
    """The meaning of a `when` block; `unticked` are the boolean parameters that are false by default."""
    found = [_one(call, unticked, 0) for statement in block.statements for call in list(calls(statement))[:1]]
    joined = _all(found)
    text = " && ".join(one.text for one in found if one.text)
    return When(joined.kinds, joined.never, joined.manual, text[:200], block.line)


def _one(call: Call, unticked: frozenset[str], depth: int) -> When:
    name = call.name
    inner = [c for _, b in call.blocks for s in b.statements for c in list(calls(s))[:1]] if depth < _MAX_DEPTH else []
    if name == "expression":
        return _expression(call, unticked)
    if name in ("allOf", "anyOf", "not"):
        parts = [_one(one, unticked, depth + 1) for one in inner]
        text = f"{name}({', '.join(part.text for part in parts)})"
        found = _all(parts) if name == "allOf" else _any(parts) if name == "anyOf" else _not(parts)
        return When(found.kinds, found.never, found.manual, text)
    value = words(call.arguments[0]) if call.arguments else " ".join(words(v) for _, v in call.named)
    text = f"{name} {value}".strip()
    if name in ("tag", "buildingTag"):
        return When(frozenset({"tag"}), text=text)
    if name == "changeRequest":
        return When(frozenset({"pull_request"}), text=text)
    if name == "branch":
        return When(_ALL - {"pull_request", "tag"}, text=text)
    if name == "triggeredBy":
        kinds = {kind for cause, kind in _CAUSES.items() if cause in value}
        return When(frozenset(kinds) or None, text=text)
    return When(text=text)


def _expression(call: Call, unticked: frozenset[str]) -> When:
    statements = [s for _, block in call.blocks for s in block.statements]
    text = words(statements[-1]) if statements else ""
    if len(statements) == 1 and text in ("false", "return false"):
        return When(never="`when { expression { false } }` never holds", text=text)
    ticked = _PARAMETER.fullmatch(text)
    return When(manual=ticked is not None and ticked.group(1) in unticked, text=text)


def _all(parts: Sequence[When]) -> When:
    kinds: frozenset[str] | None = None
    for part in parts:
        if part.kinds is not None:
            kinds = part.kinds if kinds is None else kinds & part.kinds
    never = next((part.never for part in parts if part.never), "")
    if kinds is not None and not kinds:
        never = never or "the conditions of its `when` exclude each other"
    return When(kinds, never, any(part.manual for part in parts))


def _any(parts: Sequence[When]) -> When:
    alive = [part for part in parts if not part.never]
    if not alive:
        return When(never=parts[0].never if parts else "")
    kinds = None if any(part.kinds is None for part in alive) else frozenset(k for p in alive for k in p.kinds or ())
    return When(kinds, manual=all(part.manual for part in alive))


def _not(parts: Sequence[When]) -> When:
    if len(parts) != 1 or parts[0].kinds is None or parts[0].text.startswith("branch"):
        return When()
    return When(_ALL - parts[0].kinds)


def words(elements: Iterable[Element]) -> str:
    """A piece of Groovy as one line of text, strings in single quotes."""
    found = ""
    for element in elements:
        if element.kind == "string":
            piece = f"'{element.text}'"
        elif element.kind in ("(", "["):
            piece = f"{element.kind}{words(element.items)}{')' if element.kind == '(' else ']'}"
        elif element.kind == "{":
            piece = "{…}"
        else:
            piece = element.text
        tight = not found or piece in (".", "?.", ",", ":") or found.endswith((".", "!")) or element.kind in ("(", "[")
        found += piece if tight else f" {piece}"
        if len(found) > 400:
            break
    return found


def strings(statement: Statement) -> tuple[str, ...]:
    """The strings of an argument: of a list, or the one."""
    found: list[str] = []
    for element in statement:
        if element.kind == "string":
            found.append(element.text)
        found.extend(inner.text for inner in element.items if inner.kind == "string")
    return tuple(found)
