"""Load the rules data: tools, practices, maturity models and findings, checked while it is read.

The folder is `rules/` at the top of a source tree and `mlops_scan/rules_data/` in an installed wheel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from mlops_scan import rulecache
from mlops_scan.errors import RuleError
from mlops_scan.words import Confidence, Grade, Severity

HELP_URL = "docs/rules/findings.md#{anchor}"  # in this project's tree, until it has a public address

_Choice = TypeVar("_Choice", bound=Enum)

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
    digest = hashlib.sha256()
    tools: dict[str, Tool] = {}
    practices: dict[str, Practice] = {}
    models: dict[str, MaturityModel] = {}
    findings: dict[str, FindingDefinition] = {}
    places: dict[str, Path] = {}
    for path, data in _documents(root, digest, cache and folder is None):
        kind = path.parent.name
        if kind == "tools":
            for entry in _entries(data, "tools", path):
                _add(tools, _tool(entry, str(data.get("family", "")), path), path, places)
        elif kind == "practices":
            for entry in _entries(data, "practices", path):
                practice = _practice(entry, path)
                _add(practices, practice, path, places)
                _add(findings, _gap_finding(practice), path, places)
        elif kind == "models":
            _add(models, _model(data, path), path, places)
        elif kind == "findings":
            for entry in _entries(data, "findings", path):
                _add(findings, _finding(entry, path), path, places)
    book = RuleBook(digest.hexdigest()[:12], tools, practices, models, dict(sorted(findings.items())))
    _check_references(book, places)
    return book


def _documents(root: Path, digest: Any, cache: bool) -> Iterator[tuple[Path, dict[str, Any]]]:
    texts = {path: _text(path) for path in sorted(root.glob("*/*.yaml"))}
    for path, text in texts.items():
        digest.update(f"{path.parent.name}/{path.name}\0{text}".encode())
    for path, data in rulecache.load(digest.hexdigest() if cache else "", texts, _parse):
        if isinstance(data, list):
            data = {path.parent.name: data}
        if not isinstance(data, dict):
            raise RuleError(f"{path}: expected a mapping at the top")
        yield path, data


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: not valid YAML: {error}") from error


def _entries(data: Mapping[str, Any], key: str, path: Path, required: bool = True) -> list[dict[str, Any]]:
    entries = data.get(key)
    if entries is None and not required:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleError(f"{path}: expected a list of mappings under `{key}:`{_of(data)}")
    return entries


def _mapping(data: Mapping[str, Any], key: str, path: Path) -> dict[str, Any]:
    value = data.get(key)
    if value is not None and not isinstance(value, dict):
        raise RuleError(f"{path}: expected a mapping under `{key}:`{_of(data)}")
    return value or {}


def _of(entry: Mapping[str, Any]) -> str:
    name = entry.get("id") or entry.get("title") or entry.get("serves") or entry.get("does")
    return f" of `{name}`" if name else ""


def _add(target: dict[str, Any], entry: Any, path: Path, places: dict[str, Path]) -> None:
    if entry.id in target:
        raise RuleError(f"{path}: `{entry.id}` is defined twice, the first time in {places[entry.id].name}")
    target[entry.id] = entry
    places[entry.id] = path


def _field(entry: Mapping[str, Any], key: str, path: Path) -> Any:
    if key not in entry:
        raise RuleError(f"{path}: `{entry.get('id', entry)}` lacks `{key}`")
    return entry[key]


def _known(entry: Mapping[str, Any], known: AbstractSet[str], what: str, path: Path) -> None:
    """Refuse keys that nothing reads: a misspelt one would be lost without a word."""
    for key in entry:
        if key not in known:
            raise RuleError(f"{path}: {what} has the unknown key {key!r}{_hint(key, known)}")


def _hint(name: object, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(str(name), sorted(known), 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _choice(kind: type[_Choice], value: Any, what: str, path: Path) -> _Choice:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(str(member.value) for member in kind)
        raise RuleError(f"{path}: {what} is {value!r}, expected one of {known}") from error


def _number(value: Any, what: str, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RuleError(f"{path}: {what} is {value!r}, expected a number")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)


def _constant(value: Any) -> str:
    """A constant as the facts of code write it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def _keywords(value: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (str(name), () if wanted is True else tuple(_constant(item) for item in _listed(wanted)))
        for name, wanted in value.items()
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _signature(entry: Mapping[str, Any], tool: str, path: Path) -> Signature:
    what = f"a signal of `{tool}`"
    _known(entry, _SIGNATURE_KEYS, what, path)
    conditions = [key for key in _CONDITIONS if entry.get(key)]
    if not conditions:
        raise RuleError(f"{path}: {what} has no condition; use one of {', '.join(_CONDITIONS)}")
    if len(conditions) > 1 and conditions != ["keys", "files"]:
        raise RuleError(f"{path}: {what} has {' and '.join(conditions)}; write one signal for each")
    if not entry.get("serves") and not entry.get("does"):
        raise RuleError(f"{path}: {what} has neither `serves` nor `does`")
    keys = _mapping(entry, "keys", path)
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
        required=_keywords(_mapping(entry, "with", path)),
        min_args=int(_number(entry.get("min_args", 0), f"`min_args` of {what}", path)),
        refused=_keywords(_mapping(entry, "without", path)),
        imports=_texts(entry.get("imports")),
        grade=_choice(Grade, entry.get("grade", "implemented"), f"the grade of {what}", path),
        confidence=_choice(Confidence, entry.get("confidence", "high"), f"the confidence of {what}", path),
        note=str(entry.get("note", "")),
    )


