"""Models that are trained by command lines of scripts, makefiles and notebooks: where no code fits one, that is it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import accumulate

from mlops_scan.automation.prepared import Prepared
from mlops_scan.detectors.base import ASIDE, LEARNS
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.shell import ShellScript, parse
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.use import Use
from mlops_scan.repository.files import File
from mlops_scan.words import Confidence, Location, Role

_WRITTEN_IN = frozenset({"shell", "makefile"})
_MAX_SHELL = 200_000  # bytes of a script, which is parsed whole; larger ones carry data, such as manifests to apply
_NOTEBOOK_BYTES = 20_000_000
_SHELL_MARKS = (b'"!', b"%%bash", b"%%sh", b"\\n!")  # `\n` where a cell is one text


def is_command(use: Use) -> bool:
    """Whether a use is a command line of a script or a makefile."""
    return language_of(use.location.path) in _WRITTEN_IN


def trained_by_commands(
    files: Collection[File], documents: Documents, matcher: Matcher, uses: Collection[Use]
) -> Iterator[Use]:
    """The command lines of main code that train or tune a model, whoever starts their script or notebook.

    None where main code in Python does: what such a command then trains was told from that code. Nor are launchers of
    programs among them (`torchrun`), which may run anything.
    """
    learning = (documents.files.get(use.location.path) for use in uses if not LEARNS.isdisjoint(use.does))
    if any(file is not None and file.role not in ASIDE for file in learning):
        return
    words = matcher.words_of(LEARNS)
    prepared = Prepared()
    for path in (*_written(files, documents, words), *_notebooks(files)):
        for script in _scripts(path, documents, words):
            for command, line in prepared.commands(script, True, {}):
                where = Location(path, command.line, command.end_line)
                for use in matcher.in_command(line, where):
                    if not LEARNS.isdisjoint(use.does) and use.confidence is Confidence.HIGH:
                        yield use


def _written(files: Collection[File], documents: Documents, words: frozenset[str]) -> Iterator[str]:
    """The scripts and makefiles that hold one of the words."""
    for file in files:
        language = language_of(file.path)
        ours = file.role is Role.SOURCE and language in _WRITTEN_IN
        if ours and (language != "shell" or file.size <= _MAX_SHELL) and _has(words, documents.text(file.path)):
            yield file.path


def _notebooks(files: Collection[File]) -> Iterator[str]:
    """The notebooks of main code, the small ones of very many: they are read once more here."""
    found = [file for file in files if file.role is Role.NOTEBOOK and language_of(file.path) == "notebook"]
    found.sort(key=lambda file: (file.size, file.path))
    sums = accumulate(file.size for file in found)
    return (file.path for file, all_up_to in zip(found, sums, strict=True) if all_up_to <= _NOTEBOOK_BYTES)


def _has(words: frozenset[str], text: str) -> bool:
    return not words.isdisjoint(text.replace("/", " ").split())


def _scripts(path: str, documents: Documents, words: frozenset[str]) -> Iterator[ShellScript]:
    """A script, or the lines of a makefile's recipes or of a notebook's shell that hold one of the words."""
    if language_of(path) == "shell":
        script = documents.shell(path)
        if script is not None:
            yield script
        return
    for line, text in _lines(path, documents):
        if _has(words, text):
            try:
                yield parse(text, first_line=line)
            except DocumentError:
                continue


def _lines(path: str, documents: Documents) -> Iterator[tuple[int, str]]:
    if language_of(path) == "makefile":
        makefile = documents.makefile(path)
        for target in makefile.targets if makefile is not None else ():
            yield from target.recipe
        return
    data = documents.data(path)
    if any(mark in data for mark in _SHELL_MARKS):
        from mlops_scan.documents.notebook import commands, read_code

        try:
            yield from commands(read_code(data))
        except DocumentError:
            return
