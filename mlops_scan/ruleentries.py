"""The entries of rule files, checked while they are read, and the references between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_scan.assetrules import AssetRule, asset_rule
from mlops_scan.errors import RuleError
from mlops_scan.kindrules import KindRule, kind_rule
from mlops_scan.ownrules import check_own_id, check_tool_patterns, import_roots
from mlops_scan.rolerules import RoleRule, role_rule
from mlops_scan.rulemodels import MaturityModel, read_model
from mlops_scan.rulereader import (
    at,
    check_keys,
    checked_number,
    choice,
    constant,
    entries,
    hint,
    keywords,
    mapping,
    required,
    texts,
)
from mlops_scan.ruletypes import (
    FINDS,
    FindingDefinition,
    Practice,
    RuleBook,
    Sample,
    Scaffold,
    Signature,
    Subject,
    Tool,
    Wrapper,
)
from mlops_scan.words import Confidence, Grade, Severity

_CONDITIONS = ("calls", "all_calls", "decorators", "bases", "commands", "keys", "files")
_SIGNATURE_KEYS = {
    *_CONDITIONS,
    "serves",
    "does",
    "finds",
    "with",
    "without",
    "imports",
    "min_args",
    "grade",
    "confidence",
    "note",
}
_TOOL_KEYS = {
    "id",
    "name",
    "url",
    "imports",
    "distributions",
    "hints",
    "engine",
    "general",
    "clients",
    "companions",
    "wraps",
    "signals",
    "samples",
}
_WRAPPER_KEYS = {"uses", "command", "settings"}
_SAMPLE_KEYS = {"path", "text", "expect"}
_PRACTICE_KEYS = {
    "id", "title", "minimum", "observability", "what", "counts", "does_not_count", "starts", "blocking", "attestable",
    "at_home", "subject", "effort", "gap", "remedy", "snippets", "references",
}  # fmt: skip
_SCAFFOLD_KEYS = {"practices", "stack", "path", "merge", "text"}
_FINDING_KEYS = {"id", "title", "severity", "why", "fix", "example", "tags", "contradicts"}
_BUILT_IN = Path("the built-in rules")  # the place of their entries in messages


class Reader:
    """Collects the entries of rule files, each id once.

    Args:
        book: entries that are there already: the built-in rules, to which a user's own are added.
    """

    def __init__(self, book: RuleBook | None = None) -> None:
        self.tools: dict[str, Tool] = dict(book.tools) if book else {}
        self.practices: dict[str, Practice] = dict(book.practices) if book else {}
        self.models: dict[str, MaturityModel] = dict(book.models) if book else {}
        self.findings: dict[str, FindingDefinition] = dict(book.findings) if book else {}
        self.scaffolds: dict[str, Scaffold] = {item.id: item for item in book.scaffolds} if book else {}
        self.after: dict[str, tuple[str, ...]] = dict(book.after) if book else {}
        self.roles: dict[str, RoleRule] = {item.id: item for item in book.roles} if book else {}
        self.assets: dict[str, AssetRule] = {item.id: item for item in book.assets} if book else {}
        self.kinds: dict[str, KindRule] = {item.id: item for item in book.kinds} if book else {}
        self.places: dict[str, Path] = defaultdict(lambda: _BUILT_IN)

    def add(self, section: str, path: Path, data: Mapping[str, Any]) -> None:
        """The entries of one file."""
        if section == "tools":
            for entry in entries(data, "tools", path):
                self._add(self.tools, _tool(entry, str(data.get("family", "")), path), at(path, entry))
        elif section == "practices":
            for entry in entries(data, "practices", path):
                practice = _practice(entry, path)
                self._add(self.practices, practice, at(path, entry))
                self._add(self.findings, _gap_finding(practice), at(path, entry))
        elif section == "models":
            self._add(self.models, read_model(data, path), at(path, data))
        elif section in ("findings", "roles", "assets", "kinds"):
            self._add_plain(section, path, data)
        elif section == "scaffolds":
            for entry in entries(data, "scaffolds", path, False):
                self._add(self.scaffolds, _scaffold(entry, path), path)
            self.after.update({name: texts(earlier) for name, earlier in mapping(data, "after", path).items()})

    def _add_plain(self, section: str, path: Path, data: Mapping[str, Any]) -> None:
        tables: dict[str, tuple[dict[str, Any], Callable[[Mapping[str, Any], Path], Any]]] = {
            "findings": (self.findings, _finding),
            "roles": (self.roles, role_rule),
            "assets": (self.assets, asset_rule),
            "kinds": (self.kinds, kind_rule),
        }
        target, read_entry = tables[section]
        for entry in entries(data, section, path):
            self._add(target, read_entry(entry, path), at(path, entry))

    def add_own(self, section: str, path: Path, data: Mapping[str, Any]) -> None:
        """The entries of one section of a user's file; its patterns and names are checked more strictly."""
        if section == "models" and "levels" not in data:
            for entry in entries(data, "models", path):
                self.add("models", path, entry)
            return
        if section == "tools":
            for entry in entries(data, "tools", path):
                check_tool_patterns(entry, path)
                entry.setdefault("imports", import_roots(entry))
            data = {"family": "own", **data}
        for practice in entries(data, "practices", path) if section == "practices" else ():
            check_own_id(required(practice, "gap", path), at(path, practice))
        for finding in entries(data, "findings", path) if section == "findings" else ():
            check_own_id(required(finding, "id", path), at(path, finding))
        self.add(section, path, data)

    def _add(self, target: dict[str, Any], entry: Any, path: Path) -> None:
        if entry.id in target:
            raise RuleError(f"{path}: `{entry.id}` is defined twice, the first time in {self.places[entry.id].name}")
        target[entry.id] = entry
        self.places[entry.id] = path

    def book(self, version: str) -> RuleBook:
        """All of it, references checked."""
        book = RuleBook(
            version,
            self.tools,
            self.practices,
            self.models,
            dict(sorted(self.findings.items())),
            tuple(self.scaffolds.values()),
            self.after,
            tuple(self.roles.values()),
            tuple(self.assets.values()),
            tuple(self.kinds.values()),
        )
        _check_references(book, self.places)
        return book


