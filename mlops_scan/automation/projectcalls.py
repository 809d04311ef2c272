"""MLflow projects that Python code runs, mostly one after the other: `mlflow.run(folder, entry_point)`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from mlops_scan.automation.model import Pipeline, Start
from mlops_scan.automation.paths import join
from mlops_scan.automation.resolve import Resolver
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Evidence, Hop

TOOL = "mlflow-projects"
_CALLS = frozenset({"mlflow.run", "mlflow.projects.run"})
_JOINS = frozenset({"os.path.join", "posixpath.join"})


def called_projects(uses: Iterable[Use], index: CodeIndex, resolver: Resolver) -> Iterator[Use]:
    """Lead the graph of the code on from each such call to what it runs; the pipelines that several of them make.

    A scope that asks for two different projects, or entry points of one, is a pipeline of which the calls are tasks.
    """
    projects = [p for p in resolver.submitter.pipelines if p.tool == TOOL]
    asking = [use for use in uses if use.name in _CALLS and use.location.path in index.modules] if projects else []
    by_scope: dict[Node, list[Use]] = defaultdict(list)
    for use in asking:
        by_scope[(use.location.path, use.scope)].append(use)
    for (path, scope), found in by_scope.items():
        tasks: dict[tuple[str, str], Use] = {}
        for use, call, folder in _folders(index, path, scope, found):
            entry = _argument(call, 1, "entry_point", "main")
            project = _project(projects, folder, path)
            if project is None:
                continue
            if entry:
                tasks.setdefault((project.path, entry), use)
            start = Start("pipeline", use.name, Evidence(use.location, Hop.TRIGGER, use.name))
            only = frozenset({entry}) if entry else None
            targets = [node for run in resolver.pipeline_start(project, start, only) for node in run.entries]
            index.lead((path, scope), targets, call.line)
        if len(tasks) > 1:
            yield replace(next(iter(tasks.values())), serves=(), does=("define-pipeline",))
            yield from (replace(use, serves=(), does=("define-task",)) for use in tasks.values())


def _folders(index: CodeIndex, path: str, scope: str, uses: Iterable[Use]) -> Iterator[tuple[Use, Call, str]]:
    """The calls, each with the folder that it is given, or the end of it; without those of which nothing is known."""
    calls = list(index.calls_in(path, scope))
    by_line = {use.location.line: use for use in uses}
    for number, call in enumerate(calls):
        if call.name not in _CALLS or call.line not in by_line:
            continue
        folder = _argument(call, 0, "uri", "") or _joined(calls[number + 1 :], call) or _ending(index, path, call)
        if folder and "://" not in folder and not folder.startswith("git@"):
            yield by_line[call.line], call, folder


def _argument(call: Call, position: int, keyword: str, default: str) -> str:
    """A constant argument; the default where it is not given, empty where it is no constant."""
    given = dict(call.keywords)
    if keyword in given:
        return given[keyword] or ""
    return (call.args[position] or "") if len(call.args) > position else default


def _joined(inner: Sequence[Call], call: Call) -> str:
    """`…/src/train` of `os.path.join(get_original_cwd(), "src", "train")` among the arguments of a call."""
    for join_ in inner:
        if join_.line > call.end_line:
            return ""
        if join_.name in _JOINS and join_.args:
            tail: list[str] = []
            for part in reversed(join_.args):
                if part is None:
                    return f"…/{'/'.join(tail)}" if tail else ""
                tail.insert(0, part)
            return "/".join(tail)
    return ""


def _ending(index: CodeIndex, path: str, call: Call) -> str:
    """`…/get_data` of `f"{root}/get_data"` among the arguments of a call."""
    strings = index.modules[path].strings
    text = next((text for line, text in strings if call.line <= line <= call.end_line and text.startswith("/")), "")
    return f"…{text}" if text.strip("/") else ""


def _project(projects: Sequence[Pipeline], folder: str, path: str) -> Pipeline | None:
    """The project in a folder as a file names it: below that file or the root, else the only one of that ending."""
    by_folder = {p.path.rpartition("/")[0]: p for p in projects}
    tail = folder.partition("#")[0].removeprefix("…/").rstrip("/")
    for base in (path.rpartition("/")[0], ""):
        place = join(base, tail or ".")
        if place in by_folder:
            return by_folder[place]
    wanted = join("", tail)
    ending = [p for place, p in by_folder.items() if wanted and place.endswith(f"/{wanted}")]
    return ending[0] if len(ending) == 1 else None
