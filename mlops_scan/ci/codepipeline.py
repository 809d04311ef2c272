"""AWS CodePipeline and CodeBuild as CloudFormation, SAM and `create-pipeline` JSON declare them.

Facts: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-codepipeline-pipeline.html and
https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html . A stage's actions start when the stage
before has succeeded; an approval waits for a person.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci import cdk, cdk_programs, codebuild, names
from mlops_scan.ci.actions import Action, Source, pipeline_jobs
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import entries, items, text, words
from mlops_scan.documents.listed import listed
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.folders import holds
from mlops_scan.words import FOREIGN, Role

_PIPELINE, _PROJECT, _RULE = "AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project", "AWS::Events::Rule"
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_MARKS = (_PIPELINE, _PROJECT, '"actionTypeId"')
_ASIDE = FOREIGN | {Role.TEST, Role.DOCS}
_CODE = frozenset({"CodeCommit", "GitHub", "CodeStarSourceConnection", "Bitbucket"})
_WEBHOOK = {
    "PUSH": "push", "PULL_REQUEST_CREATED": "pull_request", "PULL_REQUEST_UPDATED": "pull_request",
    "PULL_REQUEST_REOPENED": "pull_request", "PULL_REQUEST_MERGED": "push", "RELEASED": "release",
    "PRERELEASED": "release", "WORKFLOW_JOB_QUEUED": "external",
}  # fmt: skip
_NAME = regex(r"\$\{(\w+)\}")
_MAX_SIZE = 500_000
_MAX_SHAPE = 100


def find(documents: Documents) -> dict[str, list[Workflow]]:
    """The pipelines and builds of a repository by file: declared ones, and specifications that none of them names."""
    found: dict[str, list[Workflow]] = {}
    used: set[str] = set()
    declaring = [
        path
        for path, file in documents.files.items()
        if file.role not in FOREIGN and file.size <= _MAX_SIZE and _declares(path, documents)
    ]
    in_code = cdk.find([path for path in declaring if language_of(path) in cdk_programs.MARKS], documents)
    for path in declaring:
        for workflow in in_code[path] if path in in_code else _template(path, documents):
            found.setdefault(path, []).append(workflow)
            if not workflow.unloaded:
                used.update(step.path for job in workflow.jobs for step in job.steps)
    for path, file in documents.files.items():
        named = "buildspec" in path.lower() and re.search(names.CODE_BUILD, path) is not None
        if named and path not in used and file.role not in FOREIGN:
            alone = list(codebuild.parse(path, documents))
            if alone:
                found.setdefault(path, []).extend(alone)
    return found


def _declares(path: str, documents: Documents) -> bool:
    language, role = language_of(path), documents.files[path].role
    if language == "json" and role in (Role.DATA, Role.TEST):
        return False
    if language in cdk_programs.MARKS:
        return cdk_programs.declares(path, documents)
    return language in ("yaml", "json") and any(documents.holds(path, mark) for mark in _MARKS)


class _Template(Struct, frozen=True):
    """A template's resources by logical id, each with its type and properties."""

    path: str
    resources: Mapping[str, tuple[str, Node, Node]]

    def of(self, kind: str) -> Iterator[tuple[str, Node, Node]]:
        """The logical ids, resources and properties of a type."""
        return ((name, node, body) for name, (own, node, body) in self.resources.items() if own == kind)


def _template(path: str, documents: Documents) -> Iterator[Workflow]:
    for document in documents.nodes(path)[:5]:
        bare = document.get("pipeline")
        if bare is not None and bare.get("stages") is not None:
            yield _pipeline("pipeline", bare, bare, _Template(path, {}), documents)
            continue
        resources = {
            name: (text(node.get("Type")), node, node.get("Properties") or node)
            for name, node in entries(document.get("Resources"))
            if node.kind == "mapping"
        }
        template = _Template(path, resources)
        named: set[str] = set()
        for name, node, body in template.of(_PIPELINE):
            yield _pipeline(name, node, body, template, documents)
            named.update(_projects(body))
        for name, node, body in template.of(_PROJECT):
            if name not in named and text(body.get("Name")) not in named:
                yield _project(name, node, body, template, documents)


# -- pipelines -------------------------------------------------------------------------------------------------------


