"""CloudFormation and SAM templates that commands deploy: which of them brings what serves a model.

Fact, that a packaged template is another file: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from msgspec import Struct

from mlops_scan.automation.model import Run
from mlops_scan.detectors.base import Context
from mlops_scan.fingerprints.match import Use

_TEMPLATE = ("--template-file", "--template-body", "--template", "-t")
_PACKAGED = ("--output-template-file", "--output-template")  # the AWS CLI takes the start of an option for it
_PACKAGES = ("package", "build")
_DEFAULTS = ("template.yaml", "template.yml")  # of `sam`
_SERVES = frozenset({"serve", "deploy-model"})
_INFRA = frozenset({"deploy-infra"})
_OPENS = ("open", "pathlib.Path")
_SUFFIXES = (".yml", ".yaml", ".template")
_KEY = "packaged templates"


class _Package(Struct, frozen=True):
    """A command that packages a template: in which workflow and folder it runs, and the template's name."""

    workflow: str
    folder: str
    template: str


def deployed(context: Context, run: Run) -> Use | None:
    """What serves a model in the template that a command, or the code that it runs, deploys; or None."""
    if any("deploy-infra" in use.does for use in run.uses):
        written = _option(run.words, _TEMPLATE)
        named = [written] if written else list(_DEFAULTS) if run.words[:1] == ("sam",) else []
    else:
        named = _in_code(context, run)
    for name in named:
        path = _source(context, run, name)
        for use in context.uses_in(path) if path else ():
            if "deploy/serving" in use.serves or _SERVES.intersection(use.does):
                return use
    return None


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


def _packaged(context: Context) -> Mapping[str, list[_Package]]:
    """The commands that package templates, by the name of the file that this gives."""
    if _KEY not in context.cache:
        found: dict[str, list[_Package]] = {}
        for run in context.automation.runs:
            if run.words[:1] in (("aws",), ("sam",)) and any(word in _PACKAGES for word in run.words[1:3]):
                given, made = _option(run.words, _TEMPLATE), _option(run.words, _PACKAGED)
                if given and made:
                    package = _Package(run.start.workflow, run.folder, given)
                    found.setdefault(made.rpartition("/")[2], []).append(package)
        context.cache[_KEY] = found
    return cast("Mapping[str, list[_Package]]", context.cache[_KEY])


def _option(words: tuple[str, ...], names: tuple[str, ...]) -> str:
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