def _signature(entry: Mapping[str, Any], tool: str, path: Path) -> Signature:
    path = at(path, entry)
    what = f"a signal of `{tool}`"
    check_keys(entry, _SIGNATURE_KEYS, what, path)
    conditions = [key for key in _CONDITIONS if entry.get(key)]
    if not conditions:
        raise RuleError(f"{path}: {what} has no condition; use one of {', '.join(_CONDITIONS)}")
    if len(conditions) > 1 and conditions != ["keys", "files"]:
        raise RuleError(f"{path}: {what} has {' and '.join(conditions)}; write one signal for each")
    if not any(entry.get(key) for key in ("serves", "does", "finds")):
        raise RuleError(f"{path}: {what} has neither `serves` nor `does` nor `finds`")
    keys = mapping(entry, "keys", path)
    return Signature(
        serves=texts(entry.get("serves")),
        does=(*texts(entry.get("does")), *(FINDS + name for name in texts(entry.get("finds")))),
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
    path = at(path, entry)
    name = str(required(entry, "id", path))
    check_keys(entry, _TOOL_KEYS, f"tool `{name}`", path)
    distributions, companions = texts(entry.get("distributions")), mapping(entry, "companions", path)
    for unknown in (item for item in companions if item not in distributions):
        raise RuleError(f"{path}: `companions` names `{unknown}`, which is no distribution of `{name}`")
    return Tool(
        id=name,
        name=str(entry.get("name", name)),
        family=family,
        url=str(entry.get("url", "")),
        imports=texts(entry.get("imports")),
        distributions=distributions,
        hints=texts(entry.get("hints")),
        engine=texts(entry.get("engine")),
        signatures=tuple(_signature(signal, name, path) for signal in entries(entry, "signals", path, False)),
        samples=tuple(_sample(sample, name, path) for sample in entries(entry, "samples", path, False)),
        general=bool(entry.get("general", False)),
        clients=tuple((str(root), texts(words)) for root, words in mapping(entry, "clients", path).items()),
        companions=tuple((str(item), texts(names)) for item, names in companions.items()),
        wraps=tuple(_wrapper(wrapped, name, path) for wrapped in entries(entry, "wraps", path, False)),
    )


def _wrapper(entry: Mapping[str, Any], tool: str, path: Path) -> Wrapper:
    check_keys(entry, _WRAPPER_KEYS, f"an action that `{tool}` wraps", path)
    return Wrapper(
        uses=tuple(name.lower() for name in texts(required(entry, "uses", path))),
        commands=texts(required(entry, "command", path)),
        settings=str(entry.get("settings", "")),
    )


def _sample(entry: Mapping[str, Any], tool: str, path: Path) -> Sample:
    check_keys(entry, _SAMPLE_KEYS, f"a sample of `{tool}`", path)
    return Sample(
        path=str(required(entry, "path", path)),
        text=str(required(entry, "text", path)),
        expect=frozenset(texts(required(entry, "expect", path))),
    )


def _practice(entry: Mapping[str, Any], path: Path) -> Practice:
    path = at(path, entry)
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
        subject=choice(Subject, entry.get("subject", Subject.ANY.value), f"the subject of `{name}`", path),
        effort=str(entry.get("effort", "medium")),
        gap=str(required(entry, "gap", path)),
        remedy=" ".join(str(required(entry, "remedy", path)).split()),
        snippets={str(k): str(v) for k, v in mapping(entry, "snippets", path).items()},
        references=texts(entry.get("references")),
    )


