"""Match the tools of the rules against code, documents, file names and commands: where is which tool really used?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from fnmatch import fnmatchcase

from msgspec import Struct

from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.code.rnames import BARE, attached
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.globs import matches
from mlops_scan.fingerprints.names import fits_name
from mlops_scan.fingerprints.patterns import accepts, find_path, match_words, roots_of, split_path
from mlops_scan.fingerprints.table import NameTable, lasts_of
from mlops_scan.repository.files import File
from mlops_scan.rulebook import Signature, Tool
from mlops_scan.words import Confidence, Grade, Location


class Use(Struct, frozen=True):
    """One place where a tool is used, with the practices it serves and the activities it performs there."""

    tool: str
    name: str  # what matched: the call, the command, the key path
    location: Location
    scope: str
    serves: tuple[str, ...]
    does: tuple[str, ...]
    grade: Grade
    confidence: Confidence
    note: str


# Options that make a command only explain itself or say what it would do; `-n` is one for the programs below.
_IDLE = frozenset({"--help", "--dry-run", "--dryrun", "--dry", "--collect-only", "--co"})
_SHORT_DRY_RUN = frozenset({"snakemake"})
_GLOB = frozenset("*?[")
_MAX_CONSTANT = 20_000  # characters of a constant, such as an SQL text, that are tried against a pattern


class _Claim(Struct, frozen=True):
    tool: str
    signature: Signature


class _Command(Struct, frozen=True):
    tool: str
    signature: Signature
    text: str


class _Conjunction(Struct, frozen=True):
    """A signature of calls that must all be there; `needs` has for each call segments one of which a name must have."""

    tool: str
    signature: Signature
    needs: tuple[frozenset[str], ...]


class _Document(Struct, frozen=True):
    """A signature of key paths. `heads` has for each of them the top-level keys one of which a document must have.

    `scalars` are the names and the values of the top-level scalars that it asks for.
    """

    tool: str
    signature: Signature
    heads: tuple[frozenset[str], ...]
    scalars: tuple[tuple[frozenset[str], str], ...]

    def may_fit(self, document: Node, top: frozenset[str]) -> bool:
        """Whether a document with these top-level keys has them, and such scalars."""
        if any(head.isdisjoint(top) for head in self.heads):
            return False
        return all(
            any(name in names and accepts(node, value) for name, node in document.entries)
            for names, value in self.scalars
        )


_Match = tuple[str, Signature, str, int, int, str]  # tool, signature, name, line, end line, scope
_Shape = tuple[frozenset[str], tuple[tuple[str, type, object, str], ...]]  # top-level keys, and scalars that matter
_Fitting = tuple[str, tuple[_Claim, ...]]  # an external name, and what it fits in a module


class Matcher:
    """The tools of a rule book, indexed for matching."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = {tool.id: tool for tool in tools}
        self._calls: NameTable[_Claim] = NameTable()
        self._decorators: NameTable[_Claim] = NameTable()
        self._bases: NameTable[_Claim] = NameTable()
        self._commands: dict[str, list[_Command]] = defaultdict(list)
        self._by_words: dict[tuple[str, ...], tuple[_Command, ...]] = {}
        self._by_head: dict[str, set[int]] = defaultdict(set)  # top-level key -> documents' signatures that ask for it
        self._headless: set[int] = set()
        self._valued: set[str] = set()  # top-level keys of which a signature asks for the value
        self._by_shape: dict[_Shape, frozenset[int]] = {}
        self._conjunctions: list[_Conjunction] = []
        self._prefixes: dict[str, tuple[str, ...]] = {}  # of the names of imports
        self._documents: list[_Document] = []
        self._files: list[tuple[str, Signature]] = []
        for tool in self.tools.values():
            for signature in tool.signatures:
                self._index(tool.id, signature)
        self._index_documents()
        needs = [item.needs for item in self._conjunctions]
        # without one of these segments a module fulfils no conjunction
        self._telling = frozenset().union(*(first for first, *_ in needs)) if all(needs) else None

    def _index(self, tool: str, signature: Signature) -> None:
        if signature.calls:
            self._calls.add(signature.calls, _Claim(tool, signature))
        if signature.decorators:
            self._decorators.add(signature.decorators, _Claim(tool, signature))
        if signature.bases:
            self._bases.add(signature.bases, _Claim(tool, signature))
        for text in signature.commands:
            command = _Command(tool, signature, text)
            for word in text.split(" ", 1)[0].split("|"):
                self._commands[word if _is_plain(word) else "*"].append(command)
        if signature.all_calls:
            self._conjunctions.append(_Conjunction(tool, signature, _needs(signature.all_calls)))
        if signature.keys:
            self._documents.append(_Document(tool, signature, _heads(signature), tuple(_scalars(signature))))
        elif signature.files:
            self._files.append((tool, signature))

    def patterns(self, first: str) -> Iterator[str]:
        """The patterns of names in code that may begin with that first segment; those of conjunctions all of them."""
        for table in (self._calls, self._decorators, self._bases):
            yield from table.patterns(first)
        for item in self._conjunctions:
            yield from item.signature.all_calls

    def _index_documents(self) -> None:
        """By those of the top-level keys that the fewest signatures ask for: `kind` and `apiVersion` tell little."""
        common = Counter(key for item in self._documents for head in item.heads for key in head)
        for number, item in enumerate(self._documents):
            self._valued.update(*(names for names, _ in item.scalars))
            if not item.heads:
                self._headless.add(number)
            for key in min(item.heads, key=lambda head: sum(common[key] for key in head), default=()):
                self._by_head[key].add(number)

    # -- code --------------------------------------------------------------------------------------------------------

    def in_module(self, index: CodeIndex, module: Module) -> Iterator[Use]:
        """The uses in one Python module: each signature once a line."""
        seen: set[tuple[str, int, int]] = set()
        for tool, signature, name, line, end_line, scope in self._matches(index, module):
            key = (tool, id(signature), line)
            if key not in seen:
                seen.add(key)
                yield _use(tool, signature, name, Location(module.path, line, end_line), scope)

    def _matches(self, index: CodeIndex, module: Module) -> Iterator[_Match]:
        roots = self._external_roots(index, module)
        fitting: dict[str, _Fitting] = {}  # by the names of the module, most of which it calls several times
        names: dict[str, Call] = {}
        for name, call in _first_calls(module).items():
            found = _fitting(self._calls, index, module, name, roots)
            if found is not None:
                names.setdefault(found[0], call)
                if found[1]:
                    fitting[name] = found
        for call in module.calls if fitting else ():
            found = fitting.get(call.name)
            if found is None:
                continue
            for pattern in found[1]:
                if _keywords_fit(pattern.signature, call):
                    yield pattern.tool, pattern.signature, found[0], call.line, call.end_line, call.scope
        for table, name, line, scope in self._definitions(module):
            found = _fitting(table, index, module, name, roots)
            if found is not None:
                for pattern in found[1]:
                    yield pattern.tool, pattern.signature, found[0], line, line, scope
        yield from self._together(names, roots)

    def _together(self, names: Mapping[str, Call], roots: frozenset[str]) -> Iterator[_Match]:
        """The conjunctions that the names of a module fulfil."""
        segments = {name.partition(".")[0] for name in names}
        segments.update([name.rpartition(".")[2] for name in names])
        if self._telling is not None and segments.isdisjoint(self._telling):
            return
        for item in self._conjunctions:
            tool, signature = item.tool, item.signature
            if any(segments.isdisjoint(needed) for needed in item.needs):
                continue
            if signature.imports and not roots.intersection(signature.imports):
                continue
            found = [next((name for name in names if fits_name(text, name)), None) for text in signature.all_calls]
            hits = [name for name in found if name is not None]
            if len(hits) == len(found):
                first = min(hits, key=lambda name: names[name].line)
                call = names[first]
                yield tool, signature, first, call.line, call.end_line, call.scope

    def _external_roots(self, index: CodeIndex, module: Module) -> frozenset[str]:
        """Import roots of a module that are not the repository's own."""
        found: set[str] = set()
        for item in module.imports:
            if index.find_module(item.name, module.path) is None:
                if item.name not in self._prefixes:
                    parts = item.name.split(".")
                    self._prefixes[item.name] = tuple(".".join(parts[:n]) for n in range(1, len(parts) + 1))
                found.update(self._prefixes[item.name])
        return frozenset(found)

    def _definitions(self, module: Module) -> Iterator[tuple[NameTable[_Claim], str, int, str]]:
        """What decorators and base classes are called: (table to look in, name, line, scope)."""
        for function in module.functions.values():
            for name in function.decorators:
                yield self._decorators, name, function.line, function.qualname
        for item in module.classes.values():
            for name in item.decorators:
                yield self._decorators, name, item.line, item.qualname
            for name in item.bases:
                yield self._bases, name, item.line, item.qualname

    # -- documents, files, commands ----------------------------------------------------------------------------------

    def in_documents(self, file: File, documents: Sequence[Node]) -> Iterator[Use]:
        """The uses that the structure of a YAML, JSON or TOML file shows."""
        fitting = [self._fitting(document) for document in documents]
        for number in sorted(frozenset().union(*fitting)):
            item = self._documents[number]
            signature = item.signature
            if signature.files and not matches_any(file.path, signature.files):
                continue
            for document, numbers in zip(documents, fitting, strict=True):
                found = _found(document, signature) if number in numbers else {}
                if found:
                    # the deepest path says most; the first of equals
                    telling = max(found, key=lambda path: len(split_path(path)))
                    yield _use(item.tool, signature, telling, Location(file.path, found[telling].at), "")
                    break

    def _fitting(self, document: Node) -> frozenset[int]:
        """The signatures that a document may fit, told by its top-level keys and the scalars under those that matter.

        Many documents are alike in these (objects of Kubernetes by their `kind`), so answers are kept.
        """
        top = frozenset(document.keys())
        values = tuple(
            (name, node.value.__class__, node.value, node.text)
            for name, node in document.entries
            if name in self._valued and node.kind == "scalar"
        )
        found = self._by_shape.get((top, values))
        if found is None:
            asked = self._headless.union(*(self._by_head.get(key, ()) for key in top))
            found = self._by_shape[top, values] = frozenset(
                number for number in asked if self._documents[number].may_fit(document, top)
            )
        return found

    def in_names(self, files: Sequence[File]) -> Iterator[Use]:
        """The uses that a file's name alone shows (lock files, pointers)."""
        if not self._files:
            return
        for tool, signature in self._files:
            for file in files:
                if file.size and matches_any(file.path, signature.files):
                    yield _use(tool, signature, file.name, Location(file.path, 1), "")

    def in_command(self, words: tuple[str, ...], location: Location) -> list[Use]:
        """The uses that one command line, its launchers stripped, shows: each signature once; none when it is idle."""
        if words not in self._by_words:
            self._by_words[words] = self._matching(words)
        return [_use(found.tool, found.signature, found.text, location, "") for found in self._by_words[words]]

    def words_of(self, activities: Set[str]) -> frozenset[str]:
        """Words of which a command must have one to do one of the activities: programs, or modules that Python runs."""
        found: set[str] = set()
        for command in {id(c): c for commands in self._commands.values() for c in commands}.values():
            if not activities.isdisjoint(command.signature.does):
                first = next(word for word in command.text.split() if word != "python" and not word.startswith("-"))
                found.update(option.removeprefix("*/") for option in first.split("|"))
        return frozenset(found)

    def _matching(self, words: tuple[str, ...]) -> tuple[_Command, ...]:
        if not words or is_idle(words):
            return ()
        found: dict[tuple[str, int], _Command] = {}
        heads = (words[0], *((f"*/{words[0].rpartition('/')[2]}",) if "/" in words[0] else ()), "*")
        for pattern in (pattern for head in heads for pattern in self._commands.get(head, ())):
            key = (pattern.tool, id(pattern.signature))
            if key not in found and match_words(pattern.text, words):
                found[key] = pattern
        return tuple(found.values())


