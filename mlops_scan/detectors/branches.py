"""Airflow tasks whose answer says what runs next: a branch returns the ids of tasks, a short circuit a truth value.

Fact: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html#branching
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.code.facts import Call, Guard, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.bothways import RELEASES
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex

_BRANCH = ("BranchPythonOperator", "BranchPythonVirtualenvOperator", "BranchExternalPythonOperator", "task.branch")
_CIRCUIT = ("ShortCircuitOperator", "task.short_circuit")
_NOTHING = ("EmptyOperator", "DummyOperator")
_TASKS = frozenset({"airflow.decorators.task", "airflow.sdk.task"})
_NAMED = regex(r"(?<![^\W_])(deploy|promot|regist)[a-z]{0,7}(?![^\W_])", words=("deploy", "promot", "regist"))
_OLD = ("drift", "degrad", "decay", "retrain", "stale")
_MAX_HOPS = 4


class Choice(Struct, frozen=True):
    """What the answer of a function decides: the ids of the tasks beside it that release a model, or that train one."""

    tasks: frozenset[str]
    circuit: bool  # a false answer skips all that follows


def lets_proceed(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a test in a function that a branch or short circuit asks decides if a model is released."""
    return _decided(module, guard, _choices(context).get((module.path, guard.scope))) > 0


def lets_train(context: Context, module: Module, guard: Guard) -> int:
    """The line at which a test in a function that a branch or short circuit asks has a model trained, or 0.

    Only a test of whether the model has grown old: that of the data's quality lets the first training proceed as well.
    """
    if not has_any(" ".join(guard.names), _OLD):
        return 0
    return _decided(module, guard, _trainings(context).get((module.path, guard.scope)))


def _decided(module: Module, guard: Guard, choice: Choice | None) -> int:
    """The line at which a test chooses one of the tasks, or 0."""
    if choice is None or choice.circuit:
        return guard.line if choice is not None else 0
    function = module.functions[guard.scope]
    for line, text in module.strings:
        if text not in choice.tasks:
            continue
        if guard.line < line <= guard.body_end or (not guard.stops and line == guard.line):
            return line
        if guard.stops == "return" and guard.body_end < line <= function.end_line:
            return line
    return 0


@kept
def _choices(context: Context) -> Mapping[Node, Choice]:
    return dict(_find(context, _releasing))


@kept
def _trainings(context: Context) -> Mapping[Node, Choice]:
    return dict(_find(context, _training))


def _find(context: Context, choose: Callable[[Context, Module], Iterator[str]]) -> Iterator[tuple[Node, Choice]]:
    for path, module in context.modules(notebooks=False):
        if "airflow" not in module.roots:
            continue
        asked: dict[Node, bool] = {}  # the functions whose answer decides, and whether by a short circuit
        for call in module.calls:
            if call.name.endswith(_BRANCH + _CIRCUIT):
                asked.update(dict.fromkeys(_handed(context, path, call), call.name.endswith(_CIRCUIT)))
        for function in module.functions.values():
            for name in function.decorators:
                if name.startswith("airflow.") and name.endswith(_BRANCH + _CIRCUIT):
                    asked[(path, function.qualname)] = name.endswith(_CIRCUIT)
        if not asked:
            continue
        tasks = frozenset(choose(context, module))
        for node, circuit in asked.items():
            if tasks:
                yield node, Choice(tasks, circuit)


def _handed(context: Context, path: str, call: Call) -> list[Node]:
    """The first-party functions that a call of an operator is given."""
    targets = (context.index.resolve(path, name) for name in call.refs)
    return [(target.path, target.qualname) for target in targets if target.first_party and target.qualname]


def _training(context: Context, module: Module) -> Iterator[str]:
    """The ids of a DAG file's tasks that train a model, or that start a DAG of the repository which does."""
    for name, calls in _made(module).items():
        if any(_trains(context, module.path, call) for call in calls):
            yield name
    for function in module.functions.values():
        node = (module.path, function.qualname)
        if not _TASKS.isdisjoint(function.decorators) and context.reaches([node], LEARNS, _MAX_HOPS) is not None:
            yield function.qualname.rpartition(".")[2]


def _trains(context: Context, path: str, call: Call) -> bool:
    dag = call.keyword("trigger_dag_id")
    if dag:
        others = (other for other, module in context.modules(notebooks=False) if "airflow" in module.roots)
        named = (o for o in others if o != path and any(text == dag for _, text in context.index.modules[o].strings))
        return any(context.reaches([(other, "")], LEARNS) is not None for other in named)
    nodes = _handed(context, path, call)
    for command in context.handed.commands(path, call.scope) if not nodes else ():
        if command.line == call.line:
            scripts = (context.index.script(word) for word in command.text.split() if word.endswith(".py"))
            nodes += [node for script in scripts if script for node in context.index.script_entries(script)]
    return bool(nodes) and context.reaches(nodes, LEARNS) is not None


def _made(module: Module) -> Mapping[str, list[Call]]:
    """The operators of a DAG file by the ids of their tasks, without those that do nothing."""
    made: dict[str, list[Call]] = defaultdict(list)
    for call in module.calls:
        name = call.keyword("task_id") or (call.args[0] if call.args and call.name.endswith("Operator") else None)
        if name and not call.name.endswith(_NOTHING):
            made[name].append(call)
    return made


def _releasing(context: Context, module: Module) -> Iterator[str]:
    """The ids of a DAG file's tasks that release a model: by what they run, or else by their name."""
    for name, calls in _made(module).items():
        if any(_releases(context, module.path, name, call) for call in calls):
            yield name
    for function in module.functions.values():
        node = (module.path, function.qualname)
        if not _TASKS.isdisjoint(function.decorators) and context.reaches([node], RELEASES, _MAX_HOPS) is not None:
            yield function.qualname.rpartition(".")[2]


def _releases(context: Context, path: str, name: str, call: Call) -> bool:
    handed = _handed(context, path, call)
    if handed and context.reaches(handed, RELEASES, _MAX_HOPS) is not None:
        return True
    if not _NAMED.search(name.lower()):
        return False
    if handed:
        functions = (context.index.modules[node[0]].functions.get(node[1]) for node in handed)
        return any(function is not None and not function.stub for function in functions)
    return not (call.keyword("bash_command") or "").lstrip().startswith(("echo", "true", ":"))
