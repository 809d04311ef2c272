"""One scan as callers see it: the source is listed, and a kept report serves again or the scan is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.documents.store import Documents
from mlops_scan.engine import plugins
from mlops_scan.engine.lessons import lesson_folders
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository, open_repository
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.repository.urls import without_secrets
from mlops_scan.rulebook import RuleBook, load
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.cache import Cache
    from mlops_scan.engine.report import Report
    from mlops_scan.engine.results import Results

Stage = Callable[[str], None]


class ScanOptions(Struct, frozen=True):
    """What a scan can be told. `as_of` is the only clock; None means that nothing depends on the date."""

    model: str = "default"
    kind: str | None = None
    component: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rev: str | None = None  # a revision to scan in the place of the work tree
    submodules: bool = False  # enter submodules that are there
    jobs: int = 0  # processes that parse code; 0: one per processor where there is enough code
    as_of: date | None = None
    cache: bool = True  # keep parsed rules, facts, reports and what a URL gives in the user's cache folder
    stage: Stage | None = None  # told the name of each stage as it begins
    rules: tuple[Path, ...] = ()  # files and folders of a user's own rules, beside the built-in ones
    rules_version: str | None = None  # refuse to judge by another one
    components: tuple[str, ...] = ()  # folders that are components, instead of a guess
    per_path_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()  # path pattern -> ids
    baseline: Path | None = None
    attestations: Path | None = None  # None: the file of that name at the root, where there is one
    plugins: bool = True  # use the detectors of other packages
    notices: tuple[str, ...] = ()  # what the caller wants the reader to know


def scan(path: Path | str, options: ScanOptions | None = None) -> Report:
    """Scan the source `path`: a folder, a bare repository, an archive or a URL.

    The report of an earlier scan of the same files serves again.

    Raises:
        ScanError: the source cannot be read, or an option names something unknown.
    """
    options = options or ScanOptions()
    rules = _Rules(options)
    begin(options, "list")
    opened = open_repository(
        path,
        options.exclude,
        rev=options.rev,
        submodules=options.submodules,
        keep=options.cache,
        roles=rules.roles,
    )
    cache = _opened() if options.cache else None
    try:
        repository, shown = _with_roles(opened), without_secrets(str(path))
        asked = (rules.book.version, shown, repr(replace(options, jobs=0, stage=None)))
        results = _kept(cache if cache is not None and _repeatable(options) else None, repository, asked)
        report = None if results is None else results.find()
        if report is None:
            from mlops_scan.engine.scan import examine  # most of the program, of which a kept report needs nothing

            documents = Documents(repository.files, results is not None)
            report = examine(shown, options, rules.book, repository, documents, cache)
            if results is not None:
                results.keep(report, documents.reads, documents.heads)
        return report
    finally:
        opened.close()
        if cache is not None:
            cache.close()


class _Rules:
    """The rules to scan by, read when they are first asked for: there is time for it while git lists."""

    def __init__(self, options: ScanOptions) -> None:
        self._options = options

    @cached_property
    def book(self) -> RuleBook:
        """All rules.

        Raises:
            RuleError: they are not valid.
        """
        begin(self._options, "rules")
        book = load(cache=self._options.cache, extra=self._options.rules)
        begin(self._options, "list")
        return book

    @cached_property
    def _catalogue(self) -> RoleCatalogue:
        return RoleCatalogue(self.book.roles)

    def roles(self) -> RoleCatalogue:
        """What names the roles of paths."""
        return self._catalogue


def _opened() -> Cache | None:
    from mlops_scan.cache import open_cache

    return open_cache()


def _kept(cache: Cache | None, repository: Repository, asked: tuple[str, ...]) -> Results | None:
    """The reports kept for one listing and one set of options; None where none are."""
    if cache is None:
        return None
    from mlops_scan.engine.results import Results

    return Results(cache, repository, asked)


def _repeatable(options: ScanOptions) -> bool:
    """Whether the report depends on nothing but the rules, the options' words and the files that documents read.

    A baseline, attestations with the files that they cover and plug-ins are read by other ways.
    """
    return options.baseline is None and options.attestations is None and not plugins.foreign(options.plugins)


def begin(options: ScanOptions, stage: str) -> None:
    """Tell whoever wants to know that a stage begins."""
    if options.stage is not None:
        options.stage(stage)


def _with_roles(repository: Repository) -> Repository:
    """In a course, and where all code lies in example folders, the examples are the repository's own work."""
    if not lesson_folders(repository.files) and not _only_examples(repository.files):
        return repository
    files = tuple(
        replace(file, role=Role.NOTEBOOK if file.suffix == ".ipynb" else Role.SOURCE)
        if file.role is Role.EXAMPLE
        else file
        for file in repository.files
    )
    return replace(repository, files=files)


def _only_examples(files: Iterable[File]) -> bool:
    """Whether there is code, and all of it is in examples."""
    work = (Role.SOURCE, Role.NOTEBOOK)
    roles = (file.role for file in files if file.path.endswith((".py", ".ipynb")))
    found = False
    for role in roles:
        if role in work:
            return False
        found = found or role is Role.EXAMPLE
    return found
