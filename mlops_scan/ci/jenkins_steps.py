"""Walks a Jenkinsfile, declarative or scripted, and collects its stages as jobs with the steps they run.

Nothing is evaluated: both branches of a condition are walked, loops once. Functions of the file, of files that it loads
and of the repository's own `vars/` are followed. Facts: https://www.jenkins.io/doc/pipeline/steps/workflow-durable-task-step/
(`sh` runs `sh -xe`, unless the script begins with `#!`) and https://www.jenkins.io/doc/book/pipeline/syntax/
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from mlops_scan.ci.jenkins_groovy import (
    Function,
    body_at,
    body_of,
    definition,
    everything,
    fails,
    kept,
    plain,
    target,
)
from mlops_scan.ci.jenkins_model import Draft, Inside
from mlops_scan.ci.jenkins_names import DELIVERING, POST_FAILURES, QUIET, SECTIONS, SHELLS
from mlops_scan.ci.jenkins_settings import Settings, asks
from mlops_scan.ci.jenkins_values import Text, text_of
from mlops_scan.ci.jenkins_when import words
from mlops_scan.ci.model import Step
from mlops_scan.ci.windows import as_posix
from mlops_scan.documents.groovy import Element, Statement
from mlops_scan.documents.groovy_calls import Call, calls
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

_MAX_STATEMENTS = 20_000
_MAX_STEPS = 2_000
_MAX_CALLS = 8
_PARAMETER = regex(r"params\.(\w+)(?: == true)?")
_NOT_SUCCESSFUL = "the step runs only after a failure"
_BRANCHING = frozenset({"if", "while", "for", "switch"})


class Walker:
    """Collects jobs, triggers, and the names that nothing in the repository defines."""

    def __init__(self, path: str, documents: Documents) -> None:
        self.path = path
        self.documents = documents
        self.jobs: list[Draft] = []
        self.unknown: dict[str, int] = {}
        self.library = False
        self.settings = Settings()
        self._functions: dict[str, Function] = {}
        self._images: dict[str, str] = {}
        self._old_stage = ""
        self._held = False
        self._before: tuple[str, ...] = ()
        self._statements = 0
        self._steps = 0

    def run(self, statements: Sequence[Statement]) -> None:
        """Walk a whole file."""
        self._define(statements, self.path, "")
        for statement in statements:
            for element in everything(statement):
                if element.kind == "name" and element.text == "booleanParam":
                    self.settings.parameters(statement)
                    break
        self.walk(statements, Inside(self.path))

    def _define(self, statements: Sequence[Statement], path: str, prefix: str) -> None:
        for statement in statements:
            found = definition(plain(statement), path)
            if found is not None:
                self._functions[prefix + found[0]] = found[1]

    def walk(self, statements: Sequence[Statement], inside: Inside) -> None:
        """The statements of a block in order."""
        for position, statement in enumerate(statements):
            self.library = self.library or any(e.kind == "name" and e.text == "@Library" for e in statement[:1])
            self._statements += 1
            if self._statements > _MAX_STATEMENTS or self._steps > _MAX_STEPS:
                self.documents.note(self.path, f"reaches more than {_MAX_STEPS} steps; the rest is not followed")
                return
            self._statement(plain(statement), inside, statements[position + 1 :])

    # -- statements --------------------------------------------------------------------------------------------------

    def _statement(self, statement: Statement, inside: Inside, following: Sequence[Statement]) -> None:
        first = statement[0].text if statement and statement[0].kind == "name" else ""
        if not statement or first in ("import", "package", "class"):
            return
        if first == "properties":
            for call in calls(statement):
                self.settings.clock(call)
            self.settings.parameters(statement)
            return
        if first in _BRANCHING or first == "else":
            self._branches(statement, inside)
        elif first == "try":
            self._try(statement, inside)
        elif (found := definition(statement, inside.path)) is not None:
            self._functions.setdefault(found[0], found[1])
        else:
            self._assign(statement, inside)
            checked = first == "assert" or self._checked(statement, following)
            for call in calls(statement):
                self._call(call, inside, checked, target(statement))
            for block in kept(statement):
                self.walk(body_of(block), inside)

    def _assign(self, statement: Statement, inside: Inside) -> None:
        name = target(statement)
        if name:
            position = next(n for n, e in enumerate(statement) if e.text == "=")
            rest = statement[position + 1 :]
            if rest and rest[0].kind == "string" and (value := text_of(rest, self._all(inside))) is not None:
                self.settings.values[name] = value.value

    def _all(self, inside: Inside) -> Mapping[str, str]:
        return {**self.settings.values, **inside.values}

    def _checked(self, statement: Statement, following: Sequence[Statement]) -> bool:
        """Whether the exit status that a statement keeps in a variable fails the build further on."""
        name = target(statement).rpartition(".")[2]
        if not name:
            return False
        for later in following[:50]:
            named = any(e.kind == "name" and e.text == name for e in everything(later))
            if named and later[0].text in ("if", "assert", "switch") and fails(later):
                return True
        return False

    def _branches(self, statement: Statement, inside: Inside) -> None:
        """`if (…) { … } else { … }`, and loops: each body once."""
        position = 0
        while position < len(statement):
            word, after = statement[position], statement[position + 1 : position + 2]
            if word.text in _BRANCHING and after and after[0].kind == "(":
                condition = words(after[0].items)
                body, position = body_at(statement, position + 2)
                if word.text != "for":
                    for call in calls(after[0].items):
                        self._call(call, inside, fails(body), "")
                self._branch(body, self._conditional(inside, condition))
            elif word.text == "else" and after and after[0].text != "if":
                body, position = body_at(statement, position + 1)
                self._branch(body, inside)
            else:
                position += 1

    def _conditional(self, inside: Inside, condition: str) -> Inside:
        ticked = _PARAMETER.fullmatch(condition)
        return replace(
            inside,
            condition=condition,
            never=inside.never or ("`if (false)` never runs" if condition == "false" else ""),
            manual=inside.manual or (ticked is not None and ticked.group(1) in self.settings.unticked),
        )

    def _branch(self, body: Statement, inside: Inside) -> None:
        """A body that does not always run: an `input` in it holds up nothing behind it."""
        held = self._held
        if len(body) == 1 and body[0].kind == "{":
            self.walk(body_of(body[0]), inside)
        elif body:
            self.walk((body,), inside)
        self._held = held

    def _try(self, statement: Statement, inside: Inside) -> None:
        blocks: list[tuple[str, Element]] = []
        word = "try"
        for element in statement:
            if element.kind == "name":
                word = element.text if element.text in ("try", "catch", "finally") else word
            elif element.kind == "{":
                blocks.append((word, element))
        catches = [block for name, block in blocks if name == "catch"]
        lost = "`try … catch` swallows its failure" if catches and not any(fails((b,)) for b in catches) else ""
        for name, block in blocks:
            swallowed = {"try": lost, "catch": _NOT_SUCCESSFUL}.get(name, "")
            self.walk(body_of(block), replace(inside, swallowed=inside.swallowed or swallowed))

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, call: Call, inside: Inside, checked: bool, variable: str) -> None:
        name = "" if call.name in self._functions else call.last
        if name in SHELLS:
            self._shell(call, inside, checked)
        elif name in ("stage", "pipeline"):
            self._stage(call, inside)
        elif name == "post" and call.blocks:
            self._post(call, inside)
        elif name in SECTIONS:
            self.settings.section(call, inside)
        elif name == "parallel":
            self._parallel(call, inside)
        elif name == "input":
            self._held = self._held or not (call.blocks or inside.never)
        elif name == "load":
            self._load(call, inside, variable)
        elif name == "library":
            self.library = True
        elif call.name in ("docker.build", "docker.image") or name in ("push", "inside", "withRun"):
            self._docker(call, inside, variable)
        else:
            self._other(call, inside)

    def _shell(self, call: Call, inside: Inside, checked: bool) -> None:
        argument = call.get("script") or (call.arguments[0] if call.arguments else None)
        text = text_of(argument, self._all(inside)) if argument is not None else None
        if text is None:
            return
        status = call.get("returnStatus")
        kept = status is not None and words(status) == "true" and not checked
        windows = call.last != "sh"
        script = as_posix(text.value) if windows else text.value
        self._add(
            Text(script, text.line),
            call,
            inside,
            "`returnStatus: true` keeps a failure as a number, and nothing looks at it" if kept else "",
            errexit=not windows and not script.startswith("#!"),
        )

    def _add(self, text: Text, call: Call, inside: Inside, lost: str = "", errexit: bool = True) -> None:
        foreign = inside.path != self.path
        self._emit(
            Step(
                line=inside.at or call.line,
                end_line=inside.at or max(call.line, call.end_line),
                script=text.value,
                script_line=max(1, text.line),
                condition=inside.condition,
                may_fail=inside.swallowed or lost,
                never=inside.never,
                folder=inside.folder,
                errexit=errexit,
                path=inside.path if foreign else "",
            ),
            inside,
        )

    def _emit(self, step: Step, inside: Inside) -> None:
        """Put a step into the job of its stage; a step behind an approval begins a new job."""
        self._steps += 1
        manual = self._held or inside.manual
        if not inside.stage:  # `stage 'Test'` without a block, or no stage at all
            inside = replace(inside, stage=self._old_stage or "pipeline", line=step.line, end_line=step.end_line)
        last = self.jobs[-1] if self.jobs else None
        same = last is not None and last.inside.stage == inside.stage and last.manual == manual
        if (
            last is None
            or not same
            or (last.inside.line != inside.line and inside.stage not in (self._old_stage, "pipeline"))
        ):
            label = inside.stage
            taken = {job.id for job in self.jobs}
            if label in taken:
                label = f"{label} after approval" if manual else f"{label} at line {step.line}"
            last = Draft(label, inside.line, max(inside.line, inside.end_line), inside, manual, self._before)
            self.jobs.append(last)
        last.steps.append(step)

    def _stage(self, call: Call, inside: Inside) -> None:
        """A stage with a block, one of the old form, to which the steps behind it belong, or the whole pipeline."""
        label = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        name = label.value if label is not None else "stage"
        if not call.blocks:
            self._old_stage = name
            return
        if call.last == "pipeline":
            self.walk(body_of(call.blocks[-1][1]), self.settings.stage(call.blocks[-1][1], inside))
            return
        stage = f"{inside.stage} / {name}" if inside.stage else name
        block = call.blocks[-1][1]
        inner = replace(inside, stage=stage, line=inside.at or call.line, end_line=inside.at or call.end_line)
        known = len(self.jobs)
        inner = self.settings.stage(block, inner)
        self._held = self._held or (asks(block) and not inner.never)
        self.walk(body_of(block), inner)
        self._before = tuple(job.id for job in self.jobs[known:]) or self._before

    def _post(self, call: Call, inside: Inside) -> None:
        if not inside.stage:
            self._held = False  # what is done after the pipeline happens whether somebody approves or not
        for statement in call.blocks[-1][1].statements:
            for one in list(calls(statement))[:1]:
                lost = _NOT_SUCCESSFUL if one.name in POST_FAILURES else ""
                inner = replace(inside, swallowed=inside.swallowed or lost, condition=f"post: {one.name}")
                for _, block in one.blocks:
                    self.walk(body_of(block), inner)

    def _parallel(self, call: Call, inside: Inside) -> None:
        """Branches beside each other: an approval in one holds up what follows, not its neighbours."""
        held, before, after = self._held, self._before, self._held
        known = len(self.jobs)
        for label, block in call.blocks:
            self._held, self._before = held, before
            inner = inside
            if label:
                inner = replace(
                    inside,
                    stage=f"{inside.stage} / {label}" if inside.stage else label,
                    line=inside.at or block.line,
                    end_line=inside.at or block.end_line,
                )
                self.walk(body_of(block), inner)
            else:
                for statement in body_of(block):
                    self._held, self._before = held, before
                    self.walk((statement,), inner)
                    after = after or self._held
            after = after or self._held
        self._held = after
        self._before = tuple(job.id for job in self.jobs[known:]) or before

    def _docker(self, call: Call, inside: Inside, variable: str) -> None:
        """The steps of the Docker Pipeline plug-in as the commands that it runs."""
        argument = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        value = argument.value if argument is not None else ""
        if call.name == "docker.build":
            more = text_of(call.arguments[1], self._all(inside)) if len(call.arguments) > 1 else None
            self._images[variable or value] = value
            rest = more.value if more is not None else "."
            self._add(Text(f"docker build -t {value} {rest}", call.line), call, inside)
        elif call.name == "docker.image":
            self._images[variable or value] = value
        elif call.last == "push":
            owner = call.name.rpartition(".")[0]
            image = self._images.get(owner, "")
            if call.receiver is not None and call.receiver.arguments and call.receiver.name.startswith("docker."):
                first = text_of(call.receiver.arguments[0], self._all(inside))
                image = first.value if first is not None else ""
            if image or owner in self._images:
                self._add(Text(f"docker push {image}", call.line), call, inside)
        for _, block in call.blocks:
            self.walk(body_of(block), inside)

    def _load(self, call: Call, inside: Inside, variable: str) -> None:
        argument = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        name = posixpath.normpath(argument.value).lstrip("/") if argument is not None else ""
        if name in self.documents.files and len(inside.called) < _MAX_CALLS and name not in inside.called:
            statements = self.documents.groovy(name)
            self._define(statements, name, f"{variable}." if variable else "")
            self._define(statements, name, "")
            at = inside.at or call.line
            self.walk(statements, replace(inside, path=name, at=at, called=(*inside.called, name)))
        elif name:
            self.unknown.setdefault(f"load {name}", call.line)

    def _other(self, call: Call, inside: Inside) -> None:
        """A function of ours, a step that wraps others, or one of which only the name is known."""
        if self._function(call, inside):
            return
        bare = call.receiver is None and "." not in call.name
        bare = bare and not call.name[:1].isupper()
        if bare and call.name not in QUIET:
            self.unknown.setdefault(call.name, inside.at or call.line)
        if bare and (call.name not in QUIET or call.name in DELIVERING):
            self._named(call, inside)
        inner = self._wrapped(call, inside)
        for _, block in call.blocks:
            self.walk(body_of(block), inner)

    def _named(self, call: Call, inside: Inside) -> None:
        values = self._all(inside)
        inputs = {key: found.value for key, value in call.named if (found := text_of(value, values)) is not None}
        line = inside.at or call.line
        step = Step(line, max(line, inside.at or call.end_line), script_line=line, uses=f"jenkins/{call.name}")
        self._emit(replace(step, inputs=inputs, may_fail=inside.swallowed, never=inside.never), inside)

    def _wrapped(self, call: Call, inside: Inside) -> Inside:
        """What a step that encloses others changes for them."""
        if call.name == "dir" and call.arguments:
            text = text_of(call.arguments[0], self._all(inside))
            folder = text.value if text is not None and "$" not in text.value else ""
            return replace(inside, folder=posixpath.normpath(posixpath.join(inside.folder, folder)).strip("."))
        if call.name == "warnError":
            return replace(inside, swallowed=inside.swallowed or "`warnError` swallows its failure")
        if call.name == "catchError":
            result = words(call.get("buildResult") or ()).strip("'")
            if result in ("SUCCESS", "UNSTABLE", "null"):
                reason = f"`catchError(buildResult: {result})` swallows its failure"
                return replace(inside, swallowed=inside.swallowed or reason)
        return inside

    def _function(self, call: Call, inside: Inside) -> bool:
        """Walk the function that a call names; false where nothing in the repository defines it."""
        name = call.name.removesuffix(".call")
        function = self._functions.get(name)
        if function is None and "." not in name and call.receiver is None:
            function = self._global(name)
        if function is None:
            return False
        if name in inside.called or len(inside.called) >= _MAX_CALLS:
            return True
        values = self._all(inside)
        bound: dict[str, str] = {}
        for parameter, argument in zip(function.parameters, call.arguments, strict=False):
            if (text := text_of(argument, values)) is not None:
                bound[parameter] = text.value
        for key, argument in call.named:
            if function.parameters and (text := text_of(argument, values)) is not None:
                bound[f"{function.parameters[0]}.{key}"] = text.value
        at = inside.at or (call.line if function.path != self.path else 0)
        inner = replace(
            inside, path=function.path, at=at, values={**inside.values, **bound}, called=(*inside.called, name)
        )
        self.walk(body_of(function.body), inner)
        for _, block in call.blocks:
            self.walk(body_of(block), inside)
        return True

    def _global(self, name: str) -> Function | None:
        """A global variable of a shared library that is the repository itself: `vars/NAME.groovy`."""
        path = f"vars/{name}.groovy"
        if path not in self.documents.files:
            return None
        for statement in self.documents.groovy(path):
            found = definition(plain(statement), path)
            if found is not None and found[0] == "call":
                self._functions[name] = found[1]
                return found[1]
        return None
