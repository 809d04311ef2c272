"""Load the rules data: tools, practices, maturity models and findings, checked while it is read.

The folder is `rules/` at the top of a source tree and `mlops_scan/rules_data/` in an installed wheel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_scan.assetrules import AssetRule, asset_rule
from mlops_scan.errors import RuleError
from mlops_scan.rulereader import (
    check_keys,
    checked_number,
    choice,
    constant,
    documents,
    entries,
    hint,
    keywords,
    mapping,
    read,
    required,
    texts,
)
from mlops_scan.words import Confidence, Grade, Severity

HELP_URL = "docs/rules/findings.md#{anchor}"  # in this project's tree, until it has a public address

_CONDITIONS = ("calls", "all_calls", "decorators", "bases", "commands", "keys", "files")
_SIGNATURE_KEYS = {
    *_CONDITIONS,
    "serves",
    "does",
    "with",
    "without",
    "imports",
    "min_args",
    "grade",
    "confidence",
    "note",
}
_TOOL_KEYS = {"id", "name", "url", "imports", "distributions", "hints", "engine", "signals", "samples"}
_SAMPLE_KEYS = {"path", "text", "expect"}
_PRACTICE_KEYS = {
    "id", "title", "minimum", "observability", "what", "counts", "does_not_count", "starts", "blocking", "attestable",
    "at_home", "effort", "gap", "remedy", "snippets", "references",
}  # fmt: skip
_MODEL_KEYS = {"id", "name", "source", "levels"}
_LEVEL_KEYS = {"number", "name", "rows"}
_ROW_KEYS = {"title", "need", "weight", "practices"}
_FINDING_KEYS = {"id", "title", "severity", "why", "fix", "example", "tags"}


@dataclass(frozen=True, slots=True)
class Signature:
    """One way a tool shows that it is used. Lists are alternatives, the fields together a conjunction."""

    serves: tuple[str, ...] = ()
    does: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    all_calls: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()  # (path, value glob; "" where presence is enough)
    files: tuple[str, ...] = ()
    required: tuple[tuple[str, tuple[str, ...]], ...] = ()  # keyword -> accepted constants, empty: present
    refused: tuple[tuple[str, tuple[str, ...]], ...] = ()
    imports: tuple[str, ...] = ()
    min_args: int = 0  # arguments that the call must have
    grade: Grade = Grade.IMPLEMENTED
    confidence: Confidence = Confidence.HIGH
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A file and what the tool must claim on it: practice ids and `does:ACTIVITY`; empty for must-not-match."""

    path: str
    text: str
    expect: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, library or platform and its fingerprints."""

    id: str
    name: str
    family: str
    url: str
    imports: tuple[str, ...]
    distributions: tuple[str, ...]
    hints: tuple[str, ...]
    engine: tuple[str, ...]  # practices that the tool itself performs for every pipeline that it runs
    signatures: tuple[Signature, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Practice:
    """An observable practice: what it asks for, the grade that meets it, and how to get there."""

    id: str
    title: str
    minimum: Grade
    observability: str
    what: str
    counts: tuple[str, ...]
    does_not_count: tuple[str, ...]
    starts: frozenset[str]
    blocking: bool
    attestable: bool
    at_home: frozenset[str]  # roles in which its evidence is not lowered
    effort: str
    gap: str
    remedy: str
    snippets: Mapping[str, str]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """`need` of `practices` must be met for the level to hold."""

    title: str
    need: int
    weight: float
    practices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a maturity model."""

    number: int
    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class MaturityModel:
    """A maturity model as data, lowest level first."""

    id: str
    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class FindingDefinition:
    """A finding's documentation. Gap findings are made from their practice."""

    id: str
    title: str
    severity: Severity
    why: str
    fix: str
    example: str
    tags: tuple[str, ...]

    @property
    def help_url(self) -> str:
        """The page of this finding."""
        return HELP_URL.format(anchor=self.id.lower())


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, by id, in the order of their files."""

    version: str
    tools: Mapping[str, Tool]
    practices: Mapping[str, Practice]
    models: Mapping[str, MaturityModel]
    findings: Mapping[str, FindingDefinition]
    assets: tuple[AssetRule, ...] = ()


def rules_path() -> Path:
    """The folder of the built-in rules.

    Raises:
        RuleError: this installation has none.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "rules_data", here.parent / "rules"):
        if (folder / "practices").is_dir():
            return folder
    raise RuleError(f"the built-in rules are missing beside {here}; reinstall mlops-scan")


