"""Monitoring that configuration declares: `monitoring: {model_performance: {threshold, alerts}, data_drift: {enabled,
schedule}}` and its kin in YAML, JSON and TOML.

A declaration is only as good as what reads it: without a reader it is a trace, however complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct

from mlops_scan.code.index import Node as CodeNode
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.keys import has_key
from mlops_scan.detectors.mentions import mentions
from mlops_scan.detectors.notifiers import notifiers
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Role, Signal

_DRIFT_KEYS = regex(
    r"((data|feature|concept|prediction|target|model|covariate|label)_?)?drift(_?(detection|monitoring|monitor|check|thresholds?))?|psi|population_stability"
)
_PERFORMANCE_KEYS = regex(
    r"model_?(performance|quality|metrics)|performance(_?(monitoring|thresholds?|check))?|prediction_?quality"
)
_WORDS = ("drift", "performance", "monitor", "alert:", "psi", "quality")
_KEYS = ("drift", "psi", "population", "performance", "quality", "metrics")  # one is in the key of every monitor
_KEYS_ABOVE = ("monitor", "drift", "observability")  # one is above it, where the file's name does not say it
_MONITOR_FILE = regex(r"(monitor|drift|observab|alert)", re.I)
_MAX_NODES = 20_000  # of a document
_MONITOR_KEYS = regex(r"(model_?)?monitor(ing|s)?(_?config)?|drift(_?detection)?|observability")
_BOUND_KEYS = regex(
    r"(.*_)?(threshold|thresholds|limit|min|max|warning|critical|bound|tolerance|p_?value|alpha|psi|share|lower|upper)(_.*)?|(min|max)_\w+"
)
_ALERT_KEYS = frozenset(
    {"alerts", "alert", "alerting", "notifications", "notification", "notify", "channels", "receivers", "on_breach"}
)
_COMMON = frozenset(
    {"enabled", "threshold", "thresholds", "metric", "metrics", "schedule", "alerts", "min", "max", "name", "type",
     "method", "window", "features", "interval", "config", "settings"}
)  # fmt: skip
_CLOCK_KEYS = frozenset({"schedule", "cron", "interval", "frequency", "schedule_cron", "cadence"})
_INFRA = regex(r"(terraform|configuration|config|schema|clock|portfolio|rebalanc|image_flag)", re.I)


_Reader = tuple[Evidence, CodeNode | None]  # where a file is read, and the code whose start makes that happen


class _Monitor(Struct, frozen=True):
    """One declared monitor; `practice` is what it would serve."""

    practice: str
    node: Node
    enabled: bool
    bounded: bool
    keys: frozenset[str] = frozenset()  # names by which code can ask for it: its own, those above and its bounds


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals and problems of declared monitoring."""
    known = mentions(context)
    for file in context.written_in("yaml", "json", "toml"):
        if file.size > 300_000 or file.role not in (Role.SOURCE, Role.TEMPLATE):
            continue
        if ".github/" in file.path or file.name in ("package.json", "pyproject.toml", "dvc.lock", "package-lock.json"):
            continue
        text = context.documents.text(file.path).lower()
        if not _may_declare(file.name, text):
            continue
        for document in context.documents.nodes(file.path):
            monitors = list(_monitors(file.path, document))
            if monitors:
                yield from unique(_signals(context, file.path, document, monitors, known))
                yield from _problems(context, file.path, document, monitors, known)


def _may_declare(name: str, text: str) -> bool:
    """Whether a text, in lower case, has the words without which it declares no monitor."""
    return (
        any(word in text for word in _WORDS)
        and any(word in text for word in _KEYS)
        and (_MONITOR_FILE.search(name) is not None or any(word in text for word in _KEYS_ABOVE))
    )


# -- shape -----------------------------------------------------------------------------------------------------------


