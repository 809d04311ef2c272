"""What `.gitattributes` files say of the role of files: the hints of github-linguist.

Pattern and precedence rules: gitattributes(5). A pattern without a slash is matched with the name, others with the path
below the folder of the file; unlike in .gitignore a pattern never reaches into a folder by matching it. The last line
that matches wins, and a file deeper in the tree wins over one above it. Meaning of the attributes:
https://github.com/github-linguist/linguist/blob/main/docs/overrides.md
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from mlops_scan.regex import regex
from mlops_scan.words import Role

ROLES: Mapping[str, Role] = {
    "linguist-vendored": Role.VENDORED,
    "linguist-generated": Role.GENERATED,
    "linguist-documentation": Role.DOCS,
}
UNCOUNTED = "linguist-detectable"  # when false
MAX_BYTES = 200_000  # of one .gitattributes that are read
MAX_FILES = 200  # .gitattributes files of a repository that are read
MAX_LINES = 200  # lines with hints that are used, of all files together
_MAX_PATTERN = 300  # characters
_MAX_STARS = 3  # in one segment, and `**` segments: matching takes up to the length of a path to this power
_WHOLE_TYPE = regex(r"\*\.[\w.-]+")
_QUOTED = regex(r'"((?:[^"\\]|\\.)*)"\s')


class Hints(Struct, frozen=True):
    """What the attributes say of one file; None where they say nothing.

    `vendored`, `generated` and `docs` of a pattern for a whole file type (`*.ipynb linguist-generated`) are taken for
    `uncounted`: such lines correct the forge's language statistics and do not say who wrote the files.
    """

    roles: Mapping[Role, bool] = field(default_factory=dict)
    uncounted: bool = False


class _Line(Struct, frozen=True):
    pattern: re.Pattern[str]
    start: str  # literal text with which a path must begin; looked at first, because it is cheap
    whole_type: bool
    values: tuple[tuple[str, bool | None], ...]  # attribute and value; None takes an earlier line's word back


class Attributes:
    """The hints of all `.gitattributes` files of a tree, given as their folder and text."""

    def __init__(self, files: Iterable[tuple[str, str]]) -> None:
        self._folders: dict[str, tuple[_Line, ...]] = {}
        self._reaching: dict[str, tuple[tuple[int, _Line], ...]] = {}
        self.left_out = 0  # lines with hints beyond the bound or not usable
        macros: dict[str, tuple[str, ...]] = {}
        count = 0
        for folder, text in sorted(files):
            kept = []
            for line in _lines(text, macros, top=not folder):
                count += 1
                if line is None or count > MAX_LINES:
                    self.left_out += 1
                else:
                    kept.append(line)
            if kept:
                self._folders[folder] = tuple(kept)

    def __bool__(self) -> bool:
        return bool(self._folders)

    def of(self, path: str) -> Hints | None:
        """The hints for the file at `path`, None where no line speaks of it."""
        inside = path.rpartition("/")[0]
        reaching = self._reaching.get(inside)
        if reaching is None:
            reaching = self._reaching[inside] = tuple(self._into(inside + "/" if inside else ""))
        values: dict[str, tuple[bool | None, bool]] = {}
        for offset, line in reaching:
            if path.startswith(line.start, offset) and line.pattern.fullmatch(path, offset):
                values.update({name: (value, line.whole_type) for name, value in line.values})
        if not values:
            return None
        shown, unset = values.pop(UNCOUNTED, (None, False))[0], False
        roles: dict[Role, bool] = {}
        for name, (value, whole_type) in values.items():
            if value and whole_type:
                unset = True
            elif value is not None:
                roles[ROLES[name]] = value
        return Hints(roles, shown is False or unset)

    def _into(self, inside: str) -> Iterator[tuple[int, _Line]]:
        """The lines that may speak of files of a folder (with its slash), with where their part of a path begins."""
        for folder in _above(inside):
            offset = len(folder) + 1 if folder else 0
            below = inside[offset:]
            for line in self._folders.get(folder, ()):
                if below.startswith(line.start) or line.start.startswith(below):
                    yield offset, line


def _above(path: str) -> Iterator[str]:
    """The folders from the root down to the one of the file."""
    yield ""
    position = path.find("/")
    while position >= 0:
        yield path[:position]
        position = path.find("/", position + 1)


def _lines(text: str, macros: dict[str, tuple[str, ...]], top: bool) -> Iterator[_Line | None]:
    """The lines with hints; None for one that cannot be used. Macros may be defined at the top only."""
    for raw in text.splitlines():
        pattern, words = _split(raw.strip(" \t"))
        if pattern.startswith("[attr]"):
            if top and len(macros) < MAX_LINES:
                macros[pattern[len("[attr]") :]] = tuple(words)
            continue
        values = tuple(_values(words, macros))
        if pattern and values:
            yield _line(pattern, values)


def _split(line: str) -> tuple[str, list[str]]:
    if line.startswith("#"):
        return "", []
    quoted = _QUOTED.match(line + " ")
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted.group(1)), line[quoted.end() :].split()
    pattern, *words = line.split() or [""]
    return pattern, words


def _values(words: Iterable[str], macros: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, bool | None]]:
    for word in words:
        if word in macros:
            yield from _values((w for w in macros[word] if w not in macros), {})  # one level, which is what is in use
            continue
        name, _, value = word.partition("=")
        taken_back, name = name.startswith("!"), name.lstrip("!")
        unset, name = name.startswith("-"), name.lstrip("-")
        if name in ROLES or name == UNCOUNTED:
            yield name, None if taken_back else not (unset or value.lower() in ("false", "0", "no"))


def _line(pattern: str, values: tuple[tuple[str, bool | None], ...]) -> _Line | None:
    if pattern.startswith("!") or pattern.endswith("/"):
        return None  # git refuses the one and matches no file with the other
    expression = _expression(pattern)
    if expression is None:
        return None
    start = re.split(r"[][*?!\\]", pattern, maxsplit=1)[0].lstrip("/") if "/" in pattern else ""
    return _Line(expression, start, _WHOLE_TYPE.fullmatch(pattern) is not None, values)


def _expression(pattern: str) -> re.Pattern[str] | None:
    """The pattern as an expression for the path below the folder of its file; None for one that is not usable."""
    segments = pattern.split("/")
    deep = segments.count("**")
    if len(pattern) > _MAX_PATTERN or deep > _MAX_STARS or any(s.count("*") > _MAX_STARS for s in segments):
        return None
    if len(segments) == 1:
        segments = ["**", *segments]
    elif not segments[0]:
        segments = segments[1:]
    parts = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            parts.append(".+" if last else "(?:[^/]+/)*")
        else:
            parts.append(_segment(segment) + ("" if last else "/"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets like `[=--]`, which may mean more one day
            return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None


def _segment(text: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "*":
            if parts[-1:] != ["[^/]*"]:
                parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "\\" and position < len(text):
            parts.append(re.escape(text[position]))
            position += 1
        elif char == "[" and (end := text.find("]", position + 1)) > 0:
            inner = text[position:end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"(?!/)[{'^' + inner[1:] if inner.startswith('!') else inner}]")
            position = end + 1
        else:
            parts.append(re.escape(char))
    return "".join(parts)
