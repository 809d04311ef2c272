"""The clock of Celery: what its beat starts.

Fact: https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html (`beat_schedule`, in Django's settings
`CELERY_BEAT_SCHEDULE`, names tasks by module and function; `add_periodic_task` is given the signature of one)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mlops_scan.automation.model import Run, Start
from mlops_scan.code.facts import Call, Function, Module
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location

_BEAT = regex(r"(?im)^[^#\n]{0,200}\b(beat_schedule|celery_?beat_schedule)\b", words=("beat_schedule",))
_TASK = ("shared_task", ".task")
_GIVEN = "name="
_ADD = ".add_periodic_task"
_SIGNATURES = (".s", ".si", ".signature")


def beats(index: CodeIndex, documents: Documents) -> Iterator[Run]:
    """What the beat of Celery starts."""
    tasks = _tasks(index)
    for path, module in index.modules.items() if tasks else ():
        if _BEAT.search(documents.text(path)) is not None:
            for line, text in module.strings:
                node = _named(text, tasks)
                if node is not None:
                    yield _run(path, line, line, f"beat_schedule: {text}", node)
        for call in module.calls:
            if call.name.endswith(_ADD):
                for node in _signed(path, module, call, index):
                    yield _run(path, call.line, call.end_line, "add_periodic_task", node)


def _run(path: str, line: int, end_line: int, label: str, node: Node) -> Run:
    evidence = Evidence(Location(path, line), Hop.TRIGGER, label)
    return Run(Start("schedule", label, evidence), (), Location(path, line, end_line), (evidence,), entries=(node,))


def _tasks(index: CodeIndex) -> Mapping[str, list[Node]]:
    """The tasks of modules that use Celery, by the name of the function and by the one that they are given."""
    found: dict[str, list[Node]] = defaultdict(list)
    for path, module in index.modules.items():
        if "celery" not in module.roots and not any("celery" in item.name for item in module.imports):
            continue
        for name, function in module.functions.items():
            own = [decorator for decorator in function.decorators if decorator.endswith(_TASK)]
            if own:
                found[name].append((path, name))
                found[_GIVEN + _name(module, function, own)].append((path, name))
    return found


def _name(module: Module, function: Function, decorators: list[str]) -> str:
    """The name that the decorator of a task gives it, or empty: `@app.task(name="retrain")`."""
    above = (call for call in module.calls if call.name in decorators and call.line <= function.line)
    nearest = max(above, key=lambda call: call.line, default=None)
    near = nearest is not None and nearest.end_line + 3 >= function.line
    return (nearest.keyword("name") or "") if nearest is not None and near else ""


def _named(text: str, tasks: Mapping[str, list[Node]]) -> Node | None:
    """The only task that a text names, by its own name or as `worker.tasks.retrain`, its module and function."""
    given = tasks.get(_GIVEN + text, ()) if text else ()
    if len(given) == 1:
        return given[0]
    module, _, name = text.rpartition(".")
    if not module:
        return None
    ending = f".{module}"
    fitting = [node for node in tasks.get(name, ()) if f".{node[0][:-3].replace('/', '.')}".endswith(ending)]
    return fitting[0] if len(fitting) == 1 else None


def _signed(path: str, module: Module, added: Call, index: CodeIndex) -> Iterator[Node]:
    """The tasks whose signature a call is given: `retrain.s()`."""
    for call in module.calls:
        if added.line <= call.line and call.end_line <= added.end_line and call.name.endswith(_SIGNATURES):
            target = index.resolve(path, call.name.rpartition(".")[0])
            if target.first_party and index.defines(target.path, target.qualname):
                yield target.path, target.qualname
