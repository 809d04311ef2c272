"""What a file is, told from its path by the rules of `rules/roles`: the catalogue behind `File.role`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from mlops_scan.regex import regex
from mlops_scan.repository.templates import TEMPLATE_SUFFIXES, before_placeholder, strip_template
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.rolerules import RoleRule

__all__ = ["RoleCatalogue", "default_catalogue", "role_of", "strip_template"]

_OWN_TREE = frozenset({Role.TEST, Role.VENDORED, Role.GENERATED})  # a template among the tests is test data
_MAX_FOLDERS = 20_000  # folders, and names of files, that one catalogue remembers
_HEAD_CHARACTERS = 4_000  # of a file, in which its marker must stand
_HEAD_LINES = 40
_IN_MARKERS = "generated"  # the rules' reader sees to it
Marker = Callable[[str], bool]
"""Whether a line says that a program wrote the file."""

_QUOTES = ('"""', "'''")


class RoleCatalogue:
    """The compiled rules. It remembers the folders and names that it has seen, so that a path costs a microsecond."""

    def __init__(self, rules: Iterable[RoleRule]) -> None:
        self._rules = tuple(rules)
        self._last = len(self._rules)  # the rank of what no rule matches
        self._roles = (*(rule.role for rule in self._rules), Role.SOURCE)
        self._folders: dict[str, int] = {}
        self._nested: dict[str, int] = {}
        self._suffixes: dict[str, int] = {}
        self._names: dict[str, int] = {}
        for rank, rule in enumerate(self._rules):
            for names, ranks in (
                ((n for n in rule.folders if not _is_glob(n)), self._folders),
                (rule.nested, self._nested),
                (rule.suffixes, self._suffixes),
                ((n for n in rule.names if not _is_glob(n)), self._names),
            ):
                for name in names:
                    ranks.setdefault(name, rank)
        self._folder_globs = _Globs((rank, rule.folders) for rank, rule in enumerate(self._rules))
        self._name_globs = _Globs((rank, rule.names) for rank, rule in enumerate(self._rules))
        self._seen: dict[str, int] = {}
        self._seen_names: dict[str, int] = {}
        self._parts: dict[str, int] = {}
        self._without: dict[frozenset[Role], RoleCatalogue] = {}

    def role(self, path: str) -> Role:
        """The role of the file at `path` (relative, forward slashes)."""
        folder, _, name = path.rpartition("/")
        if "{" in path or name.lower().endswith(TEMPLATE_SUFFIXES):
            return self._templated(path)
        return self._plain(folder, name)

    def without(self, roles: frozenset[Role]) -> RoleCatalogue:
        """The catalogue in which no path has one of `roles`."""
        if roles not in self._without:
            self._without[roles] = RoleCatalogue(rule for rule in self._rules if rule.role not in roles)
        return self._without[roles]

    @cached_property
    def _markers(self) -> tuple[Marker, ...]:
        return tuple(_marker(marker) for rule in self._rules for marker in rule.markers)

    def is_generated(self, text: str) -> bool:
        """Whether the comment or docstring at the head of Python code says that a program wrote it."""
        head = text[:_HEAD_CHARACTERS].lower()
        if _IN_MARKERS not in head:
            return False
        return any(marks(line) for line in _head_comments(head) if _IN_MARKERS in line for marks in self._markers)

    def _plain(self, folder: str, name: str) -> Role:
        rank = self._seen.get(folder)
        if rank is None:
            rank = self._folder_rank(folder)
        if rank:
            name = name.lower()
            own = self._seen_names.get(name)
            if own is None:
                own = self._name_rank(name)
            if own < rank:
                rank = own
        return self._roles[rank]

    def _name_rank(self, name: str) -> int:
        dot = name.rfind(".")
        rank = self._suffixes.get(name[dot:], self._last) if dot > 0 else self._last
        rank = self._name_globs.rank(name, min(rank, self._names.get(name, self._last)))
        if len(self._seen_names) >= _MAX_FOLDERS:
            self._seen_names.clear()
        self._seen_names[name] = rank
        return rank

    def _folder_rank(self, folder: str) -> int:
        parts = folder.lower().split("/") if folder else []
        rank = min((self._part_rank(part) for part in parts), default=self._last)
        for part, nested in self._nested.items():
            if parts.count(part) > 1:
                rank = min(rank, nested)
        if len(self._seen) >= _MAX_FOLDERS:
            self._seen.clear()
        self._seen[folder] = rank
        return rank

    def _part_rank(self, part: str) -> int:
        rank = self._parts.get(part)
        if rank is None:
            rank = min(self._folders.get(part, self._last), self._folder_globs.rank(part, self._last))
            if len(self._parts) >= _MAX_FOLDERS:
                self._parts.clear()
            self._parts[part] = rank
        return rank

    def _templated(self, path: str) -> Role:
        stripped, templated = strip_template(path)
        outer = before_placeholder(path) if templated else ""
        if outer:
            role = self._plain(outer.rpartition("/")[0], "x")
            if role in _OWN_TREE:
                return role
        folder, _, name = stripped.rpartition("/")
        role = self._plain(folder, name)
        return Role.TEMPLATE if templated and role in (Role.SOURCE, Role.NOTEBOOK) else role


