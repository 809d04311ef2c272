"""Quality gates: comparisons of a metric that decide whether a model may proceed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct

from mlops_scan.code.facts import Guard, Module
from mlops_scan.code.guards import PROCEEDS
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.bothways import either_way, keeps_best, releases, replaces
from mlops_scan.detectors.branches import lets_proceed
from mlops_scan.detectors.effects import CHECKS, Check, lost
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

# Of arithmetic: `mixed_precision`, `float32_matmul_precision`, `precision_plugin`. A lookbehind has one length.
_ARITHMETIC = (
    "mixed", "half", "full", "single", "double", "float", "float16", "float32", "bfloat16", "fp16", "fp32", "bf16",
    "amp", "matmul", "compute", "numeric", "decimal",
)  # fmt: skip
_PRECISION = (
    "".join(f"(?<!{word}[_ -])" for word in _ARITHMETIC) + "precision(?!_(plugin|mode|policy|dtype|type|bits?|config))"
)
METRIC = regex(
    rf"(^|_|\b)(accuracy|acc|{_PRECISION}|recall|f1|f_?beta|auc|roc|pr_?auc|rocauc|average_precision|logloss|log_loss|mse|rmse|mae|mape|wmape|smape|rmsle|r2|"
    r"brier|ndcg|mrr|bleu|rouge|wer|perplexity|iou|dice|silhouette|gini|kappa|mcc|val_loss|test_loss|(?-i:mAP))(?=$|_|\b|\d)",
    re.I,
)  # fmt: skip
_LOOSE = (
    "score", "metric", "performance", "improve", "better", "champion", "challenger", "baseline", "candidate", "blessed",
    "validation_passed", "approved",
)  # fmt: skip
NOT_MODEL = (
    "coverage", "latency", "cpu", "memory", "timeout", "price", "portfolio", "http", "status_code", "page", "retry",
    "disk",
)  # fmt: skip
"""Words of a comparison that is not about the quality of a model."""

_RELATIVE = regex(
    r"(diff|delta|improve|gain|drop|change|gap|champion|baseline|previous|current|production|best|old)", re.I
)
_MODEL = regex(r"(?<![^\W_])models?(?![^\W_])", re.I, words=("model",))
_GATE = "model/quality-gate"
_ML = frozenset({"evaluate", "train", "tune", "register", "promote", "load-model"})
_LEAVES = frozenset({"return", "exit"})
_ERRORS = frozenset({"raise", "exit"})
_MEASURES = frozenset({"train", "tune", "evaluate"})
_NOTED = 2  # names of a comparison that what it noted is made of
_FIGURES = regex(r"(metric|score|eval)\w{0,40}\.(json|ya?ml|csv)$", re.I, words=(".json", ".yml", ".yaml", ".csv"))
_RIVALS = regex(r"(champion|challenger|candidate|incumbent|baseline)\w{0,20}(metric|score|perf)", re.I)


class Gate(Struct, frozen=True):
    """A comparison that stops a model, or the step that it guards. `weak` says why it decides nothing, or is empty.

    `stops` is "raise" or "exit" where an error is all that the comparison leads to, so that somebody must mind it, and
    empty where it guards the release itself.
    """

    path: str
    scope: str
    line: int
    end_line: int
    weak: str
    stops: str = ""
    sure: bool = True  # the metric stands in it, and it is about the model as a whole, not about one of its epochs


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/quality-gate`."""
    for gate in gates(context):
        grade = Grade.TRACE if gate.weak else Grade.IMPLEMENTED
        evidence = (context.evidence(gate.path, gate.line, Hop.DEFINITION, gate.end_line),)
        check = Check(gate.path, gate.scope, gate.line, gate.stops == "exit")
        reason = gate.weak or (lost(context, _GATE, check) if gate.stops else "")
        confidence = Confidence.HIGH if gate.sure else Confidence.MEDIUM
        yield Signal(_GATE, "python", grade, evidence, confidence, reason, scope=gate.scope, fixed=bool(reason))
    yield from _checking_calls(context)
    for gate in declared_gates(context):
        evidence = (context.evidence(gate.path, gate.line, Hop.DEFINITION, gate.end_line),)
        grade = Grade.TRACE if gate.weak else Grade.WIRED
        yield Signal(_GATE, "mlflow-recipes", grade, evidence, reason=gate.weak, fixed=True)


@kept
def gates(context: Context) -> tuple[Gate, ...]:
    """Gates in the repository's own Python code."""
    return tuple(_gates(context))


