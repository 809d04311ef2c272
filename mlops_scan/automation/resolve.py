"""Follow a command line to what it runs: scripts, Make targets, task runners, Python modules, tests, pipelines, images.

Every hop is kept as evidence. Cycles and long chains are cut; a hop that leaves the repository is said, not guessed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.automation.tasks import Tasks
from mlops_scan.automation.testing import TestLayout
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.shell import Command, ShellScript, inner, parse, unwrap
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.words import Evidence, Hop, Location

_MAX_HOPS = 7
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "source", "."})
_PYTHON_RUNNERS = frozenset({"python", "python3", "python2", "torchrun", "accelerate", "deepspeed", "spark-submit", "papermill", "streamlit", "ipython", "kfp", "horovodrun", "mpirun", "srun"})  # fmt: skip
_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "fastapi", "flask", "celery"})
_SUBMITTERS = frozenset({"anyscale", "ray", "sky", "az", "gcloud", "dstack", "det", "polyaxon", "sbatch"})
_COMPOSE = ("docker-compose", "docker")


@dataclass(frozen=True)
class _Context:
    """Where a command stands: its start, the hops so far, the working folder, and why failures are already lost."""

    start: Start
    chain: tuple[Evidence, ...]
    folder: str = ""
    swallowed: str = ""
    hops: int = 0
    seen: frozenset[str] = frozenset()

    def via(self, evidence: Evidence, key: str, swallowed: str = "") -> _Context:
        return replace(
            self,
            chain=(*self.chain, evidence),
            hops=self.hops + 1,
            seen=self.seen | {key},
            swallowed=self.swallowed or swallowed,
        )


class Resolver:
    """Resolves commands against the files of one repository."""

    def __init__(self, documents: Documents, index: CodeIndex, matcher: Matcher, pipelines: Sequence[Pipeline]) -> None:
        self.documents = documents
        self.index = index
        self.matcher = matcher
        self.pipelines = pipelines
        self.tasks = Tasks(documents)
        self.tests = TestLayout(documents, index)
        self._rendered = {strip_rendered(path): path for path in documents.files}

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
        may_fail: str = "",
    ) -> Iterator[Run]:
        """What an inline script runs; `line` is where its text begins in the file at `path`."""
        context = _Context(start, (start.evidence,), folder=_normal(folder), swallowed=may_fail)
        yield from self._run_script(parse(text, first_line=line), path, context, errexit)

    def step(
        self, path: str, line: int, uses: str, inputs: dict[str, str], start: Start, may_fail: str = ""
    ) -> Iterator[Run]:
        """What an action's name shows: matched as the command `uses OWNER/NAME`, with its inputs as `key=value`."""
        words = (
            "uses",
            uses.partition("@")[0],
            *(f"{key}={value}" for key, value in inputs.items() if len(value) < 200),
        )
        location = Location(path, line)
        yield Run(
            start,
            words,
            location,
            (start.evidence,),
            tuple(self.matcher.in_command(words, location)),
            swallowed=may_fail,
        )

    def node(self, entries: tuple[Node, ...], start: Start, location: Location) -> Run:
        """A run of first-party code itself (a DAG's module, a scheduled function)."""
        return Run(start, (), location, (start.evidence,), entries=entries)

    # -- scripts -----------------------------------------------------------------------------------------------------

    def _run_script(
        self, script: ShellScript, path: str, context: _Context, errexit: bool, is_file: bool = False
    ) -> Iterator[Run]:
        folder = context.folder
        for command in script.commands:
            words = unwrap(command.words)
            if not words:
                continue
            if words[0] == "cd" and len(words) > 1:
                folder = _join(context.folder if command.function else folder, words[1])
                continue
            lost = command.swallowed
            if not lost and not (errexit or command.errexit) and not command.last:
                what = "the script" if is_file else "the step's shell"
                lost = f"{what} has no `set -e`, so a failure here stops nothing"
            inside = replace(context, folder=folder, swallowed=context.swallowed or lost)
            yield from self._command(command, words, Location(path, command.line, command.end_line), inside)

    def _command(
        self, command: Command, words: tuple[str, ...], location: Location, context: _Context
    ) -> Iterator[Run]:
        text = inner(words)
        if text is not None and context.hops < _MAX_HOPS:
            yield from self._run_script(
                parse(text, first_line=location.line), location.path, replace(context, hops=context.hops + 1), False
            )
            return
        run = Run(
            start=context.start,
            words=words,
            location=location,
            chain=context.chain,
            uses=tuple(self.matcher.in_command(words, location)),
            swallowed=context.swallowed,
        )
        if context.hops >= _MAX_HOPS:
            yield replace(run, unresolved="the chain is longer than is followed")
            return
        use = Evidence(location, Hop.USE, command.text[:160])
        yield from self._dispatch(words, run, use, context)

    def _dispatch(self, words: tuple[str, ...], run: Run, use: Evidence, context: _Context) -> Iterator[Run]:
        name = words[0]
        script = self._existing(words[1] if name in _SHELLS and len(words) > 1 else name, context.folder)
        if name in _SHELLS and len(words) > 1:
            plain = [word for word in words[1:] if not word.startswith("-")]
            script = self._existing(plain[0], context.folder) if plain else None
            if script is None:
                yield replace(run, missing=_missing(plain[0], context.folder) if plain else "")
                return
        if script is not None and (language_of(script) == "shell" or name in _SHELLS or self._has_shebang(script)):
            yield run
            yield from self._shell_file(script, use, context)
        elif script is not None and language_of(script) == "python":
            yield replace(run, entries=self.index.script_entries(script))
        elif name in (
            "make",
            "gmake",
            "just",
            "task",
            "mise",
            "poe",
            "invoke",
            "inv",
            "npm",
            "yarn",
            "pnpm",
            "rake",
            "hatch",
            "pdm",
            "pixi",
            "taskipy",
            "tox",
            "nox",
        ):
            yield from self._task(words, run, use, context)
        elif name in _PYTHON_RUNNERS or (name == "jupyter" and "nbconvert" in words):
            yield self._python(words, run, context)
        elif name in ("pytest", "py.test") or (name == "unittest"):
            yield replace(run, tests=self.tests.collected(words, context.folder))
        elif name in _SERVERS:
            yield self._server(words, run, context)
        elif name in ("dvc", "mlflow") or words[:3] == ("databricks", "bundle", "run"):
            yield from self._pipeline(words, run, use, context)
        elif name in _COMPOSE:
            yield from self._docker(words, run, use, context)
        elif name in _SUBMITTERS:
            yield run
            yield from self._job_spec(words, use, context)
        else:
            entry = self.tasks.console_scripts().get(name)
            yield replace(run, entries=self.object_nodes(entry)) if entry else run

    def _job_spec(self, words: tuple[str, ...], use: Evidence, context: _Context) -> Iterator[Run]:
        """A job specification handed to a remote service: its entry point runs there, from the same tree."""
        for word in words[1:]:
            path = self._existing(word, context.folder) if word.endswith((".yaml", ".yml")) else None
            if path is None or path in context.seen:
                continue
            for document in self.documents.nodes(path):
                node = next(
                    (found for key in ("entrypoint", "run", "command") if (found := document.get(key)) is not None),
                    None,
                )
                if node is not None:
                    script = parse("\n".join(node.strings()), first_line=node.text_line)
                    yield from self._run_script(script, path, context.via(use, path), False)

    def _shell_file(self, path: str, use: Evidence, context: _Context) -> Iterator[Run]:
        script = self.documents.shell(path)
        if script is None or path in context.seen:
            return
        yield from self._run_script(script, path, context.via(use, path), script.errexit, is_file=True)

    def _has_shebang(self, path: str) -> bool:
        first = self.documents.text(path)[:60].partition("\n")[0] if "." not in path.rpartition("/")[2] else ""
        return first.startswith("#!") and "sh" in first

    # -- task runners --------------------------------------------------------------------------------------------------

    def _task(self, words: tuple[str, ...], run: Run, use: Evidence, context: _Context) -> Iterator[Run]:
        yield run
        for task in self.tasks.called(words, context.folder):
            key = f"{task.path}#{task.name}"
            if key in context.seen:
                continue
            inside = replace(context.via(use, key), folder=_normal(task.folder))
            for line, text, ignored in task.lines:
                step = replace(inside, swallowed=inside.swallowed or ignored)
                yield from self._run_script(parse(text, first_line=line), task.path, step, task.errexit)

    # -- python ------------------------------------------------------------------------------------------------------

    def _python(self, words: tuple[str, ...], run: Run, context: _Context) -> Run:
        position = 1
        while position < len(words):
            word = words[position]
            if word == "-m" and position + 1 < len(words):
                return self._module(words[position + 1], run, context)
            if word == "-c":
                return run
            if not word.startswith("-") and word.partition("?")[0].endswith((".py", ".ipynb")):
                found = self._existing(word, context.folder)
                if found is None:
                    return replace(run, missing=_missing(word, context.folder))
                return replace(run, entries=((found, ""), (found, "__main__")))
            position += 1
        return run

    def _module(self, module: str, run: Run, context: _Context) -> Run:
        located = self.index.find_module(module, f"{context.folder}/x" if context.folder else "x")
        if located is None or located[1]:
            return replace(run, unresolved=f"module {module} is not in this repository")
        path = located[0]
        if path.endswith("__init__.py"):
            main = path[: -len("__init__.py")] + "__main__.py"
            path = main if main in self.index.modules else path
        return replace(run, entries=self.index.script_entries(path))

    def _server(self, words: tuple[str, ...], run: Run, context: _Context) -> Run:
        for word in words[1:]:
            module, colon, _ = word.partition(":")
            if word.endswith(".py"):
                found = self._existing(word, context.folder)
                if found:
                    return replace(run, entries=self.index.script_entries(found))
            elif colon and not word.startswith("-") and module.replace(".", "").replace("_", "").isalnum():
                return self._module(module, run, context)
        return run

    def object_nodes(self, target: str) -> tuple[Node, ...]:
        """`package.module:function` as the function and its module's statements."""
        module, _, attribute = target.partition(":")
        located = self.index.find_module(module, "x")
        if located is None or located[1]:
            return ()
        path = located[0]
        return ((path, ""), (path, attribute)) if attribute in self.index.modules[path].functions else ((path, ""),)

    # -- pipelines and containers --------------------------------------------------------------------------------------

    def _pipeline(self, words: tuple[str, ...], run: Run, use: Evidence, context: _Context) -> Iterator[Run]:
        tool = "databricks" if words[0] == "databricks" else "dvc" if words[:3] == ("dvc", "exp", "run") else {("dvc", "repro"): "dvc", ("mlflow", "run"): "mlflow-projects", ("mlflow", "recipes"): "mlflow-recipes", ("mlflow", "pipelines"): "mlflow-recipes"}.get(words[:2])  # fmt: skip
        if tool is None or "--dry" in words:
            yield run
            return
        chosen = [p for p in self.pipelines if p.tool == tool]
        nearby = [p for p in chosen if p.path.rpartition("/")[0] == context.folder] or chosen
        nearby = [p for p in nearby if p.name in words] or nearby  # `databricks bundle run NAME`
        yield replace(run, pipelines=tuple(p.path for p in nearby))
        for pipeline in nearby[:5]:
            yield from self.pipeline_steps(pipeline, context.via(use, f"pipeline:{pipeline.path}"))

    def pipeline_steps(self, pipeline: Pipeline, context: _Context) -> Iterator[Run]:
        """What the steps of a declared pipeline run, as part of a chain."""
        for step in pipeline.steps:
            if step.entries:
                yield Run(
                    context.start,
                    (),
                    Location(pipeline.path, step.line),
                    context.chain,
                    entries=step.entries,
                    swallowed=context.swallowed,
                )
            if step.command:
                inside = replace(context, folder=_normal(step.folder))
                text = _as_command(step.command, self, inside.folder)
                yield from self._run_script(
                    parse(text, first_line=step.command_line or step.line), pipeline.path, inside, True
                )

    def pipeline_start(self, pipeline: Pipeline, start: Start) -> Iterator[Run]:
        """What the steps of a pipeline run when the pipeline itself is the start."""
        yield from self.pipeline_steps(pipeline, _Context(start, (start.evidence,)))

    def _docker(self, words: tuple[str, ...], run: Run, use: Evidence, context: _Context) -> Iterator[Run]:
        yield run
        if words[0] == "docker" and words[1:2] in (("build",), ("buildx",)):
            path = self._dockerfile(words, context.folder)
            if path is not None and path not in context.seen:
                yield from self.dockerfile(path, context.via(use, path), build=True)

    def _dockerfile(self, words: tuple[str, ...], folder: str) -> str | None:
        for flag in ("-f", "--file"):
            if flag in words and words.index(flag) + 1 < len(words):
                return self._existing(words[words.index(flag) + 1], folder)
        context = next((word for word in reversed(words) if not word.startswith("-")), ".")
        return self._existing(posixpath.join(context, "Dockerfile"), folder)

    def dockerfile(self, path: str, context: _Context, build: bool) -> Iterator[Run]:
        """What building (RUN) or starting (CMD, ENTRYPOINT) an image runs; files are looked for from the build root."""
        document = self.documents.dockerfile(path)
        if document is None:
            return
        names = ("RUN",) if build else ("CMD", "ENTRYPOINT")
        folder = path.rpartition("/")[0]
        for instruction in document.instructions:
            if instruction.name not in names:
                continue
            from mlops_scan.documents.dockerfile import commands

            value = commands(instruction)
            text = value if isinstance(value, str) else " ".join(_quoted(word) for word in value)
            inside = replace(context, folder=folder)
            yield from self._run_script(parse(text, first_line=instruction.line), path, inside, True)

    def service(self, path: str, start: Start) -> Iterator[Run]:
        """What the image of a Dockerfile runs as a service."""
        yield from self.dockerfile(path, _Context(start, (start.evidence,)), build=False)

    # -- files -------------------------------------------------------------------------------------------------------

    def _existing(self, name: str, folder: str) -> str | None:
        """The repository's file that a path in a command names: from the working folder, from the root, or unambiguously by its tail."""
        clean = name.strip("\"'")
        if "$" in clean:
            clean = (
                clean.rpartition("}/")[2]
                if "}/" in clean
                else clean.rpartition("/")[2]
                if clean.startswith("$")
                else clean
            )
        if clean.startswith("/"):
            return self._by_tail(clean)
        for base in (folder, ""):
            path = self._rendered.get(_join(base, clean))
            if path is not None:
                return path
        return self._by_tail(clean) if clean.endswith((".py", ".sh", ".ipynb")) else None

    def _by_tail(self, name: str) -> str | None:
        tail = name.lstrip("./")
        while tail:
            found = [path for path in self.documents.files if path == tail or path.endswith("/" + tail)]
            if len(found) == 1:
                return found[0]
            if found or "/" not in tail:
                return None
            tail = tail.partition("/")[2]
        return None


def strip_rendered(path: str) -> str:
    """A path without the suffix that only its template has."""
    for suffix in (".tmpl", ".jinja", ".j2"):
        path = path.removesuffix(suffix)
    return path


def _as_command(text: str, resolver: Resolver, folder: str) -> str:
    """A step may name a script or a module alone: `script: train.py`."""
    words = text.split()
    first = words[0] if words else ""
    if first.endswith((".py", ".ipynb")) and "\n" not in text:
        return f"python {text}"
    return text


def _missing(name: str, folder: str) -> str:
    """The path a command asks for, when that can be known not to exist; empty for variables and absolute paths."""
    if any(c in name for c in "$*{<`") or name.startswith(("/", "~")) or name in ("-", "-c"):
        return ""
    return _join(folder, name)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _normal(folder: str) -> str:
    clean = posixpath.normpath(folder) if folder else ""
    return "" if clean == "." or "$" in clean else clean.lstrip("/").removeprefix("./")


def _join(folder: str, name: str) -> str:
    if "$" in name:
        return folder
    return (
        posixpath.normpath(posixpath.join(folder, name.removeprefix("./"))).removeprefix("./")
        if name != "."
        else folder
    )
