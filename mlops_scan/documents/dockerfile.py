"""Dockerfiles: instructions with their lines, continuations joined, here-documents included."""

from __future__ import annotations

import json
import re
from bisect import bisect_left

from msgspec import Struct

from mlops_scan.documents.bounds import check_size, unix_lines
from mlops_scan.documents.node import DocumentError
from mlops_scan.regex import regex

_INSTRUCTION = regex(r"\s*([A-Za-z]+)(?:[ \t]+(?![ \t])(.*))?\Z", re.DOTALL)
_DIRECTIVE = regex(r"#\s*(\w+)\s*=\s*(\S+)\s*\Z")
_HEREDOC = regex(r"<<(-?)([\"']?)([A-Za-z_]\w*)\2")
_FLAGS = regex(r"(?:--[\w-]+(?:=\S*)?[ \t]+)*")
_STAGE = regex(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?", re.IGNORECASE)
_SHELL_BODY = regex(r"(?:(?:/usr)?(?:/bin/)?(?:env\s+)?(?:ba|da|z|k)?sh(?:\s+-\w+|\s+pipefail)*\s*)?\Z")

_MAX_INSTRUCTIONS = 2_000
_MAX_WORD = 1_000  # characters of a line that can end a here-document
_MAX_TRIED = 100  # lines that are the word of a here-document but for blanks before it


class Instruction(Struct, frozen=True):
    """One instruction: its name in upper case and its value on one line.

    Comments inside are dropped; the text of a here-document stands behind a line break. `script` is the value with its
    line breaks kept (its first line is on line `line` of the file), for parsing as shell with exact lines.
    """

    name: str
    value: str
    line: int
    end_line: int
    script: str = ""


class Stage(Struct, frozen=True):
    """A build stage: its name (empty when it has none), the image or stage it starts from, the line of its FROM."""

    name: str
    image: str
    line: int


class Dockerfile(Struct, frozen=True):
    """A parsed Dockerfile."""

    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...] = ()


def parse(text: str) -> Dockerfile:
    """The instructions of a Dockerfile; lines that are none are skipped.

    Raises DocumentError for more than 2 MB and, with the first of them as `.partial`, for more than 2000 instructions.
    """
    check_size(text)
    lines = unix_lines(text.removeprefix("\ufeff")).split("\n")
    escape = _escape(lines)
    ends = _Ends(lines)
    instructions: list[Instruction] = []
    row = 0
    while row < len(lines):
        if not lines[row].strip() or lines[row].lstrip().startswith("#"):
            row += 1
            continue
        instruction, row = _instruction(lines, row, escape, ends)
        if instruction is not None:
            instructions.append(instruction)
            if len(instructions) > _MAX_INSTRUCTIONS:
                reason = f"more than {_MAX_INSTRUCTIONS} instructions"
                raise DocumentError(reason, instruction.line, _dockerfile(instructions[:-1]))
    return _dockerfile(instructions)


def _dockerfile(instructions: list[Instruction]) -> Dockerfile:
    stages = [_stage(instruction) for instruction in instructions if instruction.name == "FROM"]
    return Dockerfile(tuple(instructions), tuple(stages))


def commands(instruction: Instruction) -> tuple[str, ...] | str:
    """What RUN, CMD, ENTRYPOINT and SHELL run: the words of the exec form, or the text of the shell form.

    Flags such as `--mount=..` are left out; the body of `RUN <<EOF` is the text.
    """
    value = instruction.value
    match = _FLAGS.match(value)
    value = value[match.end() :] if match else value
    if value.startswith("["):
        try:
            words = json.loads(value.split("\n")[0])
        except (ValueError, RecursionError):
            return value
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
        return value
    first, _, body = value.partition("\n")
    heredoc = _HEREDOC.search(first)
    if heredoc and body and _SHELL_BODY.match(first[: heredoc.start()]) and not first[heredoc.end() :].strip():
        return "\n".join(line for line in body.split("\n") if line.strip("\t") != heredoc.group(3))
    return value


def _escape(lines: list[str]) -> str:
    """The continuation character: a backslash, or what an `# escape=` directive at the top says."""
    for line in lines:
        match = _DIRECTIVE.match(line)
        if match is None:
            break
        if match.group(1).lower() == "escape" and match.group(2) in ("`", "\\"):
            return match.group(2)
    return "\\"


class _Ends:
    """Where the words that can end a here-document stand, so that one without an end costs no search."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._rows: dict[str, list[int]] = {}

    def find(self, word: str, row: int, tabs: bool) -> int | None:
        """The first row from `row` on that is the word alone, with `tabs` behind any tabs."""
        if not self._rows:
            for number, line in enumerate(self._lines):
                if len(line) < _MAX_WORD:
                    self._rows.setdefault(line.strip(), []).append(number)
        rows = self._rows.get(word, [])
        for found in rows[bisect_left(rows, row) :][:_MAX_TRIED]:
            if (self._lines[found].lstrip("\t") if tabs else self._lines[found]).rstrip() == word:
                return found
        return None


def _instruction(lines: list[str], row: int, escape: str, ends: _Ends) -> tuple[Instruction | None, int]:
    """The instruction that starts at a row, and the row behind it."""
    start = row
    joined: list[str] = []
    script: list[str] = []
    while row < len(lines):
        line = lines[row]
        row += 1
        if joined and (not line.strip() or line.lstrip().startswith("#")):
            script.append("\\")
            continue
        bare = line.rstrip()
        if bare.endswith(escape):
            joined.append(bare[:-1].strip())
            script.append(bare[:-1] + "\\")
            continue
        joined.append(line.strip())
        script.append(line)
        break
    text = " ".join(part for part in joined if part)
    match = _INSTRUCTION.match(text)
    if match is None:
        return None, row
    name, value = match.group(1).upper(), match.group(2) or ""
    if name in ("RUN", "COPY", "ADD") and "<<" in value:
        bodies: list[str] = []
        for heredoc in _HEREDOC.finditer(value[:10_000]):
            end = ends.find(heredoc.group(3), row, heredoc.group(1) == "-")
            if end is not None:
                bodies += lines[row : end + 1]
                row = end + 1
        value = "\n".join([value, *bodies])
        script.extend(bodies)
    first = _INSTRUCTION.match(script[0])
    script[0] = (first.group(2) or "") if first is not None else script[0]
    return Instruction(name, value.strip(), start + 1, row, "\n".join(script)), row


def _stage(instruction: Instruction) -> Stage:
    match = _STAGE.match(instruction.value)
    if match is None:
        return Stage("", instruction.value, instruction.line)
    return Stage(match.group(2) or "", match.group(1), instruction.line)