@lru_cache(maxsize=1)
def default_catalogue() -> RoleCatalogue:
    """The catalogue of the built-in rules, for callers that have loaded no rules of their own."""
    from mlops_scan.rulebook import load

    return RoleCatalogue(load().roles)


def role_of(path: str) -> Role:
    """The role of the file at `path` (relative, forward slashes) by the built-in rules."""
    return default_catalogue().role(path)


def _is_glob(name: str) -> bool:
    return "*" in name or "[" in name or "?" in name


def _words(pattern: str) -> tuple[str, ...]:
    """The longest part of a glob that stands in whatever it matches; nothing where it has none before a class."""
    word = max(pattern.partition("[")[0].replace("?", "*").split("*"), key=len)
    return (word,) if word else ()


class _Globs:
    """Globs with their ranks, by the extension that they end with. One expression for all would take longer to compile
    than a small scan to ask these.
    """

    def __init__(self, ranked: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        self._by_ending: dict[str, list[tuple[int, str, str, re.Pattern[str] | None]]] = {}
        for rank, names in ranked:
            for name in names:
                if _is_glob(name):
                    ending = name[name.rfind(".") :] if "." in name else "*"
                    start, _, end = name.partition("*")
                    pattern = regex(translate(name), words=_words(name)) if _is_glob(start + end) else None
                    key = "" if _is_glob(ending) else ending
                    self._by_ending.setdefault(key, []).append((rank, start, end, pattern))

    def rank(self, name: str, none: int) -> int:
        """The lowest rank of a glob that matches, `none` without one."""
        dot = name.rfind(".")
        for globs in (self._by_ending.get(name[dot:]) if dot >= 0 else None, self._by_ending.get("")):
            for rank, start, end, pattern in globs or ():
                if rank < none and _fits(name, start, end, pattern):
                    none = rank
        return none


def _fits(name: str, start: str, end: str, pattern: re.Pattern[str] | None) -> bool:
    if pattern is not None:
        return pattern.match(name) is not None
    return name.endswith(end) and name.startswith(start) and len(name) >= len(start) + len(end)


def _marker(phrase: str) -> Marker:
    """What tells whether a phrase, in which `*` is any text and `?` any character, stands in a line."""
    pieces = phrase.split("*")
    if "?" not in phrase:
        return lambda line: _in_order(line, pieces)
    pattern = regex(".*?".join(re.escape(piece) for piece in pieces).replace(r"\?", "."), words=_words(phrase))
    return lambda line: pattern.search(line) is not None


def _in_order(line: str, pieces: Iterable[str]) -> bool:
    """Whether a line has the pieces one behind another."""
    position = 0
    for piece in pieces:
        found = line.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _head_comments(head: str) -> Iterator[str]:
    """The lines of the comments and of the docstring with which code begins."""
    quote = ""
    for line in head.split("\n", _HEAD_LINES)[:_HEAD_LINES]:
        text = line.strip()[:400]
        if quote:
            yield text
            if quote in text:
                return
        elif text.startswith("#"):
            yield text
        elif text.startswith(_QUOTES) or text[1:].startswith(_QUOTES):
            quote = '"""' if '"""' in text else "'''"
            yield text
            if text.count(quote) > 1:
                return
        elif text:
            return