def _monitors(path: str, document: Node) -> Iterator[_Monitor]:
    by_name = bool(_MONITOR_FILE.search(path.rpartition("/")[2])) and not _INFRA.search(
        path.rpartition("/")[2].replace("config", "")
    )
    if not has_key(document, _practice, _MAX_NODES):
        return
    for keys, node in document.walk(_MAX_NODES):
        practice = _practice(keys[-1]) if keys and node.kind == "mapping" else ""
        if (
            not practice
            or not (by_name or any(_MONITOR_KEYS.fullmatch(_snake(part)) for part in keys[:-1]))
            or any(_INFRA.search(part) for part in keys[:-1] if part != "monitoring_config")
        ):
            continue
        if any(_DRIFT_KEYS.fullmatch(_snake(part)) for part in keys[:-1]):
            continue  # a part of a monitor that is listed already
        names = {_snake(name) for name, _ in node.entries}
        bounded = _bounded(node)
        if bounded or names & (
            _ALERT_KEYS | _CLOCK_KEYS | {"enabled", "metric", "metrics", "reference", "reference_data", "baseline"}
        ):
            named = ({part for part in keys if not part.startswith("[")} | {name for name, _ in node.entries}) - _COMMON
            enabled = _enabled(node) and _enabled_above(document, keys)
            yield _Monitor(practice, node, enabled, bounded, frozenset(named))


@lru_cache(maxsize=1 << 14)  # documents repeat a few keys
def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").lower()


@lru_cache(maxsize=1 << 14)
def _practice(key: str) -> str:
    """The practice that a monitor of that name would serve, or empty."""
    name = _snake(key)
    if _DRIFT_KEYS.fullmatch(name):
        return "monitoring/drift"
    return "monitoring/performance-threshold" if _PERFORMANCE_KEYS.fullmatch(name) else ""


def _enabled(node: Node) -> bool:
    for name in ("enabled", "enable", "active"):
        flag = node.get(name)
        if flag is not None and (flag.value is False or flag.text.lower() in ("false", "no", "off")):
            return False
    return True


def _enabled_above(document: Node, keys: tuple[str, ...]) -> bool:
    node: Node | None = document
    for key in keys[:-1]:
        node = node.get(key) if node is not None else None
        if node is not None and not _enabled(node):
            return False
    return True


def _bounded(node: Node) -> bool:
    for keys, child in node.walk(500):
        names = [_snake(key) for key in keys if not key.startswith("[")]
        number = child.number() if child.kind == "scalar" else None
        if (
            number is not None
            and any(_BOUND_KEYS.fullmatch(name) for name in names)
            and number not in (0.0, float("inf"), -1.0)
        ):
            return True
    return False


def _receivers(document: Node) -> tuple[Node | None, bool]:
    """The alert section nearest to the top and whether it names anybody."""
    for keys, node in document.walk(5000):
        if keys and _snake(keys[-1]) in _ALERT_KEYS:
            if node.kind == "scalar":
                return node, node.string() not in (None, "", "none", "null") and node.value is not False
            named = [
                child
                for _, child in node.walk(200)
                if child.kind == "scalar" and (child.string() or "").strip() and child is not node
            ]
            return node, bool(named) and _enabled(node)
    return None, False


# -- signals ---------------------------------------------------------------------------------------------------------


def _reader(context: Context, path: str, known: Mapping[str, tuple[str, int]]) -> _Reader | None:
    """Where the file is read, and the code whose start makes that happen."""
    found = known.get(path.rpartition("/")[2])
    if found is None:
        return None
    where, line = found
    module = context.index.modules.get(where)
    if module is None:
        return context.evidence(where, line, Hop.USE), None
    inside = [f for f in module.functions.values() if f.line <= line <= f.end_line]
    scope = min(inside, key=lambda f: f.end_line - f.line).qualname if inside else ""
    return context.evidence(where, line, Hop.USE), (where, scope)


def _signals(
    context: Context, path: str, document: Node, monitors: list[_Monitor], known: Mapping[str, tuple[str, int]]
) -> Iterator[Signal]:
    reader = _reader(context, path, known)
    for monitor in monitors:
        asked = reader is None or _asked(context, reader, monitor)
        yield _monitored(monitor, context.evidence(path, monitor.node.at), reader, asked)
    alerts, named = _receivers(document)
    if alerts is not None and any(monitor.enabled for monitor in monitors):
        yield _alerted(context, context.evidence(path, alerts.at), named, reader)


