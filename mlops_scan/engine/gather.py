"""From the files of a repository to the facts that detectors read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache as once
from itertools import accumulate

from msgspec.structs import replace

from mlops_scan.automation import starts
from mlops_scan.automation.graph import Automation
from mlops_scan.automation.handed import Handed, environment
from mlops_scan.automation.infrastructure import typescript_programs
from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import declared, is_rule_file
from mlops_scan.automation.projectcalls import called_projects
from mlops_scan.automation.resolve import Resolver
from mlops_scan.cache import Cache
from mlops_scan.ci.find import unread_providers, workflows
from mlops_scan.ci.model import Workflow
from mlops_scan.ci.providers import GATHERED, provider_named
from mlops_scan.code.build import Source, Unread, build_all
from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.code.look import Parts, run_in
from mlops_scan.code.rnames import package_of
from mlops_scan.code.rsweep import RSweep, r_sweep
from mlops_scan.code.sweep import Sweep, sweep
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.documents.bounds import MAX_BYTES
from mlops_scan.documents.definitions import LOCK_FILES, MAX_JSON, is_definition
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.engine import detection, placeholders, suppress
from mlops_scan.engine.entry import ScanOptions, begin
from mlops_scan.engine.handtrained import trained_by_commands
from mlops_scan.engine.looks import looks
from mlops_scan.engine.ownmodels import own_models
from mlops_scan.engine.packaged import self_tools
from mlops_scan.fingerprints.handed import handed_pipelines
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.patterns import beginnings_of
from mlops_scan.fingerprints.use import Use
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.rulebook import RuleBook, Tool
from mlops_scan.words import Role

_UNPARSED = frozenset({Role.VENDORED, Role.GENERATED})
_STRUCTURED = frozenset({"yaml", "json", "toml", "hcl", "bicep"})
_R = frozenset({"r", "rmarkdown"})
_CODE = frozenset({"python", "notebook"}) | _R
_COMMON = frozenset({"serve", "test", "lint"})  # what programs without a model do as well
_COMMANDS = frozenset({"yaml", "toml", "shell", "makefile", "dockerfile"})
_MAX_STRUCTURED = 1_000_000  # bytes of a YAML, JSON or TOML file that can be a definition; data files are larger
_DEFINITIONS = 3_000_000  # bytes of such files outside tests, beyond which the largest are not parsed
_TEST_DEFINITIONS = 1_500_000  # in tests
_WRITTEN = 40_000  # bytes of one that people write, which outside tests is parsed whatever there is besides
_NOTEBOOKS = 800  # that are read; the largest collections of samples have some hundred


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
    swept = _sweep(repository.files, documents, rules, matcher, options.jobs)
    repository = replace(repository, files=tuple(documents.files.values()))  # some turned out to be generated
    structured, left = _structured(repository.files)
    documents.left_out = left.union(swept.left)
    notebooks, unread = _notebooks(repository.files)
    r_code = _r_code(repository.files, documents, rules)
    notices = (
        *([_left(swept, documents)] if swept.left else ()),
        *([_left_of_definitions(left, documents)] if left else ()),
        *([_left_of_notebooks(unread)] if unread else ()),
        *([f"there is more R than one scan parses: {r_code.left} files are left out"] if r_code.left else ()),
    )
    repository = replace(repository, notices=(*repository.notices, *notices))
    begin(options, "code")
    definitions = _Definitions(repository.files, structured, documents, matcher)
    code = swept.chosen | notebooks | r_code.chosen
    modules = _modules(repository.files, documents, code, options.jobs, cache, definitions.read)
    index = CodeIndex(modules, swept.names)
    documents.release(file.path for file in repository.files if language_of(file.path) in _CODE)
    begin(options, "documents")
    definitions.read()
    begin(options, "automation")
    found, pipelines = definitions.workflows, definitions.pipelines
    resolver = Resolver(documents, index, matcher, pipelines)
    roles = {file.path: file.role for file in repository.files}
    uses = _uses(index, matcher, definitions.uses)
    uses += tuple(called_projects(uses, index, resolver))
    uses += tuple(trained_by_commands(repository.files, documents, matcher, uses))
    uses += tuple(own_models(index, uses, lambda path: roles.get(path, Role.SOURCE)))
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
        frozenset(documents.parsed),
    )
    context.self_tools = self_tools(context)
    return context


class _Definitions:
    """What is declared rather than programmed: it can be read while other processes parse code."""

    def __init__(self, files: tuple[File, ...], structured: list[File], documents: Documents, matcher: Matcher) -> None:
        self._files = files
        self._structured = structured
        self._documents = documents
        self._matcher = matcher
        self._done = False
        self.workflows: tuple[Workflow, ...] = ()
        self.pipelines: list[Pipeline] = []
        self.uses: list[Use] = []

    def read(self) -> None:
        """Read all definitions, and import the detectors; the first time only."""
        if self._done:
            return
        self._done = True
        documents, files = self._documents, self._files
        for file in self._structured:
            self.uses += self._matcher.in_documents(file, documents.nodes(file.path))
            self.pipelines += _pipelines(file, documents)
            documents.thin_out(file.path)
        self.uses += self._matcher.in_names([file for file in files if file.role not in _UNPARSED])
        self.pipelines += [p for file in files for p in _in_rule_files(file, documents)]
        self.workflows = tuple(workflows(documents))
        detection.load_own()


def _structured(files: tuple[File, ...]) -> tuple[list[File], frozenset[str]]:
    """The files that may declare something, and those that are left out: of very many the largest.

    Definitions of CI are not, nor is one that is too large for its parser: that is to be said of it.
    """
    found = [file for file in files if _is_structured(file)]
    found += [file for file in typescript_programs(files) if file.role not in _UNPARSED]
    readable = [file for file in found if file.size <= MAX_BYTES]
    tests = [file for file in readable if file.role is Role.TEST]
    others = [file for file in readable if file.role is not Role.TEST]
    left = frozenset((*_largest(tests, _TEST_DEFINITIONS, 0), *_largest(others, _DEFINITIONS, _WRITTEN)))
    return [file for file in found if file.path not in left], left


def _largest(files: list[File], budget: int, small: int) -> list[str]:
    """The largest of some files that define no CI, without which these have no more bytes than the budget.

    None of those of at most `small` bytes is among them.
    """
    if sum(file.size for file in files) <= budget:
        return []
    by_size = sorted((file.size, file.path) for file in files if provider_named(file.path) is None)
    sums = accumulate(size for size, _ in by_size)
    return [path for (size, path), all_up_to in zip(by_size, sums, strict=True) if all_up_to > budget and size > small]


def _is_structured(file: File) -> bool:
    if file.role in _UNPARSED or file.name in LOCK_FILES:
        return False
    language = language_of(file.path)
    if language not in _STRUCTURED and file.suffix != ".dvc":
        return False
    if language == "json" and file.role in (Role.DATA, Role.TEST):
        return False
    return file.size <= (MAX_JSON if language == "json" else _MAX_STRUCTURED) or is_definition(file.path)


def _notebooks(files: tuple[File, ...]) -> tuple[frozenset[str], int]:
    """The notebooks that are read, and how many are left out: those outside the main code, then the deepest ones."""
    found = [file for file in files if language_of(file.path) == "notebook" and file.role not in _UNPARSED]
    if len(found) > _NOTEBOOKS:
        found.sort(key=lambda file: (file.role in ASIDE, file.path.count("/"), file.path))
    return frozenset(file.path for file in found[:_NOTEBOOKS]), max(0, len(found) - _NOTEBOOKS)


def _r_code(files: tuple[File, ...], documents: Documents, rules: RuleBook) -> RSweep:
    """The R scripts and documents that are parsed."""
    found = [file for file in files if language_of(file.path) in _R and file.role not in _UNPARSED]
    if not found:
        return RSweep(frozenset())
    packages = {package for tool in rules.tools.values() for root in tool.imports if (package := package_of(root))}
    return r_sweep(found, documents.text, packages)


def _pipelines(file: File, documents: Documents) -> Iterator[Pipeline]:
    if file.role in ASIDE or ".github/" in file.path:
        return
    yield from placeholders.filled_in(declared(file.path, documents.nodes(file.path)), documents.text(file.path))


def _in_rule_files(file: File, documents: Documents) -> Iterator[Pipeline]:
    if is_rule_file(file.name) and file.role not in ASIDE:
        from mlops_scan.automation.pipelines import rulefiles

        yield from rulefiles.declared(file.path, documents.text(file.path))


def _left_of_definitions(left: Collection[str], documents: Documents) -> str:
    return (
        "there are more YAML, JSON, TOML and infrastructure files than one scan parses; left out: "
        f"{_counted(left, documents)}, the largest; scan a folder of this repository for more"
    )


def _left_of_notebooks(left: int) -> str:
    return (
        f"there are more notebooks than one scan reads: {left}, those outside the main code first and then those "
        "furthest from the root, are left out; scan a folder of this repository for more"
    )


def _sweep(files: Iterable[File], documents: Documents, rules: RuleBook, matcher: Matcher, jobs: int) -> Sweep:
    """One pass over the texts that may name a tool, to choose the Python files that deserve a parse."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if file.role not in _UNPARSED:
            by_language[language_of(file.path)].append(file.path)

    @once
    def commands() -> list[tuple[str, Iterable[Parts]]]:
        return [
            (path, run_in(documents.text(path)))
            for language in sorted(_COMMANDS)
            for path in by_language[language]
            if documents.files[path].size <= _MAX_STRUCTURED
        ]

    found = sweep(
        dict(
            looks(
                by_language["python"],
                documents,
                RoleCatalogue(rules.roles),
                jobs,
                commands,
                _clients(rules.tools.values()),
            )
        ),
        _roots(rules.tools.values(), matcher),
        commands(),
        (documents.data(path) for path in by_language["notebook"]),
        [path for path in by_language["python"] if documents.files[path].role is Role.TEST],
        {root for tool in rules.tools.values() if tool.general for root in tool.imports},
    )
    for path in by_language["python"]:
        if path not in found.chosen:
            documents.forget(path)
    return found


