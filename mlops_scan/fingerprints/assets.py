"""The models, data sets and endpoints that code, configuration and commands name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from mlops_scan.assetrules import AssetRule
from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.globs import matches
from mlops_scan.fingerprints.names import fits_name
from mlops_scan.fingerprints.patterns import find_path, heads_of, match_words, roots_of, split_path
from mlops_scan.words import Location

MAX_NAME = 200  # characters; a longer text is a prompt or data, not a name
_MAX_NODES = 10_000  # nodes of one document that a key path is looked for in


class Named(Struct, frozen=True):
    """One place that names an asset; `version` is empty where none is given."""

    rule: AssetRule
    name: str
    version: str
    location: Location


class AssetMatcher:
    """The asset rules, indexed for matching."""

    def __init__(self, rules: Iterable[AssetRule]) -> None:
        self._calls: dict[str, list[tuple[AssetRule, str]]] = defaultdict(list)
        self._found: dict[str, tuple[AssetRule, ...]] = {}  # by the name in full
        self._documents: list[AssetRule] = []
        self._commands: list[AssetRule] = []
        self._heads: set[str] = set()  # the first words of their commands; "*" where any may be
        for rule in rules:
            for text in rule.calls:
                for root in roots_of(text):
                    self._calls[root].append((rule, text))
            if rule.keys:
                self._documents.append(rule)
            if rule.commands:
                self._commands.append(rule)
                self._heads.update(head for text in rule.commands for head in heads_of(text))

    def in_module(self, index: CodeIndex, module: Module) -> Iterator[Named]:
        """What the calls of one Python module name."""
        names = {call.name for call in module.calls}
        fitting = {name: rules for name in names if (rules := self._fitting(index, name, module))}
        for call in module.calls if fitting else ():
            for rule in fitting.get(call.name, ()):
                if not _keywords_fit(rule, call):
                    continue
                name = _argument(index, module, call, rule.name)
                if is_name(name) and name not in rule.excepted:
                    version = _argument(index, module, call, rule.version)
                    yield Named(rule, name, version, Location(module.path, call.line, call.end_line))

    def _fitting(self, index: CodeIndex, called: str, module: Module) -> Sequence[AssetRule]:
        """The rules that a call of a module fits by its name, a rule once for each of its patterns."""
        target = index.resolve(module.path, called)
        if target.path:
            return ()
        found = self._found.get(target.name)
        if found is None:
            found = self._found[target.name] = self._matching(target.name)
        return found and [rule for rule in found if not (rule.imports and module.roots.isdisjoint(rule.imports))]

    def _matching(self, name: str) -> tuple[AssetRule, ...]:
        root = name if name.startswith("?") else name.partition(".")[0]
        possible = (*self._calls.get(root, ()), *self._calls.get("*", ()))
        return tuple(rule for rule, text in possible if fits_name(text, name))

    def in_documents(self, path: str, documents: Sequence[Node]) -> Iterator[Named]:
        """What the key paths of a YAML, JSON or TOML file name."""
        for rule in self._documents:
            if rule.files and not matches(path, rule.files):
                continue
            for document in documents:
                if all(find_path(document, key, value) is not None for key, value in rule.keys):
                    versions = [node.string() or "" for key in rule.version for node in _all(document, split_path(key))]
                    for node in (node for key in rule.name for node in _all(document, split_path(key))):
                        name = node.string() or ""
                        if is_name(name):
                            yield Named(rule, name, versions[0] if versions else "", Location(path, node.at))

    def begins(self, word: str) -> bool:
        """Whether a command that begins with the word may name anything."""
        return word in self._heads or "*" in self._heads

    def in_command(self, words: tuple[str, ...], location: Location) -> Iterator[Named]:
        """What one command line, its launchers stripped, names."""
        if not words or not self.begins(words[0]):
            return
        for rule in self._commands:
            for pattern in rule.commands:
                if match_words(pattern, words):
                    name = _option(words, rule.name, len(pattern.split()))
                    if is_name(name):
                        yield Named(rule, name, _option(words, rule.version, len(pattern.split())), location)
                    break


def is_name(text: str) -> bool:
    """Whether a text can be the name of something: one short line without blanks and placeholders."""
    return bool(text) and len(text) <= MAX_NAME and text.isprintable() and not any(c in text for c in " \t<>{}$\"'`")


def _keywords_fit(rule: AssetRule, call: Call) -> bool:
    given = dict(call.keywords)
    if any(name in given and (not values or given[name] in values) for name, values in rule.refused):
        return False
    return all(name in given and (not values or given[name] in values) for name, values in rule.required)


def _argument(index: CodeIndex, module: Module, call: Call, wanted: tuple[str, ...]) -> str:
    for name in wanted:
        if name.isdecimal():
            given = int(name) < len(call.args)
            value = call.args[int(name)] if given else None
        else:
            given = any(keyword == name for keyword, _ in call.keywords)
            value = call.keyword(name)
        if value is not None and value != "none":
            return value
        if given and (value := _imported_constant(index, module, call)):
            return value
    return ""


def _imported_constant(index: CodeIndex, module: Module, call: Call) -> str:
    """The constant of another module that the call hands over, where it can only be the argument asked for."""
    unknown = [value for value in (*call.args, *(value for _, value in call.keywords)) if value is None]
    if len(unknown) != 1 or len(call.refs) != 1:
        return ""
    located = index.find_module(call.refs[0], module.path)
    if located is None or located[0] not in index.modules:
        return ""
    return index.modules[located[0]].constants.get(located[1], "")


def _option(words: tuple[str, ...], wanted: tuple[str, ...], head: int) -> str:
    for name in wanted:
        if name.isdecimal():
            plain = words[head:]
            position = int(name)
            if position < len(plain) and not plain[position].startswith("-"):
                return plain[position]
            continue
        for index, word in enumerate(words):
            option, _, value = word.partition("=")
            if option == name:
                return value or (words[index + 1] if index + 1 < len(words) else "")
    return ""


def _all(document: Node, parts: tuple[str, ...]) -> list[Node]:
    """Every node at a key path, at most a bounded number of them."""
    found = [document]
    for part in parts:
        options = part.split("|")
        following: list[Node] = []
        for node in found:
            following += [child for name, child in node.entries if "*" in options or name in options]
            if "*" in options:
                following += node.items
            if len(following) > _MAX_NODES:
                return []
        found = following
    return found
