"""Run the samples that stand beside each rule: what must match and what must not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from mlops_scan.assetrules import AssetRule, AssetSample
from mlops_scan.code.build import Source, build
from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.languages import CODE, language_of
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.assets import AssetMatcher
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.phrases import check_kinds
from mlops_scan.fingerprints.use import Use
from mlops_scan.fingerprints.wrapped import Wrappers
from mlops_scan.repository.files import File
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.rolerules import RoleRule
from mlops_scan.rulebook import FINDS, RuleBook, Sample, Tool
from mlops_scan.words import Location


def run_samples(book: RuleBook) -> list[str]:
    """One sentence for every sample of the book's tools, roles, assets and kinds that does not hold."""
    return [
        *(failure for tool in book.tools.values() for failure in check_tool(tool)),
        *check_roles(book.roles),
        *check_assets(book.assets),
        *check_kinds(book.kinds),
    ]


def count_samples(book: RuleBook) -> int:
    """How many samples `run_samples` runs."""
    return (
        sum(len(tool.samples) for tool in book.tools.values())
        + sum(len(texts) for role in book.roles for texts in role.samples.values())
        + sum(len(asset.samples) for asset in book.assets)
        + sum(len(texts) for kind in book.kinds for texts in kind.samples.values())
    )


def check_roles(rules: Sequence[RoleRule]) -> Iterator[str]:
    """The failures of the role rules' samples; a role without both kinds of sample fails too."""
    catalogue = RoleCatalogue(rules)
    for rule in rules:
        match, other = rule.samples.get("match", ()), rule.samples.get("other", ())
        marked, unmarked = rule.samples.get("marked", ()), rule.samples.get("unmarked", ())
        if not match or not other:
            yield f"roles/{rule.id}: needs paths that must match and paths that must not"
        if rule.markers and not (marked and unmarked):
            yield f"roles/{rule.id}: needs texts that are marked and texts that are not"
        for path in (*match, *other):
            role = catalogue.role(path)
            if (role is rule.role) is not (path in match):
                yield f"roles/{rule.id}: {path} is {role.value}"
        for text in (*marked, *unmarked):
            if catalogue.is_generated(text) is not (text in marked):
                yield f"roles/{rule.id}: {text!r} is {'not ' if text in marked else ''}taken for generated"


def check_tool(tool: Tool) -> list[str]:
    """The failures of one tool's samples; a tool without both kinds of sample fails too."""
    failures = []
    if (tool.signatures or tool.wraps) and not (
        any(s.expect for s in tool.samples) and any(not s.expect for s in tool.samples)
    ):
        failures.append(f"{tool.family}/{tool.id}: needs a sample that must match and one that must not")
    matcher = Matcher([tool])
    for number, sample in enumerate(tool.samples, 1):
        got = claims(matcher, sample)
        if got != sample.expect:
            missing, extra = sorted(sample.expect - got), sorted(got - sample.expect)
            parts = [f"lacks {', '.join(missing)}"] if missing else []
            parts += [f"wrongly claims {', '.join(extra)}"] if extra else []
            failures.append(f"{tool.family}/{tool.id}: sample {number} ({sample.path}) {' and '.join(parts)}")
    return failures


def claims(matcher: Matcher, sample: Sample) -> frozenset[str]:
    """What the matcher's tools claim on a sample: practice ids, `does:ACTIVITY`, and `runs:COMMAND` of an action."""
    documents = Documents.of({sample.path: sample.text})
    found: set[str] = set()
    for use in _uses(matcher, documents, sample.path):
        found.update(
            use.serves, (activity if activity.startswith(FINDS) else f"does:{activity}" for activity in use.does)
        )
    wrappers = Wrappers(matcher.tools.values())
    for words, _ in _parts(documents, sample.path).commands if sample.path.endswith(".sh") else ():
        if words[:1] == ("uses",) and len(words) > 1:
            inputs = dict(word.split("=", 1) for word in words[2:] if "=" in word)
            command = wrappers.command(words[1], inputs, documents)
            found.update([f"runs:{command}"] if command else [])
    return frozenset(found)


def check_assets(rules: Iterable[AssetRule]) -> Iterator[str]:
    """The failures of the asset rules' samples; an asset without both kinds of sample fails too."""
    for rule in rules:
        if not (any(s.expect for s in rule.samples) and any(not s.expect for s in rule.samples)):
            yield f"assets/{rule.id}: needs a sample that must match and one that must not"
        matcher = AssetMatcher([rule])
        for number, sample in enumerate(rule.samples, 1):
            got = names(matcher, sample)
            if got != sample.expect:
                found, wanted = ", ".join(got) or "nothing", ", ".join(sample.expect) or "nothing"
                yield f"assets/{rule.id}: sample {number} ({sample.path}) names {found}, expected {wanted}"


def names(matcher: AssetMatcher, sample: AssetSample) -> tuple[str, ...]:
    """What the matcher's rules find in a sample, as `name` or `name@version`, in the order of the file."""
    parts = _parts(Documents.of({sample.path: sample.text}), sample.path)
    found = [item for module in parts.modules for item in matcher.in_module(CodeIndex([module]), module)]
    found += [item for words, place in parts.commands for item in matcher.in_command(words, place)]
    found += matcher.in_documents(sample.path, parts.nodes)
    return tuple(f"{item.name}@{item.version}" if item.version else item.name for item in found)


def _uses(matcher: Matcher, documents: Documents, path: str) -> Iterator[Use]:
    parts = _parts(documents, path)
    yield from matcher.in_names([parts.file])
    for module in parts.modules:
        yield from matcher.in_module(CodeIndex([module]), module)
    for words, place in parts.commands:
        yield from matcher.in_command(words, place)
    if parts.nodes:
        yield from matcher.in_documents(parts.file, parts.nodes)


class _Parts(Struct, frozen=True):
    """What rules look at in one file."""

    file: File
    modules: tuple[Module, ...] = ()
    commands: tuple[tuple[tuple[str, ...], Location], ...] = ()
    nodes: Sequence[Node] = ()


def _parts(documents: Documents, path: str) -> _Parts:
    file = documents.files[path]
    language = language_of(path)
    if language in CODE:
        module = build(Source(path, documents.text(path), language == "notebook")).module
        return _Parts(file, () if module is None else (module,))
    if language in ("shell", "dockerfile", "makefile"):
        return _Parts(file, commands=tuple(_commands(documents, path, language)))
    return _Parts(file, nodes=documents.nodes(path) if language != "requirements" else ())


def _commands(documents: Documents, path: str, language: str) -> Iterator[tuple[tuple[str, ...], Location]]:
    from mlops_scan.documents.shell import parse, unwrap

    for first, text in _scripts(documents, path, language):
        for command in parse(text, first_line=first).commands:
            yield unwrap(command.words), Location(path, command.line)


def _scripts(documents: Documents, path: str, language: str) -> Iterator[tuple[int, str]]:
    """The shell texts of a file, with their first lines."""
    from mlops_scan.documents.dockerfile import commands

    if language == "shell":
        yield 1, documents.text(path)
    elif language == "dockerfile":
        image = documents.dockerfile(path)
        for instruction in image.instructions if image is not None else ():
            if instruction.name in ("RUN", "CMD", "ENTRYPOINT"):
                value = commands(instruction)
                yield instruction.line, value if isinstance(value, str) else " ".join(value)
    else:
        makefile = documents.makefile(path)
        for target in makefile.targets if makefile is not None else ():
            yield from target.recipe