def _pipeline(name: str, node: Node, body: Node, template: _Template, documents: Documents) -> Workflow:
    stages = []
    for stage in items(_any(body, "Stages")):
        actions = [_action(item, template, documents) for item in items(_any(stage, "Actions"))]
        stages.append((text(_any(stage, "Name")), actions))
    rules = tuple(_rules(name, text(_any(body, "Name")), template))
    off = {text(_any(item, "StageName")) for item in items(_any(body, "DisableInboundStageTransitions"))}
    triggers, found = pipeline_jobs(stages, rules)
    staged = ((job, job.id.partition("/")[0]) for job in found)
    jobs = tuple(
        replace(job, never=f"the transition into stage {stage} is disabled") if stage in off else job
        for job, stage in staged
    )
    return Workflow(template.path, "aws-codepipeline", node.at, text(_any(body, "Name")) or name, triggers, jobs)


def _action(node: Node, template: _Template, documents: Documents) -> Action:
    kind = _any(node, "ActionTypeId")
    category, provider = (text(_any(kind, key)) for key in ("Category", "Provider"))
    settings = {key: _literal(value) for key, value in entries(_any(node, "Configuration"))}
    name = text(_any(node, "Name")) or provider
    order = text(_any(node, "RunOrder"))
    number = int(order[:4]) if order.isdecimal() else 1
    action = Action(name, node.line, max(node.line, node.end_line), category, provider, settings, number)
    if category == "Source":
        polls = settings.get("PollForSourceChanges", "true").lower() != "false"
        detects = settings.get("DetectChanges", "true").lower() != "false"
        branch = settings.get("BranchName") or settings.get("Branch", "")
        trigger = "push" if provider in _CODE else "external"
        return replace(action, source=Source(trigger, provider, polls and detects, branch))
    if provider == "CodeBuild":
        return replace(action, steps=_build(settings.get("ProjectName", ""), template, documents))
    if category == "Invoke" and provider == "Lambda":
        function = _any(_any(node, "Configuration"), "FunctionName")
        return replace(action, steps=_invoked(function, action, template, documents))
    return action


def _invoked(name: Node | None, action: Action, template: _Template, documents: Documents) -> tuple[Step, ...]:
    """The handler of a function of the same template, as the command by which the Lambda runtime calls it."""
    for own, _, body in (found for kind in _FUNCTIONS for found in template.of(kind)) if name is not None else ():
        if _literal(name).removesuffix(".Arn") != own and _shape(name) != _shape(body.get("FunctionName")):
            continue
        handler = text(body.get("Handler"))
        stem, _, function = handler.rpartition(".")
        tail = f"{stem.replace('.', '/')}.py"
        path = _handler(tail, text(body.get("CodeUri")), template.path, documents)
        inline = body.path("Code", "ZipFile") or body.get("InlineCode")
        if not function or path is None or inline is not None:
            return ()
        return (
            Step(
                line=action.line,
                end_line=action.end_line,
                name=action.name,
                script=f"python -m awslambdaric {shlex.quote(handler)}",
                script_line=action.line,
                folder=path.removesuffix(tail).rstrip("/"),
            ),
        )
    return ()


def _handler(tail: str, code: str, template: str, documents: Documents) -> str | None:
    """The one Python file that a handler can mean: in the folder of the code, else of the template, else anywhere."""
    base = template.rpartition("/")[0]
    found = [
        file.path
        for file in listed(documents).names.get(tail.rpartition("/")[2], ())
        if file.role not in _ASIDE and f"/{file.path}".endswith(f"/{tail}")
    ]
    for folder in (posixpath.normpath(posixpath.join(base, code)).strip("."), base, ""):
        inside = [path for path in found if holds(folder, path)]
        if inside:
            return inside[0] if len(inside) == 1 else None
    return None


def _shape(node: Node | None) -> tuple[object, ...]:
    """What makes two values the same, `Fn::Join` and `Fn::Sub` included; nothing is the same as no value."""
    if node is None:
        return (None,)
    return tuple((keys, found.tag, text(found)) for keys, found in node.walk(_MAX_SHAPE))


def _build(name: str, template: _Template, documents: Documents) -> tuple[Step, ...]:
    for own, _, body in template.of(_PROJECT):
        if name in (own, text(body.get("Name")), _literal(body.get("Name"))):
            return _specification(body, template, documents)
    return ()


def _specification(body: Node, template: _Template, documents: Documents) -> tuple[Step, ...]:
    """The steps of a project's specification, with the variables of the project, which outweigh its own."""
    given = dict(_variables(body))
    steps = _specified(body, template, documents)
    return tuple(replace(step, env={**step.env, **given}) for step in steps) if given else steps


def _variables(body: Node) -> Iterator[tuple[str, str]]:
    """The variables to which a project gives a plain constant value."""
    for item in items(body.path("Environment", "EnvironmentVariables")):
        value = item.get("Value")
        if value is not None and value.kind == "scalar" and text(item.get("Type")) in ("", "PLAINTEXT"):
            shown = text(value)
            if not value.tag and shown and "${" not in shown:
                yield text(item.get("Name")), shown


