"""Stand-ins in tests: libraries replaced in `sys.modules`, functions by `monkeypatch`, objects without `__init__`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.use import Use
from mlops_scan.repository.folders import above
from mlops_scan.words import Role

MOCKS = ("unittest.mock", "mock", "pytest_mock")
"""What the names begin with that libraries of stand-ins offer."""
_MODULES = "sys.modules"
_WRITES = frozenset({f"{_MODULES}.{name}" for name in ("__setitem__", "setdefault", "update")})
_LOADS_FILES = frozenset({"importlib.util.module_from_spec", "importlib.util.spec_from_file_location"})
_MAKES = frozenset({"train", "tune", "load-model"})  # what gives a real model
_EXERCISES = _MAKES | {"predict"}
_HELPER_HOPS = 2
_PICKLES = frozenset({"pickle", "cloudpickle", "dill"})


def replaced(context: Context, places: Sequence[str], nodes: tuple[Node, ...], use: Use) -> str:
    """Why what a test reaches is no real model: its test code puts something else in that place; else empty.

    `places` are the test file and the files of fixtures that it sees, `nodes` the code that the test runs itself.
    """
    suspects = {place: calls for place in places if (calls := _suspects(context, place))}
    if not suspects:
        return ""
    run = {*nodes, *((place, "") for place in places)}
    run.update(node for node in context.index.reach(tuple(run), _HELPER_HOPS) if node[0] in suspects)
    made = False
    for place, calls in suspects.items():
        for call in calls:
            if (place, call.scope) not in run:
                continue
            if call.name.endswith(".__new__"):
                made = made or context.index.resolve(place, call.name.removesuffix(".__new__")).first_party
            elif call.name in _WRITES or _MODULES in call.refs:
                if stub := _stub(context, context.index.modules[place], call, use):
                    return f"it replaces `{stub}` by a stub, so the real model is not what is tested"
            elif _is_model(context, place, call, use):
                return "it replaces parts by mocks, so the real model is not what is tested"
    if made and context.reaches(nodes, _MAKES) is None:
        return "it makes the object without its `__init__`, and no model for it"
    return ""


@kept
def _suspects(context: Context, path: str) -> tuple[Call, ...]:
    """The calls of a file that may put something in the place of something else."""
    module = context.index.modules.get(path)
    return tuple(call for call in module.calls if _is_suspect(call)) if module is not None else ()


def _is_suspect(call: Call) -> bool:
    return (
        call.name in _WRITES
        or call.name.endswith((".setattr", ".__new__"))
        or (call.name.endswith(".setitem") and _MODULES in call.refs)
    )


def _stub(context: Context, module: Module, call: Call, use: Use) -> str:
    """The library of a use, or the module it lies in, where a call puts something else under its name."""
    tool = context.rules.tools.get(use.tool)
    libraries = {name.partition(".")[0] for name in (use.name, *(tool.imports if tool is not None else ()))}
    for name in _keys(module, call):
        if name.partition(".")[0] in libraries:
            return name.partition(".")[0]
        located = context.index.find_module(name, module.path)
        if located is not None and located == (use.location.path, ""):
            return name
    return ""


def _keys(module: Module, call: Call) -> Iterable[str]:
    """The names under which a call puts modules, as far as constants of the file tell."""
    key = call.args[1:2] if _MODULES in call.refs else call.args[:1]
    if key and key[0] is not None:
        return (key[0],)
    if call.name.endswith(".update"):
        return [text for line, text in module.strings if call.line <= line <= call.end_line]
    if any(other.name in _LOADS_FILES for other in module.calls):
        return ()  # a file of the repository is put there under its own name
    return [text for _, text in module.strings if text.replace(".", "").isidentifier()]


def _is_model(context: Context, path: str, call: Call, use: Use) -> bool:
    """Whether `monkeypatch.setattr` replaces what a use calls, or code of the repository that makes or asks a model."""
    if not call.name.startswith(("?.", "pytest.MonkeyPatch")):
        return False
    first, second, *_ = (*call.args, None, None)
    name = first or (f"{call.refs[0]}.{second}" if call.refs and second else "")
    target = context.index.resolve(path, name) if name else None
    if target is None:
        return False
    if target.first_party:
        item = context.index.modules[target.path].classes.get(target.qualname)
        methods = [f"{target.qualname}.{method}" for method in item.methods] if item is not None else []
        nodes = [(target.path, name) for name in (target.qualname, *methods)]
        return context.reaches(nodes, _EXERCISES) is not None
    return use.name == target.name or use.name.startswith(f"{target.name}.") or target.name in _exercising(context)


@kept
def _exercising(context: Context) -> frozenset[str]:
    """The names of what loads, trains or asks models in the repository's own code, classes of methods included."""
    uses = (use for use in context.doing(*_EXERCISES) if "." in use.name and not use.name.startswith("?"))
    names = {use.name for use in uses}
    return frozenset(names | {owner for name in names if "." in (owner := name.rpartition(".")[0])})


def conftests(path: str) -> Iterator[str]:
    """A test file and the `conftest.py` files that it sees, from the nearest folder up."""
    yield path
    for folder in above(path.rpartition("/")[0]):
        yield f"{folder}/conftest.py" if folder else "conftest.py"


def pickled_itself(context: Context, use: Use) -> bool:
    """Whether a test reads back from memory what it has pickled itself, which may be anything; a file may be older."""
    path = use.location.path
    if context.role(path) is not Role.TEST:
        return False
    names = (context.index.resolve(path, call.name).name for call in context.index.calls_in(path, use.scope))
    return any(name.partition(".")[0] in _PICKLES and name.endswith(".dumps") for name in names)