def _finding(entry: Mapping[str, Any], path: Path) -> FindingDefinition:
    path = at(path, entry)
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
        contradicts=texts(entry.get("contradicts")),
    )


def _scaffold(entry: Mapping[str, Any], path: Path) -> Scaffold:
    check_keys(entry, _SCAFFOLD_KEYS, "a scaffold", path)
    practices, stack = texts(required(entry, "practices", path)), texts(entry.get("stack"))
    target = str(required(entry, "path", path))
    parts = target.split("/")
    if target.startswith("/") or ".." in parts or not all(parts):
        raise RuleError(f"{path}: the scaffold path {target!r} must lie below the repository")
    name = f"{target} for {', '.join((*practices, *stack))}"
    return Scaffold(name, practices, stack, target, bool(entry.get("merge", False)), str(required(entry, "text", path)))


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
        _check_named(sorted(model.practices()), book, f"{places[model.id]}: model `{model.id}`")
    for scaffold in book.scaffolds:
        _check_named(scaffold.practices, book, f"{places[scaffold.id]}: the scaffold of {scaffold.path}")
    for name, earlier in book.after.items():
        _check_named((name, *earlier), book, "`after:` of the scaffolds")
    for finding in book.findings.values():
        _check_named(finding.contradicts, book, f"{places[finding.id]}: `{finding.id}`")
    for asset in book.assets:
        if asset.tool not in book.tools:
            what = f"{places[asset.id]}: asset `{asset.id}`"
            raise RuleError(f"{what} names the unknown tool `{asset.tool}`{hint(asset.tool, book.tools)}")
    for tool in book.tools.values():
        named = (*tool.hints, *(name for signature in tool.signatures for name in signature.serves))
        _check_named(named, book, f"{places[tool.id]}: `{tool.id}`")
        for activity in (name for signature in tool.signatures for name in signature.does if name.startswith(FINDS)):
            if (found := activity.removeprefix(FINDS)) not in book.findings:
                raise RuleError(
                    f"{places[tool.id]}: `{tool.id}` names the unknown finding `{found}`{hint(found, book.findings)}"
                )


def _check_named(practices: Iterable[str], book: RuleBook, what: str) -> None:
    for name in practices:
        if name not in book.practices:
            raise RuleError(f"{what} names the unknown practice `{name}`{hint(name, book.practices)}")
