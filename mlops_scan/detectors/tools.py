"""Uses of known tools: each use that serves a practice is a signal; a tool only declared or imported is a trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.detectors.containers import is_load_test
from mlops_scan.detectors.dependencies import Declared, declared
from mlops_scan.detectors.effects import CHECKS
from mlops_scan.detectors.environment import LOCKS
from mlops_scan.detectors.infrastructure import never_made
from mlops_scan.detectors.kustomize import not_applied
from mlops_scan.detectors.manifests import is_stock
from mlops_scan.detectors.modelless import NO_MODEL, without_model
from mlops_scan.detectors.results import unminded
from mlops_scan.detectors.splits import undivided
from mlops_scan.detectors.tracked import artifacts_hold_tables, is_model, same_version
from mlops_scan.detectors.unimported import is_needed_by_others, problems
from mlops_scan.documents.requirements import normalised
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.rulebook import Tool
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

# Practices for which a use is only a part; another detector looks for the rest and claims them.
_COMPLETED_ELSEWHERE = frozenset({"monitoring/drift", "monitoring/performance-threshold", "genai/eval-in-ci"})

_SEEDS = regex(r"seed|RandomState|default_rng|SeedSequence", words=("seed", "randomstate", "default_rng"))
_CHANCE = regex(
    r"time\.(time|time_ns|perf_counter|monotonic)|os\.(getpid|urandom)|uuid\.\w+|secrets\.\w+|datetime\..*now"
)
_ARTIFACT = "wandb.Artifact"
_RECORDS = frozenset({"mlflow.data.from_spark", "mlflow.data.load_delta"})
_MANIFESTS = "kubernetes-manifests"
_FETCHES = frozenset({"pull", "fetch", "checkout"})


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
            if practice == "experiment/reproducible" and _is_clock_seed(context, use):
                continue
            location = use.location
            off = never_made(context, location) or not_applied(context, location.path)
            if practice == "deploy/as-code" and is_load_test(location.path):
                off = "it deploys a load generator"
            if practice == "deploy/as-code" and use.tool == _MANIFESTS and is_stock(context, location.path):
                off = "it deploys databases, queues or monitoring only"
            if practice == "experiment/config" and without_model(context):
                off = NO_MODEL
            grade, note = _earned(context, use, practice)
            lost = "" if off or practice != "data/validation" else unminded(context, use)
            yield Signal(
                practice=practice,
                tool=use.tool,
                grade=Grade.TRACE if off else grade,
                evidence=(context.evidence(location.path, location.line, Hop.DEFINITION, location.end_line),),
                confidence=use.confidence,
                reason=off or lost or note,
                scope=use.scope,
                fixed=bool(off or lost),
            )


def _earned(context: Context, use: Use, practice: str) -> tuple[Grade, str]:
    """The grade of a use, and why it is no more; what an artifact holds may show where it is read."""
    kept_apart = practice == "data/versioning" and use.grade is Grade.TRACE and use.name == _ARTIFACT
    if kept_apart and artifacts_hold_tables(context):
        return Grade.IMPLEMENTED, ""
    same = same_version(context, use) if practice == "data/versioning" and use.name in _RECORDS else ""
    return (Grade.TRACE, f"the version that it records is always {same}") if same else (use.grade, use.note)


def _is_clock_seed(context: Context, use: Use) -> bool:
    """Whether a seed is made of the time, a process or chance, and so is another one in every run."""
    return _SEEDS.search(use.name) is not None and any(
        _CHANCE.fullmatch(context.index.resolve(use.location.path, call.name).name)
        for call in context.index.calls_in(use.location.path, use.scope)
        if use.location.line <= call.line <= max(use.location.line, use.location.end_line)
    )


def _commands(context: Context) -> Iterator[Signal]:
    """Commands that serve a practice, where something runs them."""
    for run in context.leading():
        for use in run.uses:
            for practice in use.serves:
                if use.tool in context.self_tools or practice in _COMPLETED_ELSEWHERE:
                    continue
                lacking = _fetches_no_data(context, use, practice, run.words)
                lacking = undivided(run.words) if practice == "deploy/progressive" else lacking
                if lacking:
                    place = context.evidence(run.location.path, run.location.line, Hop.USE)
                    yield Signal(practice, use.tool, Grade.TRACE, (place,), use.confidence, lacking, fixed=True)
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


def _fetches_no_data(context: Context, use: Use, practice: str, words: tuple[str, ...]) -> str:
    """Why a command that fetches what DVC tracks says nothing of the data, or empty."""
    if practice != "data/versioning" or use.tool != "dvc-data" or _FETCHES.isdisjoint(words[:2]):
        return ""
    targets = [word for word in words[2:] if not word.startswith("-")]
    if targets and all(is_model(context, target.removesuffix(".dvc")) for target in targets):
        return "the files that DVC fetches here are those of a model"
    if any(u.tool == use.tool and practice in u.serves for u in context.uses):
        return ""
    return "DVC fetches files here, but no pointer or lock file in the repository names data"


def _hints(context: Context) -> Iterator[Signal | Problem]:
    """A tool in a dependency list or an import, with no proving use anywhere: a trace, said as such."""
    used = {use.tool for use in context.uses if context.role(use.location.path) not in ASIDE} | context.self_tools
    imported = _imported(context)
    seen: set[str] = set()
    unused: list[tuple[Declared, list[Tool]]] = []
    of_distribution: dict[str, list[Tool]] = defaultdict(list)
    users: dict[str, tuple[str, ...]] = {}  # what uses a distribution without an import of the repository's own
    for tool in context.rules.tools.values():
        for name in _distributions(tool):
            of_distribution[name].append(tool)
        users.update((normalised(name), names) for name, names in tool.companions)
    for requirement in declared(context):
        tools = of_distribution.get(requirement.name, [])
        if not tools or any(tool.id in used or tool.id in seen for tool in tools):
            continue
        if is_needed_by_others(context, requirement) or not imported.keys().isdisjoint(users.get(requirement.name, ())):
            continue
        seen.update(tool.id for tool in tools)
        root = next((root for tool in tools for root in tool.imports if root in imported), None)
        if root is not None:
            yield from _traces(
                context, tools, imported[root], f"`{root}` is imported, but no call of it that counts was found"
            )
            continue
        place = (requirement.path, requirement.line)
        yield from _traces(context, tools, place, f"`{requirement.name}` is only declared as a dependency")
        if any(tool.hints for tool in tools):
            unused.append((requirement, tools))
    for tool in context.rules.tools.values():
        root = next((root for root in tool.imports if root in imported), None)
        if root is not None and tool.id not in used | seen:
            yield from _traces(
                context, [tool], imported[root], f"`{root}` is imported, but no call of it that counts was found"
            )
    yield from problems(context, unused)


def _distributions(tool: Tool) -> set[str]:
    return {normalised(name) for name in tool.distributions}


def _imported(context: Context) -> dict[str, tuple[str, int]]:
    """The import roots of tools, and the names that use a companion, that are imported; each with its first place."""
    wanted = {root for tool in context.rules.tools.values() for root in tool.imports}
    wanted |= {name for tool in context.rules.tools.values() for _, names in tool.companions for name in names}
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
