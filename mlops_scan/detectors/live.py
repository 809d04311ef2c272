"""Is a piece of code ever run? Dead code is written but not done."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from mlops_scan.code.facts import MAIN, Call, Function, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Signal

LAMBDA = "lambda_handler"
_SCRIPT = regex(r"(main|app|demo|start|(run|train|training|pipeline)(_\w+)?|\w+_(pipeline|training|runner))\.py", re.I)
_WORK = frozenset(
    {"print", "run", "fit", "calculate", "estimate", "compare", "predict", "create", "create_monitor", "write", "dump"}
    | {"create_schedule", "begin_create_or_update", "create_collector", "create_monitoring_schedule", "result"}
)
"""Last parts of names by which the statements of a script work; an object for others is made by its class's name."""
_WRITES = ("to_", "save", "write_", "log_")
_PLATFORM_ENTRY = frozenset({"model_fn", "predict_fn", "input_fn", LAMBDA, "init"})


def hosted(module: Module) -> list[str]:
    """The functions of a script that a hosting platform calls by their name: SageMaker, Azure ML, AWS Lambda.

    Facts: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html,
    https://sagemaker.readthedocs.io/en/v2/frameworks/pytorch/using_pytorch.html (`model_fn`),
    https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints (`init` and `run`)
    """
    names = sorted(name for name in _PLATFORM_ENTRY if name in module.functions)
    return [] if names == ["init"] and "run" not in module.functions else names


@kept
def live_nodes(context: Context) -> tuple[frozenset[Node], frozenset[str]]:
    """Every node that a script, service, pipeline or automation reaches, and the last parts of all names called there.

    Tests start nothing in operation, so what only they reach is not live.
    """
    flat = _flat_scripts(context)
    roots: list[Node] = []
    for path, module in context.modules():
        if module.main_line or module.notebook or path in flat:
            roots += [(path, ""), (path, MAIN)]
    for run in context.leading():
        if not run.tests:
            roots.extend(run.entries)
    for path, module in context.modules(notebooks=False):
        names = hosted(module)
        if names:
            names += ["run"] if "run" in module.functions else []
            roots += [(path, ""), *((path, name) for name in names)]
    for use in context.uses:
        if {"serve", "define-pipeline", "define-task"}.intersection(use.does) and context.role(
            use.location.path
        ) not in ASIDE:
            roots += [(use.location.path, ""), (use.location.path, use.scope)]
    for target in context.resolver.tasks.console_scripts().values():
        roots.extend(context.resolver.object_nodes(target))
    nodes = frozenset(context.index.reach(roots, 40))
    return nodes, frozenset(_called(context, nodes))


def _flat_scripts(context: Context) -> frozenset[str]:
    """The files that work as they are run, without `if __name__ == "__main__":`, and that nothing imports.

    `python report.py` runs them as it runs others; what only defines something, or makes an object for others, works
    on nothing.
    """
    found = {
        path
        for path, module in context.modules(notebooks=False)
        if not module.main_line and any(_works(context, module, call) for call in context.index.calls_in(path, ""))
    }
    if found:
        known = found.intersection(
            target for path in context.index.modules for target in _imported(context, path) if target != path
        )
        found -= known
    return frozenset(found)


def _works(context: Context, module: Module, call: Call) -> bool:
    """Whether a call in the statements of a file shows, writes or compares something, or runs what the file defines.

    In a file with the name of a script it may also run what another file defines.
    """
    last = call.name.rpartition(".")[2]
    if last in _WORK or last.startswith(_WRITES) or (call.name.startswith("@.") and call.name[2:] in module.functions):
        return True
    named = _SCRIPT.fullmatch(module.path.rpartition("/")[2]) is not None
    return named and context.index.resolve(module.path, call.name).first_party


def _imported(context: Context, path: str) -> Iterable[str]:
    """The other files that the statements of a file, or of its functions, import or run."""
    return {
        target[0]
        for scope in ("", MAIN, *context.index.modules[path].functions)
        for target, _ in context.index.edges((path, scope))
    }


def _called(context: Context, nodes: Iterable[Node]) -> set[str]:
    """The last parts of all names that some nodes call or hand over."""
    scopes: dict[str, set[str]] = defaultdict(set)
    for path, scope in nodes:
        scopes[path].add(scope)
    names: set[str] = set()
    for path, inside in scopes.items():
        module = context.index.modules.get(path)  # none for a file that could not be parsed
        if module is not None:
            calls = [call for call in module.calls if call.scope in inside]
            names.update([call.name for call in calls])
            names.update(*[call.refs for call in calls if call.refs])
    return {name.rpartition(".")[2] for name in names}


def own_function(
    context: Context, practice: str, path: str, function: Function, more: tuple[Evidence, ...] = ()
) -> Signal:
    """What a function of the project's own is worth for a practice: a trace where nothing calls it."""
    unused = dead(context, path, function.qualname)
    return Signal(
        practice,
        "python",
        Grade.TRACE if unused else Grade.IMPLEMENTED,
        (context.evidence(path, function.line), *more),
        Confidence.MEDIUM,
        f"nothing calls `{function.qualname}`" if unused else "",
        scope=function.qualname,
        fixed=unused,
    )


def dead(context: Context, path: str, scope: str) -> bool:
    """Whether a scope of a Python module is certainly never run: not reached, and its name called nowhere that is.

    A repository without any entry point is a collection of functions; nothing in it is called dead.
    """
    module = context.index.modules.get(path)
    if module is None:
        return False
    nodes, names = live_nodes(context)
    if not nodes or (path, scope) in nodes:
        return False
    if scope in ("", MAIN):
        return bool(nodes) and not module.main_line and (path, "") not in nodes and not module.notebook
    last = scope.rpartition(".")[2]
    if last.startswith("__"):
        last = scope.split(".")[-2] if "." in scope else last
    return last not in names or (path, "") not in nodes


def unmade(context: Context, path: str, scope: str) -> bool:
    """Whether a scope is a method of a class of which nothing that runs makes an object, nor of one below it.

    A call on an unknown object (`handler.send(alert)`) may mean any method of that name.
    """
    module, owner = context.index.modules.get(path), scope.rpartition(".")[0]
    function = module.functions.get(scope) if module is not None else None
    if module is None or function is None or owner not in module.classes:
        return False
    nodes, names = live_nodes(context)
    if not nodes or not {"staticmethod", "classmethod"}.isdisjoint(function.decorators):
        return False
    name = owner.rpartition(".")[2]
    return names.isdisjoint({name, *_below(context).get(name, ())})


@kept
def _below(context: Context) -> Mapping[str, set[str]]:
    """The last names of the classes by those of their bases."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in context.index.modules.values():
        for item in module.classes.values():
            for base in item.bases:
                found[base.rpartition(".")[2]].add(item.qualname.rpartition(".")[2])
    return dict(found)