def _asked(context: Context, reader: _Reader, monitor: _Monitor) -> bool:
    """Whether code asks for this part of a file that it reads; what reads it without code takes all of it."""
    return reader[1] is None or bool(monitor.keys & _words(context))


@kept
def _words(context: Context) -> frozenset[str]:
    """The strings and attributes of main code, by which it can ask a loaded configuration for something."""
    words: set[str] = set()
    for _, module in context.modules(notebooks=False):
        words.update(text for _, text in module.strings if len(text) <= 60)
        words.update(name for guard in module.guards for name in guard.names)
        for call in module.calls:
            words.update(part for name in (call.name, *call.refs) for part in name.split("."))
        for item in module.classes.values():
            words.update(item.attributes)
        for function in module.functions.values():
            words.update(function.parameters)
    return frozenset(words)


def _monitored(monitor: _Monitor, definition: Evidence, reader: _Reader | None, asked: bool) -> Signal:
    """What one declared monitor is worth."""
    if not monitor.enabled:
        return _trace(monitor.practice, (definition,), "it is switched off: `enabled: false`")
    if reader is None:
        return _trace(monitor.practice, (definition,), "no code of this repository reads this file")
    use, anchor = reader
    if not asked:
        reason = "the file is read, but no code asks for this part of it"
        return _trace(monitor.practice, (definition, use), reason)
    if not monitor.bounded and monitor.practice != "monitoring/drift":
        return _trace(monitor.practice, (definition, use), "it sets no threshold")
    return _implemented(monitor.practice, (definition, use), anchor)


def _alerted(context: Context, definition: Evidence, named: bool, reader: _Reader | None) -> Signal:
    """What declared alerts are worth: somebody to receive them, code that reads the file and code that sends."""
    if not named:
        return _trace("monitoring/alerts", (definition,), "it names no receiver")
    if reader is None:
        return _trace("monitoring/alerts", (definition,), "no code reads this file")
    sender = next(iter(notifiers(context)), None)
    if sender is None:
        return _trace("monitoring/alerts", (definition,), "no code here sends anything")
    use, anchor = reader
    effect = context.evidence(sender.location.path, sender.location.line, Hop.EFFECT)
    return _implemented("monitoring/alerts", (definition, use, effect), anchor)


def _trace(practice: str, evidence: tuple[Evidence, ...], reason: str) -> Signal:
    return Signal(practice, "monitoring-config", Grade.TRACE, evidence, reason=reason, fixed=True)


def _implemented(practice: str, evidence: tuple[Evidence, ...], anchor: CodeNode | None) -> Signal:
    return Signal(practice, "monitoring-config", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, anchor=anchor)


def _problems(
    context: Context, path: str, document: Node, monitors: list[_Monitor], known: Mapping[str, tuple[str, int]]
) -> Iterator[Problem]:
    for monitor in monitors:
        place = context.evidence(path, monitor.node.at).location
        what = monitor.practice.partition("/")[2].replace("-", " ")
        if not monitor.enabled:
            yield Problem("MLS501", f"The {what} monitor is declared here and switched off.", place)
        elif not monitor.bounded and monitor.practice != "monitoring/drift":
            yield Problem("MLS502", f"The {what} monitor has no threshold, so nothing can breach it.", place)
    reader = _reader(context, path, known)
    if reader is not None:
        for monitor in monitors:
            if monitor.enabled and not _asked(context, reader, monitor):
                place = context.evidence(path, monitor.node.at).location
                yield Problem("MLS503", "Code reads this file, but asks for nothing of this section.", place)
    else:
        place = context.evidence(path, monitors[0].node.at).location
        yield Problem(
            "MLS503", "No code, pipeline or job of this repository reads this monitoring configuration.", place
        )
    alerts, named = _receivers(document)
    if alerts is not None and not named and any(monitor.enabled for monitor in monitors):
        yield Problem(
            "MLS505",
            "Alerts are declared here without anybody to receive them.",
            context.evidence(path, alerts.at).location,
        )
