"""Findings that a comment, or a path pattern of the configuration, leaves out; none disappears in silence."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.detectors.base import Context
from mlops_scan.documents.store import language_of
from mlops_scan.engine.report import Finding, Suppressed
from mlops_scan.fingerprints.globs import matches
from mlops_scan.regex import regex
from mlops_scan.rulebook import FindingDefinition
from mlops_scan.rulereader import hint
from mlops_scan.words import FOREIGN, Location, Problem

MARK = "mlops-scan:"
_COMMENT = regex(r"(#|//|<!--)[ \t]*mlops-scan:[ \t]*ignore(-file)?(?:\[([^\]\n]{0,200})\])?([^\n]{0,500})")
_HASH = frozenset({"python", "yaml", "toml", "shell", "makefile", "dockerfile", "requirements"})
_OPENERS = {
    ".groovy": ("//",), ".tf": ("#", "//"), ".hcl": ("#", "//"), ".md": ("<!--",), ".cfg": ("#",), ".ini": ("#",),
    ".r": ("#",), ".R": ("#",), ".jl": ("#",), ".bicep": ("//",), ".jsonc": ("//",),
}  # fmt: skip
_HASH_NAMES = frozenset({"CODEOWNERS", "Snakefile", ".gitattributes", ".dvcignore"})
_MAX_BYTES = 2_000_000


class Comment(Struct, frozen=True):
    """One suppressing comment: the lines that it speaks of (none: the whole file), the ids and the reason."""

    path: str
    line: int
    lines: frozenset[int] | None
    ids: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the comment is about this finding."""
        where = finding.location
        if where.path != self.path or finding.id not in self.ids:
            return False
        return self.lines is None or any(where.line <= line <= where.end_line for line in self.lines)


def comments(context: Context, paths: Iterable[str]) -> list[Comment]:
    """The suppressing comments of some files, in order."""
    found: list[Comment] = []
    for path in sorted(set(paths)):
        file = context.documents.files.get(path)
        if file is None or file.size > _MAX_BYTES or file.role in FOREIGN:
            continue
        if not openers(path):
            continue  # data, pictures: nothing in them is a comment
        if context.documents.holds(path, MARK):
            found += _in_text(path, context.documents.text(path))
    return found


def openers(path: str) -> tuple[str, ...]:
    """What begins a comment in a file, told by its name; empty where a format has no comments."""
    name = path.rpartition("/")[2]
    if language_of(path) in _HASH or name in _HASH_NAMES:
        return ("#",)
    if name.startswith("Jenkinsfile"):
        return ("//",)
    return _OPENERS.get(name[name.rfind(".") :] if "." in name else "", ())


def _in_text(path: str, text: str) -> Iterator[Comment]:
    wanted = openers(path)
    lines = text.split("\n")
    real = _python_comments(text) if language_of(path) == "python" else None
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line) if MARK in line else None
        if match is None or match[1] not in wanted or not _outside_quotes(line, match.start()):
            continue
        if real is not None and number not in real:
            continue
        targets = {number}
        if not line[: match.start()].strip():
            targets |= _next_line(lines, number, match[1])
        ids = tuple(dict.fromkeys(part.strip() for part in (match[3] or "").split(",") if part.strip()))
        reason = match[4].replace("-->", "").strip(" \t\r:-")
        yield Comment(path, number, None if match[2] else frozenset(targets), ids, reason)


def _next_line(lines: list[str], number: int, opener: str) -> set[int]:
    """The first line after a comment of its own line that is neither empty nor a comment."""
    for index in range(number, min(number + 50, len(lines))):
        body = lines[index].strip()
        if body and not body.startswith(opener):
            return {index + 1}
    return set()


def _outside_quotes(line: str, position: int) -> bool:
    before = line[:position]
    return before.count('"') % 2 == 0 and before.count("'") % 2 == 0


def _python_comments(text: str) -> set[int]:
    """The lines of a Python file that hold a real comment; a string may hold an example of one."""
    found: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.add(token.start[0])
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # what stands before the broken place counts
    return found


def split(
    findings: Iterable[Finding], marks: list[Comment], per_path: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[list[Finding], list[Suppressed], set[tuple[int, str]]]:
    """Findings to report, findings left out, and the (comment, id) pairs that had an effect."""
    kept: list[Finding] = []
    left: list[Suppressed] = []
    used: set[tuple[int, str]] = set()
    for finding in findings:
        by = [number for number, mark in enumerate(marks) if mark.covers(finding)]
        used.update((number, finding.id) for number in by)
        pattern = next(
            (glob for glob, ids in per_path if finding.id.startswith(ids) and matches(finding.location.path, (glob,))),
            None,
        )
        if by:
            mark = marks[by[0]]
            left.append(Suppressed(finding, f"{mark.path}:{mark.line}", mark.reason))
        elif pattern is not None:
            left.append(Suppressed(finding, pattern, "per-path-ignores"))
        else:
            kept.append(finding)
    return kept, left, used


def unused(
    marks: list[Comment], used: set[tuple[int, str]], known: Mapping[str, FindingDefinition]
) -> Iterator[Problem]:
    """A problem for every comment that suppresses nothing."""
    for number, mark in enumerate(marks):
        where = Location(mark.path, mark.line)
        if not mark.ids:
            yield Problem("MLS001", "This comment names no finding: write ignore[ID] and a reason.", where)
        for name in mark.ids:
            if name not in known:
                yield Problem("MLS001", f"There is no finding {name}{hint(name, known)}.", where)
            elif (number, name) not in used and name != "MLS001":
                yield Problem("MLS001", f"{name} is not found here, so this comment suppresses nothing.", where)