def _is_plain(word: str) -> bool:
    """Whether the first word of a command pattern is one name, perhaps of a program in any folder (`*/marian`)."""
    return _GLOB.isdisjoint(word.removeprefix("*/"))


def is_idle(words: tuple[str, ...]) -> bool:
    """Whether a command only explains itself, or only says what it would do."""
    for position, word in enumerate(words[1:], 1):
        if word == "--":
            return False  # what follows is for another program
        name, _, value = word.partition("=")
        if name in _IDLE and value not in ("false", "none"):
            return True
        if word == "--version" and position in (1, len(words) - 1):  # elsewhere it has a value: `helm upgrade`
            return True
        if words[0] in _SHORT_DRY_RUN and word.startswith("-n"):
            return True
    return False


def _found(document: Node, signature: Signature) -> dict[str, Node]:
    """The nodes at the key paths of a signature; empty where one is missing."""
    found = {}
    for path, value in signature.keys:
        node = find_path(document, path, value)
        if node is None:
            return {}
        found[path] = node
    return found


def _scalars(signature: Signature) -> Iterator[tuple[frozenset[str], str]]:
    """The top-level scalars that a signature asks the value of: the names that each may have, and the value."""
    for path, value in signature.keys:
        segments = split_path(path)
        if value and "*" not in path and len(segments) == 1:
            yield frozenset(segments[0].split("|")), value


