"""Practices around language models that no single call shows.

Evaluations that gate a change, stored cases, pinned models, indexing as a job, feedback that is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import ON_CHANGE
from mlops_scan.code.facts import Guard
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.cases import case_files, promptfoo_cases
from mlops_scan.detectors.live import dead, own_function
from mlops_scan.detectors.names import named_assets
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Role, Signal

_SCORE = regex(
    r"score|metric|accura|precision|recall|f1|faithful|relevan|ground|correct|similar|halluc|coheren|fluen|toxic|pass|"
    r"fail|rate|mean|average|avg|threshold|result|success|rating|verdict|summary",
    re.I,
)
_MOCKS = regex(r"(unittest\.)?mock\.\w+|.*\.(MagicMock|AsyncMock|patch)|mocker\.\w+|\?\.(setattr|patch)|respx\.mock")
_DATED = regex(r"20\d\d-?[01]\d-?[0-3]\d(?!\d)|@20\d{4}|-\d{4}$")
_COMMIT = regex(r"[0-9a-f]{40}")
_FEEDBACK = regex(r"feedback|thumbs?_?(up|down)|rate_(answer|response|message)", re.I)
_ROUTES = regex(r".*\.(post|put|patch|route|api_route|websocket|action_callback)|chainlit\.on_feedback")
_STORES = regex(
    r".*\.(add|create|insert\w*|save|commit|put_item|score|create_score|create_feedback|log_feedback|execute|append|send|"
    r"upsert\w*|write\w*|publish|update\w*)|.*(feedback|rating|score)\w{0,40}",
    re.I,
)
_SAVES = regex(r"_*(save|store|insert|add|record|log|submit|write)_(\w+_)?feedback", re.I, words=("feedback",))
_INJECTION = regex(
    r"_*(check|detect|block|is|has|contains|scan|looks_like|reject|validate|screen)_\w*"
    r"(?<!sql)(?<!sql_)(?<!code_)(?<!html_)(?<!shell_)(?<!command_)(?<!dependency_)(?<!fault_)(injection|jailbreak)",
    re.I,
    words=("injection", "jailbreak"),
)
_TRUE = frozenset({"true", "True", "TRUE", "1"})
_SETS_TRUE = regex(
    r"""environ\b.{0,40}["'](?:LANGCHAIN|LANGSMITH)_TRACING(?:_V2)?["']\]?\s*[=,:]\s*["'](?:true|1)["']""",
    re.I,
    words=("_tracing",),
)
_TRACED = ("langchain", "langgraph")
_SUITE = "genai/eval-suite"
_SCATTERED = 3  # files that name the same model literally


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for evaluations in CI and their cases, pinned models, indexing, feedback, guards, a tracer's switch."""
    yield from unique(_evaluations_in_ci(context))
    yield from unique(_cases(context))
    yield from _pinning(context)
    yield from unique(_indexing(context))
    if any(True for _ in context.doing("llm-call")):
        yield from unique(_feedback(context))
        yield from _guards(context)
        yield from _switched_on(context)


# -- evaluations -----------------------------------------------------------------------------------------------------


def _evaluations_in_ci(context: Context) -> Iterator[Signal]:
    """Commands of a CI job that evaluate, each with whether a bad score ends the job."""
    suites = _suites(context)
    for run in context.leading():
        if run.start.kind != "ci" or not (run.uses or (suites and (run.entries or run.tests))):
            continue
        command = next((use for use in run.uses if "genai/eval-in-ci" in use.serves), None)
        if command is not None and command.tool not in context.self_tools:
            yield _gate(context, run, command.tool, (), "")
            continue
        if not suites:
            continue
        reached = context.automation.reached(run)
        use = _evaluates(context, suites, reached)
        if use is None or use.tool in context.self_tools:
            continue
        bound = _bound(context, reached, use)
        weak = "" if bound is not None else "it evaluates and collects; no score fails the job"
        if _mocked(context, use):
            weak = "the model is replaced by a mock"
        yield _gate(context, run, use.tool, tuple(e for e in (bound, _place(context, use)) if e is not None), weak)


