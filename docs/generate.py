"""Write the generated documentation: the pages of `docs/rules/` and the schema of rule files, and README.md's sample.

`python docs/generate.py` writes them, `python docs/generate.py --check` exits 1 and names what differs.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml

from mlops_scan.cli.models import first_asked
from mlops_scan.cli.ruleschema import schema_text
from mlops_scan.rulebook import FindingDefinition, Practice, RuleBook, Tool, load
from mlops_scan.rulemodels import Level, MaturityModel

Item = TypeVar("Item")

ROOT = Path(__file__).resolve().parent.parent
_NOTE = "<!-- Written by docs/generate.py from rules/. Change the rules, not this page. -->"
_SAMPLE = re.compile(r"(<!-- sample: mlops-scan (?P<path>\S+) -->\n).*?(<!-- end of sample -->)", re.DOTALL)
_OBSERVABILITY = {
    "full": "files show it fully",
    "part": "files show a part of it; the rest may be set up elsewhere",
    "ext": "mostly set up outside the files",
}


def anchor(heading: str) -> str:
    """The anchor that GitHub, GitLab and MkDocs give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# -- findings ----------------------------------------------------------------------------------------------------------


def findings_page(book: RuleBook) -> Iterator[str]:
    """One section a finding, those of gaps included; the heading is the id, so the anchor is too (`#mls301`)."""
    yield "# Findings"
    yield _NOTE
    yield (
        "A *defect* says that something is broken or without effect; a *gap* (tag `maturity-gap`) says that a practice "
        "which the next level asks for is not met. `mlops-scan explain ID` prints the same text. Ids are never reused."
    )
    yield from _table(
        ("id", "severity", "title"),
        ((_link(rule.id, rule.id), rule.severity.value, rule.title) for rule in book.findings.values()),
    )
    gaps = {practice.gap: practice for practice in book.practices.values()}
    for rule in book.findings.values():
        yield from _finding(book, rule, gaps.get(rule.id))


def _finding(book: RuleBook, rule: FindingDefinition, practice: Practice | None) -> Iterator[str]:
    yield f"## {rule.id}"
    yield f"**{rule.title}** ({rule.severity.value}; {', '.join(f'`{tag}`' for tag in rule.tags) or 'no tags'})"
    if practice is None:
        yield f"Why it matters: {rule.why}"
        yield f"How to fix it: {rule.fix}"
    else:
        yield f"Practice: {_link(practice.id, practice.id, 'practices.md')}. Asked for by: {_asked_by(book, practice)}."
        yield f"What it asks for: {rule.why}"
        yield f"How to get there: {rule.fix}"
    if rule.example:
        yield "Example:" if practice is None else "One way:"
        yield _code(rule.example)


def _asked_by(book: RuleBook, practice: Practice) -> str:
    rows = [
        f"{model.id} level {level.number}, “{row.title}”"
        for model in book.models.values()
        for level in model.levels
        for row in level.rows
        if practice.id in row.practices
    ]
    return "; ".join(rows) or "no level; it is reported only"


# -- practices ---------------------------------------------------------------------------------------------------------


def practices_page(book: RuleBook) -> Iterator[str]:
    """One section a practice, grouped by family."""
    yield "# Practices"
    yield _NOTE
    yield (
        "What a level is made of. A practice is *met* from its minimum grade on: `wired` (automation starts it and its "
        "outcome has an effect), `implemented` (real code or configuration does it) or `trace` (it is only named)."
    )
    served = _tools_by_practice(book)
    for family, practices in _grouped(book.practices.values(), lambda practice: practice.id.split("/", 1)[0]):
        yield f"## {family}"
        for practice in practices:
            yield from _practice(book, practice, served[practice.id])


