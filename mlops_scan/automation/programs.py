"""Python programs: what `python`, its launchers, servers and console scripts enter."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.automation import rprograms
from mlops_scan.automation.commands import chosen
from mlops_scan.automation.paths import Paths
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.regex import regex

SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "fastapi", "flask", "celery", "bentoml", "granian"})
LAUNCHERS = frozenset(
    {"accelerate", "deepspeed", "horovodrun", "ipython", "jupyter", "jupyter-nbconvert", "kfp", "mpiexec", "mpirun",
     "nbconvert", "papermill", "python", "python2", "python3", "spark-submit", "srun", "streamlit", "torchrun"}
) | rprograms.LAUNCHERS  # fmt: skip
_MODULE_LAUNCHERS = regex(
    r"torch\.distributed\.(launch|run)|accelerate\.commands\.launch|streamlit|ipykernel_launcher",
    words=("torch.distributed.", "launch", "streamlit"),
)
_WITH_VALUE = frozenset(
    {"--conf", "--config-file", "--config_file", "--deploy-mode", "--driver-memory", "--executor-memory", "--files",
     "--hostfile", "--jars", "--master", "--name", "--output", "--packages", "--properties-file",
     "--py-files", "-o"}
)  # fmt: skip
_MODULE_NAMES = frozenset({"--module-name", "-n", "-module-name"})
_LOADERS = frozenset(
    {"importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader", "imp.load_source"}
)  # of a module by the path of its file
_TARGET = regex(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class Program(Struct, frozen=True):
    """What a command enters: code, or a path that is not there, or why it is not known."""

    entries: tuple[Node, ...] = ()
    missing: str = ""
    unresolved: str = ""


class Programs:
    """Resolves Python command lines against the modules of one repository."""

    def __init__(self, paths: Paths, index: CodeIndex) -> None:
        self.paths = paths
        self.index = index

    def launched(self, words: tuple[str, ...], folder: str, origin: str) -> Program:
        """What `python …`, `torchrun …`, `papermill …` runs from `folder`; `origin` is the file of the command."""
        program = self._launched(words, folder, origin)
        made = (*self.driven(words, folder), *self._handed(words, folder, program)) if program.entries else ()
        return replace(program, entries=(*program.entries, *made)) if made else program

    def driven(self, words: tuple[str, ...], folder: str) -> tuple[Node, ...]:
        """The module that a program imports by the name it is given, to make a pipeline with its `get_pipeline`.

        That is how the projects of SageMaker's templates do it: `run-pipeline --module-name pipelines.churn.pipeline`.
        https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-projects-walkthrough.html
        """
        name = next((after for word, after in pairwise(words) if word in _MODULE_NAMES), "")
        entries = self.objects(f"{name}:get_pipeline", folder) if name and "$" not in name else ()
        return entries if len(entries) == 2 else ()

    def _handed(self, words: tuple[str, ...], folder: str, program: Program) -> Iterator[Node]:
        """What a script runs of a Python file that it loads by the path it is given: `python train.py src/model.py`.

        It loads one with `spec_from_file_location` and its like, and calls functions that the file has:
        https://docs.python.org/3/library/importlib.html#importing-a-source-file-directly
        """
        script = program.entries[0][0]
        module = self.index.modules.get(script)
        names = {call.name for call in module.calls} if module is not None else set()
        if names.isdisjoint(_LOADERS):
            return
        called = {name.rpartition(".")[2] for name in names if "." in name and name not in _LOADERS}
        for word in words[1:]:
            path = self.paths.existing(word, folder, script) if word.endswith(".py") and "$" not in word else None
            given = self.index.modules.get(path) if path not in (None, script) else None
            functions = sorted(called.intersection(given.functions)) if given is not None else []
            if given is not None and functions:
                yield from ((given.path, name) for name in ("", *functions))

    def _launched(self, words: tuple[str, ...], folder: str, origin: str) -> Program:
        if words[0] in ("jupyter", "jupyter-nbconvert", "nbconvert") and not {"--execute", "execute", "run"} & set(
            words
        ):
            return Program()  # a conversion runs nothing
        if words[0] in rprograms.LAUNCHERS:
            return self._of_r(words, folder, origin)
        position = 1
        while position < len(words):
            word = words[position]
            if word in ("-m", "--module") and position + 1 < len(words):
                module = words[position + 1]
                if module in SERVERS:
                    return self.served(words[position + 1 :], folder, origin)
                if module == "awslambdaric":
                    return self.handled(words[position + 2] if position + 2 < len(words) else "", folder)
                if not _MODULE_LAUNCHERS.fullmatch(module):
                    return self._asked(self.module(module, folder), words[position + 2 :])
                position += 1
            elif word == "-c" and words[0] == "python":
                return Program(self._imported(words[position + 1]) if position + 1 < len(words) else ())
            elif word in _WITH_VALUE:
                position += 1
            elif not word.startswith("-") and word.partition("?")[0].endswith((".py", ".ipynb")):
                return self._asked(self._file(word, folder, origin), words[position + 1 :])
            elif words[0] == "python" and not word.startswith("-"):
                path = self.paths.existing(f"{word.rstrip('/')}/__main__.py", folder, origin)
                return Program(self.index.script_entries(path)) if path is not None and "$" not in word else Program()
            position += 1
        return Program()

    def _asked(self, program: Program, words: tuple[str, ...]) -> Program:
        """The program with no more than the command of it that the words behind its name ask for."""
        entries = chosen(self.index, program.entries, words)
        return program if entries == program.entries else replace(program, entries=entries)

    def _of_r(self, words: tuple[str, ...], folder: str, origin: str) -> Program:
        """What `Rscript train.R`, `R -e "source('train.R')"`, `quarto render report.qmd` run."""
        script = rprograms.script_of(words)
        if script:
            return self._file(script, folder, origin)
        texts = rprograms.texts_of(words)
        nodes = (node for text in texts for node in rprograms.entered(text, self.index, self.paths, folder, origin))
        return Program(tuple(dict.fromkeys(nodes)))

    def _file(self, word: str, folder: str, origin: str) -> Program:
        found = self.paths.existing(word, folder, origin)
        if found is None:
            return Program(missing=self.paths.missing(word, folder, origin))
        return Program(self.index.script_entries(found) or ((found, ""),))

    def module(self, module: str, folder: str) -> Program:
        """What `python -m module` runs; a package runs its `__main__`."""
        importer = f"{folder}/x" if folder else "x"
        for name in (f"{module}.__main__", module):
            located = self.index.find_module(name, importer)
            if located is not None and not located[1]:
                return Program(self.index.script_entries(located[0]))
        # a file of that name that nothing connects with a tool is there, but has no facts
        path = module.replace(".", "/")
        known = any(self.paths.has(f"{path}{end}") for end in (".py", "/__init__.py", "/__main__.py"))
        return Program(unresolved="" if known else f"module {module} is not in this repository")

    def served(self, words: tuple[str, ...], folder: str, origin: str) -> Program:
        """What a server loads: `uvicorn app.main:app`, `celery -A tasks`, `flask --app app`, `fastapi run app.py`."""
        for position, word in enumerate(words[1:], 1):
            named = words[position - 1] in ("-A", "--app") or word.startswith(("--app=", "-A="))
            target = word.partition("=")[2] if word.startswith(("--app=", "-A=")) else word
            module, colon, attribute = target.partition(":")
            if module.endswith(".py"):
                found = self.paths.existing(module, folder, origin)
                if found is not None:
                    return Program(self.index.script_entries(found))
            elif (colon or named) and not target.startswith("-") and _TARGET.fullmatch(module):
                entries = self.objects(f"{module}:{attribute.partition('(')[0]}", folder)
                return Program(entries, unresolved="" if entries else f"module {module} is not in this repository")
        return Program()

    def handled(self, handler: str, folder: str) -> Program:
        """What the runtime of AWS Lambda calls: `module.function`, where the file has that function."""
        stem, _, name = handler.rpartition(".")
        path = self.paths.existing(f"{stem.replace('.', '/')}.py", folder) if stem else None
        if path is None or not self.index.defines(path, name):
            return Program(unresolved=f"the handler {handler} is not in this repository")
        return Program(((path, ""), (path, name)))

    def objects(self, target: str, folder: str = "") -> tuple[Node, ...]:
        """`package.module:function` as the module's statements and the function."""
        module, _, attribute = target.partition(":")
        located = self.index.find_module(module, f"{folder}/x" if folder else "x")
        if located is None or located[1]:
            return ()
        path = located[0]
        return ((path, ""), (path, attribute)) if self.index.defines(path, attribute) else ((path, ""),)

    def _imported(self, code: str) -> tuple[Node, ...]:
        """The first-party code that `python -c` text imports, and the functions of it that the text calls.

        A name that it imports and never calls is a smoke test of the import: the process ends before a framework could
        call what the module registers with it.
        """
        from mlops_scan.code.extract import extract
        from mlops_scan.documents.node import DocumentError
        from mlops_scan.documents.python import parse

        try:
            module = extract("<command>", parse(code).tree)
        except (DocumentError, RecursionError):
            return ()
        nodes: list[Node] = []
        for item in module.imports:
            located = self.index.find_module(item.name, "x")
            if located is None:
                continue
            called = any(call.name == item.name or call.name.startswith(f"{item.name}.") for call in module.calls)
            defined = self.index.defines(*located)
            if called or not defined:
                nodes.append((located[0], ""))
            if called and defined:
                nodes.append(located)
        return tuple(dict.fromkeys(nodes))
