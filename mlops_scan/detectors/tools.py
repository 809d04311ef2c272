"""Uses of known tools: each use that serves a practice is a signal; a tool only declared or imported is a trace."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import cast

from mlops_scan.code.facts import Module
from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.detectors.dependencies import declared
from mlops_scan.detectors.effects import CHECKS
from mlops_scan.detectors.environment import LOCKS
from mlops_scan.detectors.infrastructure import never_made
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.rulebook import Tool
from mlops_scan.words import Confidence, Grade, Hop, Problem, Role, Signal

_LISTS = regex(r"(environment|conda|requirements|meta)[^/]*\.ya?ml", re.I)
_WIRING = (".yml", ".yaml", ".sh", ".env")
_MAX_SHOWN = 1_000_000  # bytes of a document that may show code
_MAX_NAMING = 200  # characters of a string that may name a tool
_FROZEN = 30  # entries; fewer are easily written by hand in order
# Practices for which a use is only a part; another detector looks for the rest and claims them.
_COMPLETED_ELSEWHERE = frozenset({"monitoring/drift", "monitoring/performance-threshold", "genai/eval-in-ci"})


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for every practice that the rules' fingerprints show."""
    yield from unique(_uses(context))
    yield from unique(_commands(context))
    yield from _hints(context)


def _uses(context: Context) -> Iterator[Signal]:
    for use in context.uses:
        if use.tool in context.self_tools:
            continue
        for practice in use.serves if CHECKS not in use.does else ():
            if practice in _COMPLETED_ELSEWHERE or (
                practice == "env/pinned" and use.location.path.rpartition("/")[2].lower() in LOCKS
            ):
                continue
            location = use.location
            off = never_made(context, location)
            yield Signal(
                practice=practice,
                tool=use.tool,
                grade=Grade.TRACE if off else use.grade,
                evidence=(context.evidence(location.path, location.line, Hop.DEFINITION, location.end_line),),
                confidence=use.confidence,
                reason=off or use.note,
                scope=use.scope,
                fixed=bool(off),
            )


def _commands(context: Context) -> Iterator[Signal]:
    """Commands that serve a practice, where something runs them."""
    for run in context.leading():
        for use in run.uses:
            for practice in use.serves:
                if use.tool in context.self_tools or practice in _COMPLETED_ELSEWHERE:
                    continue
                live = run.start.kind in ("ci", "schedule", "event") and not run.start.blocked
                grade = Grade.WIRED if live and not run.toothless and use.grade is Grade.IMPLEMENTED else use.grade
                reason = use.note or run.start.blocked or run.toothless
                evidence = (
                    context.evidence(run.location.path, run.location.line, Hop.USE),
                    *(context.shown(e) for e in run.chain),
                )
                yield Signal(
                    practice,
                    use.tool,
                    grade,
                    evidence,
                    use.confidence,
                    "" if grade is Grade.WIRED else reason,
                    fixed=True,
                )


def _hints(context: Context) -> Iterator[Signal | Problem]:
    """A tool in a dependency list or an import, with no proving use anywhere: a trace, said as such."""
    used = {use.tool for use in context.uses if context.role(use.location.path) not in ASIDE} | context.self_tools
    imported = _imported(context)
    seen: set[str] = set()
    of_distribution: dict[str, list[Tool]] = defaultdict(list)
    for tool in context.rules.tools.values():
        for name in _distributions(tool):
            of_distribution[name].append(tool)
    for requirement in declared(context):
        tools = of_distribution.get(requirement.name, [])
        if not tools or any(tool.id in used or tool.id in seen for tool in tools):
            continue
        seen.update(tool.id for tool in tools)
        root = next((root for tool in tools for root in tool.imports if root in imported), None)
        if root is not None:
            yield from _traces(context, tools, imported[root], f"`{root}` is imported but nothing of it is called")
            continue
        place = (requirement.path, requirement.line)
        yield from _traces(context, tools, place, f"`{requirement.name}` is only declared as a dependency")
        if any(tool.hints for tool in tools) and not (
            _resolved(context, requirement.path) or _mentioned(context, requirement.name, tools)
        ):
            message = f"`{requirement.name}` is declared here, but no file imports it."
            yield Problem("MLS107", message, context.evidence(*place).location)
    for tool in context.rules.tools.values():
        root = next((root for root in tool.imports if root in imported), None)
        if root is not None and tool.id not in used | seen:
            yield from _traces(context, [tool], imported[root], f"`{root}` is imported but nothing of it is called")


def _distributions(tool: Tool) -> set[str]:
    return {name.lower().replace("_", "-") for name in tool.distributions}


