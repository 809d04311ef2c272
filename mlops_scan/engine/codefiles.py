"""Which files of code one scan parses, and the modules that they are: Python, notebooks and R."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache as once

from mlops_scan.cache import Cache
from mlops_scan.code.build import Source, Unread, build_all
from mlops_scan.code.facts import Module
from mlops_scan.code.look import Parts, run_in
from mlops_scan.code.rnames import package_of
from mlops_scan.code.rsweep import RSweep, r_sweep
from mlops_scan.code.sweep import Sweep, sweep
from mlops_scan.detectors.base import ASIDE
from mlops_scan.documents.languages import R_CODE, language_of
from mlops_scan.documents.store import Documents
from mlops_scan.engine.definitions import MAX_STRUCTURED, UNPARSED
from mlops_scan.engine.looks import looks
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.patterns import beginnings_of
from mlops_scan.repository.files import File
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.rulebook import RuleBook, Tool
from mlops_scan.words import Role

_COMMON = frozenset({"serve", "test", "lint"})  # what programs without a model do as well
_COMMANDS = frozenset({"yaml", "toml", "shell", "makefile", "dockerfile"})
_NOTEBOOKS = 800  # that are read; the largest collections of samples have some hundred


def swept(files: Iterable[File], documents: Documents, rules: RuleBook, matcher: Matcher, jobs: int) -> Sweep:
    """One pass over the texts that may name a tool, to choose the Python files that deserve a parse."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.role not in UNPARSED:
            by_language[language_of(file.path)].append(file.path)

    @once
    def commands() -> list[tuple[str, Iterable[Parts]]]:
        return [
            (path, run_in(documents.text(path)))
            for language in sorted(_COMMANDS)
            for path in by_language[language]
            if documents.files[path].size <= MAX_STRUCTURED
        ]

    found = sweep(
        dict(
            looks(
                by_language["python"],
                documents,
                RoleCatalogue(rules.roles),
                jobs,
                commands,
                _clients(rules.tools.values()),
            )
        ),
        _roots(rules.tools.values(), matcher),
        commands(),
        (documents.data(path) for path in by_language["notebook"]),
        [path for path in by_language["python"] if documents.files[path].role is Role.TEST],
        {root for tool in rules.tools.values() if tool.general for root in tool.imports},
    )
    for path in by_language["python"]:
        if path not in found.chosen:
            documents.forget(path)
    return found


def notebooks(files: tuple[File, ...]) -> tuple[frozenset[str], int]:
    """The notebooks that are read, and how many are left out: those outside the main code, then the deepest ones."""
    found = [file for file in files if language_of(file.path) == "notebook" and file.role not in UNPARSED]
    if len(found) > _NOTEBOOKS:
        found.sort(key=lambda file: (file.role in ASIDE, file.path.count("/"), file.path))
    return frozenset(file.path for file in found[:_NOTEBOOKS]), max(0, len(found) - _NOTEBOOKS)


def r_code(files: tuple[File, ...], documents: Documents, rules: RuleBook) -> RSweep:
    """The R scripts and documents that are parsed."""
    found = [file for file in files if language_of(file.path) in R_CODE and file.role not in UNPARSED]
    if not found:
        return RSweep(frozenset())
    packages = {package for tool in rules.tools.values() for root in tool.imports if (package := package_of(root))}
    return r_sweep(found, documents.text, packages)


def modules(
    files: Iterable[File],
    documents: Documents,
    wanted: Collection[str],
    jobs: int,
    cache: Cache | None,
    meanwhile: Callable[[], None],
) -> Iterator[Module]:
    """The facts of the files of code whose paths are `wanted`; what cannot be parsed of them is noted.

    Args:
        files: all files.
        documents: has their texts.
        wanted: the paths of those that deserve a parse.
        jobs: the number of processes, 0 for one per processor where there is much to parse.
        cache: has the facts of files that a former scan has read.
        meanwhile: other work for this process once there are workers.
    """
    chosen: list[Source | Unread] = []
    for file in files:
        if file.path in wanted:
            unread = Unread(file.path, file.size, language_of(file.path) == "notebook", documents)
            if documents.is_shared(file.path):
                chosen.append(unread)
            elif not (source := unread.load()).blank:
                chosen.append(source)
    for built in build_all(chosen, jobs, cache, meanwhile):
        if built.module is not None or built.problem:
            documents.parsed.add(built.path)
        if built.problem:
            documents.note(built.path, built.problem)
        if built.module is not None:
            yield built.module


def _roots(tools: Iterable[Tool], matcher: Matcher) -> Iterator[str]:
    """The dotted names whose import tells that a file may matter.

    Their first segments are those of tools that prove something; of each, all names that any tool is known by.
    """
    every = list(tools)
    firsts = {root.partition(".")[0] for tool in every if _proves(tool) for root in tool.imports}
    whole = {root for tool in every for root in tool.imports if root in firsts}
    yield from whole
    parted = firsts - whole
    for tool in every:
        yield from (root for root in tool.imports if root.partition(".")[0] in parted)
    for text in dict.fromkeys(text for first in parted for text in matcher.patterns(first)):
        yield from (name for name in beginnings_of(text) if name.partition(".")[0] in parted)


def _clients(tools: Iterable[Tool]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The import roots of clients for many services, each with the words of all tools that are among these."""
    found: dict[str, tuple[str, ...]] = {}
    for tool in tools:
        for root, words in tool.clients:
            found[root] = (*found.get(root, ()), *words)
    return tuple(found.items())


def _proves(tool: Tool) -> bool:
    """Whether using a tool says something by itself; a web framework or a test runner only does with a model."""
    return any(signature.serves or not _COMMON.issuperset(signature.does) for signature in tool.signatures)
