"""DAGs that other DAGs start: a clock that a `TriggerDagRunOperator` hands on.

Fact: https://airflow.apache.org/docs/apache-airflow-providers-standard/stable/operators/trigger_dag_run.html
(`trigger_dag_id`); a decorated DAG without `dag_id` is called like its function.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from msgspec import Struct

from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex
from mlops_scan.words import Evidence, Hop, Location

_OPERATOR = "TriggerDagRunOperator"
_MAX_CHAIN = 8  # DAGs behind one another
_MAX_LINES = 50  # of a decorator


class Trigger(Struct, frozen=True):
    """What starts a DAG in the place of a clock of its own: the clock of the first DAG, and the tasks that hand it on.

    `clock` is None where no DAG of the chain has one that fires.
    """

    clock: Call | None
    path: str
    chain: tuple[Evidence, ...]


class Chains:
    """Which DAG starts which.

    Args:
        index: the code of the repository.
        definitions: the calls that define DAGs by path, in the order of the file, each with the reason why its own
            clock starts nothing, or an empty one.
    """

    def __init__(self, index: CodeIndex, definitions: Mapping[str, Sequence[tuple[Call, str]]]) -> None:
        self._modules = index.modules
        self._senders: dict[str, tuple[str, Call, Call, str]] = {}  # by id: path, task, definition, why it is off
        self._functions: dict[str, dict[int, str]] = {}  # by path: decorated functions by their line
        for path, found in definitions.items():
            lines = [call.line for call, _ in found]
            for task in index.modules[path].calls:
                if task.name.rpartition(".")[2] != _OPERATOR:
                    continue
                name, place = task.keyword("trigger_dag_id"), bisect_right(lines, task.line)
                if not name or not place:
                    continue
                sender = (path, task, *found[place - 1])  # a task belongs to the definition that it stands below
                if name not in self._senders or (self._senders[name][3] and not sender[3]):
                    self._senders[name] = sender

    def trigger(self, path: str, call: Call) -> Trigger | None:
        """What other DAG starts the one that a call defines, or None."""
        chain: list[Evidence] = []
        found: Trigger | None = None
        while self._senders and len(chain) < _MAX_CHAIN:
            sent = self._senders.get(self._name(path, call))
            if sent is None or sent[2] is call:
                break
            path, task, call, off = sent
            chain.insert(0, Evidence(Location(path, task.line, task.end_line), Hop.USE))
            found = Trigger(None if off else call, path, tuple(chain))
            if not off:
                break
        return found

    def _name(self, path: str, call: Call) -> str:
        """The id of a DAG: given, or the name of the function below its decorator."""
        given = call.keyword("dag_id") or (call.args[0] if call.args else None)
        if given:
            return given
        if path not in self._functions:
            functions = self._modules[path].functions.values()
            self._functions[path] = {f.line: f.qualname.rpartition(".")[2] for f in functions if f.decorators}
        below = range(call.line, min(call.end_line, call.line + _MAX_LINES) + 4)
        return next((name for line in below if (name := self._functions[path].get(line))), "")