def _practice(book: RuleBook, practice: Practice, tools: list[Tool]) -> Iterator[str]:
    yield f"### {practice.id}"
    yield f"**{practice.title}.** {practice.what}"
    facts = [
        f"Met from: `{practice.minimum.value}`",
        f"Asked for by: {_asked_by(book, practice)}",
        f"Gap finding: {_link(practice.gap, practice.gap, 'findings.md')}, effort {practice.effort}",
        f"In files: {_OBSERVABILITY.get(practice.observability, practice.observability)}",
    ]
    if practice.starts:
        blocking = ", and its failure must stop something" if practice.blocking else ""
        facts.append(f"Wired when started by: {', '.join(sorted(practice.starts))}{blocking}")
    if tools:
        facts.append(f"Tools recognised: {', '.join(tool.name for tool in tools)}")
    yield _bullets(facts)
    if practice.counts:
        yield "Counts:"
        yield _bullets(practice.counts)
    if practice.does_not_count:
        yield "Does not count:"
        yield _bullets(practice.does_not_count)
    yield f"How to get there: {practice.remedy}"
    for stack, snippet in practice.snippets.items():
        yield f"{stack}:"
        yield _code(snippet)
    if practice.references:
        yield "References:"
        yield _bullets(f"<{url}>" if url.startswith("http") else url for url in practice.references)


def _tools_by_practice(book: RuleBook) -> dict[str, list[Tool]]:
    found: dict[str, list[Tool]] = defaultdict(list)
    for tool in book.tools.values():
        for practice in dict.fromkeys(p for signature in tool.signatures for p in signature.serves):
            found[practice].append(tool)
    return found


# -- tools -------------------------------------------------------------------------------------------------------------


def tools_page(book: RuleBook) -> Iterator[str]:
    """One table a family."""
    yield "# Tools"
    yield _NOTE
    yield (
        f"The {len(book.tools)} tools that are recognised by their use: resolved calls, decorators, base classes, "
        "commands and keys of configuration files. *Serves* lists the practices that a use can show, *does* the "
        "activities; being declared or imported alone earns `trace` for the practices under *hints*. "
        "`mlops-scan explain ID` lists the imports and packages of a tool."
    )
    for family, tools in _grouped(book.tools.values(), lambda tool: tool.family):
        yield f"## {family}"
        yield from _table(("tool", "id", "serves", "does", "hints"), map(_tool_row, tools))
    yield "## Not covered"
    yield "What the rules leave out, and why:"
    yield from _table(("what", "reason"), ((entry["what"], entry["reason"]) for entry in not_covered()))


def not_covered() -> list[dict[str, str]]:
    """The entries of `docs/not-covered.yaml`: `what` is left out and the `reason`."""
    entries: list[dict[str, str]] = yaml.safe_load((ROOT / "docs" / "not-covered.yaml").read_text(encoding="utf-8"))
    return entries


def _tool_row(tool: Tool) -> tuple[str, ...]:
    serves = dict.fromkeys(p for signature in tool.signatures for p in signature.serves)
    does = dict.fromkeys(a for signature in tool.signatures for a in signature.does)
    name = f"[{tool.name}]({tool.url})" if tool.url else tool.name
    practices = (", ".join(_link(p, p, "practices.md") for p in group) for group in (serves, tool.hints))
    shown, hinted = practices
    return name, f"`{tool.id}`", shown, ", ".join(does), hinted


# -- models ------------------------------------------------------------------------------------------------------------


def models_page(book: RuleBook) -> Iterator[str]:
    """The rows of every level of every maturity model."""
    yield "# Maturity models"
    yield _NOTE
    yield (
        "A level holds when all its rows and those of the lower levels are met. A row needs the given number of its "
        "practices; the grade behind a practice is the weakest that meets it. A repository without an ML workload has "
        "no level. The weight counts for the percentage only."
    )
    for model in book.models.values():
        yield f"## {model.id}"
        yield f"**{model.name}**"
        if model.mapping:
            yield model.mapping
        if model.source:
            yield f"Source: {model.source}"
        yield from _levels(book, model)
        yield from _rubric(model)
    yield "## Crosswalk"
    yield (
        "The level at which each model first asks for a practice; in brackets where it only recommends it. The models "
        "disagree by design, so a report shows all of them and never an average."
    )
    yield from _table(
        ("practice", *book.models),
        (
            (_link(name, name, "practices.md"), *(first_asked(model, name) for model in book.models.values()))
            for name in book.practices
        ),
    )


