"""From the files of a repository to the facts that detectors read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mlops_scan.automation.azureclocks import azure_clocks
from mlops_scan.automation.celery import beats
from mlops_scan.automation.cijobs import ci_runs
from mlops_scan.automation.clocks import code_schedules, deployments
from mlops_scan.automation.codepipelines import code_pipeline_runs, lead_commands
from mlops_scan.automation.compiled import hold_compiled
from mlops_scan.automation.crontabs import cron_runs
from mlops_scan.automation.dagster import dagster_starts
from mlops_scan.automation.flowcalls import deployed_flows
from mlops_scan.automation.graph import Automation
from mlops_scan.automation.handed import Handed, environment
from mlops_scan.automation.kedro import registered_pipelines
from mlops_scan.automation.model import Run
from mlops_scan.automation.prefectruns import flow_clocks
from mlops_scan.automation.projectcalls import called_projects
from mlops_scan.automation.resolve import Resolver
from mlops_scan.automation.starts import pipeline_runs, service_runs
from mlops_scan.automation.taskimages import task_images
from mlops_scan.automation.taskobjects import task_objects
from mlops_scan.cache import Cache
from mlops_scan.ci.find import unread_providers
from mlops_scan.ci.providers import GATHERED
from mlops_scan.code.index import CodeIndex
from mlops_scan.detectors.base import Context
from mlops_scan.documents.languages import CODE, language_of
from mlops_scan.documents.store import Documents
from mlops_scan.engine import codefiles, definitions, leftout, placeholders, suppress
from mlops_scan.engine.entry import ScanOptions, begin
from mlops_scan.engine.handtrained import trained_by_commands
from mlops_scan.engine.ownmodels import own_models
from mlops_scan.engine.packaged import self_tools
from mlops_scan.fingerprints.handed import handed_pipelines
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.use import Use
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository
from mlops_scan.rulebook import RuleBook
from mlops_scan.words import Role


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
    documents.expect(
        (placeholders.MARKER, suppress.MARK),
        (mark for kind in GATHERED for mark in (*kind.marks, *kind.programmed.values())),
    )
    matcher = Matcher(rules.tools.values())
    swept = codefiles.swept(repository.files, documents, rules, matcher, options.jobs)
    files = tuple(documents.files.values())  # some turned out to be generated
    structured, left = definitions.chosen(files)
    documents.left_out = left.union(swept.left)
    notebooks, unread = codefiles.notebooks(files)
    r_code = codefiles.r_code(files, documents, rules)
    notices = leftout.notices(documents, swept.left, left, unread, r_code.left)
    repository = replace(repository, files=files, notices=(*repository.notices, *notices))
    begin(options, "code")
    declared = definitions.Definitions(files, structured, documents, matcher)
    code = swept.chosen | notebooks | r_code.chosen
    index = CodeIndex(codefiles.modules(files, documents, code, options.jobs, cache, declared.read), swept.names)
    documents.release(file.path for file in files if language_of(file.path) in CODE)
    begin(options, "documents")
    declared.read()
    begin(options, "automation")
    resolver = Resolver(documents, index, matcher, declared.pipelines)
    uses = _uses(files, resolver, declared.uses)
    handed = Handed(documents, index, environment(declared.workflows))
    lead_commands(uses, index, resolver, handed)
    runs = tuple(_runs(declared, uses, resolver, handed))
    runs += tuple(cron_runs(documents, resolver, runs))
    runs += tuple(flow_clocks(runs, index))
    hold_compiled(uses, runs, matcher.tools.values(), index)
    begin(options, "wiring")
    context = Context(
        repository,
        documents,
        index,
        rules,
        uses,
        Automation(index, declared.workflows, declared.pipelines, runs),
        resolver,
        tuple(unread_providers(documents, declared.workflows)),
        handed,
        frozenset(documents.parsed),
    )
    context.self_tools = self_tools(context)
    return context


def _uses(files: tuple[File, ...], resolver: Resolver, declared: Iterable[Use]) -> tuple[Use, ...]:
    """The uses of tools in code and in definitions, then those that only follow from them."""
    documents, index, matcher = resolver.documents, resolver.index, resolver.matcher
    roles = {file.path: file.role for file in files}
    uses = _shown(index, matcher, declared)
    uses += tuple(called_projects(uses, index, resolver))
    uses += tuple(deployed_flows(uses, index))
    uses += tuple(registered_pipelines(index, documents))
    task_objects(uses, index, resolver)
    task_images(uses, index, resolver)
    uses += tuple(trained_by_commands(files, documents, matcher, uses))
    uses += tuple(own_models(index, uses, lambda path: roles.get(path, Role.SOURCE)))
    return uses


def _shown(index: CodeIndex, matcher: Matcher, declared: Iterable[Use]) -> tuple[Use, ...]:
    """The uses of tools in code, and those in definitions, each once."""
    found: dict[tuple[object, ...], Use] = {}
    in_code = (use for module in index.modules.values() for use in matcher.in_module(index, module))
    for use in (*in_code, *declared):
        found.setdefault((use.tool, use.location, use.scope, use.serves, use.does), use)
    return (*found.values(), *handed_pipelines(found.values(), index))


def _runs(
    declared: definitions.Definitions, uses: tuple[Use, ...], resolver: Resolver, handed: Handed
) -> Iterator[Run]:
    """What everything runs that starts something."""
    documents, index = resolver.documents, resolver.index
    yield from ci_runs(declared.workflows, resolver, documents)
    yield from pipeline_runs(declared.pipelines, resolver)
    yield from code_schedules(uses, index)
    yield from deployments(documents, index)
    yield from dagster_starts(index, documents)
    yield from beats(index, documents)
    yield from azure_clocks(index, documents)
    yield from code_pipeline_runs(uses, index, resolver, handed)
    yield from service_runs(documents, resolver)
