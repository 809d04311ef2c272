"""One scan from end to end: list, parse, gather facts, detect, grade, judge, report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from mlops_scan import __version__
from mlops_scan.automation import starts
from mlops_scan.automation.graph import Automation
from mlops_scan.automation.handed import Handed, environment
from mlops_scan.automation.infrastructure import typescript_programs
from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import declared, rulefiles
from mlops_scan.automation.resolve import Resolver
from mlops_scan.cache import Cache
from mlops_scan.ci.find import unread_providers, workflows
from mlops_scan.ci.providers import GATHERED
from mlops_scan.code.build import Source, build_all
from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.code.sweep import Sweep, sweep
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.documents.definitions import is_definition
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.engine import attest, placeholders, plugins, suppress, verdict
from mlops_scan.engine import baseline as baselines
from mlops_scan.engine import components as component_rules
from mlops_scan.engine import findings as finding_rules
from mlops_scan.engine.entry import ScanOptions, begin, scan
from mlops_scan.engine.grades import weigh
from mlops_scan.engine.inventory import inventory
from mlops_scan.engine.kind import decide, self_tools
from mlops_scan.engine.report import Report, Statistics
from mlops_scan.errors import ScanError
from mlops_scan.fingerprints.match import Matcher, Use
from mlops_scan.fingerprints.patterns import beginnings_of
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.rulebook import RuleBook, Tool
from mlops_scan.rulereader import hint
from mlops_scan.words import KINDS, Problem, Role, Signal

__all__ = ["ScanOptions", "examine", "gather", "scan"]

_UNPARSED = frozenset({Role.VENDORED, Role.GENERATED})
_STRUCTURED = frozenset({"yaml", "json", "toml", "hcl", "bicep"})
_CODE = frozenset({"python", "notebook"})
_COMMANDS = frozenset({"yaml", "toml", "shell", "makefile", "dockerfile"})
_MAX_STRUCTURED = 1_000_000  # bytes of a YAML, JSON or TOML file that can be a definition; data files are larger
_MAX_JSON = 150_000  # bytes; a JSON definition is small, exported data and dashboards are not
_LOCK_FILES = frozenset(
    {
        "package-lock.json",
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "yarn.lock",
        "pnpm-lock.yaml",
        "pixi.lock",
        "conda-lock.yml",
    }
)


def examine(
    path: str,
    options: ScanOptions,
    rules: RuleBook,
    repository: Repository,
    documents: Documents,
    cache: Cache | None,
) -> Report:
    """The report on a repository; `path` is how it shows where that lies.

    Raises:
        ScanError: an option names something unknown.
    """
    chosen = "default" if options.model == verdict.EVERY else options.model
    if chosen not in rules.models:
        raise ScanError(
            f"{chosen}: no such maturity model{hint(chosen, rules.models)}; known: {', '.join(rules.models)}"
        )
    if options.kind is not None and options.kind not in KINDS:
        raise ScanError(f"{options.kind}: no such kind of repository; known: {', '.join(KINDS)}")
    verdict.check_version(options.rules_version, rules.version)
    known = baselines.read(options.baseline) if options.baseline is not None else None
    context = gather(repository, rules, options, documents, cache)
    begin(options, "detect")
    kind = decide(context, options.kind)
    signals: list[Signal] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for item in plugins.detect(context, options.plugins, notes):
        (signals if isinstance(item, Signal) else problems).append(item)  # type: ignore[arg-type]
    begin(options, "grade")
    weighed = weigh(context, signals)
    folders = verdict.declared(context, options.components)
    parts = component_rules.Components(folders) if folders else component_rules.find(context, kind)
    judge = verdict.Judge(context, rules, chosen, kind, parts, weighed)
    judged = tuple(judge.component(folder) for folder in parts.folders)
    problems += [*finding_rules.own(context), *placeholders.problems(context)]
    claims = attest.read(context, rules, options.attestations)
    attested = judge.attest(judged, claims, problems, options.as_of)
    problems += attest.findings(attested.results, claims, options.as_of)
    headline = judge.headline(attested.components, options.component)
    active = judged if judge.judged and repository.files else ()
    findings, suppressed = finding_rules.build(
        context, problems if active else (), active, options.select, options.ignore, options.per_path_ignores
    )
    compared = None
    if known is not None:
        findings, compared = baselines.compare(findings, known, rules.findings)
    return Report(
        version=__version__,
        rules_version=rules.version,
        path=path,
        revision=repository.revision,
        kind=kind.name,
        kind_reason=kind.reason,
        kind_place=kind.where,
        has_ml=kind.has_ml,
        model=chosen,
        levels=tuple((item.id, item.value) for item in headline.models),
        attested_level=headline.attested_level,
        headline=headline,
        components=attested.components,
        findings=findings,
        incomplete=(
            *repository.incomplete,
            *(context.documents.incomplete[name] for name in sorted(context.documents.incomplete)),
        ),
        statistics=Statistics(
            len(repository.files),
            context.documents.files_read,
            len(context.documents.parsed),
            context.documents.bytes_read,
        ),
        rules=finding_rules.rules(rules),
        notices=(
            *options.notices,
            *notes,
            *verdict.notices(context, options.select, options.ignore, kind, parts, headline, options.component),
            *verdict.disclosures(suppressed, compared, attested),
        ),
        every_model=options.model == verdict.EVERY,
        suppressed=suppressed,
        baseline=compared,
        attestations=attested.results,
        stack=verdict.stack(context),
        inventory=inventory(context, weighed),
    )


# -- facts -----------------------------------------------------------------------------------------------------------


def gather(
    repository: Repository,
    rules: RuleBook,
    options: ScanOptions | None = None,
    documents: Documents | None = None,
    cache: Cache | None = None,
) -> Context:
    """All facts that detectors read."""
    options = options or ScanOptions()
    documents = documents or Documents(repository.files)
    begin(options, "sweep")
    documents.expect(_marks())
    swept = _sweep(repository.files, documents, rules)
    repository = replace(repository, files=tuple(documents.files.values()))  # some turned out to be generated
    if swept.left:
        repository = replace(repository, notices=(*repository.notices, _left(swept, documents)))
    begin(options, "code")
    structured = [file for file in repository.files if _is_structured(file)]
    structured += [file for file in typescript_programs(repository.files) if file.role not in _UNPARSED]
    modules = _modules(
        repository.files, documents, swept, options.jobs, cache, lambda: _read_first(structured, documents)
    )
    index = CodeIndex(modules, swept.names)
    documents.release(file.path for file in repository.files if language_of(file.path) in _CODE)
    begin(options, "documents")
    matcher = Matcher(rules.tools.values())
    pipelines = [p for file in structured for p in _pipelines(file, documents)]
    pipelines += [p for file in repository.files for p in _in_rule_files(file, documents)]
    begin(options, "automation")
    resolver = Resolver(documents, index, matcher, pipelines)
    found = tuple(workflows(documents))
    uses = _uses(repository.files, structured, documents, index, matcher)
    code_pipelines = starts.code_schedules(uses, index)
    handed = Handed(documents, index, environment(found))
    runs = (
        *starts.ci_runs(found, resolver, documents),
        *starts.pipeline_runs(pipelines, resolver),
        *code_pipelines,
        *starts.deployments(documents, index),
        *starts.code_pipeline_runs(uses, index, resolver, handed),
        *starts.service_runs(documents, resolver),
    )
    begin(options, "wiring")
    automation = Automation(index, found, pipelines, runs)
    context = Context(
        repository,
        documents,
        index,
        rules,
        uses,
        automation,
        resolver,
        tuple(unread_providers(documents, found)),
        handed,
    )
    context.self_tools = self_tools(context)
    return context


def _is_structured(file: File) -> bool:
    if file.role in _UNPARSED or file.name in _LOCK_FILES:
        return False
    language = language_of(file.path)
    if language == "json" and file.role in (Role.DATA, Role.TEST):
        return False
    if file.size > (_MAX_JSON if language == "json" else _MAX_STRUCTURED) and not is_definition(file.path):
        return False
    return language in _STRUCTURED or file.suffix == ".dvc"


def _pipelines(file: File, documents: Documents) -> Iterator[Pipeline]:
    if file.role in ASIDE or ".github/" in file.path:
        return
    yield from placeholders.filled_in(declared(file.path, documents.nodes(file.path)), documents.text(file.path))


def _in_rule_files(file: File, documents: Documents) -> Iterator[Pipeline]:
    if rulefiles.is_named(file.path) and file.role not in ASIDE:
        yield from rulefiles.declared(file.path, documents.text(file.path))


def _sweep(files: Iterable[File], documents: Documents, rules: RuleBook) -> Sweep:
    """One pass over the texts that may name a tool, to choose the Python files that deserve a parse."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.role not in _UNPARSED:
            by_language[language_of(file.path)].append(file.path)
    found = sweep(
        _code(by_language["python"], documents, RoleCatalogue(rules.roles)),
        _roots(rules.tools.values()),
        ((path, documents.text(path)) for language in sorted(_COMMANDS) for path in by_language[language]),
        (documents.text(path) for path in by_language["notebook"]),
        [path for path in by_language["python"] if documents.files[path].role is Role.TEST],
    )
    for path in by_language["python"]:
        if path not in found.chosen:
            documents.forget(path)
    return found