def _tool(entry: Mapping[str, Any], family: str, path: Path) -> Tool:
    name = str(_field(entry, "id", path))
    _known(entry, _TOOL_KEYS, f"tool `{name}`", path)
    return Tool(
        id=name,
        name=str(entry.get("name", name)),
        family=family,
        url=str(entry.get("url", "")),
        imports=_texts(entry.get("imports")),
        distributions=_texts(entry.get("distributions")),
        hints=_texts(entry.get("hints")),
        engine=_texts(entry.get("engine")),
        signatures=tuple(_signature(signal, name, path) for signal in _entries(entry, "signals", path, False)),
        samples=tuple(_sample(sample, name, path) for sample in _entries(entry, "samples", path, False)),
    )


def _sample(entry: Mapping[str, Any], tool: str, path: Path) -> Sample:
    _known(entry, _SAMPLE_KEYS, f"a sample of `{tool}`", path)
    return Sample(
        path=str(_field(entry, "path", path)),
        text=str(_field(entry, "text", path)),
        expect=frozenset(_texts(_field(entry, "expect", path))),
    )


def _practice(entry: Mapping[str, Any], path: Path) -> Practice:
    name = str(_field(entry, "id", path))
    _known(entry, _PRACTICE_KEYS, f"practice `{name}`", path)
    return Practice(
        id=name,
        title=str(_field(entry, "title", path)),
        minimum=_choice(Grade, _field(entry, "minimum", path), f"the minimum of `{name}`", path),
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
        snippets={str(k): str(v) for k, v in _mapping(entry, "snippets", path).items()},
        references=_texts(entry.get("references")),
    )


def _model(data: Mapping[str, Any], path: Path) -> MaturityModel:
    name = str(_field(data, "id", path))
    _known(data, _MODEL_KEYS, f"model `{name}`", path)
    levels = tuple(_level(level, path) for level in _entries(data, "levels", path))
    return MaturityModel(name, str(_field(data, "name", path)), levels)


def _level(entry: Mapping[str, Any], path: Path) -> Level:
    number = int(_number(_field(entry, "number", path), "the number of a level", path))
    _known(entry, _LEVEL_KEYS, f"level {number}", path)
    rows = tuple(_row(row, path) for row in _entries(entry, "rows", path, False))
    return Level(number, str(_field(entry, "name", path)), rows)


def _row(entry: Mapping[str, Any], path: Path) -> Row:
    title = str(_field(entry, "title", path))
    _known(entry, _ROW_KEYS, f"row `{title}`", path)
    need = int(_number(entry.get("need", 1), f"`need` of `{title}`", path))
    weight = float(_number(entry.get("weight", 1), f"`weight` of `{title}`", path))
    practices = _texts(_field(entry, "practices", path))
    if not 0 < need <= len(practices):
        raise RuleError(f"{path}: row `{title}` needs {need} of {len(practices)} practices")
    return Row(title, need, weight, practices)


def _finding(entry: Mapping[str, Any], path: Path) -> FindingDefinition:
    name = str(_field(entry, "id", path))
    _known(entry, _FINDING_KEYS, f"finding `{name}`", path)
    return FindingDefinition(
        id=name,
        title=str(_field(entry, "title", path)),
        severity=_choice(Severity, _field(entry, "severity", path), f"the severity of `{name}`", path),
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


def _check_references(book: RuleBook, places: Mapping[str, Path]) -> None:
    for model in book.models.values():
        for row in (row for level in model.levels for row in level.rows):
            _check_named(row.practices, book, f"{places[model.id]}: row `{row.title}`")
    for tool in book.tools.values():
        named = (*tool.hints, *(name for signature in tool.signatures for name in signature.serves))
        _check_named(named, book, f"{places[tool.id]}: `{tool.id}`")


def _check_named(practices: Iterable[str], book: RuleBook, what: str) -> None:
    for name in practices:
        if name not in book.practices:
            raise RuleError(f"{what} names the unknown practice `{name}`{_hint(name, book.practices)}")
