"""What kind of repository this is, and whether there is machine learning in it at all."""

from __future__ import annotations

import re

from msgspec import Struct

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.dependencies import declared
from mlops_scan.engine.handtrained import is_command
from mlops_scan.engine.lessons import (
    collected_example,
    exercises,
    is_guide,
    is_list,
    is_site,
    lessons,
    project_folders,
    readme_path,
    speaks_of_ml,
)
from mlops_scan.engine.packaged import (
    describes_itself,
    known_package,
    models_of_others,
    other_package,
    publishes,
    run_from_checkout,
)
from mlops_scan.engine.readme import Telling
from mlops_scan.engine.skeletons import copied_skeleton
from mlops_scan.fingerprints.phrases import find_phrase
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.repository.templates import before_placeholder, strip_template
from mlops_scan.words import Location, Role

JUDGED = frozenset({"application", "template", "research", "competition", "course", "llm-app"})
"""Kinds that get a level of their own."""

_GENERATORS = frozenset({"cookiecutter.json", "copier.yml", "copier.yaml", "databricks_template_schema.json"})
_PAPER = regex(
    r"@(article|inproceedings|misc)\s*\{|arxiv\.org/abs|biorxiv\.org/content|openreview\.net/forum",
    re.I,
    ("@article", "@inproceedings", "@misc", "arxiv.org/abs", "biorxiv.org/content", "openreview.net/forum"),
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
    r"\b((official|unofficial|pytorch|tensorflow|jax|keras) (re-?)?implementation (of|for) |"
    r"(code|models?) (for|of|from) (the|our) ([\w-]+ )?paper\b|"
    r"(training|evaluation|inference|source) code and pre-?trained models for |"
    # the layout of many projects lists the `requirements file for reproducing the analysis environment`
    r"reproduc(es|ing|tion of) (?![^\n.]{0,30}\benvironment))",
    re.I,
    ("implementation ", "paper", "trained models for ", "reproduc"),
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
_COMPILED = frozenset({".go", ".rs", ".java", ".kt", ".scala", ".cpp", ".cc", ".ts", ".cs"})
_PROGRAMS = _COMPILED | {".py"}
_MIN_COMPILED = 10
_LICENCE = 1_500  # characters that tell a licence from others
_DATA = frozenset(
    {"xarray", "zarr", "dask", "pyspark", "polars", "pyarrow", "duckdb", "geopandas", "rasterio", "pandas"}
)
_PICKLE = frozenset({"pickle", "joblib", "generic-estimator"})


class Kind(Struct, frozen=True):
    """The kind, why, whether a model of its own is trained, loaded or scored, and a place that shows it."""

    name: str
    reason: str
    has_ml: bool
    where: Location | None = None
    notice: str = ""  # what the reader may do instead of scanning this


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
    if machine_learning and (tasks := exercises(context)):
        return Kind(
            "course", f"{len(tasks)} exercises with a solution such as `{tasks[0]}`", True, Location(tasks[0], 1)
        )
    generator = next((f.path for f in context.named(*_GENERATORS, aside=True) if not f.folder), "")
    packaged = publishes(context) or describes_itself(context)
    known = known_package(context) if packaged else None
    if known is not None:
        return Kind(*known, False)  # a tool may bring templates of projects that use it
    templates = [file.path for file in files if file.role is Role.TEMPLATE and _of_projects(file.path)]
    sources = sum(1 for file in files if file.role is Role.SOURCE and file.suffix in _PROGRAMS)
    if generator or (len(templates) >= 3 and len(templates) * 10 >= sources):  # those of an application are few
        reason = "a project generator" if generator else "files with placeholders, of which others are made"
        return Kind("template", reason, machine_learning, Location(generator or templates[0], 1))
    if (example := collected_example(context)) is not None and not publishes(context):
        return Kind("course", "the README calls the repository a collection of examples", True, example)
    own_use = run_from_checkout(context) if packaged else None
    package = other_package(context, machine_learning) if packaged and own_use is None else None
    if package is not None:
        return Kind(*package, False)
    if shown is not None and (bring := models_of_others(context)) is not None:
        reason = f"the README speaks of `{bring[0]}`, and no model is its own"
        return Kind("platform-tool", reason, False, bring[1])
    shown = shown or own_use
    return _application(context, shown) if shown is not None else _without_ml(context)


def has_ml(context: Context) -> bool:
    """Whether main code trains, tunes, scores or serves a model (pickles alone prove nothing)."""
    return ml_place(context) is not None


def ml_place(context: Context) -> Location | None:
    """The first place where main code trains, tunes, scores or serves a model."""
    for use in context.doing("train", "tune", "predict", "load-model", "llm-call", "deploy-model"):
        if use.tool in context.self_tools:
            continue
        if use.location.path not in context.index.modules and not is_command(use):
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


def _of_projects(path: str) -> bool:
    """Whether a template makes a file of a project: `cluster.jinja` makes a resource or a prompt."""
    return bool(before_placeholder(path)) or "." in strip_template(path)[0].rpartition("/")[2]


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
    rules = [rule for rule in context.rules.kinds if rule.kind == "data-pipeline"]
    if path and (told := Telling(context.documents.text(path)).told(rules)) is not None and _handles_data(context):
        reason = f"the README speaks of `{told[1]}`, and there is no model"
        return Kind("data-pipeline", reason, False, Location(path, told[2]))
    return Kind("non-ml", "no code that trains, loads or scores a model was found", False)


def _handles_data(context: Context) -> bool:
    """Whether it declares a library that reads and writes data sets."""
    return any(item.name in _DATA for item in declared(context))


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
    if shown_off := Telling(text).sample():
        reason = f"the README calls itself a sample: `{shown_off[0]}`"
        return Kind("template", reason, True, Location(told, shown_off[1]))
    if (other := _told(context, text, told)) is not None:
        return other
    scripts = (use for use in context.doing(*LEARNS) if context.role(use.location.path) is Role.SOURCE)
    first = max(scripts, key=lambda use: use.confidence.strength, default=learns)
    where = first.location if first is not None else shown
    return Kind("application", "it trains or serves a model for a use of its own", True, where)


def _told(context: Context, text: str, path: str) -> Kind | None:
    """What the rules of `rules/kinds` find in the README, or in the licence."""
    rules = [rule for rule in context.rules.kinds if rule.kind in JUDGED]
    if (found := Telling(text).told(rules)) is not None:
        rule, words, line = found
        return Kind(rule.kind, f"the README says `{words}`", True, Location(path, line))
    for file in context.repository.files:
        if file.folder or not file.name.lower().startswith(("licen", "copying")):
            continue
        head = " ".join(context.documents.text(file.path)[:_LICENCE].split())
        licence = find_phrase(context.rules.kinds, "licence", head)
        if licence is not None:
            reason = "its licence asks for no attribution, as those of samples do"
            return Kind(licence[0].kind, reason, True, Location(file.path, 1))
    return None


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
