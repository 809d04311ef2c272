"""CodePipelines that code declares with the AWS CDK: `aws_codepipeline`, `aws_codebuild`, `aws_cdk.pipelines`.

The code is read, never run: constructs are followed from the call that makes them through the variables of the same
function. A program in TypeScript comes as the same program in Python (`documents/typescript_syntax.py`).
Facts: https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_codepipeline_actions.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci import codebuild
from mlops_scan.ci.actions import Action, Source, pipeline_jobs
from mlops_scan.ci.cdk_programs import called, naming, not_run, tree_of
from mlops_scan.ci.model import Step, Trigger, Workflow
from mlops_scan.ci.shape import command_list
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.words import Role

_SOURCES = {
    "CodeCommitSourceAction": ("push", "CodeCommit"), "GitHubSourceAction": ("push", "GitHub"),
    "CodeStarConnectionsSourceAction": ("push", "CodeStarSourceConnection"),
    "BitBucketSourceAction": ("push", "Bitbucket"), "S3SourceAction": ("external", "S3"),
    "EcrSourceAction": ("external", "ECR"),
}  # fmt: skip
_MODERN = {
    "git_hub": ("push", "GitHub"), "connection": ("push", "CodeStarSourceConnection"),
    "code_commit": ("push", "CodeCommit"), "s3": ("external", "S3"), "ecr": ("external", "ECR"),
}  # fmt: skip
_MODES = {
    "CloudFormationCreateReplaceChangeSetAction": "CHANGE_SET_REPLACE",
    "CloudFormationDeleteStackAction": "DELETE_ONLY",
}
_PIPELINES = ("aws_codepipeline.Pipeline", "pipelines.CodePipeline")
_SHELL_STEPS = frozenset({"ShellStep", "CodeBuildStep", "ShellScriptAction", "SimpleSynthAction"})
_COMMANDS = ("install_commands", "commands")
_MAX_DEPTH = 12
_MAX_CALLS = 3_000  # of one function that are looked at
_MAX_PIPELINES = 20  # of one function
_Scope = tuple[str, "ast.Module | ast.FunctionDef | ast.AsyncFunctionDef"]


def find(paths: Sequence[str], documents: Documents) -> dict[str, tuple[Workflow, ...]]:
    """The pipelines that programs declare, by file."""
    made = {path: [reader for reader in _readers(path, documents) if reader.made] for path in paths}
    owners = {reader.owner for readers in made.values() for reader in readers if reader.owner}
    where = naming(owners, documents)
    return {
        path: tuple(workflow for reader in readers for workflow in reader.workflows(where))
        for path, readers in made.items()
    }


def _readers(path: str, documents: Documents) -> Iterator[_Reader]:
    tree = tree_of(path, documents)
    if tree is not None:
        imports = _imports(tree)
        for owner, scope in _scopes(tree):
            yield _Reader(path, documents, imports, owner, scope)


def _imports(tree: ast.Module) -> dict[str, str]:
    """Local names with the dotted names that they were imported as."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
    return found


def _scopes(tree: ast.Module) -> Iterator[_Scope]:
    """Every function and the module itself, with the class that a function belongs to."""
    yield "", tree
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield node.name, item
    for item in tree.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield item.name, item


