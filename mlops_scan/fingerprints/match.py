"""Match the tools of the rules against code, documents, file names and commands: where is which tool really used?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.calls import CallSignatures
from mlops_scan.fingerprints.commands import CommandSignatures
from mlops_scan.fingerprints.globs import matches
from mlops_scan.fingerprints.keypaths import KeyPathSignatures
from mlops_scan.fingerprints.use import Use, use_of
from mlops_scan.repository.files import File
from mlops_scan.rulebook import Tool
from mlops_scan.words import Location


class Matcher:
    """The tools of a rule book, indexed for matching."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = {tool.id: tool for tool in tools}
        self._calls = CallSignatures(self.tools.values())
        self._keypaths = KeyPathSignatures(self.tools.values())
        self._commands = CommandSignatures(self.tools.values())
        self._files = [
            (tool.id, signature)
            for tool in self.tools.values()
            for signature in tool.signatures
            if signature.files and not signature.keys
        ]

    def patterns(self, first: str) -> Iterator[str]:
        """The patterns of names in code that may begin with that first segment; those of conjunctions all of them."""
        return self._calls.patterns(first)

    def in_module(self, index: CodeIndex, module: Module) -> Iterator[Use]:
        """The uses in one module of code: each signature once a line."""
        return self._calls.in_module(index, module)

    def in_documents(self, file: File, documents: Sequence[Node]) -> Iterator[Use]:
        """The uses that the structure of a YAML, JSON or TOML file shows."""
        return self._keypaths.in_documents(file, documents)

    def in_names(self, files: Sequence[File]) -> Iterator[Use]:
        """The uses that a file's name alone shows (lock files, pointers)."""
        if not self._files:
            return
        for tool, signature in self._files:
            for file in files:
                if file.size and matches(file.path, signature.files):
                    yield use_of(tool, signature, file.name, Location(file.path, 1), "")

    def in_command(self, words: tuple[str, ...], location: Location) -> list[Use]:
        """The uses that one command line, its launchers stripped, shows: each signature once; none when it is idle."""
        return self._commands.in_command(words, location)

    def words_of(self, activities: Set[str]) -> frozenset[str]:
        """Words of which a command must have one to do one of the activities: programs, or modules that Python runs."""
        return self._commands.words_of(activities)
