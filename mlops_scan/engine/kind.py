"""What kind of repository this is, and whether there is machine learning in it at all."""

from __future__ import annotations

import re
import sys

from msgspec import Struct

from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.packages import own_packages
from mlops_scan.documents.requirements import normalised
from mlops_scan.engine import ownmodels
from mlops_scan.engine.lessons import is_guide, is_list, is_site, lessons, project_folders, readme_path, speaks_of_ml
from mlops_scan.engine.skeletons import copied_skeleton
from mlops_scan.fingerprints.match import Use
from mlops_scan.regex import regex
from mlops_scan.rulebook import Tool
from mlops_scan.words import Location, Role

JUDGED = frozenset({"application", "template", "research", "competition", "course", "llm-app"})
"""Kinds that get a level of their own."""

_GENERATORS = frozenset({"cookiecutter.json", "copier.yml", "copier.yaml", "databricks_template_schema.json"})
_PAPER = regex(
    r"@(article|inproceedings|misc)\s*\{|arxiv\.org/abs", re.I, ("@article", "@inproceedings", "@misc", "arxiv.org/abs")
)
_COMPETITION = regex(
    r"kaggle\.com/c(ompetitions)?/|kaggle[^.\n]{0,40}(competition|challenge|bowl)|(competition|challenge|bowl)[^.\n]{0,40}kaggle|"
    # an application may rank its own models
    r"(public|private|final) leaderboard|leaderboard[^.\n]{0,60}(competition|challenge|submission|submit|kaggle)|"
    r"(competition|challenge|submission|submitted|kaggle|place|ranked)\b[^.\n]{0,60}leaderboard",
    re.I,
    ("kaggle", "leaderboard"),
)
_REPRODUCES = regex(
    r"\b((official|unofficial|pytorch|tensorflow|jax|keras) (re-?)?implementation (of|for)|"
    r"(code|models?) (for|of|from) the paper|reproduc(es|ing|tion of)) ",
    re.I,
    ("implementation ", "the paper ", "reproduc"),
)
_TEMPLATE_WORDS = regex(
    r"\b(template|boilerplate|starter kit|reference implementation|solution accelerator|auto-generated repository|"
    r"(sample|example) ([\w-]+ )?(project|solution))\b|^page_type: sample$",
    re.I | re.M,
    ("template", "boilerplate", "starter kit", "reference implementation", "solution accelerator",
     "auto-generated repository", "sample ", "example ", "page_type: sample"),
)  # fmt: skip
_ML_WORDS = regex(
    r"\b(ml-?ops|llm-?ops|machine learning|ml (models?|projects?|pipelines?))\b",
    re.I,
    ("mlops", "ml-ops", "llmops", "llm-ops", "machine learning", "ml model", "ml project", "ml pipeline"),
)
_PREAMBLE = regex(r"\s*(---\n[^\0]{0,4000}?\n---\n|<!--[^\0]{0,4000}?-->)?\s*")  # front matter, or a licence
_TITLE_LINES = 12
_TOOL_WORDS = regex(
    r"\b(ml-?ops (platform|tool|framework|library)|(model|inference|ml) serving|model (server|registry|management)|"
    r"feature store|experiment tracking|(machine learning|ml) (platform|pipelines?|workflow (engine|orchestrat\w+))|"
    r"model mesh|inference (platform|server))\b",
    re.I,
)
_TOOL_FAMILIES = frozenset(
    {"tracking", "pipelines", "data", "monitoring", "configuration", "responsible", "llm", "serving"}
)
_COMPILED = frozenset({".go", ".rs", ".java", ".kt", ".scala", ".cpp", ".cc", ".ts", ".cs"})
_MIN_COMPILED = 10
_ML_FAMILIES = frozenset({"frameworks", "tracking", "pipelines", "monitoring", "responsible"})
_GROUP = regex(r",| and ", words=(",", " and "))  # in the title of a rule for several tools
_PICKLE = frozenset({"pickle", "joblib", "generic-estimator"})


