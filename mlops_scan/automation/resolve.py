"""Follow a command line to what it runs: scripts, Make targets, task runners, Python modules, tests, pipelines, images.

Every hop is kept as evidence. Cycles and long chains are cut; a hop that leaves the repository is said, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec.structs import replace

from mlops_scan.automation import images
from mlops_scan.automation.alone import INNER, SHELLS, SOURCE, TESTERS, Loners
from mlops_scan.automation.chain import TOO_LONG, Chain
from mlops_scan.automation.commands import chosen
from mlops_scan.automation.containers import Containers
from mlops_scan.automation.fed import runs_nothing
from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.automation.paths import CODE, Paths, normal
from mlops_scan.automation.programs import LAUNCHERS, SERVERS, Program, Programs
from mlops_scan.automation.remote import is_remote, remote_text
from mlops_scan.automation.scripts import Scripts
from mlops_scan.automation.submit import JobSpec, Submitted, Submitter
from mlops_scan.automation.tasks import BARE, RUNNERS, Task, Tasks
from mlops_scan.automation.testing import TestLayout
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.launchers import explains_itself
from mlops_scan.documents.shell import Command, ShellScript, unwrap
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.wrapped import Wrappers
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location

_SHELL_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_ERREXIT = regex(r"-[a-df-z]*e[a-z]*")


class Resolver:
    """Resolves commands against the files of one repository."""

    def __init__(self, documents: Documents, index: CodeIndex, matcher: Matcher, pipelines: Sequence[Pipeline]) -> None:
        self.documents = documents
        self.index = index
        self.matcher = matcher
        self.pipelines = pipelines
        self.paths = Paths(documents)
        self.programs = Programs(self.paths, index)
        self.tasks = Tasks(documents)
        self.tests = TestLayout(documents, index)
        self.submitter = Submitter(self.paths, pipelines)
        self.wrappers = Wrappers(matcher.tools.values())
        self._scripts = Scripts(documents, self.paths, Loners(matcher, self.tasks, self.submitter), self._command)
        self._containers = Containers(documents, self.paths, self._scripts)

    # -- entry points ------------------------------------------------------------------------------------------------

    def script(
        self,
        text: str,
        path: str,
        line: int,
        start: Start,
        *,
        folder: str = "",
        errexit: bool = True,
        pipefail: bool = False,
        may_fail: str = "",
        via: tuple[Evidence, ...] = (),
        env: Mapping[str, str] | None = None,
        astray: bool = False,
    ) -> Iterator[Run]:
        """What an inline script runs; `line` is where its text begins in the file at `path`.

        `via` are the hops between the start and this script (a reusable workflow, a composite action), `env` variables
        with constant values that it sees; `astray` tells that the folder is not known, as on another machine.
        """
        known = {name: value for name, value in (env or {}).items() if value and "$" not in value}
        hops = (start.evidence, *via)
        chain = Chain(start, hops, folder=normal(folder), swallowed=may_fail, env=known, astray=astray)
        yield from self._scripts.run(self._scripts.parse(path, text, line, errexit, pipefail), path, chain)

    def step(
        self,
        path: str,
        line: int,
        uses: str,
        inputs: Mapping[str, str],
        start: Start,
        may_fail: str = "",
        via: tuple[Evidence, ...] = (),
        folder: str = "",
    ) -> Iterator[Run]:
        """What an action's name shows: matched as the command `uses OWNER/NAME`, with its inputs as `key=value`."""
        given = (f"{key}={value}" for key, value in inputs.items() if len(value) < 200)
        words = ("uses", uses.partition("@")[0], *given)
        location = Location(path, line)
        found = tuple(self.matcher.in_command(words, location))
        yield Run(start, words, location, (start.evidence, *via), found, swallowed=may_fail, folder=normal(folder))

    def node(self, entries: tuple[Node, ...], start: Start, location: Location) -> Run:
        """A run of first-party code itself (a DAG's module, a scheduled function)."""
        return Run(start, (), location, (start.evidence,), entries=entries)

    def pipeline_start(self, pipeline: Pipeline, start: Start, only: frozenset[str] | None = None) -> Iterator[Run]:
        """What the steps of a pipeline, or those of some names, run when the pipeline itself is the start."""
        yield from self._pipeline_steps(pipeline, Chain(start, (start.evidence,)), only)

    def service(self, path: str, start: Start, folder: str | None = None) -> Iterator[Run]:
        """What the image of a Dockerfile runs as a service; `folder` is the folder of its build, else its own."""
        root = path.rpartition("/")[0] if folder is None else folder
        yield from self._containers.image(path, root, Chain(start, (start.evidence,)), build=False)

    def compose_service(self, service: images.Service, start: Start) -> Iterator[Run]:
        """What a compose service runs when the service itself is the start."""
        yield from self._containers.service(service, Chain(start, (start.evidence,)))

    def object_nodes(self, target: str) -> tuple[Node, ...]:
        """`package.module:function` as the function and its module's statements."""
        return self.programs.objects(target)

    def exhausted(self, start: Start) -> bool:
        """Count one more step or command of what a file starts; true, and noted, where it has had its share."""
        return self._scripts.exhausted(start)

    # -- commands ----------------------------------------------------------------------------------------------------

    def _command(self, command: Command, words: tuple[str, ...], location: Location, chain: Chain) -> Iterator[Run]:
        text = words[2] if len(words) >= 3 and words[:2] == ("sh", "-c") else None  # as `unwrap` leaves it
        if text is not None and not chain.too_long():
            strict = any(_ERREXIT.fullmatch(word) for word in command.words) or "errexit" in command.words
            strict = command.errexit if "eval" in command.words[:1] else strict  # it is the same shell
            script = self._scripts.parse(location.path, text, location.line, strict, "pipefail" in command.words)
            yield from self._scripts.run(script, location.path, replace(chain, hops=chain.hops + 1))
            return
        yield from self._words(words, location, command, chain)

    def _words(self, words: tuple[str, ...], location: Location, command: Command, chain: Chain) -> Iterator[Run]:
        uses = () if runs_nothing(command) else tuple(self.matcher.in_command(words, location))
        run = Run(chain.start, words, location, chain.evidence, uses, swallowed=chain.swallowed, folder=chain.folder)
        if chain.too_long():
            yield replace(run, unresolved=TOO_LONG)
            return
        use = Evidence(location, Hop.USE, command.text[:160])
        launcher = next((word for word in command.words if word in BARE), "")
        if launcher and words[0] != launcher:
            tasks = list(self.tasks.called((launcher, "run", *words), chain.folder))
            if tasks:
                yield run
                yield from self._tasks(tasks, use, chain)
                return
        yield from self._dispatch(words, run, use, command, chain)

    def _dispatch(
        self, words: tuple[str, ...], run: Run, use: Evidence, command: Command, chain: Chain
    ) -> Iterator[Run]:
        name, origin = words[0], run.location.path
        if explains_itself(words):
            yield run
        elif name in SHELLS or name in SOURCE or "/" in name or name.endswith(CODE):
            yield from self._file(words, run, use, command, chain)
        elif name in RUNNERS:
            yield replace(run, missing=self.tasks.unknown(words, chain.folder)) if chain.knows_files else run
            yield from self._tasks(self.tasks.called(words, chain.folder), use, chain)
        elif name in INNER and any(word in SHELLS | LAUNCHERS for word in words[1:]):
            start = next(i for i, word in enumerate(words) if i and word in SHELLS | LAUNCHERS)
            yield from self._dispatch(unwrap(words[start:]), run, use, command, chain)
        elif name in LAUNCHERS:
            program = self.programs.launched(words, chain.folder, origin)
            yield self._program(program, run, chain)
            if program.entries and program.entries[0][0].endswith(".ipynb"):
                yield from self._cells(program.entries[0][0], use, chain)
        elif name in TESTERS:
            yield replace(run, tests=self.tests.collected(words, chain.folder, not chain.knows_files))
        elif name in SERVERS:
            yield self._program(self.programs.served(words, chain.folder, origin), run, chain)
        elif name in images.ENGINES:
            absent = images.absent(words, chain.folder, self.paths) if chain.knows_files else ""
            missing = self.paths.missing(absent, "", run.location.path) if absent else ""
            yield replace(run, missing=missing, folder=images.folder_of(words, chain.folder, self.paths))
            yield from self._container(words, run.location, use, command, chain)
        else:
            yield from self._elsewhere(words, run, use, command, chain)

    def _elsewhere(
        self, words: tuple[str, ...], run: Run, use: Evidence, command: Command, chain: Chain
    ) -> Iterator[Run]:
        """Commands that hand work to something else: pipeline engines, remote services, installed console scripts."""
        if is_remote(words):
            yield run
            yield from self._remote(words, use, command, chain)
            return
        submitted = self.submitter.submitted(words, chain.folder)
        if submitted is not None:
            yield replace(run, pipelines=tuple(dict.fromkeys(found.pipeline.path for found in submitted)))
            yield from self._submitted(submitted, use, chain)
            return
        if words[0] == "sbatch":
            yield from self._file(("bash", *words[1:]), run, use, command, chain)
            return
        entry = self.tasks.console_scripts().get(words[0])
        if entry:
            own = chosen(self.index, self.programs.objects(entry), words[1:])
            entries = (*own, *self.programs.driven(words, chain.folder))
        else:
            entries = self.submitter.deployed(words, chain.folder)
        yield replace(run, entries=entries) if entries else run
        for spec in self.submitter.job_specs(words, chain.folder):
            if not chain.entered(spec.path):
                yield from self._specified(spec, run.location, chain.via(use, spec.path))

    def _remote(self, words: tuple[str, ...], use: Evidence, command: Command, chain: Chain) -> Iterator[Run]:
        """What a shell of another machine is asked to run, in a folder that is not known."""
        document, line = command.given
        text = remote_text(words, document)
        path = use.location.path
        script = self._scripts.parse(path, text, line if text == document else command.line, False)
        inside = chain.via(use, f"ssh:{path}:{command.line}")
        yield from self._scripts.run(script, path, replace(inside, folder="", astray=True))

    def _specified(self, spec: JobSpec, location: Location, chain: Chain) -> Iterator[Run]:
        """What a job runs at a remote service; `location` is that of the command, `chain` the way into the job."""
        if spec.dockerfile:
            yield from self._containers.image(spec.dockerfile, spec.folder or "", chain, build=False)
            return
        path, line = (spec.path, spec.line) if spec.path else (location.path, location.line)
        script = self._scripts.parse(path, spec.text, line, spec.errexit)
        folder = chain.folder if spec.folder is None else normal(spec.folder)
        inside = replace(chain, folder=folder, inside_image=chain.inside_image or spec.in_image)
        yield from self._scripts.run(script, path, inside)

    @staticmethod
    def _program(program: Program, run: Run, chain: Chain) -> Run:
        missing = program.missing if chain.knows_files else ""
        return replace(run, entries=program.entries, missing=missing, unresolved=program.unresolved)

    def _file(self, words: tuple[str, ...], run: Run, use: Evidence, command: Command, chain: Chain) -> Iterator[Run]:
        """`bash x.sh`, `source x.sh`, `./x.sh`, `./x.py`."""
        shell = words[0] in SHELLS or words[0] in SOURCE
        name = _script_name(words) if shell else words[0]
        if not name or (shell and "-n" in words[1:]):  # `bash -n` only checks the syntax
            yield run
            return
        path = self.paths.existing(name, chain.folder, run.location.path)
        if path is None:
            known = name.endswith(CODE) and chain.knows_files
            yield replace(run, missing=self.paths.missing(name, chain.folder, run.location.path) if known else "")
        elif shell or language_of(path) == "shell" or self._has_shebang(path):
            yield run
            yield from self._shell_file(path, words, use, command, chain)
        else:
            entries = self.index.script_entries(path) if language_of(path) in ("python", "r") else ()
            yield replace(run, entries=entries)

    def _shell_file(
        self, path: str, words: tuple[str, ...], use: Evidence, command: Command, chain: Chain
    ) -> Iterator[Run]:
        if chain.entered(path):
            return
        sourced = words[0] in SOURCE
        strict = command.errexit if sourced else any(_ERREXIT.fullmatch(word) for word in words[1:])
        if sourced or strict:
            script = self._scripts.parse(path, self.documents.text(path), 1, strict, command.pipefail and sourced)
        else:
            script = self.documents.shell(path) or ShellScript(())
        yield from self._scripts.run(script, path, chain.via(use, path), is_file=True)

    def _cells(self, path: str, use: Evidence, chain: Chain) -> Iterator[Run]:
        """What the shell lines of a notebook run (`!dvc repro`) when the notebook itself is executed."""
        from mlops_scan.documents.notebook import commands

        notebook = None if chain.entered(path) else self.documents.notebook(path)
        for line, text in commands(notebook) if notebook is not None else ():
            # a failing `!command` does not stop the notebook
            lost = "the notebook goes on when a shell line of it fails"
            inside = chain.via(use, path, lost)
            yield from self._scripts.run(self._scripts.parse(path, text, line, True), path, inside)

    def _has_shebang(self, path: str) -> bool:
        first = self.documents.text(path)[:60].partition("\n")[0] if "." not in path.rpartition("/")[2] else ""
        return first.startswith("#!") and "sh" in first

    # -- tasks, pipelines, containers --------------------------------------------------------------------------------

    def _tasks(self, tasks: Iterator[Task] | Sequence[Task], use: Evidence, chain: Chain) -> Iterator[Run]:
        for task in tasks:
            key = f"{task.path}#{task.name}"
            if chain.entered(key):
                continue
            inside = replace(chain.via(use, key), folder=normal(task.folder), astray=False)
            if task.entry is not None:
                scope, line = task.entry
                where = Location(task.path, line)
                entries = ((task.path, scope),)
                yield Run(chain.start, (), where, inside.evidence, entries=entries, swallowed=inside.swallowed)
            for line, text, ignored in task.lines:
                step = replace(inside, swallowed=inside.swallowed or ignored)
                yield from self._scripts.run(self._scripts.parse(task.path, text, line, task.errexit), task.path, step)

    def _submitted(self, submitted: Sequence[Submitted], use: Evidence, chain: Chain) -> Iterator[Run]:
        for found in submitted:
            key = f"pipeline:{found.pipeline.path}#{found.pipeline.name}"
            if not chain.entered(key):
                yield from self._pipeline_steps(found.pipeline, chain.via(use, key), found.steps)

    def _pipeline_steps(self, pipeline: Pipeline, chain: Chain, only: frozenset[str] | None = None) -> Iterator[Run]:
        """What the steps of a declared pipeline run, as part of a chain."""
        for step in pipeline.steps:
            if only is not None and step.name not in only:
                continue
            entries = step.entries or self.index.all_of(step.calls_all_of)
            if entries:
                where = Location(pipeline.path, step.line)
                yield Run(chain.start, (), where, chain.evidence, entries=entries, swallowed=chain.swallowed)
            if step.command:
                inside = replace(chain, folder=normal(step.folder), astray=False)
                text = _as_command(step.command)
                path = step.command_path or pipeline.path
                script = self._scripts.parse(path, text, step.command_line or step.line, True)
                yield from self._scripts.run(script, path, inside)

    def _container(
        self, words: tuple[str, ...], location: Location, use: Evidence, command: Command, chain: Chain
    ) -> Iterator[Run]:
        yield from self._containers.started(words, use, chain)
        composed = images.composed(words)
        inside = images.run_inside(images.subcommand(composed) if composed is not None else words[1:])
        action = images.subcommand(composed)[:1] if composed is not None else words[1:2]
        if inside and action and action[0] in ("run", "exec"):
            yield from self._command(
                replace(command, words=inside),
                unwrap(inside),
                location,
                replace(chain, hops=chain.hops + 1, inside_image=True),
            )


# -- small rules -----------------------------------------------------------------------------------------------------


def _script_name(words: tuple[str, ...]) -> str:
    """The script that `bash -eu -o pipefail x.sh arg` runs, or empty."""
    for before, word in pairwise(words):
        option = word.startswith(("-", "+")) or before in _SHELL_VALUES or re.fullmatch(r"-[a-z]*o", before) is not None
        if not option:
            return word
    return ""


def _as_command(text: str) -> str:
    """A step may name a script alone: `script: train.py`."""
    first = text.split()[0] if text.split() else ""
    return f"python {text}" if first.endswith((".py", ".ipynb")) and "\n" not in text.strip() else text
