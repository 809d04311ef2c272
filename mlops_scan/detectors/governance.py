"""Governance files: model cards with substance, owners that the forge reads, manual approval of deployments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Function, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.containers import rolls_out_no_model
from mlops_scan.detectors.live import own_function
from mlops_scan.fingerprints.globs import matches
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Confidence, Grade, Problem, Role, Signal

_CARD = regex(r"(model[_-]?card|data[_-]?card|datasheet)[^/]*\.(md|rst|ya?ml|json|markdown)", re.I)
_CARD_SUFFIXES = (".md", ".rst", ".yaml", ".yml", ".json", ".markdown")
_TOPICS = (
    regex(r"intended[ _-]use|primary use|use cases?|purpose|\buses?\b", re.I),
    regex(r"training data|data ?set|\bdata\b", re.I),
    regex(r"metric|evaluation|performance|results?|accuracy|auc|f1|rmse", re.I),
    regex(r"limitation|caveat|out[- ]of[- ]scope|known issues|risks?|not be used", re.I),
    regex(r"ethic|bias|fairness|privacy|owner|contact|maintain", re.I),
)
_PLACEHOLDER = regex(
    r"(\bTODO\b|\bTBD\b|\[?more information needed\]?|<your[- ]|changeme|lorem ipsum|\bplaceholder\b|"
    r"to be (written|filled|completed)|\bFIXME\b|\{\{)",
    re.I,
)
_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where a forge looks for owners; it reads the first that is there, and only that one.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""
_APPROVERS = regex(r"^approvers:\s*(?:\[\s*[\w\"'-]|(?:#[^\n]*\n\s*)*-\s*[\w\"'])", re.M, words=("approvers:",))
"""Who has to approve a change, in the file that Prow's plug-in reads: https://www.kubernetes.dev/docs/guide/owners/"""
_CARD_TITLE = regex(r"#\s+([^#]{0,80}\W)?model card\b.*", re.I, words=("model card",))
_MAKES_CARD = regex(
    r"_*(generate|create|build|write|make|render|save|export|produce)_\w*(model|data)_?card", re.I, words=("card",)
)
_MIN_TOPICS = 3
_WRITES = frozenset({"write", "write_text", "writelines", "open", "dump", "log_text", "upload_file", "log_artifact"})
_MIN_WORDS = 80  # prose of a card below its headings, tables and placeholders


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for the family governance."""
    yield from _cards(context)
    yield from _made_cards(context)
    yield from _owners(context)
    yield from _approvals(context)


def _cards(context: Context) -> Iterator[Signal | Problem]:
    for file in context.ending(_CARD_SUFFIXES, aside=True):
        lower = file.name.lower()
        named = ("card" in lower or "datasheet" in lower) and _CARD.fullmatch(file.name) is not None
        named = named or _is_titled(context, file, lower)
        if not named and file.name != "README.md":
            continue
        if file.role in (Role.VENDORED, Role.TEST, Role.EXAMPLE) or file.size > 500_000:
            continue
        text = context.documents.text(file.path)
        if not named and not _has_card_header(text):
            continue
        lacking = card_weakness(text)
        evidence = (context.evidence(file.path, 1),)
        if lacking:
            yield Signal("governance/model-card", "model-card", Grade.TRACE, evidence, reason=lacking, fixed=True)
            yield Problem("MLS601", f"This model card says too little to rely on: {lacking}.", evidence[0].location)
        else:
            yield Signal("governance/model-card", "model-card", Grade.IMPLEMENTED, evidence, fixed=True)


def _is_titled(context: Context, file: File, lower: str) -> bool:
    """Whether a document about a model has the title of a model card."""
    if "model" not in lower or file.suffix not in (".md", ".markdown") or file.size > 500_000:
        return False
    lines = context.documents.text(file.path).split("\n", 10)[:10]
    title = next((line for line in lines if line.startswith("#")), "")
    return _CARD_TITLE.fullmatch(title.strip()) is not None


def _made_cards(context: Context) -> Iterator[Signal]:
    """Functions of the project's own that write a model card, with what one says."""
    for path, module in context.modules(notebooks=False):
        for function in module.functions.values():
            name = function.qualname.rpartition(".")[2]
            if not function.stub and _MAKES_CARD.match(name) and _writes_card(module, function):
                yield own_function(context, "governance/model-card", path, function)
                return


def _writes_card(module: Module, function: Function) -> bool:
    """Whether a module writes files, and a function of it, or its constants, have the topics of a card."""
    if not any(call.name.rpartition(".")[2] in _WRITES for call in module.calls):
        return False
    inside = {(f.line, f.end_line) for f in module.functions.values() if f is not function}
    text = "\n".join(
        text
        for line, text in module.strings
        if function.line <= line <= function.end_line or not any(first <= line <= last for first, last in inside)
    )
    return sum(1 for topic in _TOPICS if topic.search(text)) >= _MIN_TOPICS


