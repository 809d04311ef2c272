"""Walks a Jenkinsfile, declarative or scripted, and collects its stages as jobs with the steps they run.

Nothing is evaluated: both branches of a condition are walked, loops once. Functions of the file, of files that it loads
and of the repository's own `vars/` are followed. Facts: https://www.jenkins.io/doc/pipeline/steps/workflow-durable-task-step/
(`sh` runs `sh -xe`, unless the script begins with `#!`) and https://www.jenkins.io/doc/book/pipeline/syntax/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlops_scan.ci import jenkins_when
from mlops_scan.ci.jenkins_groovy import Function, body_of, definition, everything, fails
from mlops_scan.ci.jenkins_names import CLOCKS, DELIVERING, POST_FAILURES, QUIET, SECTIONS, SHELLS
from mlops_scan.ci.jenkins_values import Text, text_of
from mlops_scan.ci.jenkins_when import strings, words
from mlops_scan.ci.model import Step, Trigger
from mlops_scan.ci.windows import as_posix
from mlops_scan.documents.groovy import Element, Statement
from mlops_scan.documents.groovy_calls import Call, calls
from mlops_scan.documents.store import Documents

_MAX_STATEMENTS = 20_000
_MAX_STEPS = 2_000
_MAX_CALLS = 8
_PARAMETER = re.compile(r"params\.(\w+)(?: == true)?")
_NOT_SUCCESSFUL = "the step runs only after a failure"
_BRANCHING = frozenset({"if", "while", "for", "switch"})


@dataclass(slots=True)
class Draft:
    """A job in the making. `kinds` are the kinds of triggers that its `when` leaves, None for all."""

    id: str
    line: int
    end_line: int
    inside: Inside
    manual: bool
    needs: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inside:
    """What encloses a statement."""

    path: str
    stage: str = ""
    line: int = 1  # of the stage, in the pipeline's own file
    end_line: int = 1
    at: int = 0  # the line in the pipeline's own file from which another file was entered, 0 in its own
    folder: str = ""
    swallowed: str = ""
    never: str = ""
    manual: bool = False
    condition: str = ""
    stage_never: str = ""  # `never` and `condition` as far as the stage's own `when` gives them
    stage_condition: str = ""
    kinds: frozenset[str] | None = None
    when_line: int = 0
    image: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    called: tuple[str, ...] = ()


class Walker:
    """Collects jobs, triggers, and the names that nothing in the repository defines."""

    def __init__(self, path: str, documents: Documents) -> None:
        self.path = path
        self.documents = documents
        self.jobs: list[Draft] = []
        self.triggers: list[Trigger] = []
        self.unknown: dict[str, int] = {}
        self.library = False
        self.unticked: set[str] = set()
        self._functions: dict[str, Function] = {}
        self._values: dict[str, str] = {}
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
                    self._parameters(statement)
                    break
        self.walk(statements, Inside(self.path))

    def _define(self, statements: Sequence[Statement], path: str, prefix: str) -> None:
        for statement in statements:
            found = definition(_plain(statement), path)
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
            self._statement(_plain(statement), inside, statements[position + 1 :])

    # -- statements --------------------------------------------------------------------------------------------------

    def _statement(self, statement: Statement, inside: Inside, following: Sequence[Statement]) -> None:
        first = statement[0].text if statement and statement[0].kind == "name" else ""
        if not statement or first in ("import", "package", "class"):
            return
        if first == "properties":
            for call in calls(statement):
                self._clock(call)
            self._parameters(statement)
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
                self._call(call, inside, checked, _target(statement))
            for block in _kept(statement):
                self.walk(body_of(block), inside)

    def _assign(self, statement: Statement, inside: Inside) -> None:
        name = _target(statement)
        if name:
            position = next(n for n, e in enumerate(statement) if e.text == "=")
            rest = statement[position + 1 :]
            if rest and rest[0].kind == "string" and (value := text_of(rest, self._all(inside))) is not None:
                self._values[name] = value.value

    def _all(self, inside: Inside) -> Mapping[str, str]:
        return {**self._values, **inside.values}

    def _checked(self, statement: Statement, following: Sequence[Statement]) -> bool:
        """Whether the exit status that a statement keeps in a variable fails the build further on."""
        name = _target(statement).rpartition(".")[2]
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
                body, position = _body(statement, position + 2)
                if word.text != "for":
                    for call in calls(after[0].items):
                        self._call(call, inside, fails(body), "")
                self._branch(body, self._conditional(inside, condition))
            elif word.text == "else" and after and after[0].text != "if":
                body, position = _body(statement, position + 1)
                self._branch(body, inside)
            else:
                position += 1

    def _conditional(self, inside: Inside, condition: str) -> Inside:
        ticked = _PARAMETER.fullmatch(condition)
        return replace(
            inside,
            condition=condition,
            never=inside.never or ("`if (false)` never runs" if condition == "false" else ""),
            manual=inside.manual or (ticked is not None and ticked.group(1) in self.unticked),
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

    def _call(self, call: Call, inside: Inside, checked: bool, target: str) -> None:
        name = call.last
        if call.name in self._functions and self._function(call, inside):
            return
        if name in SHELLS:
            self._shell(call, inside, checked)
        elif name == "stage" and call.blocks:
            self._stage(call, inside)
        elif name == "pipeline" and call.blocks:
            block = call.blocks[-1][1]
            self.walk(body_of(block), self._settings(block, inside))
        elif name == "stage":
            label = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
            self._old_stage = label.value if label is not None else ""
        elif name == "post" and call.blocks:
            self._post(call, inside)
        elif name in SECTIONS:
            self._section(call, inside)
        elif name == "parallel":
            self._parallel(call, inside)
        elif name == "input":
            self._held = self._held or not (call.blocks or inside.never)
        elif name == "load":
            self._load(call, inside, target)
        elif name == "library":
            self.library = True
        elif call.name in ("docker.build", "docker.image") or name in ("push", "inside", "withRun"):
            self._docker(call, inside, target)
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
        label = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        name = label.value if label is not None else "stage"
        stage = f"{inside.stage} / {name}" if inside.stage else name
        block = call.blocks[-1][1]
        inner = replace(inside, stage=stage, line=inside.at or call.line, end_line=inside.at or call.end_line)
        known = len(self.jobs)
        self.walk(body_of(block), self._settings(block, inner))
        self._before = tuple(job.id for job in self.jobs[known:]) or self._before

    def _settings(self, block: Element, inside: Inside) -> Inside:
        """What a stage's own `when`, `input` and `agent` say."""
        for statement in block.statements:
            for call in list(calls(statement))[:1]:
                if call.name == "when" and call.blocks:
                    when = jenkins_when.read(call.blocks[0][1], frozenset(self.unticked))
                    both = inside.kinds & when.kinds if inside.kinds is not None and when.kinds is not None else None
                    inside = replace(
                        inside,
                        never=inside.never or when.never,
                        manual=inside.manual or when.manual,
                        kinds=both if both is not None else when.kinds if when.kinds is not None else inside.kinds,
                        condition=when.text or inside.condition,
                        stage_never=inside.stage_never or when.never,
                        stage_condition=when.text or inside.stage_condition,
                        when_line=inside.at or when.line,
                    )
                elif call.name == "agent":
                    inside = replace(inside, image=_image(call) or inside.image)
                elif call.name == "input" and call.blocks and not inside.never:
                    self._held = True
        return inside

    def _post(self, call: Call, inside: Inside) -> None:
        if not inside.stage:
            self._held = False  # what is done after the pipeline happens whether somebody approves or not
        for statement in call.blocks[-1][1].statements:
            for one in list(calls(statement))[:1]:
                lost = _NOT_SUCCESSFUL if one.name in POST_FAILURES else ""
                inner = replace(inside, swallowed=inside.swallowed or lost, condition=f"post: {one.name}")
                for _, block in one.blocks:
                    self.walk(body_of(block), inner)

    def _section(self, call: Call, inside: Inside) -> None:
        """Settings: triggers, parameters with their defaults, and the variables of `environment`."""
        for _, block in call.blocks:
            for statement in block.statements:
                if call.name == "triggers":
                    for inner in calls(statement):
                        self._clock(inner)
                elif call.name == "environment":
                    name = _target(statement)
                    value = text_of(statement[2:], self._all(inside)) if name and len(statement) == 3 else None
                    if value is not None:
                        self._values[name] = self._values[f"env.{name}"] = value.value
                elif call.name == "parameters":
                    self._parameters(statement)

    def _parameters(self, statement: Statement) -> None:
        for call in calls(statement):
            name = strings(call.get("name") or ())[:1]
            default = call.get("defaultValue")
            if call.name == "booleanParam" and name and words(default or ()) in ("false", ""):
                self.unticked.add(name[0])
            elif name and default is not None and len(default) == 1 and default[0].kind == "string":
                self._values[f"params.{name[0]}"] = default[0].text

    def _clock(self, call: Call) -> None:
        kind = CLOCKS.get(call.name)
        if kind is None:
            return
        written = [
            line.strip() for argument in call.arguments for text in strings(argument) for line in text.split("\n")
        ]
        given = [line for line in written if line and not line.startswith(("#", "TZ="))]
        if kind == "schedule":
            given = [line.partition("%")[0].strip() for line in given if len(line.split()) >= 5 or line.startswith("@")]
            if not given:
                return
        self.triggers.append(Trigger(kind, call.line, given[0] if given else call.name))

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

    def _docker(self, call: Call, inside: Inside, target: str) -> None:
        """The steps of the Docker Pipeline plug-in as the commands that it runs."""
        argument = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        value = argument.value if argument is not None else ""
        if call.name == "docker.build":
            more = text_of(call.arguments[1], self._all(inside)) if len(call.arguments) > 1 else None
            self._images[target or value] = value
            rest = more.value if more is not None else "."
            self._add(Text(f"docker build -t {value} {rest}", call.line), call, inside)
        elif call.name == "docker.image":
            self._images[target or value] = value
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

    def _load(self, call: Call, inside: Inside, target: str) -> None:
        argument = text_of(call.arguments[0], self._all(inside)) if call.arguments else None
        name = posixpath.normpath(argument.value).lstrip("/") if argument is not None else ""
        if name in self.documents.files and len(inside.called) < _MAX_CALLS and name not in inside.called:
            statements = self.documents.groovy(name)
            self._define(statements, name, f"{target}." if target else "")
            self._define(statements, name, "")
            at = inside.at or call.line
            self.walk(statements, replace(inside, path=name, at=at, called=(*inside.called, name)))
        elif name:
            self.unknown.setdefault(f"load {name}", call.line)

    def _other(self, call: Call, inside: Inside) -> None:
        """A function of ours, a step that wraps others, or one of which only the name is known."""
        if self._function(call, inside):
            return
        plain = call.receiver is None and "." not in call.name
        plain = plain and not call.name[:1].isupper()
        if plain and call.name not in QUIET:
            self.unknown.setdefault(call.name, inside.at or call.line)
        if plain and (call.name not in QUIET or call.name in DELIVERING):
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
            found = definition(_plain(statement), path)
            if found is not None and found[0] == "call":
                self._functions[name] = found[1]
                return found[1]
        return None