class Kind(Struct, frozen=True):
    """The kind, why, whether a model of its own is trained, loaded or scored, and a place that shows it."""

    name: str
    reason: str
    has_ml: bool
    where: Location | None = None
    notice: str = ""  # what the reader may do instead of scanning this


def project_names(context: Context) -> set[str]:
    """Distribution names that the repository itself builds, normalised."""
    return set(own_packages(context))


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
        found |= {tool.name} if titled else own
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


def decide(context: Context, override: str | None = None) -> Kind:
    """The kind of the repository, first matching rule first; `override` is the user's own word."""
    shown = ml_place(context)
    machine_learning = shown is not None
    if override is not None:
        return Kind(override, "set by the user", machine_learning or override not in ("non-ml", "data-pipeline"))
    folders = lessons(context)
    if folders and machine_learning:
        return Kind("course", f"{len(folders)} lesson folders such as `{folders[0]}`", True, shown)
    files = context.repository.files
    if machine_learning and (projects := project_folders(context)):
        reason = f"{len(projects)} independent projects such as `{projects[0]}`"
        return Kind("course", reason, True, shown)
    generator = next((f.path for f in context.named(*_GENERATORS, aside=True) if not f.folder), "")
    packaged = publishes(context) or _has_classifiers(context)
    known = known_package(context) if packaged else None
    if known is not None:
        return known  # a tool may bring templates of projects that use it
    templates = [file.path for file in files if file.role is Role.TEMPLATE]
    sources = sum(1 for file in files if file.role is Role.SOURCE and file.suffix == ".py")
    if generator or (len(templates) >= 3 and len(templates) * 10 >= sources):  # those of an application are few
        reason = "a project generator" if generator else "files with placeholders, of which others are made"
        return Kind("template", reason, machine_learning, Location(generator or templates[0], 1))
    package = _package(context, machine_learning) if packaged else None
    if package is not None:
        return package
    if not machine_learning:
        return _without_ml(context)
    return _application(context, shown)


def _package(context: Context, machine_learning: bool) -> Kind | None:
    """A library or tool that is none of the rules: a package for others that trains nothing of its own."""
    if _is_service(context):
        return None
    trains = _trains_itself(context)
    offered = _offered(context) if trains else set()
    if trains and not offered:
        return None
    if not machine_learning and not _learns_anywhere(context) and not _touches_ml(context):
        return None
    name = min(offered or project_names(context), default="")
    called = f"the package `{name}`" if name else "the package"
    rest = "its README tells them to install it" if trains else "trains nothing itself"
    families = {context.rules.tools[tool].family for tool in context.self_tools}
    if families & _TOOL_FAMILIES or _extends_tool(context):
        rest = "its README tells others to install it" if trains else rest
        return Kind("platform-tool", f"{called} is, or extends, an MLOps tool and {rest}", False)
    return Kind("library", f"{called} is made for other projects and {rest}", False)


def _is_service(context: Context) -> bool:
    """Whether a package is a service for its own users: not offered to others, or an application of language models."""
    if not any(True for _ in context.doing("serve")):
        return False
    talks = any(use.tool not in context.self_tools for use in context.doing("llm-call"))
    return not publishes(context) or (talks and not context.self_tools)


def known_package(context: Context) -> Kind | None:
    """A package whose own name is that of a tool of the rules: it is that tool, whatever its scripts train."""
    names = project_names(context)
    for tool in context.rules.tools.values():
        own = {normalised(name) for name in tool.distributions}
        # a web framework serves no practice by itself
        serves = bool(tool.hints) or any(signature.serves for signature in tool.signatures)
        if own & names and tool.family in _TOOL_FAMILIES | {"frameworks"} and (serves or tool.family == "frameworks"):
            name = min(own & names)
            kind, what = (
                ("library", "machine-learning library")
                if tool.family == "frameworks"
                else ("platform-tool", "MLOps tool")
            )
            # a title may be that of several tools, or say more than the package is
            titled = _letters(name) == _letters(tool.name)
            return Kind(
                kind, f"the package `{name}` is {f'{tool.name} itself' if titled else f'itself a known {what}'}", False
            )
    return None