def _left(swept: Sweep, documents: Documents) -> str:
    return (
        "there is more Python around the use of known tools than one scan parses; left out: "
        f"{_counted(swept.left, documents)}, the furthest from it; scan a folder of this repository for more"
    )


def _counted(left: Collection[str], documents: Documents) -> str:
    """How many files are left out, and how many of them are tests, if any."""
    tests = sum(1 for path in left if documents.files[path].role is Role.TEST)
    return f"{len(left)} file{'s' if len(left) > 1 else ''}{f' ({tests} of them tests)' if tests else ''}"


def _modules(
    files: Iterable[File],
    documents: Documents,
    wanted: Collection[str],
    jobs: int,
    cache: Cache | None,
    meanwhile: Callable[[], None],
) -> Iterator[Module]:
    chosen: list[Source | Unread] = []
    for file in files:
        if file.path in wanted:
            unread = Unread(file.path, file.size, language_of(file.path) == "notebook", documents)
            if documents.is_shared(file.path):
                chosen.append(unread)
            elif not (source := unread.load()).blank:
                chosen.append(source)
    for built in build_all(chosen, jobs, cache, meanwhile):
        if built.module is not None or built.problem:
            documents.parsed.add(built.path)
        if built.problem:
            documents.note(built.path, built.problem)
        if built.module is not None:
            yield built.module


