"""Where code, pipelines, commands, task files and environment files name the configuration files that are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain

from mlops_scan.automation.tasks.recipes import JUSTFILES, TASKFILES
from mlops_scan.code.facts import MAIN, Module
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex

_MAX_READERS = 20
_MAX_RECIPE = 500_000  # bytes of a file that people write tasks in
_RECIPES = frozenset(name.lower() for name in ("makefile", "gnumakefile", *JUSTFILES, *TASKFILES))
_RECIPE_ENDINGS = (".mk", ".sh", ".bash")
_ENDINGS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
_TOKENS = regex(r"(?<![\w.-])[\w.-]{1,255}\.(?:ya?ml|json|toml|ini|cfg)")
_ENVIRONMENTS = regex(r"\.env(\..+)?|.*\.env", words=(".env",))
_MAX_ENVIRONMENT = 50_000  # bytes
_MAKE_OPTIONS = frozenset({"typer", "fire", "cyclopts", "defopt"})
_PATH_OPTIONS = frozenset(
    {
        "--config", "--cfg", "--conf", "--config_path", "--config-path", "--config_file", "--config-file", "--params",
        "--hparams", "--settings", "--experiment_config", "--experiment-config", "--train_config", "--train-config",
    }
)  # fmt: skip

LOADERS = (
    "yaml.safe_load",
    "yaml.load",
    "json.load",
    "omegaconf.OmegaConf.load",
    "tomllib.load",
    "toml.load",
    "configparser.ConfigParser.read",
)
# `algorithms/{}/{}.json`, `configs/%s.yaml`: any file of that kind so deep in the folder
_ANY_FILE = regex(
    r"(?:^|/)([\w.-]+)/((?:(?:\{\w*\}|%s)/)*)(?:\{\w*\}|%s)\.(ya?ml|json|toml)$",
    words=("}.yaml", "}.yml", "}.json", "}.toml", "%s.yaml", "%s.yml", "%s.json", "%s.toml"),
)


@kept
def mentions(context: Context) -> Mapping[str, tuple[str, int]]:
    """Names of configuration files that main code, pipelines or commands mention: name -> where."""
    named: dict[str, dict[str, int]] = defaultdict(dict)
    for path, module in context.modules():
        for line, text in module.strings:
            if "." in text:
                for token in _tokens(text):
                    named[token.rpartition("/")[2]].setdefault(path, line)
    found = {name: _reader(context, places) for name, places in named.items()}
    for name, place in chain(_in_task_files(context), _in_environments(context)):
        found.setdefault(name, place)
    for pipeline in context.automation.pipelines:
        step = next((step for step in pipeline.steps if step.has_params), None)
        if pipeline.tool == "dvc" and step is not None:  # `params:` without a file name means params.yaml
            found.setdefault("params.yaml", (pipeline.path, step.line))
    for words, run in context.commands().items():
        for word in words:
            if word.endswith(_ENDINGS):
                name = word.rpartition("=")[2].rpartition("/")[2]
                if _TOKENS.fullmatch(name):
                    found.setdefault(name, (run.location.path, run.location.line))
    return found


def _tokens(text: str) -> list[str]:
    """The names of configuration files in a text."""
    if ".y" in text or ".json" in text or ".toml" in text or ".ini" in text or ".cfg" in text:
        return _TOKENS.findall(text)
    return []


def _reader(context: Context, places: Mapping[str, int]) -> tuple[str, int]:
    """Of the modules that mention a file the first that trains, by itself or by what it calls; else the first."""
    if len(places) > 1 and context.nodes_doing(LEARNS):
        for path in list(places)[:_MAX_READERS]:
            if _trains(context, path):
                return path, places[path]
    return next(iter(places.items()))


@kept
def _trains(context: Context, path: str) -> bool:
    """Whether a module fits a model, by itself or by what it calls."""
    nodes = [(path, scope) for scope in ("", MAIN, *context.index.modules[path].functions)]
    return context.reaches(nodes, LEARNS) is not None


def _in_task_files(context: Context) -> Iterator[tuple[str, tuple[str, int]]]:
    """What a person types to train often stands in a task file that no automation starts."""
    found = {file.path: file for file in (*context.named_alike(_RECIPES), *context.ending(_RECIPE_ENDINGS))}
    for _, file in sorted(found.items()):
        if file.size > _MAX_RECIPE:
            continue
        for line, text in enumerate(context.documents.text(file.path).split("\n"), 1):
            if "." in text and not text.lstrip().startswith("#"):
                for token in _tokens(text):
                    yield token.rpartition("/")[2], (file.path, line)


def folder_mention(context: Context, path: str) -> tuple[str, int] | None:
    """Where code that loads configuration names the file by its folder and a name put in at run time, or nothing."""
    folders, _, suffix = path.rpartition(".")
    parts = folders.split("/")[:-1]
    if not parts:
        return None
    known = _folders(context)
    found = (known.get((name, depth, suffix)) for depth, name in enumerate(reversed(parts)))
    return next(filter(None, found), None)


@kept
def _folders(context: Context) -> Mapping[tuple[str, int, str], tuple[str, int]]:
    """Folders whose files code reads by a name put in at run time: name, depth below it and suffix -> where."""
    found: dict[tuple[str, int, str], tuple[str, int]] = {}
    for path, module in context.modules():
        keys = list(_any_files(module))
        if keys and any(context.index.resolve(path, call.name).name.startswith(LOADERS) for call in module.calls):
            for line, key in keys:
                found.setdefault(key, (path, line))
    return found


def _any_files(module: Module) -> Iterator[tuple[int, tuple[str, int, str]]]:
    """The lines of a module that name any file of a folder, also as `f"configs/{name}.yaml"`."""
    before = 0, ""
    for line, text in module.strings:
        if "}." in text or "%s." in text:
            match = _ANY_FILE.search(text)
            if match is not None:
                yield line, (match[1], match[2].count("/"), match[3])
        elif text[:1] == "." and text in _ENDINGS and before[0] == line and before[1].endswith("/"):
            yield line, (before[1].rstrip("/").rpartition("/")[2], 0, text[1:])
        before = line, text


def _options(path: str, module: Module) -> Iterator[tuple[str, int]]:
    """Options of a module, and parameters of functions that a library makes options of, for the path of a file."""
    yield from ((path, call.line) for call in module.calls if not _PATH_OPTIONS.isdisjoint(call.args))
    if not module.roots.isdisjoint(_MAKE_OPTIONS):
        for function in module.functions.values():
            if any(f"--{name}" in _PATH_OPTIONS for name in function.parameters):
                yield path, function.line


@kept
def path_option(context: Context) -> tuple[str, int] | None:
    """Where a program that trains takes the path of a configuration on its command line, if code loads any."""
    options = [place for path, module in context.modules(notebooks=False) for place in _options(path, module)]
    loads = bool(options) and any(
        context.index.resolve(path, call.name).name.startswith(LOADERS)
        for path, module in context.modules(notebooks=False)
        for call in module.calls
    )
    return next((place for place in options if _trains(context, place[0])), None) if loads else None


def _in_environments(context: Context) -> Iterator[tuple[str, tuple[str, int]]]:
    """Files that an environment file (`.env`, `example.env`) names in a variable that code asks for."""
    given = [
        (name.strip(), token.rpartition("/")[2], (file.path, line))
        for file in context.files()
        if file.size <= _MAX_ENVIRONMENT and ".env" in file.name and _ENVIRONMENTS.fullmatch(file.name)
        for line, text in enumerate(context.documents.text(file.path).split("\n"), 1)
        if not text.lstrip().startswith("#")
        for name, _, value in [text.partition("=")]
        for token in _tokens(value)
    ]
    if not given:
        return
    asked = {text for _, module in context.modules() if "os" in module.roots for _, text in module.strings}
    yield from ((token, place) for name, token, place in given if name in asked)
