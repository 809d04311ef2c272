"""Run the samples that stand beside each tool: what must match and what must not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_scan.code.build import Source, build
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Matcher, Use
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.rolerules import RoleRule
from mlops_scan.rulebook import FINDS, RuleBook, Sample, Tool
from mlops_scan.words import Location


def run_samples(book: RuleBook) -> list[str]:
    """One sentence for every sample of the book's tools and roles that does not hold."""
    return [*(failure for tool in book.tools.values() for failure in check_tool(tool)), *check_roles(book.roles)]


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
    if tool.signatures and not (any(s.expect for s in tool.samples) and any(not s.expect for s in tool.samples)):
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
    """What the matcher's tools claim on a sample: practice ids and `does:ACTIVITY`."""
    documents = Documents.of({sample.path: sample.text})
    found: set[str] = set()
    for use in _uses(matcher, documents, sample.path):
        found.update(
            use.serves, (activity if activity.startswith(FINDS) else f"does:{activity}" for activity in use.does)
        )
    return frozenset(found)


def _uses(matcher: Matcher, documents: Documents, path: str) -> Iterator[Use]:
    file = documents.files[path]
    yield from matcher.in_names([file])
    language = language_of(path)
    if language in ("python", "notebook"):
        module = build(Source(path, documents.text(path), language == "notebook")).module
        if module is not None:
            yield from matcher.in_module(CodeIndex([module]), module)
    elif language == "shell":
        yield from _commands(matcher, documents.text(path), path, 1)
    elif language == "dockerfile":
        from mlops_scan.documents.dockerfile import commands

        image = documents.dockerfile(path)
        for instruction in image.instructions if image is not None else ():
            value = commands(instruction)
            text = value if isinstance(value, str) else " ".join(value)
            if instruction.name in ("RUN", "CMD", "ENTRYPOINT"):
                yield from _commands(matcher, text, path, instruction.line)
    elif language == "makefile":
        makefile = documents.makefile(path)
        for target in makefile.targets if makefile is not None else ():
            for line, text in target.recipe:
                yield from _commands(matcher, text, path, line)
    elif language != "requirements":
        yield from matcher.in_documents(file, documents.nodes(path))


def _commands(matcher: Matcher, text: str, path: str, line: int) -> Iterator[Use]:
    from mlops_scan.documents.shell import parse, unwrap

    for command in parse(text, first_line=line).commands:
        yield from matcher.in_command(unwrap(command.words), Location(path, command.line))
