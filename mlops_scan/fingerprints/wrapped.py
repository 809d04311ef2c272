"""Actions of CI that run a command which their inputs say: `uses: OWNER/gcloud` with `args: functions deploy …`.

Which actions these are, and what their inputs are called, is told by `wraps` of the tools in the rules.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.rulebook import Tool, Wrapper

_PLACE = regex(r"\{([\w-]{1,80})(?:=([^{}]{0,200}))?\}")
_OPTIONAL = regex(r" ?\[([^\[\]]{1,400})\]")
_IMAGE = "docker://"
_MAX_VALUE = 4_000  # characters of one input
_MAX_SETTINGS = 200


class Wrappers:
    """The actions of the tools of a rule book that run a command."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._by_name: dict[str, list[Wrapper]] = defaultdict(list)
        for wrapper in (wrapper for tool in tools for wrapper in tool.wraps):
            for name in wrapper.uses:
                self._by_name[name].append(wrapper)

    def command(self, uses: str, inputs: Mapping[str, str], documents: Documents) -> str:
        """The command that an action runs, empty where it is none of these or lacks an input.

        Names of actions and of their inputs are the same in any case:
        https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax#inputs
        """
        found = self._by_name.get(_name(uses))
        if not found:
            return ""
        given = {name.lower(): value for name, value in inputs.items() if value and len(value) < _MAX_VALUE}
        filled = (_filled(wrapper, given, documents) for wrapper in found)
        return next(filter(None, filled), "")


def _name(uses: str) -> str:
    """`OWNER/NAME` of a reference in lower case; of an image without its tag."""
    name = uses.partition("@")[0].lower()
    if not name.startswith(_IMAGE):
        return name
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def _filled(wrapper: Wrapper, given: Mapping[str, str], documents: Documents) -> str:
    """The first command of an action for which all inputs are there; of several those whose files are there too."""
    values = dict(given)
    place = _template(wrapper.settings, given) if wrapper.settings else None
    if place is not None and place[0] in documents.files:
        for node in documents.nodes(place[0])[:1]:
            for name, value in node.entries[:_MAX_SETTINGS]:
                if (text := value.string()) and len(text) < _MAX_VALUE:
                    values.setdefault(name.lower(), text)
    for command in wrapper.commands:
        made = _template(command, values, rooted=len(wrapper.commands) > 1)
        if made is not None and (len(wrapper.commands) == 1 or all(name in documents.files for name in made[1])):
            return made[0]
    return ""


def _template(text: str, values: Mapping[str, str], *, rooted: bool = False) -> tuple[str, list[str]] | None:
    """A text with the values filled in, and these; None where one is not given. `[…]` is left out in that case.

    `rooted` values are files, written from the root of the repository with or without a slash.
    """
    used: list[str] = []
    lacking: list[str] = []

    def value(match: re.Match[str]) -> str:
        found = values.get(match.group(1).lower()) or match.group(2) or ""
        found = found.removeprefix("./").lstrip("/") if rooted else found
        (used if found else lacking).append(found or match.group(1))
        return found

    def part(match: re.Match[str]) -> str:
        names = (place.group(1).lower() for place in _PLACE.finditer(match.group(1)))
        return f" {match.group(1)}" if all(values.get(name) for name in names) else ""

    made = _PLACE.sub(value, _OPTIONAL.sub(part, text))
    return None if lacking else (made, used)