def _levels(book: RuleBook, model: MaturityModel) -> Iterator[str]:
    for level in model.levels:
        yield f"### {model.id} level {level.number}: {level.name}"
        if level.above is not None:
            yield f"A score above {level.above:g}."
        elif not level.rows:
            yield "A score of 0." if model.scored else "An ML workload, nothing more."
        else:
            yield from _table(("row", "needs", "practices (grade that meets it)", "weight"), _rows(book, level))
        if level.optional:
            yield f"Recommended: {', '.join(_link(p, p, 'practices.md') for p in level.optional)}."


def _rows(book: RuleBook, level: Level) -> Iterator[tuple[str, ...]]:
    for row in level.rows:
        practices = (
            f"{_link(p, p, 'practices.md')} ({(row.minimum or book.practices[p].minimum).value})" for p in row.practices
        )
        yield row.title, f"{row.need} of {len(row.practices)}", ", ".join(practices), f"{row.weight:g}"


def _rubric(model: MaturityModel) -> Iterator[str]:
    for section in model.sections:
        yield f"### {model.id}: {section.name}"
        yield from _table(
            ("test", "asks that", "answered by"),
            (
                (
                    test.id,
                    test.title,
                    ", ".join(_link(p, p, "practices.md") for p in test.practices) + (" (in part)" * test.partial)
                    or "nothing in files",
                )
                for test in section.tests
            ),
        )


# -- Markdown ----------------------------------------------------------------------------------------------------------


def _link(text: str, heading: str, page: str = "") -> str:
    return f"[{text}]({page}#{anchor(heading)})"


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _code(text: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _grouped(items: Iterable[Item], key: Callable[[Item], str]) -> Iterator[tuple[str, list[Item]]]:
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    yield from sorted(groups.items())


# -- the sample in README ----------------------------------------------------------------------------------------------


def readme(text: str) -> str:
    """README.md with the output of its sample scan in place."""
    return _SAMPLE.sub(lambda match: f"{match[1]}{_sample(match['path'])}\n{match[3]}", text)


def _sample(path: str) -> str:
    """The output of a scan as a pipe of 80 columns gets it, whatever the settings of whoever runs this."""
    environment = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "mlops_scan", path]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True)
    return f"```console\n$ mlops-scan {path}\n{done.stdout.rstrip()}\n```"


# -- command line ------------------------------------------------------------------------------------------------------


def generated() -> dict[Path, str]:
    """What every generated file should contain."""
    book = load()
    pages = {"findings": findings_page, "practices": practices_page, "tools": tools_page, "models": models_page}
    files = {ROOT / "docs" / "rules" / f"{name}.md": "\n\n".join(page(book)) + "\n" for name, page in pages.items()}
    files[ROOT / "docs" / "rules.schema.json"] = schema_text(book)
    files[ROOT / "README.md"] = readme((ROOT / "README.md").read_text(encoding="utf-8"))
    return files


def main() -> int:
    """Write or check the generated files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a page differs")
    check = parser.parse_args().check
    stale = 0
    for path, text in generated().items():
        name = path.relative_to(ROOT).as_posix()
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if old == text:
            continue
        stale += 1
        if check:
            lines = difflib.unified_diff(
                old.splitlines(), text.splitlines(), name, f"{name} (generated)", lineterm="", n=1
            )
            print("\n".join([line for _, line in zip(range(40), lines, strict=False)]), file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if check and stale:
        print("generated pages are out of date; run `python docs/generate.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