def _first(path: str) -> str:
    first = path.partition(".")[0]
    return first if first and '"' not in first else split_path(path)[0]


def _heads(signature: Signature) -> tuple[frozenset[str], ...]:
    """For each key path the top-level keys one of which a document must have; wildcards ask for nothing."""
    firsts = [_first(path).split("|") for path, _ in signature.keys]
    return tuple(frozenset(options) for options in firsts if not any("*" in option for option in options))


def _first_calls(module: Module) -> dict[str, Call]:
    """The names that a module calls, in the order of their first calls, with these."""
    found: dict[str, Call] = {}
    for call in module.calls:
        if call.name not in found:
            found[call.name] = call
    return found


def _fitting(
    table: NameTable[_Claim], index: CodeIndex, module: Module, name: str, roots: frozenset[str]
) -> _Fitting | None:
    """What an external name of a module is in full, with the patterns that it fits there; None for the repository's."""
    target = index.resolve(module.path, name)
    if target.path:
        return None
    found = table.matching(target.name)
    if not found and target.name.startswith(BARE):
        return _of_attached(table, index, module, target.name)
    if found:
        found = tuple(p for p in found if not p.signature.imports or not roots.isdisjoint(p.signature.imports))
    return target.name, found


def _of_attached(table: NameTable[_Claim], index: CodeIndex, module: Module, name: str) -> _Fitting:
    """What a function of R is whose package is not said: of one that the file attaches, or else any other R file."""
    rest = name[len(BARE) :]
    for package in dict.fromkeys((*attached(module), *index.r_packages)):
        whole = f"R.{package}.{rest}"
        if found := table.matching(whole):
            return whole, found
    return name, ()