def _imported(context: Context) -> dict[str, tuple[str, int]]:
    """The import roots of tools that foreign code is imported by, each with its first place."""
    wanted = {root for tool in context.rules.tools.values() for root in tool.imports}
    heads = {root.partition(".")[0] for root in wanted}
    found: dict[str, tuple[str, int]] = {}
    known: dict[str, list[str]] = {}  # of the names that modules import, the roots that were not found yet
    for path, module in context.index.modules.items():
        for item in module.imports:
            roots = known.get(item.name)
            if roots is None:
                parts = item.name.split(".") if item.name.partition(".")[0] in heads else []
                roots = known[item.name] = [name for name in accumulate(parts, "{}.{}".format) if name in wanted]
            if roots and context.index.find_module(item.name, path) is None:
                found.update((root, (path, item.line)) for root in roots if root not in found)
                roots.clear()
    return found


def _traces(context: Context, tools: list[Tool], place: tuple[str, int], reason: str) -> Iterator[Signal]:
    for tool in tools:
        for practice in tool.hints:
            evidence = (context.evidence(*place),)
            yield Signal(practice, tool.id, Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)


def _mentioned(context: Context, name: str, tools: list[Tool]) -> bool:
    """Whether another library is told to use the tool, which then works without an import of the repository's own.

    As in `report_to="wandb"`, `import ray.tune.search.hyperopt` or `WANDB_API_KEY` in a compose file.
    """
    roots = {name.replace("-", "_"), *(root.partition(".")[0] for tool in tools for root in tool.imports)}
    word = re.compile(rf"(?<![^\W_])({'|'.join(map(re.escape, sorted(roots)))})(?![^\W_])", re.I)
    lower = [root.lower() for root in roots]
    for module, said in _said(context):
        if not any(root in said for root in lower):
            continue
        if any(word.search(item.name) for item in module.imports):
            return True
        if any(len(text) < _MAX_NAMING and word.search(text) for _, text in module.strings):
            return True
    for file in _wiring(context):
        text = context.documents.text(file.path)
        if not any(root in text.lower() for root in lower):
            continue
        if any(word.search(line.partition("#")[0]) for line in text.split("\n")):
            return True
    return _shown(context, roots)


def _wiring(context: Context) -> tuple[File, ...]:
    """The files that put programs together or give them their environment; no lists of dependencies."""
    if "wiring" not in context.cache:
        context.cache["wiring"] = tuple(
            file
            for file in context.files()
            if (file.suffix in _WIRING or "dockerfile" in file.name.lower())
            and file.size <= 200_000
            and not _LISTS.search(file.name)
        )
    return cast("tuple[File, ...]", context.cache["wiring"])


def _said(context: Context) -> tuple[tuple[Module, str], ...]:
    """The modules of main code, each with what it imports and its short strings in lower case."""
    if "said" not in context.cache:
        context.cache["said"] = tuple(
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
    return cast("tuple[tuple[Module, str], ...]", context.cache["said"])


def _shown(context: Context, roots: set[str]) -> bool:
    """Whether documents show code that imports a tool, or the output of a notebook names it: it is there for them."""
    # in an output an underscore may be a dash, and a word follows
    printed = {root: (root.partition("_")[0] if "_" in root else f"{root}-").encode() for root in sorted(roots)}
    for file in context.ending((".md", ".rst", ".qmd", ".ipynb"), aside=True):
        if file.size > _MAX_SHOWN or file.role in (Role.VENDORED, Role.GENERATED):
            continue
        if file.suffix == ".ipynb":
            data = context.documents.data(file.path)
            likely = tuple(root for root, mark in printed.items() if mark in data)
            pattern = _outputs
        else:
            text = context.documents.text(file.path)
            likely = tuple(root for root in printed if root in text)
            pattern = _imports
        if likely and pattern(likely).search(context.documents.text(file.path)):
            return True
    return False


@lru_cache(maxsize=64)
def _imports(roots: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"^[ \t>]{{0,40}}(from|import)[ ]({'|'.join(map(re.escape, roots))})\b", re.M)


@lru_cache(maxsize=64)
def _outputs(roots: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, roots)).replace("_", "[-_]")
    return re.compile(rf"(?<![\w/])({names})-[a-z]{{2,30}}\b")


def _resolved(context: Context, path: str) -> bool:
    """Whether a list names what others need, too: a resolver's output, or no list of the project's own."""
    text = context.documents.text(path)
    return (
        context.role(path) in ASIDE
        or _frozen(text)
        or any(mark in text for mark in ("# via", "autogenerated by", "--hash=sha256:"))
    )


def _frozen(text: str) -> bool:
    """Whether a list looks like the output of `pip freeze`: long, in alphabetical order, every version exact."""
    names = [line.partition("==")[0].lower() for line in text.split("\n") if line.strip() and line[0] != "#"]
    pinned = sum("==" in line for line in text.split("\n") if line[:1] != "#")
    ordered = sum(before <= after for before, after in pairwise(names))
    return len(names) >= _FROZEN and pinned >= 0.9 * len(names) and ordered >= 0.95 * (len(names) - 1)