def _plain(statement: Statement) -> Statement:
    """A statement without annotations; empty for `@Library('x') _`."""
    position = 0
    library = False
    while position < len(statement) and statement[position].kind == "name" and statement[position].text[:1] == "@":
        library = library or statement[position].text == "@Library"
        position += 1
        if position < len(statement) and statement[position].kind == "(":
            position += 1
    rest = statement[position:]
    return () if library and (not rest or rest[0].text in ("_", "import")) else rest


def _kept(statement: Statement) -> list[Element]:
    """Closures that a statement puts into a map, `b['x'] = { … }` or `[x: { … }]`, for a later `parallel`."""
    found = [block for group in statement if group.kind == "[" for block in group.items if block.kind == "{"]
    if statement[-1].kind == "{" and any(e.kind == "op" and e.text == "=" for e in statement[:-1]):
        found.append(statement[-1])
    return found


def _target(statement: Statement) -> str:
    """The dotted variable that a statement assigns to, or empty."""
    position = next((n for n, e in enumerate(statement[:8]) if e.kind == "op" and e.text == "="), 0)
    if position < 1:
        return ""
    name = statement[position - 1].text if statement[position - 1].kind == "name" else ""
    if name and position >= 3 and statement[position - 2].text == "." and statement[position - 3].kind == "name":
        return f"{statement[position - 3].text}.{name}"
    return name


def _body(statement: Statement, position: int) -> tuple[Statement, int]:
    """The body behind a condition, a block or the pieces up to `else`, and the position behind it."""
    if position < len(statement) and statement[position].kind == "{":
        return statement[position : position + 1], position + 1
    end = next((n for n in range(position, len(statement)) if statement[n].text == "else"), len(statement))
    return statement[position:end], end


def _image(call: Call) -> str:
    """The container image of `agent { docker 'x' }` or `agent { docker { image 'x' } }`."""
    for _, block in call.blocks:
        for statement in block.statements:
            for inner in calls(statement):
                if inner.name != "docker":
                    continue
                if inner.arguments:
                    return next(iter(strings(inner.arguments[0])), "")
                for _, settings in inner.blocks:
                    for one in (c for s in settings.statements for c in calls(s) if c.name == "image"):
                        return next(iter(strings(one.arguments[0])), "") if one.arguments else ""
    return ""
