"""Whether a pipeline without work on a model prepares data, or only watches, releases or checks something."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from mlops_scan.automation.model import Pipeline, Run
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.regex import regex

_PREPARES = regex(
    r"(prep|ingest|clean|featur|split|transform|extract|download|enrich|aggregat|crawl|scrap|"
    r"(^|[^a-z])(etl|elt|dbt)([^a-z]|$))",
    re.I,
)
_MOVES = regex(
    r"((^|[^a-z])(load|read|fetch|copy|import|collect|quer(y|ies)|write|raw|transfer|process|data(set)?s?|to_)|"
    r"_to_[a-z])",
    re.I,
)
_OTHER = LEARNS | {
    "register", "promote", "deploy-model", "serve", "predict", "evaluate", "drift", "validate-data", "check-model",
}  # fmt: skip
_OTHER_NAMES = regex(
    r"(train|fit|model|regist|deploy|serv|scor|predict|inferen|evaluat|drift|monitor|report|alert)", re.I
)
_WRITES = frozenset(
    {"to_csv", "to_parquet", "to_sql", "to_feather", "to_gbq", "to_delta", "write_parquet", "write_csv", "saveAsTable",
     "insertInto", "save_to_disk", "write_table", "write_dataset", "write_pandas", "insert_rows_json", "TFRecordWriter",
     "load_table_from_dataframe", "load_table_from_uri"}
)  # fmt: skip
_DEFINES = frozenset({"define-pipeline", "define-task"})
_NAMING = frozenset({"name", "task_id", "step_name", "dag_id", "script_name", "python_script_name", "bash_command"})


def step_prepares(context: Context, pipeline: Pipeline, runs: Iterable[Run], *, beside: bool) -> bool:
    """Whether a declared pipeline prepares data, `beside` its work on a model or by itself.

    The names of its steps and scripts tell, and what they do.
    """
    names = [pipeline.name, *(step.name for step in pipeline.steps)]
    nodes: dict[Node, None] = {}
    for run in runs:
        names += (path.rpartition("/")[2].partition(".")[0] for path, _ in run.entries)
        nodes.update(dict.fromkeys(context.automation.reached(run)))
    return prepares(context, nodes, names, beside=beside)


def tasks_prepare(context: Context, entries: Iterable[Node], reached: Collection[Node], *, beside: bool) -> bool:
    """Whether a pipeline that code defines prepares data, `beside` its work on a model or by itself."""
    return prepares(context, reached, tuple(_task_names(context, entries, reached)), beside=beside)


def prepares(context: Context, nodes: Collection[Node], names: Iterable[str], *, beside: bool = False) -> bool:
    """Whether code prepares data or writes a table, or names say so; reading alone does not beside other work."""
    uses = [use for node in nodes for use in context.by_node.get(node, ())]
    if any("preprocess" in use.does or "data/feature-store" in use.serves for use in uses):
        return True
    if not beside and any(
        call.name.rpartition(".")[2] in _WRITES for node in nodes for call in context.index.calls_in(*node)
    ):
        return True
    known = list(names)
    other = beside or any(_OTHER.intersection(use.does) for use in uses)
    telling = [name for name in known if not _OTHER_NAMES.search(name)]
    if any(_PREPARES.search(name) for name in telling):
        return True
    return not other and any(_MOVES.search(name) for name in telling)


def _task_names(context: Context, entries: Iterable[Node], reached: Collection[Node]) -> Iterator[str]:
    """What the functions and calls are called that define a pipeline and its tasks, and what the tasks run."""
    yield from (scope.rpartition(".")[2] for _, scope in entries)
    for node in reached:
        uses = context.by_node.get(node, ())
        lines = {use.location.line for use in uses if _DEFINES.intersection(use.does)}
        if not lines:
            continue
        yield node[1].rpartition(".")[2]
        for call in context.index.calls_in(*node):
            if call.line in lines:
                yield from (value for key, value in call.keywords if value and key in _NAMING)
                yield from (value for value in call.args[:1] if value)
                yield from (ref.rpartition(".")[2] for ref in call.refs)
