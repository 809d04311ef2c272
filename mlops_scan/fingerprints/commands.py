"""Signatures of commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set

from msgspec import Struct

from mlops_scan.fingerprints.patterns import match_words
from mlops_scan.fingerprints.use import Use, use_of
from mlops_scan.rulebook import Signature, Tool
from mlops_scan.words import Location

# Options that make a command only explain itself or say what it would do; `-n` is one for the programs below.
_IDLE = frozenset({"--help", "--dry-run", "--dryrun", "--dry", "--collect-only", "--co"})
_SHORT_DRY_RUN = frozenset({"snakemake"})
_GLOB = frozenset("*?[")


class _Command(Struct, frozen=True):
    tool: str
    signature: Signature
    text: str


class CommandSignatures:
    """The signatures of commands of all tools. Answers are kept, because many jobs run the same command."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._commands: dict[str, list[_Command]] = defaultdict(list)
        self._by_words: dict[tuple[str, ...], tuple[_Command, ...]] = {}
        for tool in tools:
            for signature in tool.signatures:
                for text in signature.commands:
                    command = _Command(tool.id, signature, text)
                    for word in text.split(" ", 1)[0].split("|"):
                        self._commands[word if _is_plain(word) else "*"].append(command)

    def in_command(self, words: tuple[str, ...], location: Location) -> list[Use]:
        """The uses that one command line, its launchers stripped, shows: each signature once; none when it is idle."""
        if words not in self._by_words:
            self._by_words[words] = self._matching(words)
        return [use_of(found.tool, found.signature, found.text, location, "") for found in self._by_words[words]]

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
