"""Makefiles: targets with their recipes, variables filled in where the file gives them a value."""

from __future__ import annotations

import re

from msgspec import Struct, field

from mlops_scan.documents.bounds import check_size, unix_lines
from mlops_scan.documents.node import DocumentError
from mlops_scan.regex import regex

_MAX_EXPANDED = 20_000  # characters of one expanded text
_MAX_NESTING = 12
_MAX_WORK = 200_000  # replacements in one file
_MAX_WRITTEN = 5_000_000  # characters of all expanded texts of one file
_MAX_TARGETS = 2_000
_MAX_LINES = 20_000  # recipe lines of all targets

_VARIABLE = regex(
    r"(?:(?:export|override|private|unexport)\s+)*([^\s:#=!?+$]+)\s*(:::?=|::?=|\?=|\+=|!=|=)\s*(.*)", re.DOTALL
)
_REFERENCE = regex(r"\$(?:\(([^()${}\s:,]+)\)|\{([^(){}$\s:,]+)\}|([@<^+*?$]))")
_CONDITIONAL = regex(r"(?:ifeq|ifneq|ifdef|ifndef|else|endif)\b")
_DEFINE = regex(r"(?:override\s+|export\s+)*define\s+([^\s=:?+]+)")
_INCLUDE = regex(r"(?:-include|sinclude|include)\s+(.*)")


class Target(Struct, frozen=True):
    """A target of a rule; `recipe` holds (line, command) without `@`, `-`, `+`, continuation lines joined.

    `ignore_errors` has one entry for each recipe line: true where make goes on after a failure.
    """

    name: str
    prerequisites: tuple[str, ...]
    line: int
    recipe: tuple[tuple[int, str], ...] = ()
    ignore_errors: tuple[bool, ...] = ()


class Makefile(Struct, frozen=True):
    """A parsed makefile. `default` is the target that plain `make` builds, empty when there is none."""

    targets: tuple[Target, ...]
    variables: dict[str, str] = field(default_factory=dict)
    phony: tuple[str, ...] = ()
    default: str = ""
    includes: tuple[str, ...] = ()
    oneshell: bool = False

    def target(self, name: str) -> Target | None:
        """The rules for `name` as one target: all prerequisites, the last recipe; None when there is no rule."""
        rules = [target for target in self.targets if target.name == name]
        return _merged(rules) if rules else None

    def merged(self) -> dict[str, Target]:
        """Every target by name, its rules as one as in `target`; one pass over all rules."""
        rules: dict[str, list[Target]] = {}
        for target in self.targets:
            rules.setdefault(target.name, []).append(target)
        return {name: _merged(found) for name, found in rules.items()}


def _merged(rules: list[Target]) -> Target:
    main = next((rule for rule in reversed(rules) if rule.recipe), rules[0])
    prerequisites = tuple(dict.fromkeys(p for rule in rules for p in rule.prerequisites))
    return Target(main.name, prerequisites, main.line, main.recipe, main.ignore_errors)


class _Rule(Struct):
    names: str
    prerequisites: str
    line: int
    recipe: list[tuple[int, str]] = field(default_factory=list)


def parse(text: str) -> Makefile:
    """The rules of a makefile; both sides of conditionals are read, what is not understood is skipped.

    Raises DocumentError for more than 2 MB and, with all that was read as `.partial`, for more than 2000 targets,
    20 000 recipe lines and for variables that take more than 200 000 replacements or 5 million characters.
    """
    check_size(text)
    reader = _Reader()
    for line, content in _joined(unix_lines(text.removeprefix("\ufeff")).split("\n")):
        reader.feed(line, content)
    makefile = reader.makefile()
    if reader.breach is not None:
        raise DocumentError(*reader.breach, makefile)
    return makefile