def _gate(context: Context, run: Run, tool: str, places: tuple[Evidence, ...], weak: str) -> Signal:
    reason = weak or run.start.blocked or run.toothless
    if not reason and not run.start.triggers & (ON_CHANGE | {"chained"}):
        reason = "no change starts it"
    grade = Grade.TRACE if weak else Grade.IMPLEMENTED if reason else Grade.WIRED
    chain = (context.evidence(run.location.path, run.location.line, Hop.USE), *map(context.shown, run.chain))
    return Signal("genai/eval-in-ci", tool, grade, (*places, *chain), reason=reason, fixed=True)


def _suites(context: Context) -> frozenset[Node]:
    """The code that uses an evaluation tool."""
    return frozenset((use.location.path, use.scope) for use in context.uses if _SUITE in use.serves)


def _evaluates(context: Context, suites: frozenset[Node], reached: Mapping[Node, object]) -> Use | None:
    """The first use of an evaluation tool among some nodes."""
    if reached.keys().isdisjoint(suites):
        return None
    return next(use for node in reached if node in suites for use in context.by_node[node] if _SUITE in use.serves)


def _bound(context: Context, reached: Mapping[Node, object], use: Use) -> Evidence | None:
    """Where a score decides: an asserting call of the tool, or a comparison beside the evaluation that stops."""
    if use.name.endswith("assert_test"):
        return _place(context, use)
    for path, scope in reached:
        module = context.index.modules.get(path)
        if module is None:
            continue
        near = path == use.location.path or any(
            target == (use.location.path, use.scope) for target, _ in context.index.edges((path, scope))
        )
        for guard in module.guards if near else ():
            if guard.scope == scope and _decides(guard):
                return context.evidence(path, guard.line, Hop.EFFECT, guard.end_line)
    return None


def _decides(guard: Guard) -> bool:
    if guard.trivial or guard.stops not in ("assert", "raise", "exit"):
        return False
    if guard.numbers and guard.compares and all(number <= 0 for number in guard.numbers) and guard.stops == "assert":
        return False  # `assert score >= 0` holds for every answer
    return bool(_SCORE.search(" ".join(guard.names))) and (guard.compares or guard.stops != "assert")


def _mocked(context: Context, use: Use) -> bool:
    module = context.index.modules[use.location.path]
    function = module.functions.get(use.scope)
    names = [call.name for call in module.calls if call.scope == use.scope]
    return any(_MOCKS.fullmatch(name) for name in (*names, *(function.decorators if function is not None else ())))


def _place(context: Context, use: Use) -> Evidence:
    return context.evidence(use.location.path, use.location.line, Hop.DEFINITION, use.location.end_line)


def _cases(context: Context) -> Iterator[Signal]:
    """Stored cases that an evaluation reads; an evaluation of one's own that reads cases and asks the model."""
    for path, line, file, few in case_files(context):
        evidence = (context.evidence(path, line), Evidence(file, Hop.USE))
        grade = Grade.TRACE if few else Grade.IMPLEMENTED
        yield Signal("genai/eval-dataset", "eval-cases", grade, evidence, Confidence.MEDIUM, few, fixed=bool(few))
        module = context.index.modules[path]
        known = any(_SUITE in use.serves for use in context.uses_in(path))
        if known or module.notebook or context.role(path) is Role.TEST:
            continue
        scopes = [(path, scope) for scope in ("", "__main__", *module.functions)]
        asks = context.reaches(scopes, {"llm-call"})
        if asks is not None:
            places = (context.evidence(path, line), _place(context, asks))
            anchor = (path, "__main__" if module.main_line else "")
            yield Signal("genai/eval-suite", "python", Grade.IMPLEMENTED, places, Confidence.MEDIUM, anchor=anchor)
    for place, few in promptfoo_cases(context):
        grade = Grade.TRACE if few else Grade.IMPLEMENTED
        yield Signal("genai/eval-dataset", "promptfoo", grade, (place,), reason=few, fixed=bool(few))


# -- models ----------------------------------------------------------------------------------------------------------


