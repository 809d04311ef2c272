"""Container commands: which Dockerfile an image build reads, what a compose file starts, what runs inside an image."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.automation.paths import Paths, join
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile, Instruction

ENGINES = frozenset({"docker", "podman", "nerdctl", "docker-compose", "podman-compose"})
_FLAGS = regex(r"(?:[ \t]*--[\w-]+(?:=\S*)?[ \t]*(?:\\\n)?)*[ \t]*")
_BUILD_VALUES = frozenset(
    {"--add-host", "--build-arg", "--build-context", "--builder", "--cache-from", "--cache-to", "--file",
     "--iidfile", "--label", "--memory", "--metadata-file", "--network", "--output", "--platform", "--progress",
     "--secret", "--ssh", "--tag", "--target", "-f", "-m", "-o", "-t"}
)  # fmt: skip
_COMPOSE = regex(r"([\w.-]+[-_.])?(docker-)?compose[^/]*\.ya?ml", words=("compose",))
_COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_PROGRAMS = regex(
    r"python[\d.]*|pytest|sh|bash|make|dvc|mlflow|torchrun|accelerate|papermill|uvicorn|gunicorn|tox|nox|poetry|uv|kedro"
    r"|\S+\.sh"
)
_LAMBDA_IMAGE = regex(r"(?:public\.ecr\.aws/lambda/|(?:docker\.io/)?amazon/aws-lambda-)python(?:[:@]\S*)?")
_HANDLER = regex(r"[A-Za-z_][\w-]*(?:[./][\w-]+)*\.[A-Za-z_]\w*")
_SWITCHES = regex(
    r"-[dPitqT]+|-[a-z]+\d\S*|--(?:detach|rm|init|privileged|publish-all|interactive|tty|read-only|oom-kill-disable"
    r"|no-deps|build)"
)


def is_compose(name: str) -> bool:
    """Whether a file's name is that of a compose file: `compose.yaml`, `docker-compose.prod.yml`, `app-compose.yml`."""
    return _COMPOSE.fullmatch(name) is not None


class Command(Struct, frozen=True):
    """A shell text that an image or a service runs, with the file and line that it stands on."""

    text: str
    path: str
    line: int
    folder: str


class Service(Struct, frozen=True):
    """A service of a compose file: its own command, or the Dockerfile whose command it runs.

    `builds` tells that its image is built here, `mounts` are the files and folders of the repository that it sees, None
    among them for one that cannot be told.
    """

    name: str
    line: int
    command: Command | None
    dockerfile: str
    folder: str
    builds: bool = False
    mounts: tuple[str | None, ...] = ()


def built(words: tuple[str, ...], folder: str, paths: Paths) -> tuple[str, str] | None:
    """The Dockerfile that `docker build …` reads, and the folder of its files; None where there is none."""
    if "build" not in words[:4] or words[1:2] == ("compose",):
        return None
    file, root, _ = _build_arguments(words, folder)
    found = paths.existing(file, folder) or paths.existing(file, root) if file else paths.existing("Dockerfile", root)
    if found is None or (not file and found.rpartition("/")[0] != root):
        return None
    return found, root


def folder_of(words: tuple[str, ...], folder: str, paths: Paths) -> str:
    """The folder that a container command is about: that of the image it builds, else the one it runs in."""
    found = built(words, folder, paths)
    if found is None:
        return folder
    home = found[0].rpartition("/")[0]
    return home if not found[1] or home.startswith(found[1] + "/") else found[1]


def absent(words: tuple[str, ...], folder: str, paths: Paths) -> str:
    """The Dockerfile that `docker build -f FILE …` names and that is nowhere in the repository, or empty."""
    if "build" not in words[:4] or words[1:2] == ("compose",) or built(words, folder, paths) is not None:
        return ""
    file, root, context = _build_arguments(words, folder)
    remote = "://" in context or context == "-" or "$" in context or context.startswith(("/", "git@", ".."))
    usual = file == "Dockerfile" and not root  # also what stands for a build whose folder is a variable
    return "" if remote or usual or "$" in file or file in ("", "-") else join(folder, file)


