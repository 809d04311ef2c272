"""The small pattern languages of the rules: dotted call names, command words, key paths."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import takewhile

from msgspec import Struct

from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.globs import matches_text
from mlops_scan.regex import regex

_SEGMENT = regex(r"\{([^}]*)\}")
_SEGMENTS = regex(r"(?:\{[^{}]*\}|[^.{])+")
_IF, _FN_IF, _IF_ITEMS = "!If", "Fn::If", 3  # a condition in CloudFormation's templates: the tag, the key, the items


@lru_cache(maxsize=4096)
def compile_name(pattern: str) -> re.Pattern[str]:
    """A call-name pattern: `*` one segment or part of one, `**` any number of segments, `{a,b}` alternatives."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if pattern.startswith("**.", position):
            out.append(r"(?:[^.]+\.)*")
            position += 3
        elif pattern.startswith("**", position):
            out.append(r".+")
            position += 2
        elif char == "*":
            out.append(r"[^.]*" if _inside(pattern, position) else r"[^.]+")
            position += 1
        elif char == "{":
            end = pattern.index("}", position)
            options = pattern[position + 1 : end].split(",")
            out.append("(?:" + "|".join(re.escape(option.strip()).replace(r"\*", "[^.]*") for option in options) + ")")
            position = end + 1
        else:
            out.append(re.escape(char))
            position += 1
    return re.compile("".join(out))


def _inside(pattern: str, position: int) -> bool:
    before = pattern[position - 1] if position else "."
    after = pattern[position + 1] if position + 1 < len(pattern) else "."
    return before != "." or after != "."


def roots_of(pattern: str) -> tuple[str, ...]:
    """The first segments a name must have to match; `?` patterns give `?.LAST` (the whole name), wildcards `*`."""
    if pattern.startswith("?."):
        return (pattern,) if "*" not in pattern and "{" not in pattern else ("?",)
    group = _SEGMENT.match(pattern)
    heads = group.group(1).split(",") if group else [pattern]
    if group and pattern[group.end() :][:1] not in ("", "."):
        return ("*",)  # `{a,b}_c.x`
    roots = [head.strip().split(".", 1)[0] for head in heads]
    return tuple(dict.fromkeys("*" if "*" in root or "{" in root else root for root in roots))


def beginnings_of(pattern: str) -> tuple[str, ...]:
    """The dotted names one of which begins every name that matches, as far as they are literal: `a.b` of `a.b.**.c`.

    Empty for a pattern that begins with a wildcard or an unknown receiver.
    """
    if "{" not in pattern:
        literal = takewhile(lambda segment: "*" not in segment and "?" not in segment, filter(None, pattern.split(".")))
        name = ".".join(literal)
        return (name,) if name else ()
    names = [""]
    for segment in _SEGMENTS.findall(pattern):
        group = _SEGMENT.fullmatch(segment)
        options = [option.strip() for option in group.group(1).split(",")] if group else [segment]
        if any(char in option for option in options for char in "*?{"):
            break
        names = [f"{name}.{option}".lstrip(".") for name in names for option in options]
    return tuple(name for name in names if name)


def heads_of(pattern: str) -> tuple[str, ...]:
    """The words with which a command must begin to match a pattern of words; `*` where that is no plain word."""
    first = next((word for word in pattern.split() if not word.startswith("-") and "=" not in word), "*")
    return tuple("*" if any(c in option for c in "*?[") else option for option in first.split("|"))


def match_words(pattern: str, words: tuple[str, ...]) -> bool:
    """Whether a command begins with the words of the pattern (`*` any word, `a|b` alternatives), options left out.

    A word right after an option may be its value (`az ml -g group model deploy`) and may be skipped. Words of the
    pattern that are options or settings themselves (`--atomic`, `push=true`) may stand anywhere.
    """
    wanted, anywhere = _wanted(pattern)
    if not words or not wanted[0].fits(words[0]):
        return False
    if anywhere and not all(any(map(option.fits, words[1:])) for option in anywhere):
        return False
    position = 1
    for index in range(1, len(words)):
        if position == len(wanted):
            break
        word = words[index]
        if wanted[position].fits(word):
            position += 1
        elif not word.startswith("-") and not _takes_value(words[index - 1]):
            return False
    return position == len(wanted)


def _takes_value(word: str) -> bool:
    return word.startswith("-") and "=" not in word


