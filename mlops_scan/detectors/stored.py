"""Predictions that the code which answers stores itself: in a table, a collection, a stream, a bucket or a file.

What a write is about is told by the words around it, as the same calls store users and orders; who writes is told by
the routes and functions of a platform from which the write is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.answers import predicts
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.live import hosted
from mlops_scan.detectors.polled import handlers
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Signal

_PRACTICE = "monitoring/prediction-logging"
_MODEL_USE = frozenset({"load-model", "predict"})
_WRITES = frozenset(
    {"insert_one", "insert_many", "put_item", "put_record", "put_records", "put_object", "insert_rows_json"}
    | {"insert_rows", "upload_from_string", "upload_blob", "to_sql", "produce", "send_and_wait", "xadd"}
    | {"load_table_from_dataframe", "saveAsTable"}
)
"""Last parts of names of calls that store something for good."""
_TABLES = frozenset(
    {"to_sql", "insert_rows_json", "insert_rows", "insert_many", "saveAsTable", "load_table_from_dataframe"}
)
_MAY_WRITE = _WRITES | {"create", "send", "publish", "add", "add_all", "open", "to_csv"}
_STREAMS = ("kafka", "aiokafka", "confluent_kafka", "google", "pika")
_APPENDS = frozenset({"a", "a+", "ab", "at"})
_NAMES = regex(
    r"(?<![a-z])(predict(ed|ions?)|preds?|y_hat|inferences?|probabilit(y|ies)|confidence)(?![a-z])",
    words=("pred", "y_hat", "inference", "probabilit", "confidence"),
)
_CLASSES = regex(
    r"(Prediction|Inference)s?([A-Z]\w{0,40}|\.objects\.create)\(", words=("prediction", "inference")
)  # `PredictionLog(x=x)`
_INSERTS = regex(
    r"insert\s{1,9}(or\s{1,9}\w{1,20}\s{1,9})?into\s[^;]{0,300}?(predict|inference|confidence)(?!\w*drift)",
    words=("insert",),
)
_NOT_WRITTEN = (".predict(", ".predict_proba(", "return ", "def ", "@", "#", '"""')  # lines name a prediction anyway
_OFFLINE = ("evaluat", "metric", "train", "benchmark", "backtest", "test")
_ABOVE = 12  # lines above a write in which its record may be made
_BELOW = 4  # lines below `open(…, "a")` in which it is written
_HOPS = 6


def stored_predictions(context: Context) -> Iterator[Signal]:
    """The claims of writes that the routes of a service, functions of a platform and scoring jobs reach."""
    writing = _writing(context)
    for handler, reached in _answering(context) if writing else ():
        for node in sorted(reached.keys() & writing.keys()):
            place = _stores(context, node, writing[node], handler)
            if place:
                yield _signal(context, node, place, handler)
    yield from _jobs(context)


def _signal(context: Context, node: Node, line: int, handler: Node) -> Signal:
    evidence = [context.evidence(node[0], line)]
    function = context.index.modules[handler[0]].functions.get(handler[1])
    if function is not None and handler != node:
        evidence.append(context.evidence(handler[0], function.line, Hop.USE))
    return Signal(_PRACTICE, "python", Grade.IMPLEMENTED, tuple(evidence), Confidence.MEDIUM, scope=node[1])


@kept
def _answering(context: Context) -> tuple[tuple[Node, Mapping[Node, object]], ...]:
    """The code that answers requests by a model, each with what it reaches; what trains is none."""
    found: dict[Node, Mapping[Node, object]] = {node: reached for _, node, reached in handlers(context)}
    for path, module in context.modules(notebooks=False):
        for name in (*hosted(module), *_unrouted(module)):
            found.setdefault((path, name), context.index.reach(((path, name),), _HOPS))
    return tuple(
        (node, reached)
        for node, reached in found.items()
        if context.role(node[0]) not in ASIDE and _asks(context, node, reached)
    )


def _unrouted(module: Module) -> Iterator[str]:
    """What answers without a route beside it: views of Django, and the statements of a Streamlit page."""
    if "django" in module.roots or "rest_framework" in module.roots:
        yield from (name for name, function in module.functions.items() if "request" in function.parameters[:2])
    if "streamlit" in module.roots:
        yield ""


def _asks(context: Context, node: Node, reached: Mapping[Node, object]) -> bool:
    if context.does(reached, LEARNS) is not None:
        return False
    return predicts(context, (node,)) or context.does(reached, _MODEL_USE) is not None


# -- what is written ---------------------------------------------------------------------------------------------------