def _pinning(context: Context) -> Iterator[Signal]:
    """Models by a name that stays the same: a dated snapshot, a commit of a hub; aliases are a trace."""
    asked = [
        n for n in named_assets(context) if n.rule.kind == "model" and n.rule.origin in ("hosted", "hub", "served")
    ]
    if not any(True for _ in context.doing("llm-call")):
        return
    files: dict[str, set[str]] = {}
    for item in asked:
        files.setdefault(item.name, set()).add(item.location.path)
    for item in asked:
        exact = bool(_COMMIT.fullmatch(item.version) or (item.rule.origin == "hosted" and _DATED.search(item.name)))
        if item.rule.origin != "hosted" and not exact:
            continue
        reason = "" if exact else f"`{item.name}` is an alias that moves to later versions"
        if exact and len(files[item.name]) > _SCATTERED:
            reason = f"`{item.name}` stands in {len(files[item.name])} files"
        where = item.location
        yield Signal(
            "genai/model-pinning",
            item.rule.tool,
            Grade.TRACE if reason else Grade.IMPLEMENTED,
            (context.evidence(where.path, where.line, end_line=where.end_line),),
            Confidence.MEDIUM,
            reason,
            fixed=bool(reason),
        )


# -- retrieval, feedback ---------------------------------------------------------------------------------------------


def _indexing(context: Context) -> Iterator[Signal]:
    """Documents written to a store by a job of its own; inside the application or a notebook it is a trace."""
    uses = [use for use in context.doing("index-documents") if use.location.path in context.index.modules]
    if not uses:
        return
    serving = {use.location.path for use in context.doing("serve")}
    scripts = [path for path, module in context.modules(notebooks=False) if module.main_line and path not in serving]
    jobs = context.index.reach(node for path in scripts for node in context.index.script_entries(path))
    for use in uses:
        path = use.location.path
        started = [s for s in context.started(path, use.scope) if s.run.start.kind != "service" and not s.run.tests]
        reason = ""
        if context.index.modules[path].notebook:
            reason = "it is done in a notebook"
        elif (path, use.scope) not in jobs and not started:
            reason = "no job of its own is seen to do it"
        grade = Grade.TRACE if reason else Grade.IMPLEMENTED
        yield Signal(
            "genai/rag-pipeline",
            use.tool,
            grade,
            (_place(context, use),),
            Confidence.MEDIUM,
            reason,
            scope=use.scope,
            fixed=bool(reason),
        )


def _feedback(context: Context) -> Iterator[Signal]:
    """Routes that take a user's verdict on an answer and store it, and functions of that name that code calls."""
    for path, module in context.modules(notebooks=False):
        for function in module.functions.values():
            name = function.qualname.rpartition(".")[2]
            if function.stub or not _FEEDBACK.search(name):
                continue
            routed = any(_ROUTES.fullmatch(decorator) for decorator in function.decorators)
            if not routed and (_SAVES.match(name) is None or dead(context, path, function.qualname)):
                continue
            calls = context.index.calls_in(path, function.qualname)
            stored = next((call for call in calls if _STORES.fullmatch(call.name)), None)
            if stored is not None:
                places = (context.evidence(path, function.line), context.evidence(path, stored.line, Hop.USE))
                scope = function.qualname
                practice = "genai/user-feedback"
                yield Signal(practice, "python", Grade.IMPLEMENTED, places, Confidence.MEDIUM, scope=scope)


# -- guards and traces -----------------------------------------------------------------------------------------------


def _guards(context: Context) -> Iterator[Signal]:
    """A function of the project's own that looks for injected instructions, and that what answers calls."""
    for path, module in context.modules(notebooks=False):
        for function in module.functions.values():
            if function.stub or _INJECTION.match(function.qualname.rpartition(".")[2]) is None:
                continue
            yield own_function(context, "genai/guardrails", path, function)
            return


def _switched_on(context: Context) -> Iterator[Signal]:
    """The switch of LangSmith, which LangChain reads, set by the program itself.

    Fact: https://docs.langchain.com/langsmith/trace-with-langchain
    """
    if not any(item.name.startswith(_TRACED) for _, module in context.modules() for item in module.imports):
        return
    for path, module in context.modules(notebooks=False):
        for line, text in module.strings:
            if text in _TRUE and _SETS_TRUE.search(context.code(path, line, line)):
                place = (context.evidence(path, line),)
                yield Signal("genai/tracing", "llm-tracing", Grade.IMPLEMENTED, place, Confidence.MEDIUM)
                return