def _offered(context: Context) -> set[str]:
    """The own names by which the README tells others to install the package, unless something of it is served."""
    path = readme_path(context)
    if not path or not _has_classifiers(context) or any(use for use in context.doing("serve")):
        return set()
    told = {
        normalised(name)
        for name in re.findall(r"pip3? install (?:-U |--upgrade )?([A-Za-z][\w.-]*)", context.documents.text(path))
    }
    return told & project_names(context)


def _extends_tool(context: Context) -> bool:
    """Whether what a package offers imports a tracker or orchestrator and fits nothing: a plug-in.

    A script beside the package is no part of it, and a place where models are kept is neither of the two.
    """
    roots = {root for tool in context.rules.tools.values() if _tracks_or_orchestrates(tool) for root in tool.imports}
    modules = (module for path, module in context.index.modules.items() if context.role(path) is Role.SOURCE)
    imports = any(module.roots & roots for module in modules if not module.main_line)
    return imports and not any(True for _ in context.doing(*LEARNS))


def _tracks_or_orchestrates(tool: Tool) -> bool:
    return tool.family in ("tracking", "pipelines") and any(
        "experiment/tracking" in signature.serves or "define-pipeline" in signature.does
        for signature in tool.signatures
    )


def _has_classifiers(context: Context) -> bool:
    """Whether a package describes itself for an index (trove classifiers), which projects for one's own use do not."""
    return any(
        "Programming Language ::" in context.documents.text(file.path)
        for file in context.named("pyproject.toml", "setup.py", "setup.cfg")
        if file.role is Role.SOURCE
    )


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
    return any(step.does & LEARNS for pipeline in context.automation.pipelines for step in pipeline.steps)


def has_ml(context: Context) -> bool:
    """Whether main code trains, tunes, scores or serves a model (pickles alone prove nothing)."""
    return ml_place(context) is not None


def ml_place(context: Context) -> Location | None:
    """The first place where main code trains, tunes, scores or serves a model."""
    for use in context.doing("train", "tune", "predict", "load-model", "llm-call", "deploy-model"):
        if use.tool in context.self_tools or use.location.path not in context.index.modules:
            continue
        if use.tool in _PICKLE and not {"train", "predict"} & set(use.does):
            continue
        if "deploy-model" in use.does and use.confidence.value != "high":
            continue
        return use.location
    declared = (
        Location(pipeline.path, step.line)
        for pipeline in context.automation.pipelines
        for step in pipeline.steps
        if context.role(pipeline.path) is not Role.DOCS and step.does & {"train", "predict"}
    )
    return next(declared, None)


def _without_ml(context: Context) -> Kind:
    dbt = next((file.path for file in context.named("dbt_project.yml", aside=True)), None)
    if dbt is not None:
        return Kind("data-pipeline", "a dbt project without a model", False, Location(dbt, 1))
    definition = next((use for use in context.doing("define-pipeline")), None) or _in_examples(context)
    if definition is not None:
        reason = f"{definition.tool} workflows without a step on a model"
        return Kind("data-pipeline", reason, False, definition.location)
    opening = _opening(context.documents.text(readme_path(context))) if readme_path(context) else ""
    if (
        _TEMPLATE_WORDS.search(opening)
        and _ML_WORDS.search(opening)
        and (skeleton := copied_skeleton(context)) is not None
    ):
        where, address = skeleton
        notice = f"projects are made from {address or 'a skeleton elsewhere'}: scan that, or a project made from it"
        return Kind("template", "the README calls itself a template, and a script makes projects", False, where, notice)
    if is_guide(context):
        where = Location(readme_path(context), 1)
        return Kind("course", "written material about machine learning, without a model", False, where)
    if is_list(context):
        return Kind("non-ml", "a list of links about machine learning", False, Location(readme_path(context), 1))
    if (path := readme_path(context)) and _is_program(context):
        head = "\n".join(context.documents.text(path).split("\n")[:12])
        if found := _TOOL_WORDS.search(head):
            reason = "the README calls this program a tool for models, and it has none of its own"
            return Kind("platform-tool", reason, False, _line_of(path, head, found))
    return Kind("non-ml", "no code that trains, loads or scores a model was found", False)