class _Writes(Struct, frozen=True):
    """What a function stores: the calls that do, and the line of an SQL statement that stores predictions or 0."""

    calls: tuple[Call, ...]
    statement: int


@kept
def _writing(context: Context) -> Mapping[Node, _Writes]:
    """The functions of the main code that store something for good."""
    found: dict[Node, _Writes] = {}
    for path, module in context.modules(notebooks=False):
        statements = [line for line, text in module.strings if _INSERTS.search(text.lower())]
        scopes = {call.scope for call in module.calls if call.name.rpartition(".")[2] in _MAY_WRITE}
        for name in (*module.functions, *([""] if "streamlit" in module.roots else [])):
            first, last = _span(module, name)
            statement = next((n for n in statements if first <= n <= last), 0) if name else 0
            calls = tuple(context.index.calls_in(path, name)) if name in scopes else ()
            writes = tuple(call for call in calls if _writes(module, call, calls))
            if writes or statement:
                found[path, name] = _Writes(writes, statement)
    return found


def _stores(context: Context, node: Node, writes: _Writes, handler: Node) -> int:
    """The line at which a function stores predictions; 0 if nowhere."""
    module = context.index.modules[node[0]]
    named = (c.line for c in writes.calls if _of_predictions(context, module, c, handler))
    return writes.statement or next(named, 0)


def _writes(module: Module, call: Call, calls: Iterable[Call]) -> bool:
    """Whether a call stores something for good."""
    last = call.name.rpartition(".")[2]
    if last in _WRITES:
        return True
    if last == "create":  # of the rows of a model of Django
        return call.name.endswith(".objects.create")
    if last in ("send", "publish"):
        return not module.roots.isdisjoint(_STREAMS)
    if last in ("add", "add_all"):  # of a session, which commits
        return any(other.name.rpartition(".")[2] in ("commit", "flush") for other in calls)
    if last == "open":
        return any(text in _APPENDS for text in (*call.args[:2], call.keyword("mode")))
    return last == "to_csv" and call.keyword("mode") in _APPENDS


def _span(module: Module, scope: str) -> tuple[int, int]:
    """The lines of a function; of the statements of a file all lines."""
    function = module.functions.get(scope)
    return (function.line, function.end_line) if function is not None else (1, 1 << 30)


def _of_predictions(context: Context, module: Module, call: Call, handler: Node) -> bool:
    """Whether what a call writes is called a prediction: near it, by its function, or where the handler hands it on."""
    lines = context.documents.text(module.path).split("\n")
    function, (first, end) = module.functions.get(call.scope), _span(module, call.scope)
    last = call.end_line + (_BELOW if call.name.rpartition(".")[2] == "open" else 0)
    near = lines[max(first, call.line - _ABOVE - 1) : min(last, end)]
    if _named(near):
        return True
    if function is None or (module.path, function.qualname) == handler:
        return False
    words = " ".join((function.qualname.rpartition(".")[2], *function.parameters))
    return _NAMES.search(words.lower()) is not None or _handed(context, (module.path, function.qualname), handler)


def _handed(context: Context, node: Node, handler: Node) -> bool:
    """Whether the handler itself calls a piece of code with something that it calls a prediction."""
    lines = context.documents.text(handler[0]).split("\n")
    at = [line for target, line in context.index.edges(handler) if target == node]
    calls = (call for call in context.index.calls_in(*handler) if call.line in at)
    return any(_named(lines[call.line - 1 : call.end_line]) for call in calls)


def _named(lines: Iterable[str]) -> bool:
    written = (line for line in lines if not any(word in line for word in _NOT_WRITTEN))
    return any(_NAMES.search(line.lower()) is not None or _CLASSES.search(line) is not None for line in written)


# -- jobs --------------------------------------------------------------------------------------------------------------


def _jobs(context: Context) -> Iterator[Signal]:
    """Writes to a table in code that scores by itself; a file that a script leaves is its result, and no record."""
    for path, module in context.modules(notebooks=False):
        writes = [call for call in module.calls if call.name.rpartition(".")[2] in _TABLES]
        for call in writes:
            if any(word in f"{path} {call.scope}".lower() for word in _OFFLINE):
                continue
            lines = context.documents.text(path).split("\n")[call.line - 1 : call.end_line]
            if _named(lines) and _scores(context, (path, call.scope)):
                evidence = (context.evidence(path, call.line),)
                yield Signal(_PRACTICE, "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=call.scope)


def _scores(context: Context, node: Node) -> bool:
    nodes = (node,)
    return context.reaches(nodes, _MODEL_USE, _HOPS) is not None and context.reaches(nodes, LEARNS, _HOPS) is None
