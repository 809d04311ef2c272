"""Dependency lists that an image installs or copies and that are not in the folder it is built from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.automation.images import built, is_compose, services
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.builds import MOVES, needed, plain_sources
from mlops_scan.detectors.containers import LISTS, brought, fetched, install_commands, is_made
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile, Instruction

_MANIFESTS = regex(
    r"requirements[\w.-]*\.(txt|in|lock)|(uv|poetry|pdm|pixi)\.lock|pylock\.toml|pyproject\.toml|setup\.py|Pipfile(\.lock)?"
    r"|(conda|environment)[\w.-]*\.ya?ml"
)
_PLAIN = regex(r"[\w./-]+")
_UNSURE = ("$", "*", "?", "[", "<<", "://", "--from", "--parents", "--exclude")


class _Copied(Struct, frozen=True):
    """Where the sources of a COPY lie in the image, and what they are in the folder of the build."""

    sources: tuple[str, ...]
    target: str
    unsure: bool

    def covers(self, path: str) -> bool:
        """Whether a path of the image lies where this instruction puts files."""
        target = self.target.rstrip("/")
        return path == target or path.startswith(target + "/") or (target in ("", ".") and not path.startswith("/"))

    def origins(self, path: str) -> Iterator[str]:
        """What a path of the image may be in the folder of the build."""
        target = self.target.rstrip("/")
        rest = path.removeprefix(target).lstrip("/") if target not in ("", ".") else path
        for source in self.sources:
            if not rest:
                yield source
            else:
                yield posixpath.join(source, rest)
                if rest == posixpath.basename(source):
                    yield source


def missing_from_build(context: Context, path: str, document: Dockerfile) -> tuple[str, Instruction] | None:
    """A list of dependencies that the build of an image does not find, and the instruction that asks for it.

    It may be in any folder that something builds the image from, in that of the Dockerfile or in one above; a list that
    some command, script or ignored file may stand for is not missing.
    """
    if context.role(path) is Role.TEMPLATE or "{" in path or context.has_named(".gitmodules"):
        return None
    roots = {path[:at] for at, sign in enumerate(path) if sign == "/"} | {""}
    given = _roots(context).get(path, frozenset())
    if None in given:
        return None
    folders = roots | {root for root in given if root is not None}
    for name, instruction in (*_copied(document), *_installed(document)):
        if path.count("/") and not given and context.has_named(name[0].rpartition("/")[2]):
            continue  # it may be built from the folder that has the list
        there = any(join(folder, origin) in context.documents.files for folder in folders for origin in name)
        if not there and not is_made(context, name[0].rpartition("/")[2]):
            return name[0], instruction
    return None


def _copied(document: Dockerfile) -> Iterator[tuple[Sequence[str], Instruction]]:
    """The lists that an image copies by their name."""
    for instruction in needed(document):
        for source in plain_sources(instruction):
            if _MANIFESTS.fullmatch(source.rpartition("/")[2]):
                yield (posixpath.normpath(source),), instruction


def _installed(document: Dockerfile) -> Iterator[tuple[Sequence[str], Instruction]]:
    """The lists that an image installs, each with what they may be in the folder of the build."""
    names = {stage.name for stage in document.stages if stage.name}
    stages = iter(document.stages)
    work, copies, known = "", list[_Copied](), False
    for instruction in document.instructions:
        if instruction.name == "FROM":
            stage = next(stages, None)
            known = stage is not None and stage.image not in names
            work, copies = "", []
        elif instruction.name == "WORKDIR":
            work = posixpath.normpath(posixpath.join(work, instruction.value.strip().strip("\"'")))
        elif instruction.name in ("COPY", "ADD"):
            copies.append(_copy(instruction, work))
        elif instruction.name == "RUN" and known:
            if fetched(instruction) or "--mount" in instruction.value or MOVES.search(instruction.value):
                known = False  # what lies where from here on cannot be told
                continue
            for word in _lists(instruction):
                if brought(document, word, word.rpartition("/")[2]):
                    continue
                place = posixpath.normpath(posixpath.join(work, word))
                covering = [copy for copy in copies if copy.covers(place)]
                if covering and not any(copy.unsure for copy in copies):
                    yield [word, *(origin for copy in covering for origin in copy.origins(place))], instruction


def _copy(instruction: Instruction, work: str) -> _Copied:
    from mlops_scan.documents.dockerfile import commands

    value = commands(instruction)
    words = [word for word in (value.split() if isinstance(value, str) else value) if not word.startswith("--")]
    *sources, target = words or [""]
    unsure = has_any(instruction.value.removeprefix("["), _UNSURE) or not sources
    cleaned = tuple(posixpath.normpath(source).lstrip("/") for source in sources)
    return _Copied(cleaned, posixpath.normpath(posixpath.join(work, target)), unsure)


def _lists(instruction: Instruction) -> Iterator[str]:
    for words in install_commands(instruction.value):
        for before, word in pairwise(words):
            if before in LISTS and word.endswith(".txt") and _PLAIN.fullmatch(word):
                yield word


@kept
def _roots(context: Context) -> dict[str, frozenset[str | None]]:
    """The folders that each Dockerfile is built from, as compose files and commands say; None for a variable."""
    found: dict[str, set[str | None]] = {}
    paths = context.resolver.paths
    for file in context.written_in("yaml"):
        if is_compose(file.name):
            for service in services(file.path, context.documents, paths):
                if service.dockerfile:
                    found.setdefault(service.dockerfile, set()).add(service.folder)
    for words in context.commands():
        if words[:2] == ("uses", "docker/build-push-action"):
            given = dict(word.partition("=")[::2] for word in words[2:])
            root = given.get("context", ".")
            name = given.get("file") or posixpath.join(root, "Dockerfile")
            found.setdefault(join("", name), set()).add(None if re.search(r"[${]|://", root) else join("", root))
        elif "build" in words[:4] and (place := built(words, "", paths)) is not None:
            found.setdefault(place[0], set()).add(None if "$" in words[-1] else place[1])
    return {path: frozenset(roots) for path, roots in found.items()}