def _roots(tools: Iterable[Tool], matcher: Matcher) -> Iterator[str]:
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
    for text in dict.fromkeys(text for first in parted for text in matcher.patterns(first)):
        yield from (name for name in beginnings_of(text) if name.partition(".")[0] in parted)


def _clients(tools: Iterable[Tool]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The import roots of clients for many services, each with the words of all tools that are among these."""
    found: dict[str, tuple[str, ...]] = {}
    for tool in tools:
        for root, words in tool.clients:
            found[root] = (*found.get(root, ()), *words)
    return tuple(found.items())


def _proves(tool: Tool) -> bool:
    """Whether using a tool says something by itself; a web framework or a test runner only does with a model."""
    return any(signature.serves or not _COMMON.issuperset(signature.does) for signature in tool.signatures)


def _uses(index: CodeIndex, matcher: Matcher, declared: Iterable[Use]) -> tuple[Use, ...]:
    """The uses of tools in code, and those in definitions, each once."""
    found: dict[tuple[object, ...], Use] = {}
    in_code = (use for module in index.modules.values() for use in matcher.in_module(index, module))
    for use in (*in_code, *declared):
        found.setdefault((use.tool, use.location, use.scope, use.serves, use.does), use)
    return (*found.values(), *handed_pipelines(found.values(), index))
