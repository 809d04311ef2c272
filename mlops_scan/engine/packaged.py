"""Libraries and tools: what a repository builds for other projects to use, and which known tools it is itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.packages import own_packages
from mlops_scan.documents.requirements import normalised
from mlops_scan.engine import ownmodels
from mlops_scan.engine.handtrained import is_command
from mlops_scan.engine.lessons import readme_path
from mlops_scan.engine.readme import Telling
from mlops_scan.regex import regex
from mlops_scan.rulebook import Tool
from mlops_scan.words import Location, Role

_TOOL_FAMILIES = frozenset(
    {"tracking", "pipelines", "data", "monitoring", "configuration", "responsible", "llm", "serving"}
)
_RUNTIMES = frozenset({"docker", "kubernetes", "kubernetes_asyncio", "podman"})  # clients for Python
_ML_FAMILIES = frozenset({"frameworks", "tracking", "pipelines", "monitoring", "responsible"})
_GROUP = regex(r",| and ", words=(",", " and "))  # in the title of a rule for several tools

_RUNS = regex(
    r"\bpython3?(?:\.\d+)? (?:-u )?(?:-m (?P<module>[\w.]{1,100})|(?P<file>[\w./-]{1,200}\.py))\b", words=("python",)
)
_INSTALLS = regex(
    r"\b(?:pip3?|conda|mamba|uv add|uv tool|pipx|poetry add)(?: install)?(?: -[\w-]{1,30}(?: conda-forge)?){0,4} [\"']?"
    r"(?:git\+[^\s#]{0,200}/)?([A-Za-z][\w.-]{0,99}?)(?:\.git)?(?![\w.-])",
    words=("pip", "conda", "mamba", "uv ", "poetry"),
)
_INDEX = regex(r"pypi\.org/project/|badge\.fury\.io/py/|img\.shields\.io/(?:pypi|conda)/|anaconda\.org/", re.I)


def project_names(context: Context) -> set[str]:
    """Distribution names that the repository itself builds, normalised."""
    return set(own_packages(context))


def _shown(context: Context, name: str) -> str:
    """A distribution's name as its users know it: only conda has an `r-` before those of R."""
    is_r = own_packages(context).get(name, "").endswith("DESCRIPTION")
    return name.removeprefix("r-") if is_r else name


def self_tools(context: Context) -> frozenset[str]:
    """Tools that this repository is, or is a published plug-in of: their signals are its product, not its practice."""
    names = project_names(context)
    parts = {part for name in names for part in name.split("-")} if publishes(context) else set()
    imported = {root for module in context.index.modules.values() for root in module.roots} if parts else set()
    whole, partly = set(), set()
    for tool in context.rules.tools.values():
        own = _known_as(tool)
        if own & names:
            whole.add(tool.id)
        elif own & parts and not imported.isdisjoint(tool.imports):
            partly.add(tool.id)
    # a plug-in uses what it extends: a company's name in front of a package makes it none, nor does a model's in a demo
    return frozenset(whole | partly if partly and not _trains_itself(context) else whole)


def product_names(context: Context) -> list[str]:
    """The `self_tools` as users know them; where a rule knows several tools by one title, the own packages."""
    names = project_names(context)
    names |= {part for name in names for part in name.split("-")}
    found = set()
    for tool in (context.rules.tools[id_] for id_ in context.self_tools):
        own = _known_as(tool) & names
        titled = any(_is_title(tool, name) for name in own) and not _GROUP.search(tool.name)
        found |= {tool.name} if titled else {_shown(context, name) for name in own}
    return sorted(found, key=str.lower)


def _known_as(tool: Tool) -> set[str]:
    """The names of a tool's packages, and its id where that is a name: a rule for several tools is called otherwise."""
    return {normalised(name) for name in (*tool.distributions, *([tool.id] if _is_title(tool, tool.id) else ()))}


def _is_title(tool: Tool, name: str) -> bool:
    """Whether a tool's title speaks of a name."""
    short, title = _letters(name), _letters(tool.name)
    return short in title or title in short


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def publishes(context: Context) -> bool:
    """Whether automation or a script publishes a package to an index."""
    return any("publish-package" in use.does for run in context.leading() for use in run.uses)


