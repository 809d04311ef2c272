"""Walks a Jenkinsfile, declarative or scripted, and collects its stages as jobs with the steps they run.

Nothing is evaluated: both branches of a condition are walked, loops once. Functions of the file, of files that it loads
and of the repository's own `vars/` are followed. Facts: https://www.jenkins.io/doc/pipeline/steps/workflow-durable-task-step/
(`sh` runs `sh -xe`, unless the script begins with `#!`) and https://www.jenkins.io/doc/book/pipeline/syntax/
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from mlops_scan.ci.jenkins_docker import Images
from mlops_scan.ci.jenkins_functions import Functions, arguments
from mlops_scan.ci.jenkins_groovy import (
    body_at,
    body_of,
    definition,
    everything,
    fails,
    kept,
    plain,
    target,
)
from mlops_scan.ci.jenkins_jobs import Jobs
from mlops_scan.ci.jenkins_model import Inside
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
        self.jobs = Jobs()
        self.unknown: dict[str, int] = {}
        self.library = False
        self.settings = Settings()
        self._functions = Functions(documents)
        self._images = Images()
        self._statements = 0

    def run(self, statements: Sequence[Statement]) -> None:
        """Walk a whole file."""
        self._functions.define(statements, self.path)
        for statement in statements:
            for element in everything(statement):
                if element.kind == "name" and element.text == "booleanParam":
                    self.settings.parameters(statement)
                    break
        self.walk(statements, Inside(self.path))

    def walk(self, statements: Sequence[Statement], inside: Inside) -> None:
        """The statements of a block in order."""
        for position, statement in enumerate(statements):
            self.library = self.library or any(e.kind == "name" and e.text == "@Library" for e in statement[:1])
            self._statements += 1
            if self._statements > _MAX_STATEMENTS or self.jobs.steps > _MAX_STEPS:
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
            self._functions.add(*found)
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
        held = self.jobs.held
        if len(body) == 1 and body[0].kind == "{":
            self.walk(body_of(body[0]), inside)
        elif body:
            self.walk((body,), inside)
        self.jobs.held = held

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
            self.jobs.held = self.jobs.held or not (call.blocks or inside.never)
        elif name == "load":
            self._load(call, inside, variable)
        elif name == "library":
            self.library = True
        elif call.name in ("docker.build", "docker.image") or name in ("push", "inside", "withRun"):
            command = self._images.command(call, variable, self._all(inside))
            if command is not None:
                self._add(command, call, inside)
            for _, block in call.blocks:
                self.walk(body_of(block), inside)
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
        self.jobs.add(
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

    def _stage(self, call: Call, inside: Inside) -> None:
        """A stage with a block, one of the old form, to which the steps behind it belong, or the whole pipeline."""
        label = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        name = label.value if label is not None else "stage"
        if not call.blocks:
            self.jobs.stage = name
            return
        if call.last == "pipeline":
            self.walk(body_of(call.blocks[-1][1]), self.settings.stage(call.blocks[-1][1], inside))
            return
        stage = f"{inside.stage} / {name}" if inside.stage else name
        block = call.blocks[-1][1]
        inner = replace(inside, stage=stage, line=inside.at or call.line, end_line=inside.at or call.end_line)
        known = len(self.jobs.drafts)
        inner = self.settings.stage(block, inner)
        self.jobs.held = self.jobs.held or (asks(block) and not inner.never)
        self.walk(body_of(block), inner)
        self.jobs.before = self.jobs.since(known) or self.jobs.before

    def _post(self, call: Call, inside: Inside) -> None:
        if not inside.stage:
            self.jobs.held = False  # what is done after the pipeline happens whether somebody approves or not
        for statement in call.blocks[-1][1].statements:
            for one in list(calls(statement))[:1]:
                lost = _NOT_SUCCESSFUL if one.name in POST_FAILURES else ""
                inner = replace(inside, swallowed=inside.swallowed or lost, condition=f"post: {one.name}")
                for _, block in one.blocks:
                    self.walk(body_of(block), inner)

    def _parallel(self, call: Call, inside: Inside) -> None:
        """Branches beside each other: an approval in one holds up what follows, not its neighbours."""
        held, before, after = self.jobs.held, self.jobs.before, self.jobs.held
        known = len(self.jobs.drafts)
        for label, block in call.blocks:
            self.jobs.held, self.jobs.before = held, before
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
                    self.jobs.held, self.jobs.before = held, before
                    self.walk((statement,), inner)
                    after = after or self.jobs.held
            after = after or self.jobs.held
        self.jobs.held = after
        self.jobs.before = self.jobs.since(known) or before

    def _load(self, call: Call, inside: Inside, variable: str) -> None:
        argument = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        name = posixpath.normpath(argument.value).lstrip("/") if argument is not None else ""
        if name in self.documents.files and len(inside.called) < _MAX_CALLS and name not in inside.called:
            statements = self.documents.groovy(name)
            self._functions.define(statements, name, f"{variable}." if variable else "")
            self._functions.define(statements, name)
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
        self.jobs.add(replace(step, inputs=inputs, may_fail=inside.swallowed, never=inside.never), inside)

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
        found = self._functions.called(call)
        if found is None:
            return False
        name, function = found
        if name in inside.called or len(inside.called) >= _MAX_CALLS:
            return True
        at = inside.at or (call.line if function.path != self.path else 0)
        values = {**inside.values, **arguments(function, call, self._all(inside))}
        inner = replace(inside, path=function.path, at=at, values=values, called=(*inside.called, name))
        self.walk(body_of(function.body), inner)
        for _, block in call.blocks:
            self.walk(body_of(block), inside)
        return True
