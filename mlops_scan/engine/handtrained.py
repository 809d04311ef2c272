"""Models that are trained by command lines of scripts and makefiles: where no code fits one, that is the training."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mlops_scan.automation.prepared import Prepared
from mlops_scan.detectors.base import ASIDE, LEARNS
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.shell import ShellScript, parse
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Matcher, Use
from mlops_scan.repository.files import File
from mlops_scan.words import Confidence, Location, Role

_WRITTEN_IN = frozenset({"shell", "makefile"})


def is_command(use: Use) -> bool:
    """Whether a use is a command line of a script or a makefile."""
    return language_of(use.location.path) in _WRITTEN_IN


def trained_by_commands(
    files: Collection[File], documents: Documents, matcher: Matcher, uses: Collection[Use]
) -> Iterator[Use]:
    """The command lines of main code that train or tune a model, whoever starts their script.

    None where main code in Python does: what such a command then trains was told from that code. Nor are launchers of
    programs among them (`torchrun`), which may run anything.
    """
    known = documents.files
    if any(not LEARNS.isdisjoint(use.does) and known[use.location.path].role not in ASIDE for use in uses):
        return
    words = matcher.words_of(LEARNS)
    prepared = Prepared()
    for file in files:
        if file.role is not Role.SOURCE or language_of(file.path) not in _WRITTEN_IN:
            continue
        if words.isdisjoint(word.rpartition("/")[2] for word in documents.text(file.path).split()):
            continue
        for script in _scripts(file.path, documents, words):
            for command, line in prepared.commands(script, True, {}):
                where = Location(file.path, command.line, command.end_line)
                for use in matcher.in_command(line, where):
                    if not LEARNS.isdisjoint(use.does) and use.confidence is Confidence.HIGH:
                        yield use


def _scripts(path: str, documents: Documents, words: frozenset[str]) -> Iterator[ShellScript]:
    """A script, or the lines of a makefile's recipes that hold one of the words."""
    if language_of(path) == "shell":
        script = documents.shell(path)
        if script is not None:
            yield script
        return
    makefile = documents.makefile(path)
    for target in makefile.targets if makefile is not None else ():
        for line, text in target.recipe:
            if not words.isdisjoint(word.rpartition("/")[2] for word in text.split()):
                try:
                    yield parse(text, first_line=line)
                except DocumentError:
                    continue
