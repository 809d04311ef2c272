"""Feature stores that a project writes itself: a class over a database that one step fills and training reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Class, Module
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.regex import has_any
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "data/feature-store"
_NAME = "FeatureStore"
_DATABASES = frozenset({"redis", "rediscluster", "valkey", "psycopg", "psycopg2", "asyncpg", "sqlalchemy", "pymongo",
                        "cassandra", "clickhouse_connect", "clickhouse_driver"})  # fmt: skip
_READS = ("get_", "read_", "fetch_", "load_")
_WRITES = ("store_", "save_", "put_", "write_", "set_", "push_", "ingest_", "materialize_")
_SUBJECTS = ("feature", "entit", "batch", "row")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/feature-store` from such classes; one that nothing fills, or nothing learns from, is none."""
    for path, module in context.modules(notebooks=False):
        if module.roots.isdisjoint(_DATABASES):
            continue
        for name, item in module.classes.items():
            if name.endswith(_NAME):
                yield from _signal(context, path, item)


def _signal(context: Context, path: str, item: Class) -> Iterator[Signal]:
    reads = {name for name in item.methods if name.startswith(_READS) and has_any(name, _SUBJECTS)}
    writes = {name for name in item.methods if name.startswith(_WRITES) and has_any(name, _SUBJECTS)}
    if not reads or not writes:
        return
    others = [
        module
        for other, module in context.modules(notebooks=False)
        if other != path and any(i.name.rpartition(".")[2] == item.qualname for i in module.imports)
    ]
    learning = {use.location.path for use in context.doing(*LEARNS)}
    reader = next((m for m in others if m.path in learning and _calls(m, reads)), None)
    writer = next((m for m in others if _calls(m, writes)), None)
    if reader is None or writer is None:
        return
    evidence = (
        context.evidence(path, item.line, Hop.DEFINITION, item.end_line),
        context.evidence(writer.path, _calls(writer, writes), Hop.USE),
        context.evidence(reader.path, _calls(reader, reads), Hop.USE),
    )
    yield Signal(_PRACTICE, "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=item.qualname)


def _calls(module: Module, methods: Iterable[str]) -> int:
    """The line of the first call of a method of one of some names, or 0."""
    wanted = frozenset(methods)
    return next((call.line for call in module.calls if call.name.rpartition(".")[2] in wanted), 0)
