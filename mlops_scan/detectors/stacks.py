"""CloudFormation and SAM templates that commands deploy: which of them brings what serves a model, or a pipeline.

Facts, that a packaged template is another file: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
and that a stack brings others: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex

_TEMPLATE = ("--template-file", "--template-body", "--template", "-t")
_PACKAGED = ("--output-template-file", "--output-template")  # the AWS CLI takes the start of an option for it
_PACKAGES = ("package", "build")
_DEFAULTS = ("template.yaml", "template.yml")  # of `sam`
_SERVES = frozenset({"serve", "deploy-model"})
_INFRA = frozenset({"deploy-infra"})
_STEPS = LEARNS | {"predict"}
_NESTS = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
_MAX_NESTED = 20  # templates that one command is followed into
_SUBSTITUTION = regex(r"\$\{[^{}]*\}", words=("${",))
_OPENS = ("open", "pathlib.Path")
_SUFFIXES = (".yml", ".yaml", ".template")


class _Package(Struct, frozen=True):
    """A command that packages a template: in which workflow and folder it runs, and the template's name."""

    workflow: str
    folder: str
    template: str


def deployed(context: Context, run: Run) -> Use | None:
    """What serves a model in the template that a command, or the code that it runs, deploys; or None."""
    found = (use for path in templates(context, run) for use in context.uses_in(path))
    return next((use for use in found if "deploy/serving" in use.serves or _SERVES.intersection(use.does)), None)


def deployed_pipeline(context: Context, run: Run) -> Use | None:
    """The workflow with a step on a model in the template that a command, or code that it runs, deploys; or None."""
    found = (use for path in templates(context, run) for use in context.uses_in(path))
    return next((use for use in found if "define-pipeline" in use.does and _STEPS.intersection(use.does)), None)


def started_machine(context: Context, run: Run) -> Use | None:
    """The training in the state machine that a command starts by the name that a template gives it; or None.

    What a substitution stands for is not known: `${App}-training-prod` is the `${App}-training-${Stage}` of a template.
    """
    if run.words[:3] != ("aws", "stepfunctions", "start-execution"):
        return None
    name = option(run.words, ("--state-machine-arn",)).rpartition(":")[2]
    literal = _SUBSTITUTION.sub("", name)
    for use in context.uses if literal.strip("-_") else ():
        if "define-pipeline" not in use.does or LEARNS.isdisjoint(use.does):
            continue
        for machine in _machines(context, use.location.path):
            pattern = _SUBSTITUTION.sub("*", machine)
            if pattern.strip("*-_") and fnmatchcase(literal, pattern):
                return use
    return None


def _machines(context: Context, path: str) -> Iterator[str]:
    """The names that a template gives to its state machines."""
    if not path.endswith(_SUFFIXES):
        return
    for kind, resource in _resources(context, path):
        name = resource.path("Properties", "StateMachineName")
        if kind.endswith("::StateMachine") and name is not None:
            yield name.string() or ""


def templates(context: Context, run: Run) -> Iterator[str]:
    """The templates that a run deploys, each followed by those that it nests."""
    if any("deploy-infra" in use.does for use in run.uses):
        written = option(run.words, _TEMPLATE)
        named = [written] if written else list(_DEFAULTS) if run.words[:1] == ("sam",) else []
    else:
        named = _in_code(context, run)
    seen: set[str] = set()
    todo = [path for name in named if (path := _source(context, run, name))]
    while todo and len(seen) < _MAX_NESTED:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            yield path
            todo.extend(_nested(context, path))


def _nested(context: Context, path: str) -> Iterator[str]:
    """The templates of the repository that a template brings as stacks of their own, by paths relative to it."""
    if not any(context.documents.holds(path, kind) for kind in _NESTS):
        return
    for kind, resource in _resources(context, path):
        key = _NESTS.get(kind)
        given = resource.path("Properties", key) if key is not None else None
        name = (given.string() or "") if given is not None else ""
        inner = join(path.rpartition("/")[0], name)
        if name and inner in context.documents.files:
            yield inner


def _resources(context: Context, path: str) -> Iterator[tuple[str, Node]]:
    """The resources of a template, each with its type; those without one say nothing."""
    for document in context.documents.nodes(path)[:1]:
        resources = document.get("Resources")
        for _, resource in resources.entries if resources is not None else ():
            kind = resource.get("Type")
            if kind is not None:
                yield kind.string() or "", resource


def _in_code(context: Context, run: Run) -> list[str]:
    """The one template, a constant, that code which a run reaches opens where it brings up a stack."""
    if not run.entries or run.tests or not context.nodes_doing(_INFRA):
        return []
    use = context.does(context.automation.reached(run), _INFRA)
    module = context.index.modules.get(use.location.path) if use is not None else None
    if use is None or module is None:
        return []
    opened = (call for call in module.calls if call.scope == use.scope and call.name.endswith(_OPENS))
    files = {call.args[0] for call in opened if call.args and call.args[0] is not None}
    templates = [name for name in sorted(files) if name.endswith(_SUFFIXES)]
    return templates if len(templates) == 1 else []


def _source(context: Context, run: Run, name: str) -> str:
    """The file behind a template's name: the one that was packaged as that in the same workflow, else anywhere."""
    packages = _packaged(context).get(name.rpartition("/")[2], [])
    own = [package for package in packages if package.workflow == run.start.workflow]
    paths = {_file(context, package.template, package.folder) for package in own or packages}
    if len(paths) == 1:
        return paths.pop()
    return "" if paths else _file(context, name, run.folder)


@kept
def _packaged(context: Context) -> Mapping[str, list[_Package]]:
    """The commands that package templates, by the name of the file that this gives."""
    found: dict[str, list[_Package]] = {}
    for run in context.automation.runs:
        if run.words[:1] in (("aws",), ("sam",)) and any(word in _PACKAGES for word in run.words[1:3]):
            given, made = option(run.words, _TEMPLATE), option(run.words, _PACKAGED)
            if given and made:
                package = _Package(run.start.workflow, run.folder, given)
                found.setdefault(made.rpartition("/")[2], []).append(package)
    return found


def option(words: tuple[str, ...], names: tuple[str, ...]) -> str:
    """The value of the first of some options that a command line has, without `file://`; empty where it has none."""
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            value = value if equals else next(iter(words[position + 1 : position + 2]), "")
            return value.removeprefix("file://")
    return ""


def _file(context: Context, name: str, folder: str) -> str:
    """The file that a template's name means: in the folder of the command, else the only one of that name.

    An artifact of a build lies elsewhere than its source.
    """
    tail = name.replace("\\", "/").removeprefix("./").lstrip("/")
    beside = [file.path for file in context.named(tail.rpartition("/")[2])]
    exact = f"{folder}/{tail}" if folder else tail
    if exact in beside:
        return exact
    for paths in ([path for path in beside if f"/{path}".endswith(f"/{tail}")], beside):
        if len(paths) == 1:
            return paths[0]
    return ""
