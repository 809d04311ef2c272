"""Dependencies on tools that no file imports, and that no other library is told to use either."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from mlops_scan.code.facts import Module
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.dependencies import Declared, declared_in
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.rulebook import Tool
from mlops_scan.words import FOREIGN, Problem

_LISTS = regex(r"(environment|conda|requirements|meta)[^/]*\.ya?ml", re.I)
_WIRING = (".yml", ".yaml", ".sh", ".env")
_MAX_SHOWN = 1_000_000  # bytes of a document that may show code
_MAX_NAMING = 200  # characters of a string that may name a tool
_VIA = "# via"
_OWN_LISTS = ("-r ", "-c ", ".toml", ".in", ".txt", ".cfg", "setup.py")  # what a resolver was given
_FROZEN = 30  # entries; fewer are easily written by hand in order


class _Named(Struct, frozen=True):
    """A dependency, and the names that the tool is imported by."""

    requirement: Declared
    roots: frozenset[str]

    @property
    def lower(self) -> tuple[str, ...]:
        """Texts one of which stands, in lower case, where the tool is named."""
        return tuple(root.lower() for root in self.roots)


def problems(context: Context, unused: Iterable[tuple[Declared, Sequence[Tool]]]) -> Iterator[Problem]:
    """Findings for dependencies that no module imports, unless another library is told to use the tool.

    It then works without an import of the repository's own, as in `report_to="wandb"`,
    `import ray.tune.search.hyperopt` or `WANDB_API_KEY` in a compose file. All are looked for at once: every text is
    read again for it.
    """
    every = tuple(unused)
    resolved = {path for path in {requirement.path for requirement, _ in every} if _resolved(context, path)}
    left = [
        _Named(requirement, frozenset(_roots(requirement, tools)))
        for requirement, tools in every
        if requirement.path not in resolved and not _unread(context, requirement.path)
    ]
    for without in (_without_said, _without_wired, _without_shown):
        left = without(context, left) if left else left
    for item in left:
        message = f"`{item.requirement.name}` is declared here, but no file imports it."
        place = context.evidence(item.requirement.path, item.requirement.line)
        yield Problem("MLS107", message, place.location)


def _roots(requirement: Declared, tools: Sequence[Tool]) -> Iterator[str]:
    yield requirement.name.replace("-", "_")
    yield from (root.partition(".")[0] for tool in tools for root in tool.imports)


def _unread(context: Context, path: str) -> bool:
    """Whether code that a list of dependencies is about was more than one scan parses: it may import anything."""
    below = path.rpartition("/")[0]
    left = (file for file in context.documents.left_out if file.endswith(".py"))
    return any(file.startswith(f"{below}/") for file in left) if below else any(left)


def _word(item: _Named) -> re.Pattern[str]:
    """One of the names of a tool as a word, or as a part of one between underscores."""
    return re.compile(rf"(?<![^\W_])({'|'.join(map(re.escape, sorted(item.roots)))})(?![^\W_])", re.I)


def _without_said(context: Context, items: list[_Named]) -> list[_Named]:
    """Those that no import and no short string of main code names."""

    def is_said(item: _Named) -> bool:
        word, lower = _word(item), item.lower
        return any(
            any(word.search(imported.name) for imported in module.imports)
            or any(len(text) < _MAX_NAMING and word.search(text) for _, text in module.strings)
            for module, said in _said(context)
            if any(root in said for root in lower)
        )

    return [item for item in items if not is_said(item)]


def _without_wired(context: Context, items: list[_Named]) -> list[_Named]:
    """Those that no file names which puts programs together."""
    left = [(item, _word(item), item.lower) for item in items]
    for file in _wiring(context):
        text = context.documents.text(file.path)
        lower = text.lower()
        left = [
            (item, word, roots)
            for item, word, roots in left
            if not (
                any(root in lower for root in roots)
                and any(word.search(line.partition("#")[0]) for line in text.split("\n"))
            )
        ]
        if not left:
            break
    return [item for item, _, _ in left]


def _without_shown(context: Context, items: list[_Named]) -> list[_Named]:
    """Those that no document shows in use: code that imports them or a command, or the output of a notebook.

    They are there for those who read it.
    """
    # in an output an underscore may be a dash, and a word follows
    left = [
        (item, {r: (r.partition("_")[0] if "_" in r else f"{r}-").encode() for r in sorted(item.roots)})
        for item in items
    ]
    for file in context.ending((".md", ".rst", ".qmd", ".ipynb"), aside=True):
        if not left:
            break
        if file.size > _MAX_SHOWN or file.role in FOREIGN:
            continue
        notebook = file.suffix == ".ipynb"
        data = context.documents.data(file.path) if notebook else b""
        text = context.documents.text(file.path) if not notebook else ""
        for entry in tuple(left):
            marks = entry[1]
            if notebook:
                likely = tuple(root for root, mark in marks.items() if mark in data)
            else:
                likely = tuple(root for root in marks if root in text)
            pattern = _outputs if notebook else _imports
            if likely and (
                pattern(likely).search(context.documents.text(file.path)) or (not notebook and _typed(likely, text))
            ):
                left.remove(entry)
    return [item for item, _ in left]


@kept
def _wiring(context: Context) -> tuple[File, ...]:
    """The files that put programs together or give them their environment; no lists of dependencies."""
    return tuple(
        file
        for file in context.files()
        if (file.suffix in _WIRING or "dockerfile" in file.name.lower())
        and file.size <= 200_000
        and not _LISTS.search(file.name)
    )


@kept
def _said(context: Context) -> tuple[tuple[Module, str], ...]:
    """The modules of main code, each with what it imports and its short strings in lower case."""
    return tuple(
        (
            module,
            "\n".join(
                (
                    *(item.name for item in module.imports),
                    *(text for _, text in module.strings if len(text) < _MAX_NAMING),
                )
            ).lower(),
        )
        for _, module in context.modules()
    )


@lru_cache(maxsize=64)
def _imports(roots: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"^[ \t>]{{0,40}}(from|import)[ ]({'|'.join(map(re.escape, roots))})\b", re.M)


def _typed(roots: tuple[str, ...], text: str) -> bool:
    """Whether a text shows a command of one of these names: at a prompt, or in a block of code between fences."""
    return any(
        match.group("prompt") or text.count("```", 0, match.start()) % 2 for match in _commands(roots).finditer(text)
    )


@lru_cache(maxsize=64)
def _commands(roots: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, roots)).replace("_", "[-_]")
    return re.compile(rf"^[ \t>]{{0,40}}(?P<prompt>[$!%][ ]?)?(?:{names})[ ][a-z-]", re.M)


@lru_cache(maxsize=64)
def _outputs(roots: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, roots)).replace("_", "[-_]")
    return re.compile(rf"(?<![\w/])({names})-[a-z]{{2,30}}\b")


def _resolved(context: Context, path: str) -> bool:
    """Whether a list names what others need, too: a resolver's output, or no list of the project's own."""
    text = context.documents.text(path)
    return (
        context.role(path) in ASIDE
        or _frozen(declared_in(context).get(path, ()))
        or any(mark in text for mark in (_VIA, "autogenerated by", "--hash=sha256:"))
    )


def is_needed_by_others(context: Context, requirement: Declared) -> bool:
    """Whether a resolver wrote a dependency down for others in the list (`# via x`), and for no list of the project."""
    return requirement.manifest == "requirements" and requirement.line in _lines_for_others(context, requirement.path)


@kept
def _lines_for_others(context: Context, path: str) -> frozenset[int]:
    """The lines of a list with what a resolver wrote down for others."""
    text = context.documents.text(path)
    return frozenset(_needed_by_others(text)) if _VIA in text else frozenset()


def _needed_by_others(text: str) -> Iterator[int]:
    """The lines of entries whose comments name what needs them: packages only, and no list such as `-r x.in`."""
    entry, reasons = 0, ""
    for number, line in enumerate((*text.split("\n"), "end"), start=1):
        before, _, comment = line.partition("#")
        if before.strip() and not line[0].isspace():
            if _VIA[1:] in reasons and not any(mark in reasons for mark in _OWN_LISTS):
                yield entry
            entry, reasons = number, ""
        reasons += f"{comment}\n"


def _frozen(entries: Sequence[Declared]) -> bool:
    """Whether a list looks like the output of `pip freeze` or an export: long, every version exact, in some order.

    `conda env export` writes two such lists, one below the other. Poetry sorts whole lines, where `aiohttp-retry==`
    stands before `aiohttp==`.
    """
    names = [entry.name.lower() for entry in entries]
    pinned = sum(entry.pinned for entry in entries)
    ordered = max(sum(a <= b for a, b in pairwise(n + end for n in names)) for end in ("", "="))
    return len(names) >= _FROZEN and pinned >= 0.9 * len(names) and ordered >= 0.95 * (len(names) - 1)