def _in_examples(context: Context) -> Use | None:
    """A workflow among examples, where these are what there is: no more code stands beside them."""
    found = next((u for u in context.doing("define-pipeline", aside=True) if _role(context, u) is Role.EXAMPLE), None)
    if found is None:
        return None
    roles = [file.role for file in context.repository.files if file.suffix == ".py"]
    return found if roles.count(Role.SOURCE) < roles.count(Role.EXAMPLE) else None


def _role(context: Context, use: Use) -> Role:
    return context.role(use.location.path)


def _is_program(context: Context) -> bool:
    """Whether there is a program in a compiled language, whose use of models cannot be followed."""
    sources = (f for f in context.repository.files if f.role is Role.SOURCE and f.suffix in _COMPILED)
    return sum(1 for _ in sources) >= _MIN_COMPILED


def _application(context: Context, shown: Location | None) -> Kind:
    readme = next(
        (f for f in context.repository.files if f.path.lower() in ("readme.md", "readme.rst", "readme.txt")), None
    )
    text = context.documents.text(readme.path) if readme is not None else ""
    learns = next(context.doing(*LEARNS), None)
    if (
        learns is None
        and any("llm-call" in use.does for use in context.uses)
        and not any(u for u in context.doing("predict") if u.tool not in _PICKLE)
    ):
        if is_site(context) and not _answers(context):
            reason = "written pages; only a script that a person starts calls a language model"
            return Kind("course" if speaks_of_ml(context) else "non-ml", reason, False, shown)
        return Kind("llm-app", "it calls hosted language models and trains nothing", True, shown)
    head = "\n".join(text.split("\n")[:30])
    told = readme.path if readme is not None else ""
    if not any(True for _ in context.doing("serve")) and not _operates(context):
        if found := _COMPETITION.search(head):
            return Kind("competition", "the README speaks of a competition", True, _line_of(told, head, found))
        if found := _PAPER.search(text):
            return Kind("research", "the README cites the paper it belongs to", True, _line_of(told, text, found))
        if learns is not None and (found := _REPRODUCES.search(head)):
            return Kind("research", "the README says that it reproduces a model", True, _line_of(told, head, found))
    if found := _TEMPLATE_WORDS.search(_opening(text)):
        said = "a template" if found.group().lower() == "template" else f"a template or sample: `{found.group()}`"
        return Kind("template", f"the README calls itself {said}", True, _line_of(told, text, found))
    scripts = (use for use in context.doing(*LEARNS) if context.role(use.location.path) is Role.SOURCE)
    first = next(scripts, learns)
    where = first.location if first is not None else shown
    return Kind("application", "it trains or serves a model for a use of its own", True, where)


def _answers(context: Context) -> bool:
    """Whether language models are called in something that serves, or that automation starts."""
    if any(True for _ in context.doing("serve")):
        return True
    return any(context.started(use.location.path, use.scope) for use in context.doing("llm-call"))


def _opening(text: str) -> str:
    """A README up to the first lines of its own text, behind front matter or a licence."""
    start = len(text) - len(text.lstrip())
    if text.startswith(("---\n", "<!--"), start) and (preamble := _PREAMBLE.match(text)) is not None:
        start = preamble.end()
    lines = text[start : start + 8000].split("\n")[:_TITLE_LINES]
    return text[:start] + "\n".join(lines)


def _operates(context: Context) -> bool:
    """Whether automation trains, runs or delivers something; checks of the code alone are no operation."""
    delivers = {"deploy-model", "deploy-pipeline", "run-pipeline", "publish-image", "train", "tune"}
    for run in context.leading():
        if run.start.kind not in ("ci", "schedule", "event") or run.tests:
            continue
        if any(delivers.intersection(use.does) for use in run.uses):
            return True
        if run.entries and context.does(context.automation.reached(run), LEARNS) is not None:
            return True
    return False


def _line_of(path: str, text: str, found: re.Match[str]) -> Location:
    return Location(path, text.count("\n", 0, found.start()) + 1)
