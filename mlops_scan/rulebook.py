"""Load the rules data: tools, practices, maturity models and findings, checked while it is read.

The folder is `rules/` at the top of a source tree and `mlops_scan/rules_data/` in an installed wheel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_scan import rulecache
from mlops_scan.errors import RuleError
from mlops_scan.words import Confidence, Grade, Severity

HELP_URL = "https://mlops-scan.readthedocs.io/rules/{id}"

_CONDITIONS = ("calls", "all_calls", "decorators", "bases", "commands", "keys", "files")
_SIGNATURE_KEYS = {*_CONDITIONS, "serves", "does", "with", "without", "imports", "grade", "confidence", "note"}
_TOOL_KEYS = {"id", "name", "url", "imports", "distributions", "hints", "signals", "samples"}


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
        return HELP_URL.format(id=self.id)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules, by id, in the order of their files."""

    version: str
    tools: Mapping[str, Tool]
    practices: Mapping[str, Practice]
    models: Mapping[str, MaturityModel]
    findings: Mapping[str, FindingDefinition]


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


def load(folder: Path | None = None) -> RuleBook:
    """Read every rule file below `folder` (the built-in rules by default).

    Raises:
        RuleError: a file is no valid YAML or does not follow the format of `rules/README.md`.
    """
    root = folder or rules_path()
    digest = hashlib.sha256()
    tools: dict[str, Tool] = {}
    practices: dict[str, Practice] = {}
    models: dict[str, MaturityModel] = {}
    findings: dict[str, FindingDefinition] = {}
    for path, data in _documents(root, digest):
        kind = path.parent.name
        if kind == "tools":
            _add(tools, (_tool(entry, str(data.get("family", "")), path) for entry in _entries(data, "tools", path)), path)
        elif kind == "practices":
            _add(practices, (_practice(entry, path) for entry in _entries(data, "practices", path)), path)
        elif kind == "models":
            _add(models, (_model(data, path),), path)
        elif kind == "findings":
            _add(findings, (_finding(entry, path) for entry in _entries(data, "findings", path)), path)
    _add(findings, (_gap_finding(practice) for practice in practices.values()), root)
    book = RuleBook(digest.hexdigest()[:12], tools, practices, models, dict(sorted(findings.items())))
    _check_references(book, root)
    return book


def _documents(root: Path, digest: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(root.glob("*/*.yaml"))}
    for path, text in texts.items():
        digest.update(f"{path.parent.name}/{path.name}\0{text}".encode())
    for path, data in rulecache.load(digest.hexdigest(), texts, _parse):
        if isinstance(data, list):
            data = {path.parent.name: data}
        if not isinstance(data, dict):
            raise RuleError(f"{path}: expected a mapping at the top")
        yield path, data


