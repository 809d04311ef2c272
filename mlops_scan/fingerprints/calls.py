"""Signatures of code: calls, decorators, base classes, and calls that must all be in one module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.code.rnames import BARE, attached, whole_name
from mlops_scan.fingerprints.names import fits_name
from mlops_scan.fingerprints.patterns import roots_of
from mlops_scan.fingerprints.table import NameTable, lasts_of
from mlops_scan.fingerprints.use import Use, use_of
from mlops_scan.rulebook import Signature, Tool
from mlops_scan.words import Location

_MAX_CONSTANT = 20_000  # characters of a constant, such as an SQL text, that are tried against a pattern


class _Claim(Struct, frozen=True):
    tool: str
    signature: Signature


class _Conjunction(Struct, frozen=True):
    """A signature of calls that must all be there; `needs` has for each call segments one of which a name must have."""

    tool: str
    signature: Signature
    needs: tuple[frozenset[str], ...]


_Match = tuple[str, Signature, str, int, int, str]  # tool, signature, name, line, end line, scope
_Fitting = tuple[str, tuple[_Claim, ...]]  # an external name, and what it fits in a module


class CallSignatures:
    """The signatures of code of all tools."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._calls: NameTable[_Claim] = NameTable()
        self._decorators: NameTable[_Claim] = NameTable()
        self._bases: NameTable[_Claim] = NameTable()
        self._conjunctions: list[_Conjunction] = []
        self._prefixes: dict[str, tuple[str, ...]] = {}  # of the names of imports
        for tool in tools:
            for signature in tool.signatures:
                self._index(tool.id, signature)
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
        if signature.all_calls:
            self._conjunctions.append(_Conjunction(tool, signature, _needs(signature.all_calls)))

    def patterns(self, first: str) -> Iterator[str]:
        """The patterns of names in code that may begin with that first segment; those of conjunctions all of them."""
        for table in (self._calls, self._decorators, self._bases):
            yield from table.patterns(first)
        for item in self._conjunctions:
            yield from item.signature.all_calls

    def in_module(self, index: CodeIndex, module: Module) -> Iterator[Use]:
        """The uses in one Python module: each signature once a line."""
        seen: set[tuple[str, int, int]] = set()
        for tool, signature, name, line, end_line, scope in self._matches(index, module):
            key = (tool, id(signature), line)
            if key not in seen:
                seen.add(key)
                yield use_of(tool, signature, name, Location(module.path, line, end_line), scope)

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
        whole = whole_name(package, rest)
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