def _left(swept: Sweep, documents: Documents) -> str:
    tests = sum(1 for path in swept.left if documents.files[path].role is Role.TEST)
    return (
        f"there is more Python around the use of ML tools than one scan parses: {len(swept.left)} files, "
        f"{tests} of them tests, that are furthest from it are left out; scan a folder of this repository for more"
    )


def _code(paths: Iterable[str], documents: Documents, roles: RoleCatalogue) -> Iterator[tuple[str, str]]:
    """The texts of the Python files that people wrote; the others say at their head that a program did."""
    for path in paths:
        text = documents.text(path)
        if documents.files[path].suffix == ".py" and roles.is_generated(text):
            documents.rename_role(path, Role.GENERATED)
        else:
            yield path, text
        documents.thin_out(path)


def _read_first(structured: Iterable[File], documents: Documents) -> None:
    """What this process does while workers parse code: definitions are read, and the detectors imported."""
    for file in structured:
        documents.nodes(file.path)
    plugins.load_own()


def _modules(
    files: Iterable[File],
    documents: Documents,
    swept: Sweep,
    jobs: int,
    cache: Cache | None,
    meanwhile: Callable[[], None],
) -> Iterator[Module]:
    chosen = [
        Source(f.path, text, language_of(f.path) == "notebook")
        for f in files
        if (f.path in swept.chosen or (language_of(f.path) == "notebook" and f.role not in _UNPARSED))
        and (text := documents.text(f.path)).strip()
    ]
    for built in build_all(chosen, jobs, cache, meanwhile):
        documents.parsed.add(built.path)
        if built.problem:
            documents.note(built.path, built.problem)
        if built.module is not None:
            yield built.module