def _needs(patterns: Iterable[str]) -> tuple[frozenset[str], ...]:
    """For each pattern the first or last segments one of which a name must have to match, if not any will do."""
    pairs = ((lasts_of(pattern), roots_of(pattern)) for pattern in patterns)
    found = (lasts if "*" not in lasts else roots for lasts, roots in pairs)
    return tuple(frozenset(segments) for segments in found if "*" not in segments)


def _keywords_fit(signature: Signature, call: Call) -> bool:
    if len(call.args) + len(call.keywords) < signature.min_args:
        return False
    if not signature.required and not signature.refused:
        return True
    given = {**{str(position): value for position, value in enumerate(call.args)}, **dict(call.keywords)}
    for name, values in signature.required:
        if name not in given:
            return False
        value = given[name]
        if values and not _is_one_of(value, values):
            return False
        if not values and value in ("none", "false"):
            return False
    return not any(
        name in given and (_is_one_of(given[name], values) if values else given[name] not in ("none", "false"))
        for name, values in signature.refused
    )


def _is_one_of(value: str | None, wanted: tuple[str, ...]) -> bool:
    """Whether a constant equals one of the wanted ones, or fits one with a `*` or `[…]`."""
    if value is None:
        return False
    return value in wanted or any(
        fnmatchcase(value, pattern) for pattern in wanted if "*" in pattern and len(value) <= _MAX_CONSTANT
    )


def _use(tool: str, signature: Signature, name: str, location: Location, scope: str) -> Use:
    return Use(
        tool=tool,
        name=name,
        location=location,
        scope=scope,
        serves=signature.serves,
        does=signature.does,
        grade=signature.grade,
        confidence=signature.confidence,
        note=signature.note,
    )


def matches_any(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path matches one of the patterns in .gitignore syntax."""
    return matches(path, patterns)