def _gates(context: Context) -> Iterator[Gate]:
    decided: frozenset[str] | None = None
    for path, module in context.modules():
        asked: dict[str, bool] = {}
        star = any(item.star for item in module.imports) if module.guards else False
        for guard in module.guards:
            if guard.stops == "assert":
                continue
            direct = (
                (guard.ordered and guard.compares and _is_metric(context, module, guard))
                or _asks(context, module, guard, asked, star)
                or _of_task(context, module, guard)
            )
            noted = False
            if not direct:
                noted = _on_notes(context, module, guard) or _on_verdict(context, module, guard)
                flagged = not noted and any(map(_proceeds, guard.names))
                if not noted and not flagged:
                    continue
                if flagged and decided is None:
                    decided = _decisions(context)
                if flagged and not _on_decision(module, guard, decided or frozenset()):
                    continue
            fails = guard.stops in ("raise", "exit")
            promotes = _guards_promotion(context, module, guard)
            if fails or promotes:
                weak = "its bound can never be broken" if direct and _vacuous(guard) else ""
                if module.notebook and not context.started(path, guard.scope):
                    weak = weak or "a person runs this notebook"
                if not direct and not noted and len(guard.numbers) > 1 and len(set(guard.numbers)) == 1:
                    weak = "the flag is set to a constant before it is asked for"
                stops = guard.stops if fails and not promotes else ""
                sure = direct and not keeps_best(context, module, guard)
                yield Gate(path, guard.scope, guard.line, guard.body_end, weak, stops, sure)


def _checking_calls(context: Context) -> Iterator[Signal]:
    """Calls of an evaluation library that raise an error on a figure beyond its bound."""
    for use in context.uses:
        if _GATE not in use.serves or CHECKS not in use.does or use.tool in context.self_tools:
            continue
        place = use.location
        reason = lost(context, _GATE, Check(place.path, use.scope, place.line))
        yield Signal(
            _GATE,
            use.tool,
            use.grade,
            (context.evidence(place.path, place.line, Hop.DEFINITION, place.end_line),),
            use.confidence,
            reason or use.note,
            scope=use.scope,
            fixed=bool(reason),
        )


def _decisions(context: Context) -> frozenset[str]:
    """Flags that code which compares a metric sets: `is_accepted=gain > bound`, a file `deploy_flag`."""
    found: set[str] = set()
    for _, module in context.modules():
        if not _is_ml_module(context, module.path):
            continue
        ordered = (" ".join(guard.names) for guard in module.guards if guard.ordered)
        if not any(
            (METRIC.search(names) or has_any(names, _LOOSE)) and not has_any(names, NOT_MODEL) for names in ordered
        ):
            continue
        found |= {text for _, text in module.strings if text.isidentifier() and _proceeds(text)}
        found |= {name for call in module.calls for name, _ in call.keywords if _proceeds(name)}
    return frozenset(found)


@lru_cache(maxsize=1 << 14)  # code repeats its names
def _proceeds(name: str) -> bool:
    return has_any(name, PROCEEDS)


def _on_decision(module: Module, guard: Guard, decided: frozenset[str]) -> bool:
    """Whether a test asks for a flag that a comparison of metrics set: elsewhere, or in the same scope."""
    if guard.ordered:
        return False
    if decided.intersection(guard.names):
        return True
    names = set(guard.names)
    return any(
        other.scope == guard.scope
        and other.ordered
        and other.line <= guard.line
        and names.intersection(other.names)
        and (METRIC.search(text := " ".join((*guard.names, *other.names))) or has_any(text, _LOOSE))
        and not has_any(text, NOT_MODEL)
        for other in module.guards
    )