def load(folder: Path | None = None, *, cache: bool = True) -> RuleBook:
    """Read every rule file below `folder`, by default the built-in rules; only those are cached, unless told not to.

    Raises:
        RuleError: a file is no valid YAML or does not follow the format of `rules/README.md`.
    """
    root = folder or rules_path()
    content = hashlib.sha256()
    tools: dict[str, Tool] = {}
    practices: dict[str, Practice] = {}
    models: dict[str, MaturityModel] = {}
    findings: dict[str, FindingDefinition] = {}
    assets: dict[str, AssetRule] = {}
    places: dict[str, Path] = {}
    for path, data in documents(root, content, cache and folder is None):
        kind = path.parent.name
        if kind == "tools":
            for entry in entries(data, "tools", path):
                _add(tools, _tool(entry, str(data.get("family", "")), path), path, places)
        elif kind == "practices":
            for entry in entries(data, "practices", path):
                practice = _practice(entry, path)
                _add(practices, practice, path, places)
                _add(findings, _gap_finding(practice), path, places)
        elif kind == "models":
            _add(models, _model(data, path), path, places)
        elif kind == "findings":
            for entry in entries(data, "findings", path):
                _add(findings, _finding(entry, path), path, places)
        elif kind == "assets":
            for entry in entries(data, "assets", path):
                _add(assets, asset_rule(entry, path), path, places)
    book = RuleBook(
        content.hexdigest()[:12],
        tools,
        practices,
        models,
        dict(sorted(findings.items())),
        assets=tuple(assets.values()),
    )
    _check_references(book, places)
    return book


def digest(folder: Path | None = None) -> str:
    """What tells the rules below `folder`, by default the built-in ones, from all others; nothing is parsed.

    Raises:
        RuleError: a file cannot be read.
    """
    found = hashlib.sha256()
    read(folder or rules_path(), found)
    return found.hexdigest()


def _add(target: dict[str, Any], entry: Any, path: Path, places: dict[str, Path]) -> None:
    if entry.id in target:
        raise RuleError(f"{path}: `{entry.id}` is defined twice, the first time in {places[entry.id].name}")
    target[entry.id] = entry
    places[entry.id] = path


def _signature(entry: Mapping[str, Any], tool: str, path: Path) -> Signature:
    what = f"a signal of `{tool}`"
    check_keys(entry, _SIGNATURE_KEYS, what, path)
    conditions = [key for key in _CONDITIONS if entry.get(key)]
    if not conditions:
        raise RuleError(f"{path}: {what} has no condition; use one of {', '.join(_CONDITIONS)}")
    if len(conditions) > 1 and conditions != ["keys", "files"]:
        raise RuleError(f"{path}: {what} has {' and '.join(conditions)}; write one signal for each")
    if not entry.get("serves") and not entry.get("does"):
        raise RuleError(f"{path}: {what} has neither `serves` nor `does`")
    keys = mapping(entry, "keys", path)
    return Signature(
        serves=texts(entry.get("serves")),
        does=texts(entry.get("does")),
        calls=texts(entry.get("calls")),
        all_calls=texts(entry.get("all_calls")),
        decorators=texts(entry.get("decorators")),
        bases=texts(entry.get("bases")),
        commands=texts(entry.get("commands")),
        keys=tuple((str(name), "" if wanted is True else constant(wanted)) for name, wanted in keys.items()),
        files=texts(entry.get("files")),
        required=keywords(mapping(entry, "with", path)),
        min_args=int(checked_number(entry.get("min_args", 0), f"`min_args` of {what}", path)),
        refused=keywords(mapping(entry, "without", path)),
        imports=texts(entry.get("imports")),
        grade=choice(Grade, entry.get("grade", "implemented"), f"the grade of {what}", path),
        confidence=choice(Confidence, entry.get("confidence", "high"), f"the confidence of {what}", path),
        note=str(entry.get("note", "")),
    )


def _tool(entry: Mapping[str, Any], family: str, path: Path) -> Tool:
    name = str(required(entry, "id", path))
    check_keys(entry, _TOOL_KEYS, f"tool `{name}`", path)
    return Tool(
        id=name,
        name=str(entry.get("name", name)),
        family=family,
        url=str(entry.get("url", "")),
        imports=texts(entry.get("imports")),
        distributions=texts(entry.get("distributions")),
        hints=texts(entry.get("hints")),
        engine=texts(entry.get("engine")),
        signatures=tuple(_signature(signal, name, path) for signal in entries(entry, "signals", path, False)),
        samples=tuple(_sample(sample, name, path) for sample in entries(entry, "samples", path, False)),
    )