def _build_arguments(words: tuple[str, ...], folder: str) -> tuple[str, str, str]:
    """The file, the folder and the context as written that `docker build` is given."""
    file, positional = "", []
    skip = False
    for before, word in pairwise(words):
        if before in ("-f", "--file"):
            file = word
        if word.startswith("--file="):
            file = word.partition("=")[2]
        if not skip and not word.startswith("-") and word not in ("build", "buildx", "image", "builder"):
            positional.append(word)
        skip = word in _BUILD_VALUES
    context = positional[-1] if positional else "."
    return file, folder if "$" in context else join(folder, context), context


def composed(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """The words behind `docker compose` and its options, the subcommand first; None for other commands."""
    if words[0] in ("docker-compose", "podman-compose"):
        return words[1:]
    return words[2:] if words[1:2] == ("compose",) else None


def compose_files(words: tuple[str, ...], folder: str, paths: Paths) -> list[str]:
    """The compose files that a compose command reads."""
    named = [after for word, after in pairwise(words) if word in ("-f", "--file")]
    if named:
        return [path for name in named if (path := paths.existing(name, folder)) is not None]
    names = (join(folder, name) for name in _COMPOSE_NAMES)
    return [path for path in names if path in paths.documents.files][:1]


def subcommand(words: tuple[str, ...]) -> tuple[str, ...]:
    """A compose command from its subcommand on."""
    names = ("up", "run", "build", "exec", "start", "create", "down", "pull", "push", "logs", "config", "ps")
    return next((words[i:] for i, word in enumerate(words) if word in names), ())


def takes_value(word: str) -> bool:
    """Whether a word is an option of `docker run`, or of compose's commands, whose value is the next word."""
    return word.startswith("-") and word != "--" and "=" not in word and _SWITCHES.fullmatch(word) is None


def run_inside(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command that `run IMAGE …`, `exec NAME …` starts inside an image, or nothing; the subcommand comes first."""
    for position in range(2, len(words)):
        if _PROGRAMS.fullmatch(words[position]) and not takes_value(words[position - 1]):
            return words[position:]
    return ()


def services(path: str, documents: Documents, paths: Paths) -> Iterator[Service]:
    """The services of a compose file."""
    folder = path.rpartition("/")[0]
    for document in documents.nodes(path):
        declared = document.get("services")
        for name, service in declared.entries[:200] if declared is not None else ():
            build = service.get("build")
            mapping = build is not None and build.kind == "mapping"
            context = _text(build.get("context") if build is not None and mapping else build) or (
                "." if build is not None else ""
            )
            file = _text(build.get("dockerfile")) if build is not None and mapping else ""
            root = join(folder, context) if context and "$" not in context else folder
            dockerfile = join(root, file or "Dockerfile") if context else ""
            found = paths.existing(dockerfile, "") or ""
            command = _command(path, service, folder)
            yield Service(name, service.at, command, found, root, build is not None, tuple(_mounts(service, folder)))


def _mounts(service: Node, folder: str) -> Iterator[str | None]:
    volumes = service.get("volumes")
    for volume in volumes.items[:100] if volumes is not None else ():
        source = _text(volume.get("source") if volume.kind == "mapping" else volume).partition(":")[0]
        if source.startswith("."):
            yield join(folder, source)
        elif source.startswith("$"):
            yield None


def _command(path: str, service: Node, folder: str) -> Command | None:
    entrypoint, command = service.get("entrypoint"), service.get("command")
    parts = [_line(node) for node in (entrypoint, command) if node is not None]
    first = entrypoint or command
    text = " ".join(part for part in parts if part)
    return Command(text, path, first.text_line, folder) if first is not None and text else None


def _line(node: Node) -> str:
    return shlex.join(node.strings()) if node.kind == "sequence" else _text(node)


def _home(instructions: Iterable[Instruction], folder: str, paths: Paths) -> str:
    """The folder whose files lie where the image starts: the only one that is copied to its working folder, or above.

    That is `api` for `WORKDIR /app` with `COPY ./api /app`; without such a line the folder of the build, `folder`.
    https://docs.docker.com/reference/dockerfile/#copy
    """
    from mlops_scan.documents.dockerfile import commands

    work, copied = "/", []
    for instruction in instructions:
        if instruction.name == "WORKDIR":
            work = posixpath.join(work, instruction.value.strip().strip("\"'"))
        elif instruction.name in ("COPY", "ADD") and "--from=" not in instruction.value:
            value = commands(instruction)
            *sources, target = (value.split() if isinstance(value, str) else value) or ("",)
            copied += [(posixpath.normpath(posixpath.join(work, target)), source) for source in sources]
    place = posixpath.normpath(work)
    there = {
        join(folder, posixpath.join(source, place[len(target) :].lstrip("/")))
        for target, source in copied
        if f"{place}/".startswith(f"{target.rstrip('/')}/")
    }
    homes = [path for path in there if paths.is_folder(path)]
    return homes[0] if len(homes) == 1 else folder


def image_commands(path: str, documents: Documents, folder: str, build: bool, paths: Paths) -> Iterator[Command]:
    """What building (RUN) or starting (ENTRYPOINT and CMD of the last stage) an image runs."""
    document = documents.dockerfile(path)
    if document is None:
        return
    if build:
        for instruction in document.instructions:
            if instruction.name == "RUN":
                yield _shell(path, instruction, folder)
        return
    last = max((i for i, instruction in enumerate(document.instructions) if instruction.name == "FROM"), default=-1)
    final = {instruction.name: instruction for instruction in document.instructions[last + 1 :]}
    folder = _home(document.instructions[last + 1 :], folder, paths)
    entrypoint, command = final.get("ENTRYPOINT"), final.get("CMD")
    if entrypoint is None:
        if command is not None:
            handled = _handled(path, document, command, folder, paths)
            yield handled if handled is not None else _shell(path, command, folder)
        return
    from mlops_scan.documents.dockerfile import commands

    words = commands(entrypoint)
    arguments = commands(command) if command is not None else ()
    if isinstance(words, str) or isinstance(arguments, str):
        yield _shell(path, entrypoint, folder)
    else:  # `CMD ["--help"]` stands for the arguments that whoever starts the image gives
        given = () if arguments in (("--help",), ("-h",)) else arguments
        yield Command(shlex.join((*words, *given)), path, entrypoint.line, folder)
    if command is not None and (isinstance(words, str) or (words[:1] and words[0].endswith(".sh"))):
        yield _shell(path, command, folder)  # an entry script that ends in `exec "$@"`


def _handled(path: str, document: Dockerfile, command: Instruction, folder: str, paths: Paths) -> Command | None:
    """The command of a function's image as that of the runtime client which its entry point starts; None for others.

    The images that AWS gives for Python take the handler as their command, `CMD ["app.handler"]`:
    https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
    """
    from mlops_scan.documents.dockerfile import commands

    value = commands(command)
    words = value.split() if isinstance(value, str) else value
    if not document.stages or _LAMBDA_IMAGE.fullmatch(document.stages[-1].image) is None:
        return None
    if len(words) != 1 or _HANDLER.fullmatch(words[0]) is None:
        return None
    code = words[0].rpartition(".")[0].replace(".", "/") + ".py"
    known = paths.documents.files
    home = next((place for place in _copied_from(document, folder) if join(place, code) in known), folder)
    return Command(shlex.join(("python", "-m", "awslambdaric", words[0])), path, command.line, home)


def _copied_from(document: Dockerfile, folder: str) -> Iterator[str]:
    """The folders whose files the last stage of an image copies, from the folder of the build or the root."""
    from mlops_scan.documents.dockerfile import commands

    last = document.stages[-1].line
    for instruction in document.instructions:
        if instruction.line > last and instruction.name in ("COPY", "ADD") and "--from=" not in instruction.value:
            value = commands(instruction)
            for source in (value.split() if isinstance(value, str) else list(value))[:-1]:
                place = source.rpartition("/")[0] if source.endswith(".py") else source
                if not source.startswith("--"):
                    yield from (join(folder, place), join("", place or "."))


def _shell(path: str, instruction: Instruction, folder: str) -> Command:
    """An instruction as shell text, its lines kept where they are known."""
    from mlops_scan.documents.dockerfile import commands

    value = commands(instruction)
    if not isinstance(value, str):
        return Command(shlex.join(value), path, instruction.line, folder)
    if "<<" in value or "\n" in value:
        return Command(value, path, instruction.line + (1 if "<<" in instruction.value else 0), folder)
    match = _FLAGS.match(instruction.script)
    skipped = match.group() if match is not None else ""
    return Command(instruction.script[len(skipped) :], path, instruction.line + skipped.count("\n"), folder)


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")