def other_package(context: Context, machine_learning: bool) -> tuple[str, str] | None:
    """Kind and reason of a library or tool that is none of the rules: a package for others that trains nothing."""
    if _is_service(context):
        return None
    trains = _trains_itself(context)
    offered = _offered(context) if trains else set()
    if trains and not offered:
        return None
    if not machine_learning and not _learns_anywhere(context) and not _touches_ml(context):
        return None
    name = min(offered or _named(context), default="")
    called = f"the package `{_shown(context, name)}`" if name else "the package"
    rest = "its README tells them to install it" if trains else "trains nothing itself"
    families = {context.rules.tools[tool].family for tool in context.self_tools}
    if families & _TOOL_FAMILIES or _extends_tool(context):
        rest = "its README tells others to install it" if trains else rest
        return "platform-tool", f"{called} is, or extends, an MLOps tool and {rest}"
    if not trains and _starts_jobs(context):
        return "platform-tool", f"{called} has commands that start containers or jobs for others, and {rest}"
    return "library", f"{called} is made for other projects and {rest}"


def _named(context: Context) -> set[str]:
    """The own names that the README speaks of, or all of them: those of examples and tests are no product."""
    names, path = project_names(context), readme_path(context)
    text = context.documents.text(path).lower() if path else ""
    return {name for name in names if name in text} or names


def _is_service(context: Context) -> bool:
    """Whether a package is a service for its own users: not offered to others, or an application of language models."""
    if not any(True for _ in context.doing("serve")):
        return False
    talks = any(use.tool not in context.self_tools for use in context.doing("llm-call"))
    return not publishes(context) or (talks and not context.self_tools)


def known_package(context: Context) -> tuple[str, str] | None:
    """Kind and reason of a package that has the name of a tool of the rules: it is that tool, whatever it trains."""
    names = project_names(context)
    for tool in context.rules.tools.values():
        own = {normalised(name) for name in tool.distributions}
        # a web framework serves no practice by itself
        serves = bool(tool.hints) or any(signature.serves for signature in tool.signatures)
        if own & names and tool.family in _TOOL_FAMILIES | {"frameworks"} and (serves or tool.family == "frameworks"):
            name = _shown(context, min(own & names))
            kind, what = (
                ("library", "machine-learning library")
                if tool.family == "frameworks"
                else ("platform-tool", "MLOps tool")
            )
            # a title may be that of several tools, or say more than the package is
            titled = _letters(name) == _letters(tool.name)
            return kind, f"the package `{name}` is {f'{tool.name} itself' if titled else f'itself a known {what}'}"
    return None


def run_from_checkout(context: Context) -> Location | None:
    """Where a package that nobody is told to install uses a framework, if its README runs it from the checkout.

    Whoever began with the template of a package has its description for an index too.
    """
    path = readme_path(context)
    if not path or publishes(context):
        return None
    text = context.documents.text(path)
    names = {normalised(found.group(1)) for found in _INSTALLS.finditer(text)}
    if names & project_names(context) or _INDEX.search(text):
        return None
    programs = {path for found in _RUNS.finditer(text) for path in _programs(found)} - {"setup.py"}
    if not any(file.path in programs and file.role is Role.SOURCE for file in context.repository.files):
        return None
    return next(_framework_imports(context), None)


def _programs(found: re.Match[str]) -> list[str]:
    """The files that a command of a README may run: `python -m package.module`, `python file.py`."""
    if found["module"] is None:
        return [found["file"].removeprefix("./")]
    target = found["module"].replace(".", "/")
    return [f"{target}.py", f"{target}/__main__.py", f"src/{target}.py", f"src/{target}/__main__.py"]


def _framework_imports(context: Context) -> Iterator[Location]:
    """Where main code and notebooks import what models are made with."""
    roots = {root for tool in context.rules.tools.values() if tool.family == "frameworks" for root in tool.imports}
    for path, module in sorted(context.index.modules.items()):
        if module.roots & roots and context.role(path) in (Role.SOURCE, Role.NOTEBOOK):
            lines = [item.line for item in module.imports if item.name.partition(".")[0] in roots]
            yield Location(path, min(lines, default=1))


def models_of_others(context: Context) -> tuple[str, Location] | None:
    """The words by which the README speaks of a tool for models, where cloud services get those that users bring.

    No code, the one of examples included, imports what a model is made with: there is no model of its own.
    """
    path = readme_path(context)
    rules = [rule for rule in context.rules.kinds if rule.kind == "platform-tool"]
    told = Telling(context.documents.text(path)).told(rules) if path else None
    if told is None or next(_framework_imports(context), None) is not None:
        return None
    return told[1], Location(path, told[2])