def _has_card_header(text: str) -> bool:
    """Whether a README begins with the metadata of a model on the Hugging Face hub.

    Fact: a Space has `sdk` there, a data set `task_categories`; https://huggingface.co/docs/hub/model-cards
    """
    if not text.startswith("---\n"):
        return False
    header = text[4:].partition("\n---")[0]
    keys = set(re.findall(r"^([\w-]+):", header, re.M))
    about_model = "model-index" in keys or len(keys & {"library_name", "pipeline_tag", "base_model"}) >= 2
    return about_model and not keys & {"sdk", "task_categories", "dataset_info"}


def card_weakness(text: str) -> str:
    """Why a model card has no substance, or empty."""
    body = [
        line for line in text.split("\n") if line.strip() and not line.lstrip().startswith(("#", "<!--", "---", "==="))
    ]
    prose = [line for line in body if not _PLACEHOLDER.search(line)]
    words = sum(len(line.split()) for line in prose)
    if len(prose) < len(body) and words < _MIN_WORDS:
        return "it holds placeholders"
    if words < _MIN_WORDS:
        return f"it has {words} words below its headings"
    covered = sum(1 for topic in _TOPICS if topic.search(text))
    return (
        "" if covered >= _MIN_TOPICS else "it covers fewer than three of use, data, metrics, limits and responsibility"
    )


def _owners(context: Context) -> Iterator[Signal | Problem]:
    present = {context.local(file.path): file for file in context.repository.files if "CODEOWNERS" in file.path}
    first = next((present[path] for path in _OWNERS if path in present), None)
    if first is None:
        yield from _approvers(context)
    for file in (first,) if first is not None else ():
        rules = list(_rules(context, file))
        named = [line for line, _, owners in rules if owners]
        covering = _covering(context, rules)
        if covering:
            evidence = (context.evidence(file.path, covering),)
            yield Signal("governance/ownership", "codeowners", Grade.IMPLEMENTED, evidence, fixed=True)
        elif named:
            reason = "none of its rules covers code that trains or serves a model with an owner"
            evidence = (context.evidence(file.path, named[0]),)
            yield Signal("governance/ownership", "codeowners", Grade.TRACE, evidence, reason=reason, fixed=True)
        else:
            place = context.evidence(file.path, 1)
            reason = "no rule names an owner"
            yield Signal("governance/ownership", "codeowners", Grade.TRACE, (place,), reason=reason, fixed=True)
            message = "No rule of this CODEOWNERS file names an owner, so nobody is asked for a review."
            yield Problem("MLS602", message, place.location)


def _approvers(context: Context) -> Iterator[Signal]:
    """The owners of the whole repository where Prow asks for an approval; folders may name others."""
    file = next((file for file in context.named("OWNERS", aside=True) if not file.folder), None)
    match = _APPROVERS.search(context.documents.text(file.path)) if file is not None else None
    if file is not None and match is not None:
        line = match.string.count("\n", 0, match.start()) + 1
        evidence = (context.evidence(file.path, line),)
        yield Signal("governance/ownership", "codeowners", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, fixed=True)


def _rules(context: Context, file: File) -> Iterator[tuple[int, str, list[str]]]:
    for number, line in enumerate(context.documents.text(file.path).split("\n"), 1):
        words = line.partition("#")[0].split()
        if words and not words[0].startswith("["):
            yield number, words[0], [word for word in words[1:] if "@" in word]


def _covering(context: Context, rules: list[tuple[int, str, list[str]]]) -> int:
    """The line of the rule that gives code on models an owner, or 0; the last rule that matches a file decides.

    Where no code is known to do anything with one, an owner of everything has what there is.
    """
    doing = context.doing("train", "tune", "predict", "load-model", "register", "define-pipeline", "serve", "llm-call")
    paths = sorted({use.location.path for use in doing})
    if not paths:
        return next((line for line, pattern, owners in reversed(rules) if pattern == "*" and owners), 0)
    for path in paths:
        deciding = next(((line, owners) for line, p, owners in reversed(rules) if matches(path, (p,))), None)
        if deciding is not None and deciding[1]:
            return deciding[0]
    return 0


def _approvals(context: Context) -> Iterator[Signal]:
    """Manual jobs that deploy: a person must press the button."""
    for run in context.leading():
        if run.start.kind != "ci" or run.start.blocked != "a person must start this job":
            continue
        if rolls_out_no_model(context, run):
            continue
        if any({"deploy-model", "promote", "deploy-pipeline"} & set(use.does) for use in run.uses):
            evidence = (context.evidence(run.location.path, run.location.line), context.shown(run.start.evidence))
            by_path = {workflow.path: workflow.provider for workflow in context.automation.workflows}
            tool = by_path.get(run.start.workflow, "ci")
            yield Signal("governance/approval", tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, fixed=True)
            return