def _of_task(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a condition of a pipeline, `with dsl.If(…)`, compares what a task gives that trains or evaluates."""
    if not guard.ordered or "kfp" not in module.roots or not context.line(module.path, guard.line).startswith("with "):
        return False
    nodes = [(module.path, name) for name in guard.names if name in module.functions]
    return bool(nodes) and context.reaches(nodes, _MEASURES, 2) is not None


def _on_notes(context: Context, module: Module, guard: Guard) -> bool:
    """Whether an error comes of what a comparison of metrics has noted: `if value < bound: failed.append(name)`."""
    if guard.ordered or guard.stops not in _ERRORS or not guard.names:
        return False
    for other in module.guards:
        if other.scope == guard.scope and other.ordered and other.line < guard.line:
            text = " ".join(other.names)
            shared = len(set(other.names).intersection(guard.names))
            if shared >= min(_NOTED, len(other.names)) and not has_any(text, NOT_MODEL):
                return METRIC.search(text) is not None or _of_figures(context, module, guard.scope)
    return False


def _on_verdict(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a test asks for what a method that compares a metric has given: `if not gate.check(figures).passed`."""
    if guard.ordered or (guard.stops not in _ERRORS and not any(map(_proceeds, guard.names))):
        return False
    for call in context.index.calls_in(module.path, guard.scope):
        if call.line > guard.line or call.name.rpartition(".")[2] not in guard.names:
            continue
        target = context.index.resolve(module.path, call.name)
        there = context.index.modules.get(target.path) if target.first_party else None
        if (
            there is not None
            and target.qualname in there.functions
            and _compares_metric(context, there, target.qualname)
        ):
            return True
    return False


def _of_figures(context: Context, module: Module, scope: str) -> bool:
    """Whether code reads a file of figures: by a constant outside of all functions, or in its own."""
    function = module.functions.get(scope)
    return any(
        _FIGURES.search(text)
        for line, text in module.strings
        if (function is not None and function.line <= line <= function.end_line)
        or line in _outside(context, module.path)
    )


@kept
def _outside(context: Context, path: str) -> frozenset[int]:
    """The lines with a constant of a module that stand in none of its functions."""
    module = context.index.modules[path]
    inside = [(function.line, function.end_line) for function in module.functions.values()]
    lines = {line for line, _ in module.strings}
    return frozenset(line for line in lines if not any(first <= line <= last for first, last in inside))


def _is_metric(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a test by size is about a metric; `if metric == "f1"` and the like only check an argument."""
    text = " ".join(guard.names)
    if METRIC.search(text):
        return not has_any(text, NOT_MODEL)
    if "shape" in guard.names:  # how many scores there are
        return False
    return has_any(text, _LOOSE) and not has_any(text, NOT_MODEL) and _is_ml_module(context, module.path)


def _asks(context: Context, module: Module, guard: Guard, known: dict[str, bool], star: bool) -> bool:
    """Whether a first-party function that compares a metric gives the answer: `if failures(metrics): sys.exit(1)`.

    `known` has the answers for the names of this module that were asked before. Few names are the module's own, so that
    most need not be resolved, unless it has a `star` import.
    """
    if guard.compares and guard.numbers:
        return False
    for name in guard.names:
        if name not in known:
            own = name in module.functions or name in module.classes or name in module.variables
            known[name] = (own or star or "." in name) and _answers(context, module, name)
        if known[name]:
            return True
    return False


def _answers(context: Context, module: Module, name: str) -> bool:
    target = context.index.resolve(module.path, f"@.{name}")
    there = context.index.modules[target.path] if target.first_party else None
    return (
        there is not None and target.qualname in there.functions and _compares_metric(context, there, target.qualname)
    )


def _compares_metric(context: Context, module: Module, qualname: str) -> bool:
    """Whether a function compares a metric, named in the comparison or, for `metrics[name] < bound`, beside it.

    Which metric it is may stand in a file; then it is compared with a threshold, and the function speaks of a model.
    """
    texts: str | None = None
    for guard in module.guards:
        if guard.scope != qualname or not guard.compares:
            continue
        names = " ".join(guard.names)
        if has_any(names, NOT_MODEL):
            continue
        if METRIC.search(names) or (guard.ordered and _RIVALS.search(names)):
            return True
        if not has_any(names, _LOOSE):
            continue
        if texts is None:
            function, outside = module.functions[qualname], _outside(context, module.path)
            told = (t for n, t in module.strings if function.line <= n <= function.end_line or n in outside)
            texts = " ".join(told)
        if METRIC.search(texts) or ("threshold" in names and _MODEL.search(f"{qualname} {texts}")):
            return True
    return False


def _is_ml_module(context: Context, path: str) -> bool:
    return any(not _ML.isdisjoint(use.does) for use in context.uses_in(path))


def _guards_promotion(context: Context, module: Module, guard: Guard) -> bool:
    """Whether the branch holds a registration or deployment, or leaves the function before one."""
    for release in releases(context, module.path, guard.scope):
        later = guard.stops in _LEAVES and release.line > guard.body_end and not release.own
        if later or guard.line < release.line <= guard.body_end:
            return not either_way(context, module, guard)
    return lets_proceed(context, module, guard) or replaces(context, module, guard)


def _vacuous(guard: Guard) -> bool:
    """Whether the only bound is one that every model keeps; a difference to another model may well be bounded by 0."""
    if not guard.numbers or _RELATIVE.search(" ".join(guard.names)):
        return False
    return all(number <= 0 or number == float("inf") for number in guard.numbers)


def declared_gates(context: Context) -> Iterator[Gate]:
    """MLflow recipes: criteria that the register step honours.

    Fact: https://mlflow.org/docs/2.22/recipes/ (`validation_criteria`, `allow_non_validated_model`)
    """
    for file in context.named("recipe.yaml", "recipe.yml", "pipeline.yaml"):
        for document in context.documents.nodes(file.path):
            criteria = document.path("steps", "evaluate", "validation_criteria")
            if criteria is None or not criteria.items:
                continue
            allowed = document.path("steps", "register", "allow_non_validated_model")
            weak = (
                "`allow_non_validated_model: true` registers a model that failed"
                if allowed is not None and allowed.value is True
                else ""
            )
            yield Gate(file.path, "", criteria.at, criteria.end_line, weak)
