"""Data validation row by row: each record is made an object of a pydantic model, or held against a JSON schema."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from mlops_scan.code.facts import Call, Class, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.effects import Check
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.validation import stopping
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Problem, Signal

_PRACTICE = "data/validation"
_ROWS = frozenset({"iterrows", "itertuples", "iter_rows", "to_dicts", "DictReader"})
"""What gives the rows of a table one by one, in pandas, polars and the standard library."""

_MAKES = frozenset({"model_validate", "parse_obj", "model_validate_json", "parse_raw"})
"""Methods of models, which raise an error: https://docs.pydantic.dev/latest/concepts/models/"""

_SCHEMAS = regex(r"(jsonschema|fastjsonschema)(\.\w+)*\.(validate|iter_errors|is_valid)")
_SERVES = frozenset({"fastapi", "flask", "starlette", "litestar", "sqlalchemy", "sqlmodel", "django"})
"""What answers requests, or reads a database of its own, makes objects of rows to hand them out."""

_GIVEN = regex(r"\w*(response|output|out|result|prediction|document|message|config|settings)s?", re.I)
_ABOUT = regex(r"(validat|check|verif|quality|schema|clean|ingest|contract)", re.I)
_ASKS = frozenset({"predict", "load-model", "serve"})
_FAR = 6  # calls from what leads to a check
_BOUNDS = frozenset({"ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "regex", "multiple_of"})
_VALIDATORS = ("pydantic.validator", "pydantic.field_validator", "pydantic.model_validator", "pydantic.root_validator")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/validation` from functions that make a model of each row, or of all."""
    models = _models(context)
    for _, module in context.modules(notebooks=False):
        if not module.roots.isdisjoint(_SERVES):
            continue
        giving = {call.scope for call in module.calls if _gives_rows(call)}
        seen: set[str] = set()
        for call in module.calls if giving else ():
            scope = call.scope
            if scope in giving and scope not in seen and _is_check(context, module, call, models):
                seen.add(scope)
                yield _signal(context, module, call)


def _gives_rows(call: Call) -> bool:
    last = call.name.rpartition(".")[2]
    return last in _ROWS or (
        last == "to_dict" and (call.args[:1] == ("records",) or call.keyword("orient") == "records")
    )


def _models(context: Context) -> Mapping[str, dict[str, bool]]:
    """The models of main code, by file and name, each with whether it bounds what its fields may hold."""
    found = defaultdict[str, dict[str, bool]](dict)
    for path, module in context.modules(notebooks=False):
        if "pydantic" not in module.roots:
            continue
        for name, item in module.classes.items():
            if any(base.startswith("pydantic.") and base.endswith("BaseModel") for base in item.bases):
                found[path][name] = _is_bounded(module, item)
    return found


def _is_bounded(module: Module, item: Class) -> bool:
    """Whether a model has validators, or fields with bounds."""
    if any(
        decorator.startswith(_VALIDATORS)
        for name in item.methods
        if (method := module.functions.get(f"{item.qualname}.{name}")) is not None
        for decorator in method.decorators
    ):
        return True
    return any(
        item.line < call.line <= item.end_line and not _BOUNDS.isdisjoint(name for name, _ in call.keywords)
        for call in module.calls
    )


def _is_check(context: Context, module: Module, call: Call, models: Mapping[str, dict[str, bool]]) -> bool:
    """Whether a call checks a row, or many at once."""
    if _SCHEMAS.fullmatch(call.name) is not None:
        return True
    owner, _, last = call.name.rpartition(".")
    target = context.index.resolve(module.path, owner if last in _MAKES else call.name)
    bounds = models.get(target.path, {}).get(target.qualname)
    if bounds is None or _GIVEN.fullmatch(target.qualname):
        return False
    stem = module.path.rpartition("/")[2]
    return bounds or any(_ABOUT.search(name) is not None for name in (call.scope, stem, target.qualname))


def _signal(context: Context, module: Module, call: Call) -> Signal:
    function = module.functions.get(call.scope)
    first = function.line if function is not None else call.line
    evidence = (
        context.evidence(module.path, first, end_line=function.end_line if function is not None else call.end_line),
        context.evidence(module.path, call.line),
    )
    if dead(context, module.path, call.scope):
        reason = "nothing calls this check"
        return Signal(_PRACTICE, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
    if _of_requests(context, (module.path, call.scope)):
        reason = "it checks what a model is asked, and not the data that one learns from"
        return Signal(_PRACTICE, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
    return stopping(context, Check(module.path, call.scope, call.line), evidence)


def _of_requests(context: Context, node: Node) -> bool:
    """Whether all that leads to a check asks a model, and nothing of it fits one."""
    leading = context.index.hops_to([node], _FAR).keys()
    return context.reaches(leading, LEARNS) is None and context.reaches(leading, _ASKS) is not None