def _offered(context: Context) -> set[str]:
    """The own names by which the README tells others to install the package, unless something of it is served."""
    path = readme_path(context)
    if not path or not describes_itself(context) or any(use for use in context.doing("serve")):
        return set()
    told = {normalised(found.group(1)) for found in _INSTALLS.finditer(context.documents.text(path))}
    return told & project_names(context)


def _extends_tool(context: Context) -> bool:
    """Whether what a package offers imports a tracker or orchestrator and fits nothing: a plug-in.

    A script beside the package is no part of it, and a place where models are kept is neither of the two.
    """
    roots = {root for tool in context.rules.tools.values() if _tracks_or_orchestrates(tool) for root in tool.imports}
    modules = (module for path, module in context.index.modules.items() if context.role(path) is Role.SOURCE)
    imports = any(module.roots & roots for module in modules if not module.main_line)
    return imports and not any(True for _ in context.doing(*LEARNS))


def _starts_jobs(context: Context) -> bool:
    """Whether a package with commands of its own drives containers or clusters, which libraries leave to others."""
    if not context.resolver.tasks.console_scripts():
        return False
    return any(
        module.roots & _RUNTIMES and context.role(path) is Role.SOURCE for path, module in context.index.modules.items()
    )


def _tracks_or_orchestrates(tool: Tool) -> bool:
    return tool.family in ("tracking", "pipelines") and any(
        "experiment/tracking" in signature.serves or "define-pipeline" in signature.does
        for signature in tool.signatures
    )


def describes_itself(context: Context) -> bool:
    """Whether a package describes itself for an index (trove classifiers), which projects for one's own use do not.

    One of R says what it offers, and has pages for it. https://r-pkgs.org/structure.html
    """
    paths = {file.path for file in context.named("NAMESPACE")}
    if "NAMESPACE" in paths and "DESCRIPTION" in own_packages(context).values() and _has_pages(context):
        return True
    return any(
        "Programming Language ::" in context.documents.text(file.path)
        for file in context.named("pyproject.toml", "setup.py", "setup.cfg")
        if file.role is Role.SOURCE
    )


def _has_pages(context: Context) -> bool:
    return any(file.path.startswith("man/") and file.suffix == ".rd" for file in context.repository.files)


def _touches_ml(context: Context) -> bool:
    """Whether any code, tests and examples included, imports a tool of machine learning or its operations."""
    roots = {root for tool in context.rules.tools.values() if _of_ml(tool) for root in tool.imports}
    roots -= sys.stdlib_module_names
    return any(module.roots & roots for module in context.index.modules.values()) or _estimators(context)


def _of_ml(tool: Tool) -> bool:
    """Whether a tool is about models; error and metrics services watch any program."""
    if tool.family != "monitoring":
        return tool.family in _ML_FAMILIES
    return any("drift" in signature.does or "monitoring/drift" in signature.serves for signature in tool.signatures)


def _estimators(context: Context) -> bool:
    """Whether main code defines classes in the shape of estimators."""
    return any(
        {"fit", "predict"} <= set(item.methods) or {"fit", "transform"} <= set(item.methods)
        for path, module in context.index.modules.items()
        if context.role(path) is Role.SOURCE
        for item in module.classes.values()
    )


def _learns_anywhere(context: Context) -> bool:
    return any(True for _ in context.doing(*LEARNS, aside=True))


def _trains_itself(context: Context) -> bool:
    """Whether main code has something to start that trains: a script, a notebook, a pipeline, a console script."""
    entries = [
        (path, scope)
        for path, module in context.index.modules.items()
        if context.role(path) in (Role.SOURCE, Role.NOTEBOOK, Role.TEMPLATE) and (module.main_line or module.notebook)
        for scope in ("", MAIN)
    ]
    entries += [
        node
        for target in context.resolver.tasks.console_scripts().values()
        for node in context.resolver.object_nodes(target)
    ]
    for run in context.leading():
        if not run.tests and context.role(run.location.path) not in ASIDE:
            entries.extend(node for node in run.entries if context.role(node[0]) not in ASIDE)
    found = context.reaches(entries, LEARNS)
    own = found is not None and found.tool == ownmodels.TOOL and found.scope == found.name  # what a library may show
    if found is not None and not own and context.role(found.location.path) not in (Role.TEST, Role.EXAMPLE, Role.DOCS):
        return True
    if any(is_command(use) for use in context.doing(*LEARNS)):
        return True
    return any(step.does & LEARNS for pipeline in context.automation.pipelines for step in pipeline.steps)