def _sample(entry: Mapping[str, Any], tool: str, path: Path) -> Sample:
    check_keys(entry, _SAMPLE_KEYS, f"a sample of `{tool}`", path)
    return Sample(
        path=str(required(entry, "path", path)),
        text=str(required(entry, "text", path)),
        expect=frozenset(texts(required(entry, "expect", path))),
    )


def _practice(entry: Mapping[str, Any], path: Path) -> Practice:
    name = str(required(entry, "id", path))
    check_keys(entry, _PRACTICE_KEYS, f"practice `{name}`", path)
    return Practice(
        id=name,
        title=str(required(entry, "title", path)),
        minimum=choice(Grade, required(entry, "minimum", path), f"the minimum of `{name}`", path),
        observability=str(entry.get("observability", "full")),
        what=" ".join(str(required(entry, "what", path)).split()),
        counts=texts(entry.get("counts")),
        does_not_count=texts(entry.get("does_not_count")),
        starts=frozenset(texts(entry.get("starts"))),
        blocking=bool(entry.get("blocking", False)),
        attestable=bool(entry.get("attestable", False)),
        at_home=frozenset(texts(entry.get("at_home"))),
        effort=str(entry.get("effort", "medium")),
        gap=str(required(entry, "gap", path)),
        remedy=" ".join(str(required(entry, "remedy", path)).split()),
        snippets={str(k): str(v) for k, v in mapping(entry, "snippets", path).items()},
        references=texts(entry.get("references")),
    )


def _model(data: Mapping[str, Any], path: Path) -> MaturityModel:
    name = str(required(data, "id", path))
    check_keys(data, _MODEL_KEYS, f"model `{name}`", path)
    levels = tuple(_level(level, path) for level in entries(data, "levels", path))
    return MaturityModel(name, str(required(data, "name", path)), levels)


def _level(entry: Mapping[str, Any], path: Path) -> Level:
    number = int(checked_number(required(entry, "number", path), "the number of a level", path))
    check_keys(entry, _LEVEL_KEYS, f"level {number}", path)
    rows = tuple(_row(row, path) for row in entries(entry, "rows", path, False))
    return Level(number, str(required(entry, "name", path)), rows)


def _row(entry: Mapping[str, Any], path: Path) -> Row:
    title = str(required(entry, "title", path))
    check_keys(entry, _ROW_KEYS, f"row `{title}`", path)
    need = int(checked_number(entry.get("need", 1), f"`need` of `{title}`", path))
    weight = float(checked_number(entry.get("weight", 1), f"`weight` of `{title}`", path))
    practices = texts(required(entry, "practices", path))
    if not 0 < need <= len(practices):
        raise RuleError(f"{path}: row `{title}` needs {need} of {len(practices)} practices")
    return Row(title, need, weight, practices)


def _finding(entry: Mapping[str, Any], path: Path) -> FindingDefinition:
    name = str(required(entry, "id", path))
    check_keys(entry, _FINDING_KEYS, f"finding `{name}`", path)
    return FindingDefinition(
        id=name,
        title=str(required(entry, "title", path)),
        severity=choice(Severity, required(entry, "severity", path), f"the severity of `{name}`", path),
        why=" ".join(str(required(entry, "why", path)).split()),
        fix=" ".join(str(required(entry, "fix", path)).split()),
        example=str(entry.get("example", "")),
        tags=texts(entry.get("tags")),
    )


def _gap_finding(practice: Practice) -> FindingDefinition:
    return FindingDefinition(
        id=practice.gap,
        title=f"Next level: {practice.title}",
        severity=Severity.NOTE,
        why=practice.what,
        fix=practice.remedy,
        example=next(iter(practice.snippets.values()), ""),
        tags=("maturity-gap", practice.id.split("/", 1)[0]),
    )


def _check_references(book: RuleBook, places: Mapping[str, Path]) -> None:
    for model in book.models.values():
        for row in (row for level in model.levels for row in level.rows):
            _check_named(row.practices, book, f"{places[model.id]}: row `{row.title}`")
    for asset in book.assets:
        if asset.tool not in book.tools:
            what = f"{places[asset.id]}: asset `{asset.id}`"
            raise RuleError(f"{what} names the unknown tool `{asset.tool}`{hint(asset.tool, book.tools)}")
    for tool in book.tools.values():
        named = (*tool.hints, *(name for signature in tool.signatures for name in signature.serves))
        _check_named(named, book, f"{places[tool.id]}: `{tool.id}`")


def _check_named(practices: Iterable[str], book: RuleBook, what: str) -> None:
    for name in practices:
        if name not in book.practices:
            raise RuleError(f"{what} names the unknown practice `{name}`{hint(name, book.practices)}")
