"""What a repository declares in YAML, JSON, TOML and infrastructure files: which are read, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from mlops_scan.automation.infrastructure import typescript_programs
from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import declared, is_rule_file
from mlops_scan.automation.pipelines.azure_components import completed, component_name
from mlops_scan.automation.pipelines.azure_schedules import Clock, clock_of, scheduled
from mlops_scan.automation.pipelines.bundles import settled
from mlops_scan.automation.pipelines.mage_triggers import clocked
from mlops_scan.ci.find import workflows
from mlops_scan.ci.model import Workflow
from mlops_scan.ci.providers import provider_named
from mlops_scan.detectors.base import ASIDE
from mlops_scan.documents.bounds import MAX_BYTES
from mlops_scan.documents.definitions import LOCK_FILES, MAX_JSON, is_definition
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.engine import detection, placeholders
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.use import Use
from mlops_scan.repository.files import File
from mlops_scan.words import FOREIGN, Role

UNPARSED = FOREIGN
"""The roles of files that are not parsed."""
MAX_STRUCTURED = 1_000_000
"""Bytes of a YAML, JSON or TOML file that can be a definition; data files are larger."""
_STRUCTURED = frozenset({"yaml", "json", "toml", "hcl", "bicep"})
_DEFINITIONS = 3_000_000  # bytes of such files outside tests, beyond which the largest are not parsed
_TEST_DEFINITIONS = 1_500_000  # in tests
_WRITTEN = 40_000  # bytes of one that people write, which outside tests is parsed whatever there is besides


class Definitions:
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
        components: dict[str, str | None] = {}
        clocks: dict[str, Clock] = {}
        for file in self._structured:
            self.uses += self._matcher.in_documents(file, documents.nodes(file.path))
            self.pipelines += _pipelines(file, documents)
            for name in filter(None, map(component_name, documents.nodes(file.path))):
                components[name] = None if name in components else file.path
            for document in documents.nodes(file.path) if file.role not in ASIDE else ():
                clock = clock_of(file.path, document)
                if clock is not None:
                    clocks.setdefault(clock.pipeline, clock)
            documents.thin_out(file.path)
        self.uses += self._matcher.in_names([file for file in files if file.role not in UNPARSED])
        whole = scheduled(completed(self.pipelines, documents, components), clocks)
        self.pipelines = list(settled(clocked(whole, documents), documents))
        self.pipelines += [p for file in files for p in _in_rule_files(file, documents)]
        self.workflows = tuple(workflows(documents))
        detection.load_own()


def chosen(files: tuple[File, ...]) -> tuple[list[File], frozenset[str]]:
    """The files that may declare something, and those that are left out: of very many the largest.

    Definitions of CI are not, nor is one that is too large for its parser: that is to be said of it.
    """
    found = [file for file in files if _is_structured(file)]
    found += [file for file in typescript_programs(files) if file.role not in UNPARSED]
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
    if file.role in UNPARSED or file.name in LOCK_FILES:
        return False
    language = language_of(file.path)
    if language not in _STRUCTURED and file.suffix != ".dvc":
        return False
    if language == "json" and file.role in (Role.DATA, Role.TEST):
        return False
    return file.size <= (MAX_JSON if language == "json" else MAX_STRUCTURED) or is_definition(file.path)


def _pipelines(file: File, documents: Documents) -> Iterator[Pipeline]:
    if file.role in ASIDE or ".github/" in file.path:
        return
    yield from placeholders.filled_in(declared(file.path, documents.nodes(file.path)), documents.text(file.path))


def _in_rule_files(file: File, documents: Documents) -> Iterator[Pipeline]:
    if is_rule_file(file.name) and file.role not in ASIDE:
        from mlops_scan.automation.pipelines import rulefiles

        yield from rulefiles.declared(file.path, documents.text(file.path))