def _specified(body: Node, template: _Template, documents: Documents) -> tuple[Step, ...]:
    """The steps of a project's specification: inline YAML, a file of the sources, or `buildspec.yml`."""
    spec = body.path("Source", "BuildSpec")
    written = spec.path("Fn::Sub") if spec is not None and spec.kind == "mapping" else spec
    content = text(written.items[0] if written is not None and written.items else written)
    if "\n" in content and written is not None:
        from mlops_scan.documents import yaml

        try:
            inline = yaml.parse(content)
        except (DocumentError, RecursionError):
            return ()
        offset = written.text_line - 1
        found = codebuild.steps(template.path, inline[0]) if inline else ()
        return tuple(
            replace(
                step, line=step.line + offset, end_line=step.end_line + offset, script_line=step.script_line + offset
            )
            for step in found
        )
    path = codebuild.located(content or "buildspec.yml", documents, template.path.rpartition("/")[0])
    if path is None:
        return ()
    root = path[: -len((content or "buildspec.yml").removeprefix("./"))].rstrip("/")
    return codebuild.steps(path, documents.nodes(path)[0], root) if documents.nodes(path) else ()


def _projects(body: Node) -> Iterator[str]:
    for stage in items(_any(body, "Stages")):
        for action in items(_any(stage, "Actions")):
            settings = _any(action, "Configuration")
            if settings is not None and settings.get("ProjectName") is not None:
                yield _literal(settings.get("ProjectName"))


def _rules(name: str, label: str, template: _Template) -> Iterator[Trigger]:
    """The EventBridge rules of the template that start the pipeline."""
    for _, _, body in template.of(_RULE):
        if text(body.get("State")) == "DISABLED":
            continue
        targets = items(body.get("Targets"))
        if not any(_mentions(target, name, label) for target in targets):
            continue
        clock, pattern = body.get("ScheduleExpression"), body.get("EventPattern")
        if clock is not None:
            yield Trigger("schedule", clock.at, _literal(clock))
        if pattern is not None:
            sources = words(pattern.get("source"))
            kind = "push" if "aws.codecommit" in sources else "external"
            yield Trigger(kind, pattern.at, " ".join(sources) or "an event")


def _mentions(target: Node, name: str, label: str) -> bool:
    """Whether a target's address refers to the pipeline, by its logical id or by its name."""
    arn = target.get("Arn")
    if arn is None:
        return False
    parts = " ".join((*_strings(arn), *_NAME.findall(" ".join(_strings(arn)))))
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", parts) is not None or (
        bool(label) and "$" not in label and parts.endswith(label)
    )


def _strings(node: Node) -> tuple[str, ...]:
    return tuple(text(found) for _, found in node.walk(200) if found.kind == "scalar")


# -- projects --------------------------------------------------------------------------------------------------------


def _project(name: str, node: Node, body: Node, template: _Template, documents: Documents) -> Workflow:
    """A project that no pipeline of the template runs: its webhook starts it, or something outside."""
    triggers: list[Trigger] = []
    hook = body.path("Triggers", "Webhook")
    if hook is not None and hook.value is True:
        for group in items(body.path("Triggers", "FilterGroups")):
            for item in group.items:
                if text(item.get("Type")) == "EVENT":
                    names = [name.strip() for name in text(item.get("Pattern")).split(",")]
                    triggers += [Trigger(_WEBHOOK[n], item.line, n) for n in names if n in _WEBHOOK]
        triggers = triggers or [Trigger("push", hook.at, "every push")]
    found = tuple(dict.fromkeys(triggers)) or (Trigger("server", node.at, codebuild.UNKNOWN),)
    steps = _specification(body, template, documents)
    job = Job(name, node.at, max(node.at, node.end_line), steps)
    return Workflow(template.path, "aws-codebuild", node.at, name, found, (job,))


# -- small shapes ----------------------------------------------------------------------------------------------------


def _any(node: Node | None, key: str) -> Node | None:
    """A key as templates write it, or as the API does, with a small first letter."""
    if node is None:
        return None
    return node.get(key) or node.get(key[0].lower() + key[1:])


def _literal(node: Node | None) -> str:
    """A scalar, or the name that `Ref`, `GetAtt` or `Sub` refers to."""
    if node is None:
        return ""
    if node.kind == "mapping" and len(node.entries) == 1:
        return _literal(node.entries[0][1])
    if node.kind == "sequence":
        return _literal(node.items[0]) if node.items else ""
    value = text(node)
    whole = _NAME.fullmatch(value)
    return whole.group(1) if whole is not None else value