def _parse(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: not valid YAML: {error}") from error


def _entries(data: Mapping[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    entries = data.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleError(f"{path}: expected a list of mappings under `{key}:`")
    return entries


def _add(target: dict[str, Any], entries: Any, path: Path) -> None:
    for entry in entries:
        if entry.id in target:
            raise RuleError(f"{path}: `{entry.id}` is defined twice")
        target[entry.id] = entry


def _field(entry: Mapping[str, Any], key: str, path: Path) -> Any:
    if key not in entry:
        raise RuleError(f"{path}: `{entry.get('id', entry)}` lacks `{key}`")
    return entry[key]


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


def _constant(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _keywords(value: Mapping[str, Any] | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not value:
        return ()
    return tuple(
        (name, () if wanted is True else tuple(_constant(v) for v in (wanted if isinstance(wanted, list) else [wanted])))
        for name, wanted in value.items()
    )


def _signature(entry: Mapping[str, Any], tool: str, path: Path) -> Signature:
    unknown = set(entry) - _SIGNATURE_KEYS
    if unknown:
        raise RuleError(f"{path}: `{tool}` has a signal with unknown key {sorted(unknown)[0]!r}")
    if not any(entry.get(key) for key in _CONDITIONS):
        raise RuleError(f"{path}: `{tool}` has a signal without a condition; use one of {', '.join(_CONDITIONS)}")
    keys = entry.get("keys") or {}
    return Signature(
        serves=_texts(entry.get("serves")),
        does=_texts(entry.get("does")),
        calls=_texts(entry.get("calls")),
        all_calls=_texts(entry.get("all_calls")),
        decorators=_texts(entry.get("decorators")),
        bases=_texts(entry.get("bases")),
        commands=_texts(entry.get("commands")),
        keys=tuple((str(name), "" if wanted is True else _constant(wanted)) for name, wanted in keys.items()),
        files=_texts(entry.get("files")),
        required=_keywords(entry.get("with")),
        refused=_keywords(entry.get("without")),
        imports=_texts(entry.get("imports")),
        grade=Grade(entry.get("grade", "implemented")),
        confidence=Confidence(entry.get("confidence", "high")),
        note=str(entry.get("note", "")),
    )


def _tool(entry: Mapping[str, Any], family: str, path: Path) -> Tool:
    name = str(_field(entry, "id", path))
    unknown = set(entry) - _TOOL_KEYS
    if unknown:
        raise RuleError(f"{path}: tool `{name}` has the unknown key {sorted(unknown)[0]!r}")
    samples = tuple(
        Sample(str(_field(s, "path", path)), str(_field(s, "text", path)), frozenset(_texts(_field(s, "expect", path))))
        for s in entry.get("samples") or ()
    )
    return Tool(
        id=name,
        name=str(entry.get("name", name)),
        family=family,
        url=str(entry.get("url", "")),
        imports=_texts(entry.get("imports")),
        distributions=_texts(entry.get("distributions")),
        hints=_texts(entry.get("hints")),
        signatures=tuple(_signature(signal, name, path) for signal in entry.get("signals") or ()),
        samples=samples,
    )


def _practice(entry: Mapping[str, Any], path: Path) -> Practice:
    return Practice(
        id=str(_field(entry, "id", path)),
        title=str(_field(entry, "title", path)),
        minimum=Grade(_field(entry, "minimum", path)),
        observability=str(entry.get("observability", "full")),
        what=" ".join(str(_field(entry, "what", path)).split()),
        counts=_texts(entry.get("counts")),
        does_not_count=_texts(entry.get("does_not_count")),
        starts=frozenset(_texts(entry.get("starts"))),
        blocking=bool(entry.get("blocking", False)),
        attestable=bool(entry.get("attestable", False)),
        at_home=frozenset(_texts(entry.get("at_home"))),
        effort=str(entry.get("effort", "medium")),
        gap=str(_field(entry, "gap", path)),
        remedy=" ".join(str(_field(entry, "remedy", path)).split()),
        snippets={str(k): str(v) for k, v in (entry.get("snippets") or {}).items()},
        references=_texts(entry.get("references")),
    )


def _model(data: Mapping[str, Any], path: Path) -> MaturityModel:
    levels = tuple(
        Level(
            int(_field(level, "number", path)),
            str(_field(level, "name", path)),
            tuple(
                Row(str(_field(row, "title", path)), int(row.get("need", 1)), float(row.get("weight", 1)), _texts(row["practices"]))
                for row in level.get("rows") or ()
            ),
        )
        for level in _entries(data, "levels", path)
    )
    return MaturityModel(str(_field(data, "id", path)), str(_field(data, "name", path)), levels)


def _finding(entry: Mapping[str, Any], path: Path) -> FindingDefinition:
    return FindingDefinition(
        id=str(_field(entry, "id", path)),
        title=str(_field(entry, "title", path)),
        severity=Severity(_field(entry, "severity", path)),
        why=" ".join(str(_field(entry, "why", path)).split()),
        fix=" ".join(str(_field(entry, "fix", path)).split()),
        example=str(entry.get("example", "")),
        tags=_texts(entry.get("tags")),
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


def _check_references(book: RuleBook, root: Path) -> None:
    known = set(book.practices)
    for model in book.models.values():
        for level in model.levels:
            for row in level.rows:
                _require(set(row.practices) <= known, f"{root}/models: `{row.title}` names an unknown practice")
    for tool in book.tools.values():
        named = {*tool.hints, *(p for s in tool.signatures for p in s.serves)}
        _require(named <= known, f"{root}/tools: `{tool.id}` names an unknown practice {sorted(named - known)[:1]}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise RuleError(message)
