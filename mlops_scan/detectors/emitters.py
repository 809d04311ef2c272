"""Who emits a metric that a rule or an alarm watches: the code that names it, and whether anything runs that code."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from mlops_scan.code.facts import MAIN, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.polled import on_request
from mlops_scan.regex import regex
from mlops_scan.words import Evidence

_STARTS = frozenset({"schedule", "service", "event", "pipeline", "ci"})
_EMITS = regex(
    r"(put_metrics?(_\w+)?|put_metric_data|(create_)?(observable_)?(gauge|counter|histogram|summary)|push_to_gateway"
    r"|create_time_series|track_metric|add_metric|(emit|publish|send|push|write|record|report|export)_\w*metrics?|timing"
    r"|set_gauge|instrument)",
    re.I,
)
_DECLARES = regex(r"(create_)?(observable_)?(gauge|counter|histogram|summary|up_down_counter)", re.I)
_ASSIGNED = regex(r"^\s*(?:\w+\.)*(\w+)\s*(?::[^=]+)?=[^=]")
_PRINTS = frozenset({"print", "debug", "info", "warning", "error", "exception"})
_CONVERTS = frozenset({"float", "int", "str", "round", "max", "mean"})
_PROGRAMS = frozenset({".py", ".ts", ".js", ".mjs", ".go", ".java", ".scala", ".kt", ".rs", ".cs", ".rb", ".sh"})
_MAX_PROGRAM = 500_000  # bytes
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_QUOTES = frozenset("\"'`")
_ONE_QUOTE = bytes.maketrans(b"'`", b'""')
_FEW_NAMES = 12  # so many are looked for one by one
_MIN_PREFIX = 4  # characters of a metric's name that code may complete: `PSI_` + group


class Emitter(Struct, frozen=True):
    """The place that emits a metric; without a path nothing does. `idle` says why it never runs, or is empty."""

    what: str
    path: str
    line: int
    idle: str
    source: Evidence | None = None

    @property
    def evidence(self) -> Evidence:
        """The place as evidence."""
        assert self.source is not None
        return self.source


class Emitters:
    """Who emits the metrics that the rules or alarms of one detector watch."""

    def __init__(self, context: Context, watched: Iterable[str]) -> None:
        """`watched` are all the names that `of` is going to be asked for: what names them is then read once."""
        self._context = context
        self._programs = _Programs(context, watched)

    def of(self, *names: str) -> Emitter:
        """Who emits one of some metrics; an emitter that runs is preferred. Nobody is known to emit none."""
        context, what = self._context, " or ".join(f"`{name}`" for name in names[:3])
        if not names:
            return Emitter(what, "", 0, "")
        first: Emitter | None = None
        for path, module, line in _mentions(context, names):
            idle = _unset(context, module, path, line)
            found = Emitter(what, path, line, idle, context.evidence(path, line))
            if not idle:
                return found
            first = first or found
        return first or self._elsewhere(what, names) or Emitter(what, "", 0, "")

    def _elsewhere(self, what: str, names: tuple[str, ...]) -> Emitter | None:
        """A program that names the metric and was not followed: in another language, or connected with nothing."""
        path = self._programs.naming(names)
        if not path:
            return None
        text = self._context.documents.text(path)
        start = min(match.start() for name in names for match in _quoted(name).finditer(text))
        line = text.count("\n", 0, start) + 1
        idle = "the program that names its metric was not followed"
        return Emitter(what, path, line, idle, self._context.evidence(path, line))


def _quoted(name: str) -> re.Pattern[str]:
    return re.compile(rf"""["'`]{re.escape(name)}["'`]""")


class _Programs:
    """Which of the names watched stand quoted in programs that were not followed.

    Such programs can be most of a repository: none is read twice, nor one behind the first that answers.
    """

    def __init__(self, context: Context, watched: Iterable[str]) -> None:
        self._documents = context.documents
        self._watched = frozenset(watched)
        # what stands the same way in the bytes of a file, whatever they are decoded by
        self._plain = {n.encode(): n for n in self._watched if n.isascii() and n.isprintable() and not _QUOTES & set(n)}
        self._other = self._watched.difference(self._plain.values())
        self._found: dict[str, tuple[int, str]] = {}  # the first program that names each: its place among all, its path
        self._unread = (
            (place, file.path)
            for place, file in enumerate(context.ending(_PROGRAMS))
            if file.size <= _MAX_PROGRAM and file.path not in context.index.modules
        )

    def naming(self, names: Collection[str]) -> str:
        """The first program that names one of some names of those watched; empty where none does."""
        known = [self._found[name] for name in names if name in self._found]
        while not known and (following := next(self._unread, None)) is not None:
            for name in self._named_in(following[1]):
                self._found.setdefault(name, following)
            known = [self._found[name] for name in names if name in self._found]
        return min(known)[1] if known else ""

    def _named_in(self, path: str) -> list[str]:
        """The names that stand quoted in a file."""
        data = self._documents.data(path)
        if data.startswith(_UTF16):
            likely: Iterable[str] = self._watched
        else:
            likely = (*self._plain_in(data), *self._other)
        text = self._documents.text(path) if likely else ""
        return [name for name in likely if _quoted(name).search(text)]

    def _plain_in(self, data: bytes) -> list[str]:
        """Names that may stand quoted in the bytes of a file, all that do among them."""
        if len(self._plain) <= _FEW_NAMES:
            return [name for plain, name in self._plain.items() if plain in data]
        parts = data.translate(_ONE_QUOTE).split(b'"')
        return [self._plain[part] for part in self._plain.keys() & parts]


def _mentions(context: Context, names: tuple[str, ...]) -> Iterator[tuple[str, Module, int]]:
    wanted = frozenset(names)
    prefixes: list[tuple[str, Module, int]] = []
    for path, module in _emitting(context):
        for line, text in module.strings:
            if text in wanted:
                if not _only_read(context, module, line, text):
                    yield path, module, line
            elif (
                len(text) >= _MIN_PREFIX
                and text[-1] in "_-./"
                and any(name.startswith(text) for name in names)
                and not _only_read(context, module, line, text)
            ):
                prefixes.append((path, module, line))
    yield from prefixes


@kept
def _emitting(context: Context) -> tuple[tuple[str, Module], ...]:
    """The modules that emit metrics; others read or show them at most."""
    names = {call.name for _, module in context.modules(notebooks=False) for call in module.calls}
    emits = {name for name in names if _EMITS.fullmatch(name.rpartition(".")[2])}
    return tuple(
        (path, module)
        for path, module in context.modules(notebooks=False)
        if not emits.isdisjoint([call.name for call in module.calls])
    )


def _only_read(context: Context, module: Module, line: int, text: str) -> bool:
    """Whether the innermost call around a name only prints it, or converts what is looked up under it."""
    around = [call for call in module.calls if call.line <= line <= call.end_line]
    closest = min(around, key=lambda call: call.end_line - call.line, default=None)
    if closest is None:
        return False
    spans = (c for c in around if (c.line, c.end_line) == (closest.line, closest.end_line))
    names = {call.name.rpartition(".")[2] for call in spans}
    if not names <= _PRINTS | _CONVERTS:
        return False
    looked_up = re.search(rf"""\[\s*["']{re.escape(text)}["']\s*\]""", context.line(module.path, line))
    return bool(names & _PRINTS) or looked_up is not None


def _unset(context: Context, module: Module, path: str, line: int) -> str:
    """Why a metric never gets a value, or empty; one that is declared first gets it where its variable is set."""
    made = next(
        (c for c in module.calls if c.line <= line <= c.end_line and _DECLARES.fullmatch(c.name.rpartition(".")[2])),
        None,
    )
    assigned = _ASSIGNED.match(context.line(path, made.line)) if made is not None else None
    if assigned is None:
        return _idle(context, module, path, line)
    name = assigned.group(1)
    sets = re.compile(rf"\b{re.escape(name)}\.(set|inc|dec|observe|labels|time|record|add|set_function)\b")
    reason = "the metric is declared and never gets a value"
    for where, other in context.modules(notebooks=False):
        text = context.documents.text(where) if where == path or _imports(other, name) else ""
        for match in sets.finditer(text):
            idle = _idle(context, other, where, text.count("\n", 0, match.start()) + 1)
            if not idle:
                return ""
            reason = idle
    return reason


def _imports(module: Module, name: str) -> bool:
    """Whether a module imports something by that name, or calls it through an imported module."""
    return any(item.name.rpartition(".")[2] == name for item in module.imports) or any(
        name in call.name and name in call.name.split(".") for call in module.calls
    )


def _idle(context: Context, module: Module, path: str, line: int) -> str:
    inside = [f for f in module.functions.values() if f.line <= line <= f.end_line]
    scopes = [min(inside, key=lambda f: f.end_line - f.line).qualname] if inside else ["", MAIN]
    if inside and dead(context, path, scopes[0]):
        return "the code that emits its metric is never called"
    for scope in scopes:
        for started in context.started(path, scope):
            if started.run.start.kind in _STARTS and not started.run.start.blocked and not started.run.tests:
                route = on_request(context, (path, scope)) if started.run.start.kind == "service" else ""
                return f"only who asks for `{route}` makes it, and nothing here does" if route else ""
    return "nothing seen in the repository starts the code that emits its metric"
