"""Attestations: what people say about practices that files cannot show; limited in time, and files outdo them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.detectors.base import Context
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.engine import levels
from mlops_scan.engine.report import AttestationResult, LevelResult, PracticeResult
from mlops_scan.errors import ScanError
from mlops_scan.given import read_text
from mlops_scan.regex import regex
from mlops_scan.rulebook import RuleBook
from mlops_scan.rulemodels import MaturityModel
from mlops_scan.rulereader import hint
from mlops_scan.words import Confidence, Grade, Location, Problem

FILE_NAMES = ("mlops-attestations.yaml", ".mlops-attestations.yaml")
_NEEDED = ("practice", "claim", "evidence", "by", "reviewed_by", "date", "expires")
_KEYS = frozenset({*_NEEDED, "component", "covers"})
_SHORT, _LONG = 180, 365  # days that an attestation may hold
_SHORT_FAMILIES = frozenset({"monitoring", "retraining", "deploy", "cd"})
_SOON = timedelta(days=30)
_MAX_BYTES = 1_000_000
_MAX_SHARE = 0.5  # of a level's weight that may rest on attestations
_HASH = regex(r"[0-9a-f]{64}")


class Attestation(Struct, frozen=True):
    """One claim; `covers` are paths with the SHA-256 that they had when it was made."""

    practice: str
    component: str
    claim: str
    by: str
    made: date
    expires: date
    covers: tuple[tuple[str, str], ...]
    location: Location


def read(context: Context, rules: RuleBook, file: Path | None) -> tuple[Attestation, ...]:
    """The attestations of a file that the user named, else of the one at the root of the repository.

    Raises:
        ScanError: the file cannot be read, or an entry does not follow the format or its limits.
    """
    from mlops_scan.documents import yaml

    if file is not None:
        path, text = str(file), read_text(file, _MAX_BYTES, "the file of attestations")
    else:
        found = next((name for name in FILE_NAMES if name in context.documents.files), None)
        if found is None:
            return ()
        path, text = found, context.documents.text(found)
    try:
        documents = yaml.parse(text)
    except DocumentError as error:
        raise ScanError(f"{path}:{error.line or 1}: the attestations are not valid YAML: {error.reason}") from error
    top = documents[0] if documents else None
    entries = top.get("attestations") if top is not None else None
    if entries is None or entries.kind != "sequence":
        raise ScanError(f"{path}:1: expected a list under `attestations:`")
    return tuple(_entry(context, rules, entry, path) for entry in entries.items)


def _entry(context: Context, rules: RuleBook, node: Node, path: str) -> Attestation:
    where = f"{path}:{node.at}"
    if node.kind != "mapping":
        raise ScanError(f"{where}: an attestation must be a mapping")
    for name, child in node.entries:
        if name not in _KEYS:
            raise ScanError(f"{path}:{child.at}: an attestation has no key {name!r}{hint(name, _KEYS)}")
    values = {name: _string(node, name) for name in (*_NEEDED, "component")}
    lacking = [name for name in _NEEDED if not values[name]]
    if lacking:
        raise ScanError(f"{where}: the attestation lacks `{lacking[0]}`")
    practice = rules.practices.get(values["practice"])
    if practice is None:
        known = hint(values["practice"], rules.practices)
        raise ScanError(f"{where}: there is no practice {values['practice']!r}{known}")
    if not practice.attestable:
        raise ScanError(f"{where}: `{practice.id}` cannot be attested: files can show it")
    if values["by"].casefold() == values["reviewed_by"].casefold():
        raise ScanError(f"{where}: `reviewed_by` must be somebody else than `by`")
    made, expires = (_date(node, name, path) for name in ("date", "expires"))
    family = practice.id.partition("/")[0]
    limit = _SHORT if family in _SHORT_FAMILIES else _LONG
    if not made < expires <= made + timedelta(days=limit):
        raise ScanError(f"{where}: `expires` must be 1 to {limit} days after `date` for {family}/*")
    return Attestation(
        practice=practice.id,
        component=values["component"].strip("/") or ".",
        claim=values["claim"],
        by=values["by"],
        made=made,
        expires=expires,
        covers=_covers(context, node, path),
        location=Location(path, node.at),
    )


def _string(node: Node, name: str) -> str:
    child = node.get(name)
    if child is None or child.kind != "scalar":
        return ""
    return (child.string() or child.text).strip()


def _date(node: Node, name: str, path: str) -> date:
    child = node.get(name)
    assert child is not None
    try:
        return date.fromisoformat(child.text.strip().strip("'\""))
    except ValueError as error:
        raise ScanError(f"{path}:{child.at}: `{name}` is {child.text!r}, expected a date like 2026-01-10") from error


def _covers(context: Context, node: Node, path: str) -> tuple[tuple[str, str], ...]:
    covers = node.get("covers")
    if covers is None:
        return ()
    if covers.kind == "sequence":
        name = next((item.string() or "" for item in covers.items), "")
        now = _digest(context, name)
        advice = f"write `{name}: {now}`" if now else f"and {name!r} is not in the repository"
        raise ScanError(f"{path}:{covers.at}: `covers` needs the SHA-256 of each file; {advice}")
    found = []
    for name, child in covers.entries:
        if not _HASH.fullmatch(child.text.strip()):
            now = _digest(context, name) or "the file does not exist"
            raise ScanError(f"{path}:{child.at}: `covers` needs the SHA-256 of {name}: {now}")
        found.append((name, child.text.strip()))
    return tuple(found)


def _digest(context: Context, name: str) -> str:
    file = context.documents.files.get(name)
    if file is None:
        return ""
    context.documents.text(name)  # so that a kept report depends on it
    try:
        import hashlib  # of files, which may be large: OpenSSL is worth it

        return hashlib.sha256(file.read(_MAX_BYTES * 20)).hexdigest()
    except OSError:
        return ""


# -- judgement ---------------------------------------------------------------------------------------------------------


def weigh(
    context: Context,
    attestations: Iterable[Attestation],
    components: Mapping[str, Mapping[str, PracticeResult]],
    problems: Iterable[Problem],
    as_of: date | None,
) -> tuple[AttestationResult, ...]:
    """Which attestations count, and why the others do not.

    Raises:
        ScanError: one names a component that there is not.
    """
    contrary = _contrary(context, problems)
    found = []
    for item in attestations:
        if item.component not in components:
            raise ScanError(
                f"{item.location}: there is no component {item.component!r}; known: {', '.join(components)}"
            )
        result = components[item.component][item.practice]
        status, reason = _status(context, item, result, contrary.get(item.practice, ()), as_of)
        found.append(
            AttestationResult(item.practice, item.component, item.claim, item.by, status, reason, item.location)
        )
    return tuple(found)


def _contrary(context: Context, problems: Iterable[Problem]) -> dict[str, list[Location]]:
    found: dict[str, list[Location]] = {}
    for problem in problems:
        definition = context.rules.findings.get(problem.finding)
        for practice in definition.contradicts if definition is not None else ():
            found.setdefault(practice, []).append(problem.location)
    return found


def _status(
    context: Context, item: Attestation, result: PracticeResult, contrary: Iterable[Location], as_of: date | None
) -> tuple[str, str]:
    if result.met:
        return "observed", "the files show it"
    prefix = "" if item.component == "." else item.component + "/"
    against = next((place for place in contrary if place.path.startswith(prefix)), None)
    if against is not None:
        return "contradicted", f"{against} shows the contrary"
    if as_of is None:
        return "undated", "it has an end, and the scan was given no day to judge it by (--as-of)"
    if item.made > as_of:
        return "future", f"it is dated {item.made}, after {as_of}"
    if item.expires < as_of:
        return "expired", f"it expired on {item.expires}"
    changed = next((name for name, digest in item.covers if _digest(context, name) != digest), None)
    if changed is not None:
        return "stale", f"{changed} has changed since {item.made}"
    return "applied", f"until {item.expires}"


def findings(
    results: Iterable[AttestationResult], given: Iterable[Attestation], as_of: date | None
) -> Iterable[Problem]:
    """Problems with attestations: those that do not count any more, contradict the files, or end soon."""
    for result, item in zip(results, given, strict=True):
        if result.status in ("expired", "future", "stale"):
            yield Problem(
                "MLS002", f"The attestation of {item.practice} does not count: {result.reason}.", item.location
            )
        elif result.status == "contradicted":
            yield Problem("MLS004", f"{item.practice} is attested, but {result.reason}.", item.location)
        elif result.status == "applied" and as_of is not None and item.expires - as_of <= _SOON:
            yield Problem("MLS003", f"The attestation of {item.practice} ends on {item.expires}.", item.location)


def level(
    model: MaturityModel, results: Mapping[str, PracticeResult], attested: Iterable[AttestationResult]
) -> tuple[int, str]:
    """The level with attestations, and why a level that they would reach does not count (empty: none is denied).

    At most half of a level's weight may rest on attestations, and at least one of its rows must be observed.
    """
    names = {item.practice: item for item in attested if item.status == "applied"}
    with_claims = {
        key: replace(result, grade=Grade.WIRED, met=True, confidence=Confidence.MEDIUM) if key in names else result
        for key, result in results.items()
    }
    seen = levels.ladder(model, results)
    claimed = levels.ladder(model, with_claims)
    reached = model.levels[0].number
    for before, after in zip(seen, claimed, strict=True):
        if not after.reached:
            return reached, ""
        denied = _denied(before, after)
        if denied:
            return reached, denied
        reached = after.number
    return reached, ""


def _denied(before: LevelResult, after: LevelResult) -> str:
    if not after.rows:
        return ""
    by_claim = [row for old, row in zip(before.rows, after.rows, strict=True) if not old.met]
    if sum(row.weight for row in by_claim) > _MAX_SHARE * sum(row.weight for row in after.rows):
        return f"more than half of level {after.number} would rest on attestations"
    if len(by_claim) == len(after.rows):
        return f"no row of level {after.number} is observed"
    return ""