def _joined(lines: list[str]) -> list[tuple[int, str]]:
    """Logical lines with their first line's number; a continuation becomes one blank."""
    result: list[tuple[int, str]] = []
    parts: list[str] = []
    start = 0
    for number, line in enumerate(lines, 1):
        start = start if parts else number
        bare = line.rstrip()
        if bare.endswith("\\") and not bare.endswith("\\\\"):
            parts.append(bare[:-1].rstrip() if not parts else bare[:-1].strip())
            continue
        parts.append(line if not parts else line.strip())
        result.append((start, " ".join(parts) if len(parts) > 1 else parts[0]))
        parts = []
    if parts:
        result.append((start, " ".join(parts)))
    return result


class _Reader:
    """Takes logical lines one by one."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._variables: dict[str, str] = {}
        self._includes: list[str] = []
        self._open = False
        self._prefix = "\t"
        self._define: str | None = None
        self._defined: list[str] = []
        self._work = 0
        self._written = self._lines = 0
        self.breach: tuple[str, int] | None = None  # the bound that broke first, and the line of the rule
        self._line = 0

    def feed(self, line: int, content: str) -> None:
        """Take one logical line."""
        stripped = content.strip()
        if self._define is not None:
            self._in_define(stripped, content)
        elif self._open and content.startswith(self._prefix):
            if stripped:
                self._rules[-1].recipe.append((line, content[len(self._prefix) :].strip()))
        elif not stripped or stripped.startswith("#"):
            return
        elif match := _DEFINE.match(stripped):
            self._define, self._defined = match.group(1), []
        elif _CONDITIONAL.match(stripped):
            return
        elif match := _INCLUDE.match(stripped):
            self._includes.extend(_without_comment(match.group(1)).split())
        else:
            self._statement(line, stripped)

    def _in_define(self, stripped: str, content: str) -> None:
        if stripped.startswith("endef"):
            self._variables[self._define or ""] = "\n".join(self._defined)
            self._define = None
        else:
            self._defined.append(content)

    def _statement(self, line: int, text: str) -> None:
        match = _VARIABLE.match(text)
        if match:
            self._assign(match.group(1), match.group(2), _without_comment(match.group(3)))
            self._open = False
            return
        colon = _colon(text)
        if colon < 0:
            self._open = False
            return
        names, rest = text[:colon], text[colon:].lstrip(":")
        rest, _, recipe = rest.partition(";")
        rest = _without_comment(rest)
        self._open = True
        if _VARIABLE.match(rest.strip()):  # a variable of this target only
            self._open = False
            return
        rule = _Rule(names, rest, line)
        if recipe.strip():
            rule.recipe.append((line, recipe.strip()))
        self._rules.append(rule)

    def _assign(self, name: str, operator: str, value: str) -> None:
        value = value.strip()
        if name == ".RECIPEPREFIX":
            self._prefix = value[:1] or "\t"
        if operator == "+=":
            value = f"{self._variables.get(name, '')} {value}".strip()[:_MAX_EXPANDED]
        elif operator == "!=":
            value = f"$(shell {value})"
        elif operator == "?=" and name in self._variables:
            return
        self._variables[name] = value

    def makefile(self) -> Makefile:
        """Everything read, with variables filled in."""
        phony: list[str] = []
        targets: list[Target] = []
        oneshell = ignore_all = False
        for rule in self._rules:
            self._line = rule.line
            if len(targets) > _MAX_TARGETS:
                self.breach = self.breach or (f"more than {_MAX_TARGETS} targets", rule.line)
                break
            names = self._expand(rule.names).split()[:1000]
            prerequisites = tuple(p for p in self._expand(rule.prerequisites).split() if p != "|")
            for name in names:
                if name == ".PHONY":
                    phony.extend(prerequisites)
                elif name == ".ONESHELL":
                    oneshell = True
                elif name == ".IGNORE" and not prerequisites:
                    ignore_all = True
                elif name not in ("&", ".SUFFIXES", ".SILENT", ".DELETE_ON_ERROR"):
                    targets.append(self._target(name, prerequisites, rule))
        if ignore_all:
            targets = [
                Target(t.name, t.prerequisites, t.line, t.recipe, tuple(True for _ in t.recipe)) for t in targets
            ]
        goal = self._expand(self._variables.get(".DEFAULT_GOAL", "")).strip()
        ordinary = (t.name for t in targets if "%" not in t.name and (not t.name.startswith(".") or "/" in t.name))
        includes = tuple(word for text in self._includes for word in self._expand(text).split())
        variables = {name: self._expand(value) for name, value in self._variables.items()}
        return Makefile(tuple(targets), variables, tuple(phony), goal or next(ordinary, ""), includes, oneshell)

    def _target(self, name: str, prerequisites: tuple[str, ...], rule: _Rule) -> Target:
        self._spend(sum(map(len, prerequisites)))
        automatic = {"@": name, "<": prerequisites[0] if prerequisites else "", "^": " ".join(prerequisites)}
        recipe: list[tuple[int, str]] = []
        ignored: list[bool] = []
        for line, text in rule.recipe:
            self._lines += 1
            if self._lines > _MAX_LINES:
                self.breach = self.breach or (f"more than {_MAX_LINES} recipe lines", line)
                break
            for part in self._expand(text, automatic).split("\n"):
                command = part.strip()
                prefix = command[: len(command) - len(command.lstrip("@-+ \t"))]
                command = command[len(prefix) :]
                if command and not command.startswith("#"):
                    recipe.append((line, command))
                    ignored.append("-" in prefix)
        return Target(name, prerequisites, rule.line, tuple(recipe), tuple(ignored))

    def _expand(self, text: str, automatic: dict[str, str] | None = None, depth: int = 0) -> str:
        """The text with the variables that this file defines filled in; others, and functions, stay as written."""
        if "$" not in text or depth > _MAX_NESTING or self.breach is not None:
            return text[:_MAX_EXPANDED]
        pieces: list[str] = []
        position = length = 0
        for match in _REFERENCE.finditer(text):
            self._work += 1
            name = match.group(1) or match.group(2) or ""
            symbol = match.group(3) or ""
            if symbol == "$":
                value = "$" if depth == 0 else "$$"
            elif symbol:
                value = (automatic or {}).get(symbol, match.group())
            elif name in self._variables:
                value = self._expand(self._variables[name], automatic, depth + 1)
            else:
                value = (automatic or {}).get(name, match.group())
            pieces += [text[position : match.start()], value]
            length += match.start() - position + len(value)
            position = match.end()
            if length > _MAX_EXPANDED:
                break
        result = "".join([*pieces, text[position:]])[:_MAX_EXPANDED]
        self._spend(len(result))
        return result

    def _spend(self, characters: int) -> None:
        """Count what an expansion has written; where a file takes too much, nothing more is expanded."""
        self._written += characters
        if self._work > _MAX_WORK:
            self.breach = self.breach or (f"variables take more than {_MAX_WORK} replacements", self._line)
        elif self._written > _MAX_WRITTEN:
            reason = f"variables expand to more than {_MAX_WRITTEN / 1_000_000:g} MB"
            self.breach = self.breach or (reason, self._line)


def _colon(text: str) -> int:
    """The offset of the colon that ends a rule's targets, outside `$(..)`; -1 when there is none."""
    depth = 0
    for index, character in enumerate(text):
        if character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif character == ":" and depth <= 0 and text[index + 1 : index + 2] != "=":
            if index == 1 and text[index + 1 : index + 2] in ("\\", "/") and text[0].isalpha():
                continue  # a drive letter
            return index
        elif character == "#":
            return -1
    return -1


def _without_comment(text: str) -> str:
    start = text.find("#")
    while start > 0 and text[start - 1] == "\\":
        start = text.find("#", start + 1)
    return text if start < 0 else text[:start].rstrip()
