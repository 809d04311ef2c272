"""`make TARGET`: the recipes of a makefile and of what it includes, prerequisites first."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.paths import join
from mlops_scan.automation.tasks.model import Lookup, Task
from mlops_scan.documents.makefile import Target
from mlops_scan.regex import regex

_NAMES = ("GNUmakefile", "makefile", "Makefile")
_MAX_TARGETS = 40
_MAX_INCLUDES = 10
_RECURSIVE = regex(r"\$[({]MAKE[)}]")
_VALUES = ("-j", "-l", "-I", "-o", "-W", "--jobs")


def called(words: tuple[str, ...], folder: str, lookup: Lookup) -> Iterator[Task]:
    """The tasks that `make …` runs, or nothing where there is no makefile."""
    targets, folder, file = _arguments(words, folder)
    names = (file,) if file else _NAMES
    path = next((p for name in names if (p := join(folder, name)) in lookup.documents.files), None)
    makefile = lookup.documents.makefile(path) if path else None
    if path is None or makefile is None:
        return
    rules = _known_rules(path, folder, lookup)
    todo = list(reversed(targets or ([makefile.default] if makefile.default else [])))
    entered: set[str] = set()
    done: set[str] = set()
    while todo and len(done) < _MAX_TARGETS:
        name = todo.pop()
        if name not in rules or name in done:
            continue
        where, target = rules[name]
        pending = [p for p in dict.fromkeys(target.prerequisites) if p in rules and p not in done and p not in entered]
        if pending and name not in entered:
            entered.add(name)
            todo.append(name)
            todo.extend(reversed(pending[:_MAX_TARGETS]))
            continue
        done.add(name)
        lines = tuple(
            (
                line,
                _RECURSIVE.sub("make", text),
                "the recipe line begins with `-`, so make ignores its failure" if ignored else "",
            )
            for (line, text), ignored in zip(target.recipe, target.ignore_errors, strict=False)
        )
        if lines:
            yield Task(where, name, lines, folder)


def unknown(words: tuple[str, ...], folder: str, lookup: Lookup) -> str:
    """The target of `make …` that no makefile has a rule for, as `make NAME`; empty where that cannot be known.

    It cannot with pattern rules, targets with variables, includes from elsewhere, or a file of that name.
    """
    targets, folder, file = _arguments(words, folder)
    names = (file,) if file else _NAMES
    path = next((p for name in names if (p := join(folder, name)) in lookup.documents.files), None)
    makefile = lookup.documents.makefile(path) if path else None
    if path is None or makefile is None or not makefile.targets or "eval" in lookup.documents.text(path):
        return ""
    if any(join(folder, include) not in lookup.documents.files for include in makefile.includes):
        return ""
    rules = _known_rules(path, folder, lookup)
    if any(mark in name for name in rules for mark in "%$") or ".DEFAULT" in rules:
        return ""
    for name in targets:
        plain = name.replace("-", "").replace("_", "").replace(".", "").isalnum()
        if plain and name not in rules and join(folder, name) not in lookup.documents.files:
            return f"make {name}"
    return ""


def _arguments(words: tuple[str, ...], folder: str) -> tuple[list[str], str, str]:
    """The targets, the folder and the makefile that the command line names."""
    targets: list[str] = []
    file = ""
    position = 1
    while position < len(words):
        word = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        option, equals, attached = word.partition("=")
        if word.startswith(("-C", "-f")) and len(word) > 2 and word[2] != "=":
            option, attached, equals = word[:2], word[2:], "="
        if option in ("-C", "--directory", "-f", "--file", "--makefile"):
            given = attached if equals else value
            folder, file = (join(folder, given), file) if option in ("-C", "--directory") else (folder, given)
            position += 1 if equals else 2
        elif word in _VALUES:
            position += 1 if word in ("-j", "-l", "--jobs") and not value.replace(".", "").isdigit() else 2
        else:
            if not word.startswith("-") and "=" not in word:
                targets.append(word)
            position += 1
    return targets, folder, file


def _known_rules(path: str, folder: str, lookup: Lookup) -> dict[str, tuple[str, Target]]:
    """`_rules`, read once for a makefile and a folder."""
    if (path, folder) not in lookup.rules:
        lookup.rules[path, folder] = _rules(path, folder, lookup)
    return lookup.rules[path, folder]


def _rules(path: str, folder: str, lookup: Lookup) -> dict[str, tuple[str, Target]]:
    """Every target with the file of its recipe; included makefiles are read too."""
    rules: dict[str, tuple[str, Target]] = {}
    todo, seen = [path], {path}
    while todo:
        current = todo.pop()
        makefile = lookup.documents.makefile(current)
        if makefile is None:
            continue
        for name, target in makefile.merged().items():
            if name not in rules or not rules[name][1].recipe:
                before = rules[name][1].prerequisites if name in rules else ()
                merged = Target(
                    name, (*before, *target.prerequisites), target.line, target.recipe, target.ignore_errors
                )
                rules[name] = (current, merged)
        for include in makefile.includes:
            other = join(folder, include)
            if other in lookup.documents.files and other not in seen and len(seen) < _MAX_INCLUDES:
                seen.add(other)
                todo.append(other)
    return rules