def _roots(tools: Iterable[Tool]) -> Iterator[str]:
    """The dotted names whose import tells that a file may matter.

    Their first segments are those of tools that prove something; of each, all names that any tool is known by.
    """
    every = list(tools)
    firsts = {root.partition(".")[0] for tool in every if _proves(tool) for root in tool.imports}
    whole = {root for tool in every for root in tool.imports if root in firsts}
    yield from whole
    parted = firsts - whole
    for tool in every:
        yield from (root for root in tool.imports if root.partition(".")[0] in parted)
        patterns = (
            text for item in tool.signatures for text in (*item.calls, *item.all_calls, *item.decorators, *item.bases)
        )
        for text in patterns:
            if text.startswith("{") or text.partition(".")[0] in parted:
                yield from (name for name in beginnings_of(text) if name.partition(".")[0] in parted)


def _marks() -> Iterator[str]:
    """What is asked of the text of all code once its facts are known."""
    yield from (placeholders.MARKER, suppress.MARK)
    yield from (mark for kind in GATHERED for mark in kind.marks)


def _proves(tool: Tool) -> bool:
    """Whether using a tool says something by itself; a web framework or a test runner only does with a model."""
    activities = {activity for signature in tool.signatures for activity in signature.does}
    return bool(activities - {"serve", "test", "lint"}) or any(signature.serves for signature in tool.signatures)


def _uses(
    files: tuple[File, ...], structured: list[File], documents: Documents, index: CodeIndex, matcher: Matcher
) -> tuple[Use, ...]:
    found: dict[tuple[object, ...], Use] = {}
    every = [use for module in index.modules.values() for use in matcher.in_module(index, module)]
    every += [use for file in structured for use in matcher.in_documents(file, documents.nodes(file.path))]
    every += matcher.in_names([file for file in files if file.role not in _UNPARSED])
    for use in every:
        found.setdefault((use.tool, use.location, use.scope, use.serves, use.does), use)
    return tuple(found.values())
