"""The commands of a script as they are followed: unwrapped, with the constants filled in that it sees."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from mlops_scan.documents.shell import Command, ShellScript, unwrap
from mlops_scan.regex import has_any, regex

_EXPANSION = regex(r"\$(?:\{(\w+)\}|(\w+))")
_KNOWN = regex(r"[\w./-]+(\s|$)")  # a command whose program is known
_MAX_ADDED = 50  # assignments of a variable that are added up
_NAMING = 4  # words of `remote add NAME URL`

_Key = tuple[int, bool, tuple[tuple[str, str], ...]]  # a script's identity, whether it is a file, what it sees
_Commands = list[tuple[Command, tuple[str, ...]]]


class Prepared:
    """The commands of scripts; kept, because many jobs run the same script."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[ShellScript, frozenset[str]]] = {}  # holds the script: its id stays its own
        self._commands: dict[_Key, _Commands] = {}

    def asked(self, script: ShellScript) -> frozenset[str]:
        """The variables that a script takes from its environment."""
        known = self._asked.get(id(script))
        if known is None:
            named = {
                match.group(1) or match.group(2)
                for command in script.commands
                for word in command.words
                if "$" in word
                for match in _EXPANSION.finditer(word)
            }
            known = self._asked[id(script)] = script, frozenset(named.difference(name for name, _ in script.variables))
        return known[1]

    def commands(self, script: ShellScript, is_file: bool, env: Mapping[str, str]) -> _Commands:
        """The commands of a script that may run, each with its words; `env` are the constants of its environment."""
        asked = self.asked(script)
        seen = tuple((name, value) for name, value in env.items() if name in asked)
        key = (id(script), is_file, seen)
        kept = self._commands.get(key)
        if kept is not None:
            return kept
        values = {**dict(seen), **_constants(script)}
        uncalled = _uncalled(script) if is_file else frozenset()
        found = self._commands[key] = []
        remotes: dict[str, str] = {}
        for command in script.commands:
            words = unwrap(tuple(_filled(word, values) for word in _spelled_out(command.words, script)))
            if words and command.function not in uncalled and words[0] not in script.functions:
                found.append((command, _addressed(words, remotes) if words[0] == "git" else words))
        return found


def _constants(script: ShellScript) -> dict[str, str]:
    """Variables that a script sets once, to a constant."""
    values: dict[str, str] = {}
    for name, value in script.variables:
        values[name] = "" if name in values or "$" in value or "`" in value else value
    return {name: value for name, value in values.items() if value}


def _spelled_out(words: tuple[str, ...], script: ShellScript) -> tuple[str, ...]:
    """`eval $command` or `$command more`, where the script itself has put the command together.

    That is `command="pytest $options"`, then at most `command="$command tests"`: a text that begins with a program and
    that is only added to. Whether an addition depends on a condition is not asked: with all of them a command tests
    less. What is not known of the text (`$options`) stays as written, and then names nothing.
    """
    place = 1 if words[:1] == ("eval",) else 0
    match = _EXPANSION.fullmatch(words[place]) if place < len(words) else None
    if match is None:
        return words
    name = match.group(1) or match.group(2)
    text = _added_up([value for variable, value in script.variables if variable == name], name)
    if not text or (place == 0 and " " not in text):  # one word is filled in like any other
        return words
    return ("eval", " ".join((text, *map(shlex.quote, words[place + 1 :]))))


def _added_up(values: list[str], name: str) -> str:
    """The text of a variable after some assignments; empty where that is not known, or begins with no program."""
    if not values or len(values) > _MAX_ADDED:
        return ""
    text = values[0]
    for value in values[1:]:
        own = next((own for own in (f"${name} ", f"${{{name}}} ") if value.startswith(own)), "")
        if not own:
            return ""
        text += f" {value[len(own) :]}"
    return text if _KNOWN.match(text) and not has_any(text, ("$(", "`")) else ""


def _filled(word: str, values: Mapping[str, str]) -> str:
    if "$" not in word or not values:
        return word
    return _EXPANSION.sub(lambda match: values.get(match.group(1) or match.group(2), match.group()), word)


def _addressed(words: tuple[str, ...], remotes: dict[str, str]) -> tuple[str, ...]:
    """A `git push` with the address in the place of a remote's name, where the script has named it before.

    `remotes` are the names that are known so far; a command that gives one adds to them.
    """
    rest = [word for word in words[1:] if not word.startswith("-")]
    if rest[:1] == ["remote"] and rest[1:2] in (["add"], ["set-url"]) and len(rest) >= _NAMING:
        remotes[rest[-2]] = rest[-1]
    elif remotes and "push" in rest:
        place = words.index("push")
        named = next((i for i, word in enumerate(words) if i > place and word in remotes), 0)
        if named:
            return (*words[:named], remotes[words[named]], *words[named + 1 :])
    return words


def _uncalled(script: ShellScript) -> frozenset[str]:
    """Functions of a script that nothing in it calls; none where it calls by variables or may only be sourced."""
    named = {word for command in script.commands for word in command.words}
    indirect = any(command.words[0].startswith("$") for command in script.commands if command.words)
    library = all(command.function for command in script.commands)
    return frozenset() if indirect or library else frozenset(set(script.functions) - named)