class _Word(Struct, frozen=True):
    """A word of a pattern: the words that it stands for, the beginnings of options with a value, and globs."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    globs: tuple[str, ...]

    def fits(self, word: str) -> bool:
        return (
            word in self.words
            or word.startswith(self.beginnings)
            or any(matches_text(word, option) for option in self.globs)
        )


@lru_cache(maxsize=4096)
def _wanted(pattern: str) -> tuple[tuple[_Word, ...], tuple[_Word, ...]]:
    """The words of a pattern in their order, and those that may stand anywhere."""
    anywhere = [word for word in pattern.split() if word.startswith("-") or "=" in word]
    wanted = [word for word in pattern.split() if word not in anywhere]
    return tuple(map(_parsed_word, wanted)), tuple(map(_parsed_word, anywhere))


def _parsed_word(want: str) -> _Word:
    options = want.split("|")
    return _Word(
        frozenset(options),
        tuple(f"{option}=" for option in options if option.startswith("--")),
        tuple(option for option in options if any(c in option for c in "*?[")),
    )


@lru_cache(maxsize=4096)
def split_path(path: str) -> tuple[str, ...]:
    """`metadata.annotations."a.b/c"` as its segments."""
    parts = path.split('"')  # every other one is quoted, except after a quote without an end
    found: list[str] = []
    for number, part in enumerate(parts, 1):
        if number % 2 == 0 and number < len(parts):
            found.append(part)
        else:
            found += filter(None, part.split("."))
    return tuple(found)


class _Part(Struct, frozen=True):
    """One segment of a key path: the keys that it names, the globs of others, and whether it is any key or item."""

    names: frozenset[str]
    globs: tuple[str, ...]
    any: bool


@lru_cache(maxsize=4096)
def _parts(path: str) -> tuple[_Part, ...]:
    options = [part.split("|") for part in split_path(path)]
    return tuple(
        _Part(frozenset(found), tuple(option for option in found if "*" in option), "*" in found) for found in options
    )


def find_path(node: Node, path: str, value: str) -> Node | None:
    """The first node at a key path whose scalar matches the value glob ("" accepts any present, non-empty value)."""
    return _find(node, _parts(path), value, set())


def _find(node: Node, parts: tuple[_Part, ...], value: str, failed: set[tuple[int, int]]) -> Node | None:
    """`failed` are nodes that were tried in vain, so that shared ones (aliases) are tried once."""
    if not parts:
        return node if accepts(node, value) else None
    key = (id(node), len(parts))
    if key in failed:
        return None
    for child in _children(node, parts[0]):
        found = _find(child, parts[1:], value, failed)
        if found is not None:
            return found
    failed.add(key)
    return None


def _children(node: Node, part: _Part) -> list[Node]:
    if node.tag == _IF or (len(node.entries) == 1 and node.entries[0][0] == _FN_IF):
        return [child for branch in _branches(node) for child in _children(branch, part)]
    if part.any:
        return [*(child for _, child in node.entries), *node.items]
    if not part.globs:
        return [child for name, child in node.entries if name in part.names]
    return [
        child
        for name, child in node.entries
        if name in part.names or any(matches_text(name, glob) for glob in part.globs)
    ]


def _branches(node: Node) -> list[Node]:
    """The values that a condition of CloudFormation (`!If [condition, then, else]`) stands for, nested ones included.

    Each node is looked at once: aliases may share them.
    """
    found: list[Node] = []
    stack, seen = [node], {id(node)}
    while stack:
        item = stack.pop()
        listed: Node | None = None
        if item.tag == _IF:
            listed = item
        elif len(item.entries) == 1 and item.entries[0][0] == _FN_IF:
            listed = item.entries[0][1]
        if listed is None:
            found.append(item)
            continue
        for branch in reversed(listed.items[1:] if len(listed.items) == _IF_ITEMS else ()):
            if id(branch) not in seen:
                seen.add(id(branch))
                stack.append(branch)
    return found


def accepts(node: Node, value: str) -> bool:
    """Whether a node is a scalar that matches a value glob; "" accepts any node that is present and not empty.

    Of the alternatives those with a `!` exclude what they match, whatever else it matches.
    """
    if not value:
        return node.kind != "scalar" or node.value is not None
    if node.kind != "scalar":
        return False
    text = node.text if node.string() is None else (node.string() or "")
    if isinstance(node.value, bool):
        text = "true" if node.value else "false"
    if "!" not in value:
        return any(matches_text(text, option) for option in value.split("|"))
    options = value.split("|")
    wanted = [option for option in options if not option.startswith("!")]
    if any(matches_text(text, option[1:]) for option in options if option.startswith("!")):
        return False
    return not wanted or any(matches_text(text, option) for option in wanted)