class _Reader(Struct, dict=True):
    """Reads the pipelines of one function."""

    path: str
    documents: Documents
    imports: Mapping[str, str]
    owner: str
    scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef

    def __post_init__(self) -> None:
        self.naming: Mapping[str, Sequence[str]] = {}
        self.bound: dict[str, ast.expr] = {}
        self.calls: list[ast.Call] = []
        for node in _own_nodes(self.scope):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self.bound[ast.unparse(node.targets[0])] = node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self.bound[ast.unparse(node.target)] = node.value
            if isinstance(node, ast.Call):
                self.calls.append(node)
        del self.calls[_MAX_CALLS:]
        self.calls.sort(key=lambda call: (call.lineno, call.col_offset))
        self.made = [call for call in self.calls if self._name(call).endswith(_PIPELINES)][:_MAX_PIPELINES]

    def workflows(self, naming: Mapping[str, Sequence[str]]) -> Iterator[Workflow]:
        """The pipelines made here; those in a class or function that nothing names are not loaded.

        `naming` has the files with the name of the class or function that declares them.
        """
        self.naming = naming
        for call in self.made:
            classic = self._name(call).endswith(_PIPELINES[0])
            stages = self._stages(call) if classic else self._modern(call)
            name = _constant(_argument(call, "pipeline_name")) or self.owner or "Pipeline"
            triggers, jobs = pipeline_jobs(stages, tuple(self._rules(call)))
            unloaded = "" if not self.owner or self._used() else f"nothing in the repository creates {self.owner}"
            unloaded = unloaded or not_run(self.path, self.documents)
            yield Workflow(self.path, "aws-codepipeline", call.lineno, name, triggers, jobs, unloaded)

    def _used(self) -> bool:
        """Whether something besides its definition names the class or function that declares the pipeline."""
        return any(
            called(self.owner, self.documents.text(path))
            for path in self.naming[self.owner]
            if self.documents.files[path].role is not Role.TEST
        )

    # -- stages ------------------------------------------------------------------------------------------------------

    def _stages(self, pipeline: ast.Call) -> list[tuple[str, list[Action]]]:
        """The stages that a pipeline is made with, then those added to its variable, in order."""
        stages = [
            (_constant(_argument(item, "stage_name")), self._actions(_argument(item, "actions")))
            for item in map(self._resolved, self._list(_argument(pipeline, "stages")))
            if item is not None
        ]
        variables = {name for name, value in self.bound.items() if value is pipeline}
        by_variable: dict[str, list[Action]] = {}
        for call in self.calls:
            if not isinstance(call.func, ast.Attribute):
                continue
            receiver = ast.unparse(call.func.value)
            if call.func.attr == "add_stage" and receiver in variables:
                actions = self._actions(_argument(call, "actions"))
                stages.append((_constant(_argument(call, "stage_name")), actions))
                by_variable.update({name: actions for name, value in self.bound.items() if value is call})
            elif call.func.attr == "add_action" and receiver in by_variable and call.args:
                by_variable[receiver].extend(self._actions(call.args[0]))
        return stages

    def _actions(self, node: ast.expr | None) -> list[Action]:
        listed = self._list(node) or ([node] if node is not None else [])
        found = (self._action(item) for item in listed)
        return [action for action in found if action is not None]

    def _action(self, node: ast.expr) -> Action | None:
        call = self._resolved(node)
        if not isinstance(call, ast.Call):
            return None
        kind = self._name(call).rpartition(".")[2]
        name = _constant(_argument(call, "action_name")) or kind
        order = _argument(call, "run_order")
        number = order.value if isinstance(order, ast.Constant) and isinstance(order.value, int) else 1
        end = call.end_lineno or call.lineno
        action = Action(name, call.lineno, end, "Invoke", kind.removesuffix("Action"), {}, number)
        if kind in _SOURCES:
            trigger = _argument(call, "trigger")
            off = trigger is not None and ast.unparse(trigger).endswith(".NONE")
            pushed = _argument(call, "trigger_on_push")
            off = off or (isinstance(pushed, ast.Constant) and pushed.value is False)
            branch = _constant(_argument(call, "branch"))
            return replace(action, category="Source", source=Source(*_SOURCES[kind], not off, branch))
        if kind == "ManualApprovalAction":
            return replace(action, category="Approval")
        if kind == "CodeBuildAction":
            project = self._resolved(_argument(call, "project"))
            steps = self._project(project) if isinstance(project, ast.Call) else ()
            return replace(action, category="Build", provider="CodeBuild", steps=steps)
        if kind.startswith("CloudFormation"):
            return replace(action, category="Deploy", provider="CloudFormation", settings=self._template(call, kind))
        return replace(action, category="Deploy" if "Deploy" in kind else "Invoke")

    def _template(self, call: ast.Call, kind: str) -> dict[str, str]:
        """What a CloudFormation action deploys: the constant path in an artifact."""
        given = _argument(call, "template_path")
        parts = ast.walk(given) if given is not None else ()
        names = [n.value for n in parts if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        return {"TemplatePath": f"artifact::{names[-1]}" if names else "", "ActionMode": _MODES.get(kind, "")}

    def _project(self, project: ast.Call) -> tuple[Step, ...]:
        """The steps of a CodeBuild project's specification."""
        spec = self._resolved(_argument(project, "build_spec"))
        method = spec.func.attr if isinstance(spec, ast.Call) and isinstance(spec.func, ast.Attribute) else ""
        if isinstance(spec, ast.Call) and method.startswith("from_object"):
            given = self._resolved(spec.args[0]) if spec.args else None
            literal = self._literal(given) if given is not None else None
            return codebuild.steps(self.path, literal) if literal is not None else ()
        name = "buildspec.yml"
        if isinstance(spec, ast.Call) and spec.args:
            name = _constant(spec.args[0])
        near = self.path.rpartition("/")[0]
        path = codebuild.located(name, self.documents, near, self._hints()) if name else None
        if path is None or not self.documents.nodes(path):
            return ()
        root = path[: -len(name.removeprefix("./"))].rstrip("/")
        return codebuild.steps(path, self.documents.nodes(path)[0], root)

    def _hints(self) -> frozenset[str]:
        """Constants that are handed to the class where it is made: one may name the folder that seeds its sources."""
        if not self.owner:
            return frozenset()
        found: set[str] = set()
        for path in self.naming[self.owner]:
            tree = tree_of(path, self.documents) if called(self.owner, self.documents.text(path)) else None
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == self.owner:
                    constants = (_constant(keyword.value) for keyword in node.keywords)
                    found.update(value.rpartition("/")[2].removesuffix(".zip") for value in constants if value)
        return frozenset(found)

    # -- aws_cdk.pipelines -------------------------------------------------------------------------------------------

    def _modern(self, pipeline: ast.Call) -> list[tuple[str, list[Action]]]:
        """A self-mutating pipeline: its source, its synth step, then stages and waves with steps before and after."""
        synth = self._resolved(_argument(pipeline, "synth"))
        stages: list[tuple[str, list[Action]]] = []
        if isinstance(synth, ast.Call):
            source = self._source(self._resolved(_argument(synth, "input")))
            stages += [("Source", [source])] if source is not None else []
            stages.append(("Build", [self._shell(synth)]))
        receivers = {name for name, value in self.bound.items() if value is pipeline}
        for call in self.calls:
            if not isinstance(call.func, ast.Attribute) or ast.unparse(call.func.value) not in receivers:
                continue
            if call.func.attr == "add_wave":
                receivers |= {name for name, value in self.bound.items() if value is call}
            if call.func.attr not in ("add_stage", "add_wave"):
                continue
            stage = self._stage_name(call)
            for place in ("pre", "post"):
                steps = [self._shell(item) for item in self._calls(_argument(call, place))]
                if place == "post" and call.func.attr == "add_stage":
                    deployed = Action("Deploy", call.lineno, call.end_lineno or call.lineno, "Deploy", "CloudFormation")
                    stages.append((stage, [deployed]))
                if steps:
                    stages.append((f"{stage}.{place}", steps))
        return stages

    def _stage_name(self, call: ast.Call) -> str:
        made = self._resolved(call.args[0]) if call.args else None
        if isinstance(made, ast.Call):
            return next((_constant(argument) for argument in made.args if _constant(argument)), "Stage")
        return _constant(made) or "Stage"

    def _source(self, node: ast.expr | None) -> Action | None:
        method = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        if node is None or method not in _MODERN or not isinstance(node, ast.Call):
            return None
        trigger = _argument(node, "trigger")
        off = trigger is not None and ast.unparse(trigger).endswith(".NONE")
        pushed = _argument(node, "trigger_on_push")
        off = off or (isinstance(pushed, ast.Constant) and pushed.value is False)
        branch = _constant(node.args[1]) if len(node.args) > 1 else _constant(_argument(node, "branch"))
        source = Source(*_MODERN[method], not off, branch)
        return Action(method, node.lineno, node.end_lineno or node.lineno, "Source", source.provider, source=source)

    def _shell(self, call: ast.Call) -> Action:
        kind = self._name(call).rpartition(".")[2]
        name = next((_constant(argument) for argument in call.args if _constant(argument)), kind)
        end = call.end_lineno or call.lineno
        if kind == "ManualApprovalStep":
            return Action(name, call.lineno, end, "Approval", "Manual")
        if kind not in _SHELL_STEPS:
            return Action(name, call.lineno, end, "Invoke", kind)
        lists = [(self.path, part) for key in _COMMANDS if (part := self._commands(call, key)) is not None]
        return Action(name, call.lineno, end, "Build", "CodeBuild", steps=command_list(lists, block_errexit=False))

    def _commands(self, call: ast.Call, key: str) -> Node | None:
        given = self._resolved(_argument(call, key))
        return self._literal(given) if given is not None else None

    # -- rules -------------------------------------------------------------------------------------------------------

    def _rules(self, pipeline: ast.Call) -> Iterator[Trigger]:
        """Event rules whose target is the pipeline, and commits that start it."""
        variables = {name for name, value in self.bound.items() if value is pipeline}
        for call in self.calls:
            kind = self._name(call)
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if method == "on_commit" and self._targets(call, variables):
                yield Trigger("push", call.lineno, _constant(_argument(call, "branches")) or "a commit")
            elif kind.endswith("aws_events.Rule") and self._aims(call, variables):
                yield from self._fired(call)

    def _aims(self, rule: ast.Call, variables: set[str]) -> bool:
        if self._targets(rule, variables):
            return True
        own = {name for name, value in self.bound.items() if value is rule}
        return any(
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "add_target"
            and ast.unparse(call.func.value) in own
            and self._targets(call, variables)
            for call in self.calls
        )

    def _targets(self, call: ast.Call, variables: set[str]) -> bool:
        """Whether a call is given `targets.CodePipeline(pipeline)`."""
        for node in ast.walk(call):
            if isinstance(node, ast.Call) and self._name(node).endswith("aws_events_targets.CodePipeline"):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                if any(ast.unparse(argument) in variables for argument in given):
                    return True
        return False

    def _fired(self, rule: ast.Call) -> Iterator[Trigger]:
        enabled = _argument(rule, "enabled")
        if isinstance(enabled, ast.Constant) and enabled.value is False:
            return
        clock, pattern = _argument(rule, "schedule"), _argument(rule, "event_pattern")
        if clock is not None:
            yield Trigger("schedule", clock.lineno, ast.unparse(clock)[:120])
        if pattern is not None:
            text = ast.unparse(pattern)[:5_000]
            kind = "push" if "aws.codecommit" in text else "external"
            yield Trigger(kind, rule.lineno, _constant(_argument(rule, "description")) or "an event rule")

    # -- expressions -------------------------------------------------------------------------------------------------

    def _name(self, call: ast.Call) -> str:
        """The dotted name that a call has after imports are taken into account."""
        parts: list[str] = []
        node: ast.expr = call.func
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ".".join(reversed(parts))
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    def _resolved(self, node: ast.expr | None) -> ast.expr | None:
        """An expression, or what the variable that it is was last given in this function."""
        for _ in range(_MAX_DEPTH):
            if not isinstance(node, (ast.Name, ast.Attribute)):
                break
            node = self.bound.get(ast.unparse(node))
        return node

    def _list(self, node: ast.expr | None) -> list[ast.expr]:
        node = self._resolved(node)
        return list(node.elts) if isinstance(node, (ast.List, ast.Tuple)) else []

    def _calls(self, node: ast.expr | None) -> Sequence[ast.Call]:
        found = (self._resolved(item) for item in self._list(node))
        return [item for item in found if isinstance(item, ast.Call)]

    def _literal(self, node: ast.expr | None, depth: int = 0) -> Node | None:
        """A literal as a document: dictionaries, lists, strings; what is put in at run time stays a variable."""
        node = self._resolved(node)
        if node is None or depth > _MAX_DEPTH:
            return None
        line, end = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.Dict):
            pairs = (
                (_constant(key), self._literal(value, depth + 1))
                for key, value in zip(node.keys, node.values, strict=True)
            )
            return Node(
                "mapping", line, end, entries=tuple((key, value) for key, value in pairs if key and value is not None)
            )
        if isinstance(node, (ast.List, ast.Tuple)):
            values = (self._literal(item, depth + 1) for item in node.elts)
            return Node("sequence", line, end, items=tuple(value for value in values if value is not None))
        shown = _constant(node)
        return Node("scalar", line, end, value=shown, text=shown) if shown else None


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions and classes inside it."""
    stack = list(ast.iter_child_nodes(scope))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def _argument(call: ast.expr | None, name: str) -> ast.expr | None:
    """A keyword argument of a call, or the value of that key of a dictionary."""
    if isinstance(call, ast.Call):
        return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if isinstance(call, ast.Dict):
        first, *rest = name.split("_")
        names = (name, first + "".join(map(str.capitalize, rest)))
        pairs = zip(call.keys, call.values, strict=True)
        return next((value for key, value in pairs if key is not None and _constant(key) in names), None)
    return None


def _constant(node: ast.expr | None) -> str:
    """A string as far as it is constant, variables shown as such; a number as text."""
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (str, int, float))
        and not isinstance(node.value, bool)
    ):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "$VALUE"
            for part in node.values
        )
    return ""
