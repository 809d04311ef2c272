"""GitLab CI: `.gitlab-ci.yml` and what it includes from the same repository.

Facts: https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.documents.node import Node

_KEYWORDS = frozenset(
    {"stages", "default", "variables", "include", "workflow", "image", "services", "before_script", "after_script", "cache", "pages", "spec",
     "types", "component"}
)  # fmt: skip
_MAX_INCLUDES = 20
_MAX_EXTENDS = 11  # GitLab's own limit

Load = Callable[[str], tuple[Node, ...]]


def parse(path: str, documents: tuple[Node, ...], load: Load) -> Workflow:
    """The facts of a GitLab pipeline; `load` gives the documents of another file of the repository, or nothing."""
    entries: dict[str, tuple[str, Node]] = {}
    _collect(path, documents, load, entries, [0])
    stages = entries.get("stages")
    default = entries.get("default", (path, documents[0] if documents else None))[1]
    jobs = tuple(
        job
        for name, (where, node) in entries.items()
        if name not in _KEYWORDS and not name.startswith(".") and node.kind == "mapping" and where == path
        for job in _job(name, node, entries, default)
    )
    triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
    return Workflow(path, "gitlab-ci", stages[1].at if stages else 1, "GitLab CI", triggers, jobs)


def _collect(path: str, documents: Iterable[Node], load: Load, entries: dict[str, tuple[str, Node]], count: list[int]) -> None:
    for document in documents:
        include = document.get("include")
        if include is not None and count[0] < _MAX_INCLUDES:
            items = include.items if include.kind == "sequence" else (include,)
            for item in items:
                local = item.get("local") if item.kind == "mapping" else item
                name = (local.string() or "") if local is not None else ""
                if name and "://" not in name:
                    count[0] += 1
                    _collect(path, load(name.lstrip("/")), load, entries, count)
        for name, node in document.entries:
            entries[name] = (path, node)


def _merged(node: Node, entries: dict[str, tuple[str, Node]], depth: int = 0) -> dict[str, Node]:
    """A job's keys with those of the jobs it extends; its own win."""
    keys: dict[str, Node] = {}
    extends = node.get("extends")
    if extends is not None and depth < _MAX_EXTENDS:
        for name in extends.strings():
            if name in entries:
                keys.update(_merged(entries[name][1], entries, depth + 1))
    keys.update(dict(node.entries))
    return keys


def _job(name: str, node: Node, entries: dict[str, tuple[str, Node]], default: Node | None) -> list[Job]:
    keys = _merged(node, entries)
    script = keys.get("script")
    if script is None and "trigger" not in keys:
        return []
    before = keys.get("before_script") or (default.get("before_script") if default is not None else None)
    steps = [_step(part, entries) for part in (before, script) if part is not None]
    allow = keys.get("allow_failure")
    when = keys.get("when")
    environment = keys.get("environment")
    env_name = environment.get("name") if environment is not None and environment.kind == "mapping" else environment
    triggers, manual, never = _rules(keys, node)
    manual = manual or (when is not None and when.text == "manual")
    return [
        Job(
            id=name,
            line=node.at,
            end_line=max(node.at, node.end_line),
            steps=tuple(step for step in steps if step.script),
            needs=_needs(keys.get("needs")),
            environment=(env_name.string() or "") if env_name is not None else "",
            may_fail="the job has `allow_failure: true`" if allow is not None and allow.value is True else "",
            manual=manual,
            never=never or ("`when: never`" if when is not None and when.text == "never" else ""),
            image=_image(keys.get("image")),
            triggers=(Trigger("manual", (when or node).at, "when: manual"),) if manual else triggers,
        )
    ]


def _rules(keys: dict[str, Node], node: Node) -> tuple[tuple[Trigger, ...], bool, str]:
    """Triggers, whether a person must start the job, and why it can never start."""
    only, rules = keys.get("only"), keys.get("rules")
    found: list[Trigger] = []
    manual: list[bool] = []
    if rules is not None:
        for rule in rules.items:
            when = rule.get("when")
            if when is not None and when.text == "never":
                continue
            manual.append(when is not None and when.text == "manual")
            condition = (rule.get("if") or rule).text
            found.append(Trigger(_kind(condition), rule.line, condition))
        if not found:
            return (), False, "every rule says `when: never`"
        return tuple(found), all(manual), ""
    if only is not None:
        refs = only.get("refs") if only.kind == "mapping" else only
        words = refs.strings() if refs is not None else ()
        return tuple(Trigger(_kind(word), only.at, word) for word in words) or (Trigger("push", only.at),), False, ""
    return (Trigger("push", node.at, "every push"),), False, ""


def _kind(text: str) -> str:
    lower = text.lower()
    if "schedule" in lower:
        return "schedule"
    if "merge_request" in lower:
        return "pull_request"
    if "tag" in lower:
        return "tag"
    if '"web"' in lower or lower == "web":
        return "manual"
    if '"trigger"' in lower or '"pipeline"' in lower or lower in ("triggers", "api", "pipelines"):
        return "external"
    return "push"


def _needs(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    return tuple((item.get("job") or item).string() or "" for item in node.items)


def _image(node: Node | None) -> str:
    if node is None:
        return ""
    name = node.get("name") if node.kind == "mapping" else node
    return (name.string() or "") if name is not None else ""


def _step(node: Node, entries: dict[str, tuple[str, Node]]) -> Step:
    lines: list[str] = []
    first = 0
    for item in _scripts(node, entries, 0):
        text = item.string() or ""
        block = item.line + (1 if "\n" in text else 0)
        if not first:
            first = block
        # keep the file's line numbers inside one step by padding with empty lines
        while first + len(lines) < block:
            lines.append("")
        lines.extend(text.rstrip("\n").split("\n"))
    return Step(line=first or node.at, end_line=max(node.end_line, first or node.at), script="\n".join(lines), script_line=first or node.at)


def _scripts(node: Node, entries: dict[str, tuple[str, Node]], depth: int) -> list[Node]:
    if node.tag == "!reference" and depth < _MAX_EXTENDS:
        names = node.strings()
        target: Node | None = entries[names[0]][1] if names and names[0] in entries else None
        for key in names[1:]:
            target = target.get(key) if target is not None else None
        return _scripts(target, entries, depth + 1) if target is not None else []
    if node.kind == "sequence":
        return [found for item in node.items for found in _scripts(item, entries, depth)]
    return [node] if node.string() is not None else []
